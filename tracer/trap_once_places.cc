#include <algorithm>
#include <csignal>

#include "tracer/stub_code.h"
#include "tracer/trap_once.h"

// Where a program is while it is in a stub or a detour, and where it would be without.

namespace cordon {
namespace {

constexpr std::uint64_t kCallBytes = 2;     // syscall
constexpr std::uint64_t kReturnBytes = 12;  // what a stub returns with: movabs, jmp
constexpr std::uint64_t kNoCall = ~0ULL;

/// What a call of `site` that was made came to, wherever on the way to its report the program is.
std::uint64_t ResultAt(const StubbedSite& site, TaskRegisters& registers) {
  const std::uint64_t pc = registers.instruction_pointer();
  const std::uint64_t report = site.detour + kReportOffset;
  if (pc == report || (pc > site.reports && pc < site.unknown)) {
    return static_cast<std::uint64_t>(ResultInReport(registers.rax()));
  }
  // In the call that reports: a filter answered it, or it ends here.
  const bool reporting = static_cast<std::uint32_t>(registers.call_number()) ==
                         static_cast<std::uint32_t>(site.site.number);
  return reporting && pc > report && pc - report < kDetourBytes
             ? static_cast<std::uint64_t>(ResultInReport(registers.call_number()))
             : registers.rax();
}

}  // namespace

const StubbedSite* TrapOnce::SiteOf(const AddressSpace& space, std::uint64_t pc) const {
  if (window_.Holds(pc)) {
    const std::uint64_t index = (pc - window_.address) / kStubBytes;
    return index < space.stubbed.size() ? &space.stubbed[index] : nullptr;
  }
  const auto arena = std::ranges::find_if(space.arenas, [&](const DetourArena& one) {
    return pc >= one.address && pc - one.address < DetourArena::kBytes;
  });
  if (arena == space.arenas.end()) {
    return nullptr;
  }
  const std::uint64_t index = (pc - arena->address) / kDetourBytes;
  return index < arena->sites.size() ? &space.stubbed[arena->sites[index]] : nullptr;
}

TrapOnce::Report TrapOnce::MakeReport(pid_t id, AddressSpace& space, const StubbedSite& site,
                                      TaskRegisters& registers, std::uint64_t result) {
  const auto value = static_cast<std::int64_t>(result);
  Report report{.invocation = {.call = {.arch = Architecture::kX86_64, .number = site.site.number},
                               .arguments = {registers.rdi(), registers.rsi(), registers.rdx(),
                                             registers.r10(), registers.r8(), registers.r9()}},
                .result = {.value = value, .sys_errno = value < 0 ? static_cast<int>(-value) : 0},
                .instruction_pointer = site.site.address + kCallBytes};
  if (site.shape.opens && value >= 0) {
    ForgetDescriptors(id, space, result, result);
  }
  return report;
}

std::optional<TrapOnce::Report> TrapOnce::ReportAt(pid_t id, AddressSpace& space,
                                                   const CallStop& stop) {
  if (space.state != AddressSpace::State::kReady) {
    return std::nullopt;
  }
  const std::uint64_t pc = stop.instruction_pointer - kCallBytes;
  const StubbedSite* const site = window_.Holds(pc) ? nullptr : SiteOf(space, pc);
  if (site == nullptr || pc != site->detour + kReportOffset) {
    return std::nullopt;
  }
  Expected<TaskRegisters> registers = kernel_.ReadRegisters(id);
  if (!registers.has_value()) {
    return std::nullopt;
  }
  const auto result = static_cast<std::uint64_t>(ResultInReport(registers->call_number()));
  const Report report = MakeReport(id, space, *site, *registers, result);
  registers->rax() = result;
  registers->call_number() = kNoCall;
  registers->instruction_pointer() = site->site.address + kCallBytes;
  (void)kernel_.WriteRegisters(id, *registers);
  return report;
}

std::optional<TrapOnce::Report> TrapOnce::ShowOriginalPlace(pid_t id, AddressSpace& space) {
  if (space.state != AddressSpace::State::kReady) {
    return std::nullopt;
  }
  Expected<TaskRegisters> registers = kernel_.ReadRegisters(id);
  if (!registers.has_value()) {
    return std::nullopt;
  }
  const std::uint64_t pc = registers->instruction_pointer();
  const StubbedSite* const site = SiteOf(space, pc);
  if (site == nullptr) {
    return std::nullopt;
  }
  const bool reports = !window_.Holds(pc) && pc - site->detour >= kReportOffset;
  const bool unknown = window_.Holds(pc) && pc >= site->after_unknown && pc < site->missed;
  const bool made = unknown || (window_.Holds(pc) && pc >= site->after_call && pc < site->unknown);
  std::optional<Report> report;
  OriginalPlace place{.address = site->site.address + kCallBytes, .rax = {}};
  if (reports || made) {
    registers->rax() = ResultAt(*site, *registers);
    const auto result = static_cast<std::int64_t>(registers->rax());
    constexpr std::int64_t kFirstRestart = -516;  // ERESTART_RESTARTBLOCK
    constexpr std::int64_t kLastRestart = -512;   // ERESTARTSYS
    const bool anew = result >= kFirstRestart && result <= kLastRestart;
    const bool looked_at = made && pc >= site->done && pc < site->done + kReturnBytes;
    // Of a call that is not known also that it began is told.
    if (site->shape.checks_result() && !looked_at && (!anew || unknown)) {
      report = MakeReport(id, space, *site, *registers, registers->rax());
    }
  } else if (window_.Holds(pc)) {
    place.address = site->site.address;
    if (site->site.number >= 0) {
      place.rax = static_cast<std::uint64_t>(site->site.number);
    }
  } else {
    place = PlaceInDetour(site->site, pc - site->detour);
  }
  registers->instruction_pointer() = place.address;
  if (place.rax) {
    registers->rax() = *place.rax;
  }
  (void)kernel_.WriteRegisters(id, *registers);
  return report;
}

bool TrapOnce::IsFaultOfStub(pid_t id, AddressSpace& space, int signal) {
  if (space.state != AddressSpace::State::kReady || (signal != SIGSEGV && signal != SIGBUS)) {
    return false;
  }
  const Expected<TaskRegisters> registers = kernel_.ReadRegisters(id);
  if (!registers.has_value()) {
    return false;
  }
  TaskRegisters copy = *registers;
  const std::uint64_t pc = copy.instruction_pointer();
  const StubbedSite* const site = window_.Holds(pc) ? SiteOf(space, pc) : nullptr;
  if (site == nullptr || !site->shape.path || pc >= site->after_call || !kernel_.IsFault(id)) {
    return false;
  }
  (void)ShowOriginalPlace(id, space);
  return true;
}

}  // namespace cordon
