#include "tracer/trap_once.h"

#include <sys/mman.h>
#include <sys/random.h>

#include <algorithm>
#include <climits>
#include <utility>

#include "model/syscall_signature.h"
#include "observe/process_memory.h"

namespace cordon {
namespace {

using Layout = KnownCallsLayout;

constexpr std::uint64_t kCallBytes = 2;                    // syscall
constexpr std::uint64_t kReach = std::uint64_t{1} << 30U;  // half of what five bytes reach
constexpr std::uint64_t kNoCall = ~0ULL;
constexpr std::uint64_t kMapFixedNoReplace = 0x100000;  // MAP_FIXED_NOREPLACE, Linux 4.17

std::uint64_t Distance(std::uint64_t a, std::uint64_t b) {
  return a > b ? a - b : b - a;
}

std::uint64_t Random() {
  std::uint64_t value = 0;
  (void)::getrandom(&value, sizeof value, 0);  // does not fail for so few bytes (getrandom(2))
  return value;
}

std::int32_t NumberOf(std::string_view name) {
  return SyscallNumber(Architecture::kX86_64, name).value_or(-1);
}

/// Is the call made by this stub, or by one that it chooses?
bool MakesCall(const AddressSpace& space, std::size_t stub, std::int32_t number) {
  const CallSite& site = space.stubbed[stub].site;
  return site.number == number ||
         (site.number < 0 && std::ranges::any_of(
                                 space.stubbed,
                                 [&](const StubbedSite& other) {
                                   return other.site.address == site.address &&
                                          other.site.number == number;
                                 }));
}

/// Was the slot of kNameKeys filled since names were forgotten?
bool IsMade(const AddressSpace& space, std::uint64_t slot) {
  return space.names_made[slot] == space.names_round;
}

/// The slot of kNameKeys where `key` lies.
std::optional<std::uint64_t> FindName(const ProcessMemory& memory, std::uint64_t known,
                                      const AddressSpace& space, std::uint64_t key) {
  const std::uint64_t first = SlotOf(key) & ~1ULL;
  std::array<std::uint64_t, 2> slots{};
  if ((!IsMade(space, first) && !IsMade(space, first + 1)) ||
      !memory.Read({known + Layout::kNameKeys + first * sizeof key}, slots.data(), sizeof slots)
           .has_value()) {
    return std::nullopt;
  }
  for (const std::uint64_t which : {first, first + 1}) {
    if (IsMade(space, which) && slots.at(which & 1U) == key) {
      return which;
    }
  }
  return std::nullopt;
}

/// Free memory below the mapping that holds `near`, with room around it for what grows there.
std::optional<std::uint64_t> FindGap(const std::vector<Mapping>& mappings, std::uint64_t near) {
  constexpr std::uint64_t kMargin = 1U << 20U;
  constexpr std::uint64_t kLowest = 1U << 16U;  // vm.mmap_min_addr
  std::uint64_t above = 0;
  for (auto mapping = mappings.rbegin(); mapping != mappings.rend(); ++mapping) {
    if (mapping->begin > near) {
      continue;
    }
    const auto next = std::next(mapping);
    const std::uint64_t below = next == mappings.rend() ? kLowest : next->end;
    above = mapping->begin;
    if (above > below && above - below > 2 * kMargin + DetourArena::kBytes) {
      const std::uint64_t address = (above - kMargin) & ~(DetourArena::kBytes - 1);
      return Distance(address, near) < kReach ? std::optional(address) : std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace

StubWindow StubWindow::Choose() {
  // Between where programs that are linked to fixed places lie and where the kernel puts the
  // others (arch/x86/mm/mmap.c); 2 MiB apart, so that it has its own page table.
  constexpr std::uint64_t kLowest = 0x2000'0000'0000;
  constexpr std::uint64_t kSpan = 0x2000'0000'0000;
  constexpr std::uint64_t kStep = 0x20'0000;
  return {.address = kLowest + (Random() % (kSpan / kStep)) * kStep};
}

// --- memory ---

bool TrapOnce::Interpose(pid_t id, AddressSpace& space, const CallStop& stop) {
  if (space.closed || space.tasks != 1 || window_.Holds(stop.instruction_pointer)) {
    return false;
  }
  if (space.state == AddressSpace::State::kBare && space.silent_stops >= silent_stops_before_) {
    return Begin(id, space, stop, stop.instruction_pointer);
  }
  if (space.state == AddressSpace::State::kReady && space.wants_arena_near) {
    const std::uint64_t near = *space.wants_arena_near;
    space.wants_arena_near.reset();
    return Begin(id, space, stop, near);
  }
  return false;
}

bool TrapOnce::Begin(pid_t id, AddressSpace& space, const CallStop& stop, std::uint64_t near) {
  const bool first = space.state == AddressSpace::State::kBare;
  // Only this instruction can be run again: int $0x80, sysenter and the vsyscall page are left
  // alone.
  const auto instruction = ProcessMemory(id).ReadValue<std::array<std::uint8_t, kCallBytes>>(
      {stop.instruction_pointer - kCallBytes});
  if (!instruction.has_value() ||
      *instruction != std::array<std::uint8_t, kCallBytes>{0x0f, 0x05}) {
    return false;
  }
  const Expected<TaskRegisters> saved = kernel_.ReadRegisters(id);
  const Expected<std::vector<Mapping>> mappings = ReadMappings(id);
  const std::optional<std::uint64_t> arena =
      mappings.has_value() ? FindGap(*mappings, near) : std::nullopt;
  if (!saved.has_value() || !arena) {
    if (first) {
      space.state = AddressSpace::State::kRefused;
    }
    return false;
  }
  Errand& errand = errands_[id];
  errand = {.saved = *saved,
            .near = near,
            .arena = *arena,
            .step = first ? Errand::Step::kMapWindow : Errand::Step::kMapArena};
  if (!Send(id, errand, true)) {
    errands_.erase(id);
    return false;
  }
  return true;
}

/// Makes the task make the call of the errand's step: the one that it is about to make is replaced,
/// or, `from_stop` of the end of one, the instruction is run again.
bool TrapOnce::Send(pid_t id, Errand& errand, bool from_stop) {
  TaskRegisters registers = errand.saved;
  const bool protect = errand.step == Errand::Step::kOpenKnownCalls;
  static const std::int32_t kMap = NumberOf("mmap");
  static const std::int32_t kProtect = NumberOf("mprotect");
  const auto number = static_cast<std::uint64_t>(protect ? kProtect : kMap);
  if (from_stop) {
    registers.call_number() = number;
  } else {
    registers.rax() = number;
    registers.call_number() = kNoCall;
    registers.instruction_pointer() -= kCallBytes;
  }
  const bool arena = errand.step == Errand::Step::kMapArena;
  registers.rdi() = protect ? window_.known_calls() : arena ? errand.arena : window_.address;
  registers.rsi() = protect ? Layout::kBytes : arena ? DetourArena::kBytes : StubWindow::kBytes;
  registers.rdx() = protect ? PROT_READ | PROT_WRITE : PROT_READ | PROT_EXEC;
  registers.r10() = MAP_PRIVATE | MAP_ANONYMOUS | kMapFixedNoReplace;
  registers.r8() = ~0ULL;
  registers.r9() = 0;
  return kernel_.WriteRegisters(id, registers).has_value() &&
         kernel_.Resume(id, from_stop ? ResumeMode::kSyscall : ResumeMode::kRun, 0).has_value();
}

bool TrapOnce::Advance(pid_t id, AddressSpace& space, const StopEvent& event) {
  Errand& errand = errands_.at(id);
  if (std::holds_alternative<SeccompStop>(event)) {
    (void)kernel_.Resume(id, ResumeMode::kSyscall, 0);
    return true;
  }
  if (std::holds_alternative<TaskEnd>(event) || std::holds_alternative<ExitingStop>(event)) {
    errands_.erase(id);
    return false;
  }
  if (!std::holds_alternative<SyscallStop>(event)) {
    // A signal: the program must find its own registers, at a call that it has yet to make.
    PutBack(id, errand);
    Finish(id, space, false);
    return false;
  }
  Expected<TaskRegisters> registers = kernel_.ReadRegisters(id);
  const bool protect = errand.step == Errand::Step::kOpenKnownCalls;
  const std::uint64_t wanted = protect                                  ? 0
                               : errand.step == Errand::Step::kMapArena ? errand.arena
                                                                        : window_.address;
  const bool ok = registers.has_value() && registers->rax() == wanted;
  if (ok && errand.step != Errand::Step::kMapArena) {
    errand.step = protect ? Errand::Step::kMapArena : Errand::Step::kOpenKnownCalls;
    if (Send(id, errand, false)) {
      return true;
    }
  }
  PutBack(id, errand);
  Finish(id, space, ok);
  (void)kernel_.Resume(id, ResumeMode::kRun, 0);
  return true;
}

void TrapOnce::PutBack(pid_t id, const Errand& errand) {
  TaskRegisters registers = errand.saved;
  registers.rax() = registers.call_number();
  registers.call_number() = kNoCall;
  registers.instruction_pointer() -= kCallBytes;
  (void)kernel_.WriteRegisters(id, registers);
}

void TrapOnce::Finish(pid_t id, AddressSpace& space, bool ok) {
  const Errand errand = errands_.at(id);
  errands_.erase(id);
  if (!ok) {
    if (space.state == AddressSpace::State::kBare) {
      space.state = AddressSpace::State::kRefused;
    }
    return;
  }
  space.arenas.push_back({.address = errand.arena, .sites = {}});
  if (space.state == AddressSpace::State::kBare) {
    space.state = AddressSpace::State::kReady;
    const std::uint64_t known = window_.known_calls();
    const std::array<std::uint64_t, 2> addresses{known + Layout::kNameKeys,
                                                 known + Layout::kPending};
    static_assert(Layout::kPendingAddress == Layout::kNameKeysAddress + sizeof(std::uint64_t));
    if (!ProcessMemory(id)
             .Write({known + Layout::kNameKeysAddress}, addresses.data(), sizeof addresses)
             .has_value()) {
      space.state = AddressSpace::State::kRefused;  // of a program that may not be read
      return;
    }
    ++counts_.spaces;
    Forget(id, space);
  }
}

std::shared_ptr<AddressSpace> TrapOnce::Fork(pid_t child, const AddressSpace& space) {
  auto copy = std::make_shared<AddressSpace>(space);
  copy->tasks = 1;
  copy->strangers = 0;
  if (copy->state == AddressSpace::State::kReady) {
    // The child has descriptors of its own, of which nothing was asked yet.
    ForgetDescriptors(child, *copy, 0, Layout::kDescriptors - 1);
    copy->hits_before = 0;
    copy->hits_before = Hits(child, *copy);
  }
  return copy;
}

std::uint64_t TrapOnce::Hits(pid_t id, const AddressSpace& space) const {
  if (space.state != AddressSpace::State::kReady) {
    return 0;
  }
  std::array<std::uint64_t, Layout::kHitCounters * Layout::kHitStride / sizeof(std::uint64_t)>
      counters{};
  if (!ProcessMemory(id)
           .Read({window_.known_calls() + Layout::kHits}, counters.data(), sizeof counters)
           .has_value()) {
    return 0;
  }
  std::uint64_t hits = 0;
  for (const std::uint64_t counter : counters) {
    hits += counter;
  }
  return hits - std::min(hits, space.hits_before);
}

// --- known calls ---

/// Changes what the stubs go by so that they let less through. The space is closed where that
/// fails: the kernel lets a tracer write to no memory that is not dumpable, or of another user,
/// without CAP_SYS_PTRACE (ptrace_may_access() in kernel/ptrace.c).
bool TrapOnce::Replace(pid_t id, AddressSpace& space, std::uint64_t offset, const void* bytes,
                       std::size_t size) {
  const Status written = ProcessMemory(id).Write({window_.known_calls() + offset}, bytes, size);
  if (!written.has_value() && !IsGone(written.error())) {
    space.closed = true;
    on_stale_();
  }
  return written.has_value();
}

void TrapOnce::Forget(pid_t id, AddressSpace& space) {
  if (space.state != AddressSpace::State::kReady || space.forgotten) {
    return;
  }
  space.seed = Random();
  space.plain.fill(false);
  bool done = Replace(id, space, Layout::kSeed, &space.seed, sizeof space.seed);
  const std::array<std::uint8_t, Layout::kPlainCalls> none{};
  done = Replace(id, space, Layout::kPlain, none.data(), none.size()) && done;
  space.names_known = true;
  ForgetNames(id, space);
  SetReporting(id, space);
  space.forgotten = space.closed && done && !space.names_known && !space.reports_unknown;
}

void TrapOnce::Close(pid_t id, AddressSpace& space) {
  space.closed = true;
  Forget(id, space);
}

std::vector<std::uint32_t> TrapOnce::TakeIdentities(pid_t id, AddressSpace& space) {
  std::vector<std::uint32_t> identities;
  space.described = 0;
  if (std::exchange(space.ends_descriptors, false)) {
    identities.resize(Layout::kDescriptors);
    if (!ProcessMemory(id)
             .Read({window_.known_calls() + Layout::kIdentities}, identities.data(),
                   identities.size() * sizeof(std::uint32_t))
             .has_value()) {
      std::ranges::fill(identities, 0);
    }
  }
  return identities;
}

/// Calls that are not known are made before they are told only where every stop of this memory's
/// tasks would be of the same kind.
void TrapOnce::SetReporting(pid_t id, AddressSpace& space) {
  const bool reports = !space.closed && space.strangers == 0;
  if (space.state == AddressSpace::State::kReady && space.reports_unknown != reports) {
    const std::uint8_t value = reports ? 1 : 0;
    space.reports_unknown =
        Replace(id, space, Layout::kReportsUnknown, &value, sizeof value) == reports;
  }
}

void TrapOnce::Silence(pid_t id) const {
  const ProcessMemory memory(id);
  const std::array<std::uint64_t, 2> seeds{Random(), Random()};
  static_assert(Layout::kNamesSeed == Layout::kSeed + sizeof seeds[0]);
  // Fails where there is no window.
  (void)memory.Write({window_.known_calls() + Layout::kSeed}, seeds.data(), sizeof seeds);
  constexpr std::uint64_t kFirst = Layout::kReportsUnknown;
  const std::array<std::uint8_t, Layout::kPlain + Layout::kPlainCalls - kFirst> none{};
  (void)memory.Write({window_.known_calls() + kFirst}, none.data(), none.size());
}

void TrapOnce::ForgetNames(pid_t id, AddressSpace& space) {
  if (space.state != AddressSpace::State::kReady || !space.names_known) {
    return;
  }
  space.names_seed = Random();
  ++space.names_round;
  // A leader that has ended before its threads has no memory: they try again.
  space.names_known =
      !Replace(id, space, Layout::kNamesSeed, &space.names_seed, sizeof space.names_seed);
}

std::optional<std::uint32_t> TrapOnce::IdentityOf(pid_t id, const AddressSpace& space,
                                                  std::uint64_t fd) const {
  if (space.state != AddressSpace::State::kReady || !space.ends_descriptors) {
    return std::nullopt;
  }
  if (fd >= Layout::kDescriptors) {
    return space.closes_unseen ? std::optional<std::uint32_t>(0) : std::nullopt;
  }
  const auto identity = ProcessMemory(id).ReadValue<std::uint32_t>(
      {window_.known_calls() + Layout::kIdentities + fd * sizeof(std::uint32_t)});
  return identity.has_value() ? *identity : 0;
}

void TrapOnce::Describe(pid_t id, AddressSpace& space, std::uint64_t fd, std::uint32_t identity) {
  if (fd < Layout::kDescriptors && !space.closed && space.strangers == 0) {
    (void)Identify(id, space, fd, identity);
  }
}

void TrapOnce::ForgetDescriptors(pid_t id, AddressSpace& space, std::uint64_t first,
                                 std::uint64_t last) {
  if (space.state != AddressSpace::State::kReady || first >= space.described) {
    return;
  }
  const std::uint64_t end = std::min(last + 1, space.described);
  const std::vector<std::uint32_t> none(end - first);
  (void)Replace(id, space, Layout::kIdentities + first * sizeof(std::uint32_t), none.data(),
                none.size() * sizeof(std::uint32_t));
}

void TrapOnce::Learn(pid_t id, AddressSpace& space, std::uint64_t instruction_pointer,
                     const SyscallInvocation& invocation, const Repetition& repetition) {
  SetReporting(id, space);
  if (repetition.opened != 0 && space.ends_descriptors && space.strangers == 0 && !space.closed) {
    (void)Identify(id, space, repetition.opened_as, repetition.opened);
  }
  if (!repetition.silent || invocation.call.arch != Architecture::kX86_64 || space.closed ||
      space.strangers != 0) {
    return;
  }
  const std::optional<CallShape> shape = ShapeOf(invocation.call);
  if (!shape || (shape->plain() &&
                 (invocation.call.number < 0 ||
                  invocation.call.number >= static_cast<std::int32_t>(Layout::kPlainCalls)))) {
    return;
  }
  ++space.silent_stops;
  if (space.state != AddressSpace::State::kReady || window_.Holds(instruction_pointer)) {
    return;
  }
  const std::uint64_t site = instruction_pointer - kCallBytes;
  const auto found = space.sites.find(site);
  const std::optional<std::size_t> stub =
      found != space.sites.end() ? found->second : Stub(id, space, site, invocation.call.number);
  if (!stub || !MakesCall(space, *stub, invocation.call.number)) {
    CountUnpatched(id, space, site);
    return;
  }
  const Known known = shape->path
                          ? KnowName(id, space, invocation, *shape, *shape->path, repetition)
                          : Know(id, space, invocation, *shape, repetition);
  if (known == Known::kBefore && space.tasks == 1 && !Stands(id, space.stubbed[*stub])) {
    space.sites.erase(site);  // other code lies there now
  }
}

TrapOnce::Known TrapOnce::Know(pid_t id, AddressSpace& space, const SyscallInvocation& invocation,
                               const CallShape& shape, const Repetition& repetition) {
  const ProcessMemory memory(id);
  const std::uint64_t known = window_.known_calls();
  if (shape.plain()) {
    const auto number = static_cast<std::size_t>(invocation.call.number);
    const std::uint8_t yes = 1;
    if (space.plain.at(number)) {
      return Known::kBefore;
    }
    space.closes_unseen = space.closes_unseen || shape.closes;
    space.plain.at(number) =
        memory.Write({known + Layout::kPlain + number}, &yes, sizeof yes).has_value();
    return Known::kNow;
  }
  std::vector<std::uint64_t> parts;
  std::size_t descriptors = 0;
  for (std::size_t i = 0; i < shape.size; ++i) {
    const KeyPart& part = shape.parts.at(i);
    const std::uint64_t argument = invocation.arguments.at(part.index);
    if (part.kind == KeyPart::Kind::kScalar) {
      parts.push_back(part.width_bits == 64 ? argument : static_cast<std::uint32_t>(argument));
      continue;
    }
    if (shape.controls && !ControlsFile(static_cast<std::uint32_t>(invocation.arguments[1]))) {
      parts.push_back(0);
      continue;
    }
    const std::uint32_t identity = repetition.identities.at(descriptors++);
    const std::uint64_t fd = static_cast<std::uint32_t>(argument);
    if (identity == 0 || fd >= Layout::kDescriptors || !Identify(id, space, fd, identity)) {
      return Known::kNow;
    }
    parts.push_back(identity);
  }
  const std::uint64_t key = KeyOf(space.seed, invocation.call.number, parts);
  const std::uint64_t pair = SlotOf(key) & ~1ULL;
  std::array<std::uint64_t, 2> slots{};
  const std::uint64_t address = known + Layout::kKeys + pair * sizeof key;
  if (key == 0 || !memory.Read({address}, slots.data(), sizeof slots).has_value()) {
    return Known::kNow;
  }
  if (slots[0] == key || slots[1] == key) {
    return Known::kBefore;
  }
  const std::size_t slot = slots[0] == 0 ? 0 : slots[1] == 0 ? 1 : SlotOf(key) & 1U;
  (void)memory.Write({address + slot * sizeof key}, &key, sizeof key);
  return Known::kNow;
}

bool TrapOnce::Identify(pid_t id, AddressSpace& space, std::uint64_t fd, std::uint32_t identity) {
  const ProcessMemory memory(id);
  const RemoteAddress address{window_.known_calls() + Layout::kIdentities + fd * sizeof identity};
  const auto before = memory.ReadValue<std::uint32_t>(address);
  space.described = std::max(space.described, fd + 1);
  return before.has_value() &&
         (*before == identity || memory.Write(address, &identity, sizeof identity).has_value());
}

TrapOnce::Known TrapOnce::KnowName(pid_t id, AddressSpace& space,
                                   const SyscallInvocation& invocation, const CallShape& shape,
                                   const PathPart& place, const Repetition& repetition) {
  const ProcessMemory memory(id);
  const std::uint64_t known = window_.known_calls();
  const Expected<std::string> path =
      memory.ReadString({invocation.arguments.at(place.index)}, PATH_MAX);
  if (!path.has_value()) {
    return Known::kNow;
  }
  std::uint32_t directory = kWorkingDirectory;
  if (place.directory) {
    const auto fd = static_cast<std::uint32_t>(invocation.arguments.at(*place.directory));
    if (fd != kWorkingDirectory) {
      directory = repetition.identities[0];
      if (directory == 0 || fd >= Layout::kDescriptors || !Identify(id, space, fd, directory)) {
        return Known::kNow;
      }
    }
  }
  std::vector<std::uint64_t> parts;
  parts.reserve(shape.size);
  for (std::size_t i = 0; i < shape.size; ++i) {
    parts.push_back(static_cast<std::uint32_t>(invocation.arguments.at(shape.parts.at(i).index)));
  }
  if (space.names_made.empty()) {
    space.names_made.resize(std::size_t{1} << Layout::kKeyBits);
  }
  const auto key_of = [&] {
    return NameKeyOf(space.names_seed, invocation.call.number, directory, *path, parts);
  };
  std::uint64_t key = key_of();
  std::uint64_t slot = SlotOf(key);
  const std::uint64_t result = static_cast<std::uint32_t>(repetition.result);
  if (const std::optional<std::uint64_t> former = FindName(memory, known, space, key)) {
    // It came out otherwise than before; a thread in between finds either result, and compares.
    (void)memory.Write({known + Layout::kNameKeys + *former * sizeof key + Layout::kResults},
                       &result, sizeof result);
    return Known::kBefore;
  }
  if (IsMade(space, slot) && IsMade(space, slot ^ 1U)) {
    // A thread may be between finding a key and taking its result: all begin anew.
    ForgetNames(id, space);
    key = key_of();
    slot = SlotOf(key);
  } else if (IsMade(space, slot)) {
    slot ^= 1U;
  }
  if (key == 0) {
    return Known::kNow;
  }
  const std::uint64_t address = known + Layout::kNameKeys + slot * sizeof key;
  if (memory.Write({address + Layout::kResults}, &result, sizeof result).has_value() &&
      memory.Write({address}, &key, sizeof key).has_value()) {
    space.names_made[slot] = space.names_round;
    space.names_known = true;
  }
  return Known::kNow;
}

}  // namespace cordon
