#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "model/syscall_signature.h"
#include "observe/process_memory.h"
#include "tracer/stub_code.h"
#include "tracer/trap_once.h"

// Which code is given stubs, and how it is changed.

namespace cordon {
namespace {

constexpr std::uint64_t kReach = std::uint64_t{1} << 30U;  // half of what five bytes reach
constexpr std::size_t kMostUnpatchedNamed = 64;
constexpr std::size_t kMostArenas = 8;
constexpr std::uint64_t kMostTextBytes = std::uint64_t{64} << 20U;

std::uint64_t Distance(std::uint64_t a, std::uint64_t b) {
  return a > b ? a - b : b - a;
}

std::optional<CallShape> ShapeOfNumber(std::int32_t number) {
  return ShapeOf({.arch = Architecture::kX86_64, .number = number});
}

/// Can it be given stubs at all?
bool MayHaveStub(const CallSite& site) {
  return site.pattern == SitePattern::kAnyNumber || ShapeOfNumber(site.number).has_value();
}

/// Calls that get a stub at a site that makes any.
std::span<const std::int32_t> ChosenNumbers() {
  static const std::vector<std::int32_t> kNumbers = [] {
    constexpr auto kNames = std::to_array<std::string_view>(
        {"read",       "write",      "close",      "fstat",       "lseek",     "pread64",
         "pwrite64",   "readv",      "writev",     "getpid",      "sendfile",  "fcntl",
         "getdents64", "openat",     "newfstatat", "readlinkat",  "faccessat", "faccessat2",
         "epoll_ctl",  "setsockopt", "getsockopt", "getsockname", "sendto",    "recvfrom",
         "fsync",      "fdatasync",  "getcwd",     "sched_yield"});
    static_assert(kNames.size() <= kMostNumbers);
    std::vector<std::int32_t> numbers;
    for (const std::string_view name : kNames) {
      const std::int32_t number = SyscallNumber(Architecture::kX86_64, name).value_or(-1);
      if (ShapeOfNumber(number)) {
        numbers.push_back(number);
      }
    }
    return numbers;
  }();
  return kNumbers;
}

/// Calls after which other code may lie where there was some.
bool ChangesMappings(std::int32_t number) {
  const std::string_view name = SignatureOf({.arch = Architecture::kX86_64, .number = number}).name;
  return name == "mmap" || name == "munmap" || name == "mremap" || name == "mprotect" ||
         name == "pkey_mprotect";
}

}  // namespace

const Mapping* TrapOnce::TextAt(pid_t id, AddressSpace& space, std::uint64_t address) {
  const auto find = [&]() -> const Mapping* {
    const auto found = std::ranges::find_if(space.text, [&](const Mapping& mapping) {
      return mapping.begin <= address && address < mapping.end;
    });
    return found == space.text.end() ? nullptr : &*found;
  };
  if (space.maps_unseen) {
    space.text.clear();
  }
  if (const Mapping* const known = find(); known != nullptr) {
    return known;
  }
  Expected<std::vector<Mapping>> mappings = ReadMappings(id);
  if (!mappings.has_value()) {
    return nullptr;
  }
  space.text = *std::move(mappings);
  // Writing to what is shared would change the file.
  std::erase_if(space.text, [](const Mapping& mapping) {
    return !mapping.executable || mapping.writable || !mapping.is_private ||
           !mapping.path.starts_with('/');
  });
  return find();
}

void TrapOnce::ForgetCode(AddressSpace& space, std::uint64_t begin, std::uint64_t end) {
  space.text.clear();
  const auto lies_there = [&](const auto& entry) {
    return entry.first >= begin && entry.first < end;
  };
  std::erase_if(space.sites, lies_there);
  std::erase_if(space.unpatched, lies_there);
}

void TrapOnce::CountUnpatched(pid_t id, AddressSpace& space, std::uint64_t site) {
  auto named = space.unpatched.find(site);
  if (named == space.unpatched.end()) {
    if (space.unpatched.size() >= kMostUnpatchedNamed) {
      return;
    }
    const Mapping* const mapping = TextAt(id, space, site);
    named = space.unpatched
                .emplace(site, mapping != nullptr
                                   ? fmt::format("{}+{:#x}", mapping->path, site - mapping->begin)
                                   : std::string("code that is of no file"))
                .first;
  }
  const std::string& name = named->second;
  if (counts_.unpatched.contains(name) || counts_.unpatched.size() < kMostUnpatchedNamed) {
    ++counts_.unpatched[name];
  }
}

DetourArena* TrapOnce::ArenaNear(AddressSpace& space, std::uint64_t site) const {
  const auto found = std::ranges::find_if(space.arenas, [&](const DetourArena& arena) {
    return Distance(arena.address, site) < kReach &&
           arena.sites.size() < DetourArena::kBytes / kDetourBytes;
  });
  return found == space.arenas.end() ? nullptr : &*found;
}

std::optional<std::size_t> TrapOnce::Stub(pid_t id, AddressSpace& space, std::uint64_t site,
                                          std::int32_t number) {
  if (space.tasks != 1) {
    return std::nullopt;  // another task may run on these bytes
  }
  const Mapping* const text = TextAt(id, space, site);
  if (text == nullptr || site - text->begin < kBytesBefore || text->end - site < kBytesAfter) {
    space.sites.emplace(site, std::nullopt);
    return std::nullopt;
  }
  if (ArenaNear(space, site) == nullptr) {
    if (space.arenas.size() < kMostArenas) {
      space.wants_arena_near = site;
    }
    return std::nullopt;
  }
  std::array<std::uint8_t, kBytesBefore + kBytesAfter> code{};
  if (!ProcessMemory(id).Read({site - kBytesBefore}, code.data(), code.size()).has_value()) {
    return std::nullopt;
  }
  const std::optional<CallSite> found = RecognizeSite(code, kBytesBefore, site);
  // Made with another number, the code is not what it looks like.
  const bool fits = found && (found->pattern == SitePattern::kAnyNumber || found->number == number);
  const std::optional<std::size_t> stub =
      fits && MayHaveStub(*found) ? Write(id, space, *found, std::span(code).first(kBytesBefore))
                                  : std::nullopt;
  space.sites.emplace(site, stub);
  return stub;
}

/// Puts a stub for `site` and its detour into their places, without leading the site there; no
/// `before`: only what it reports with.
std::optional<std::size_t> TrapOnce::Place(pid_t id, AddressSpace& space, const CallSite& site,
                                           const CallShape& shape,
                                           std::span<const std::uint8_t> before) {
  // Code that was mapped again has its places already.
  const auto former = std::ranges::find_if(space.stubbed, [&](const StubbedSite& stub) {
    return stub.site.address == site.address && stub.site.number == site.number;
  });
  const bool anew = former != space.stubbed.end();
  const auto index = static_cast<std::size_t>(former - space.stubbed.begin());
  DetourArena* const arena = ArenaNear(space, site.address);
  if (!anew && (arena == nullptr || (index + 1) * kStubBytes > StubWindow::kCodeBytes)) {
    return std::nullopt;
  }
  const std::uint64_t address = window_.address + index * kStubBytes;
  const std::uint64_t detour =
      anew ? former->detour : arena->address + arena->sites.size() * kDetourBytes;
  const StubCode stub = WriteStub({.address = address,
                                   .known_calls = window_.known_calls(),
                                   .site = site.address,
                                   .number = site.number,
                                   .shape = shape,
                                   .report = detour + kReportOffset});
  std::vector<std::uint8_t> code =
      before.empty() ? std::vector<std::uint8_t>() : WriteDetour(site, before, detour, address);
  constexpr std::uint8_t kInvalid = 0xcc;
  code.resize(kReportOffset, kInvalid);
  const std::vector<std::uint8_t> report = WriteReport(site.address);
  code.insert(code.end(), report.begin(), report.end());
  if (stub.bytes.size() > kStubBytes || !kernel_.WriteCode(id, address, stub.bytes).has_value() ||
      !kernel_.WriteCode(id, detour, code).has_value()) {
    return std::nullopt;
  }
  StubbedSite placed{.site = site,
                     .shape = shape,
                     .detour = detour,
                     .after_call = address + stub.after_call,
                     .done = address + stub.done,
                     .reports = address + stub.reports,
                     .unknown = address + stub.unknown,
                     .after_unknown = address + stub.after_unknown,
                     .missed = address + stub.missed,
                     .original = {}};
  if (!before.empty()) {
    std::ranges::copy(before.last(site.address - site.patched()).first(kJumpBytes),
                      placed.original.begin());
  }
  if (anew) {
    *former = placed;
    return index;
  }
  arena->sites.push_back(index);
  space.stubbed.push_back(placed);
  if (shape.closes || shape.opens || shape.controls) {
    space.wants_descriptors = space.wants_descriptors || !space.ends_descriptors;
    space.ends_descriptors = true;
    space.described = KnownCallsLayout::kDescriptors;
  }
  space.maps_unseen = space.maps_unseen || ChangesMappings(site.number);
  ++counts_.stubs;
  return index;
}

std::optional<std::size_t> TrapOnce::Write(pid_t id, AddressSpace& space, const CallSite& site,
                                           std::span<const std::uint8_t> before) {
  const std::optional<CallShape> shape = ShapeOfNumber(site.number);
  std::optional<std::size_t> index;
  if (site.pattern == SitePattern::kAnyNumber) {
    index = WriteChosen(id, space, site, before);
  } else if (shape) {
    index = Place(id, space, site, *shape, before);
  }
  if (!index ||
      !kernel_.WriteCode(id, site.patched(), WriteJump(site, space.stubbed[*index].detour))
           .has_value()) {
    return std::nullopt;
  }
  return index;
}

/// A stub for each of the numbers, and one that chooses among them.
std::optional<std::size_t> TrapOnce::WriteChosen(pid_t id, AddressSpace& space,
                                                 const CallSite& site,
                                                 std::span<const std::uint8_t> before) {
  std::vector<NumberedStub> stubs;
  for (const std::int32_t number : ChosenNumbers()) {
    CallSite one = site;
    one.number = number;
    const std::optional<CallShape> shape = ShapeOfNumber(number);
    const std::optional<std::size_t> index =
        shape ? Place(id, space, one, *shape, {}) : std::nullopt;
    if (!index) {
      return std::nullopt;
    }
    stubs.push_back({.number = number, .address = window_.address + *index * kStubBytes});
  }
  const std::optional<std::size_t> index = Place(id, space, site, CallShape(), before);
  if (!index) {
    return std::nullopt;
  }
  const std::uint64_t address = window_.address + *index * kStubBytes;
  StubbedSite& choice = space.stubbed[*index];  // makes no call itself
  choice.after_call = choice.done = choice.reports = choice.unknown = address;
  choice.after_unknown = choice.missed = address;
  return kernel_.WriteCode(id, address, WriteChoice(address, stubs, site.address)).has_value()
             ? index
             : std::nullopt;
}

/// Does the site still lead to its detour?
bool TrapOnce::Stands(pid_t id, const StubbedSite& stub) const {
  const std::vector<std::uint8_t> jump = WriteJump(stub.site, stub.detour);
  std::vector<std::uint8_t> code(jump.size());
  return ProcessMemory(id).Read({stub.site.patched()}, code.data(), code.size()).has_value() &&
         code == jump;
}

TrapOnce::Overlap TrapOnce::MakeRoom(pid_t id, AddressSpace& space, std::uint64_t begin,
                                     std::uint64_t end) {
  const auto overlaps = [&](std::uint64_t address, std::uint64_t bytes) {
    return begin < address + bytes && address < end;
  };
  if (space.state != AddressSpace::State::kReady ||
      (!overlaps(window_.address, StubWindow::kBytes) &&
       std::ranges::none_of(space.arenas, [&](const DetourArena& arena) {
         return overlaps(arena.address, DetourArena::kBytes);
       }))) {
    return Overlap::kNone;
  }
  if (space.tasks != 1) {
    return Overlap::kInTheWay;
  }
  for (const StubbedSite& stub : space.stubbed) {
    if (Stands(id, stub) &&
        !kernel_.WriteCode(id, stub.site.patched(), stub.original).has_value()) {
      return Overlap::kInTheWay;
    }
  }
  counts_.hits += Hits(id, space);
  space.state = AddressSpace::State::kRefused;
  return Overlap::kLeft;
}

bool TrapOnce::BeforeThread(pid_t id, AddressSpace& space, const CallStop& stop) {
  if (space.closed || space.tasks != 1) {
    return false;
  }
  if (space.state == AddressSpace::State::kBare) {
    return Begin(id, space, stop, stop.instruction_pointer);
  }
  if (space.state == AddressSpace::State::kReady) {
    StubEverything(id, space);
  }
  return false;
}

void TrapOnce::StubEverything(pid_t id, AddressSpace& space) {
  space.text.clear();
  (void)TextAt(id, space, 0);
  const std::vector<Mapping> text = space.text;
  for (const Mapping& mapping : text) {
    if (mapping.end - mapping.begin > kMostTextBytes) {
      continue;
    }
    std::vector<std::uint8_t> code(mapping.end - mapping.begin);
    if (!ProcessMemory(id).Read({mapping.begin}, code.data(), code.size()).has_value()) {
      continue;
    }
    for (auto at = code.begin(); (at = std::find(at, code.end(), 0x0f)) != code.end(); ++at) {
      const auto offset = static_cast<std::size_t>(at - code.begin());
      const std::uint64_t site = mapping.begin + offset;
      // A site that has its stub does not look like one any more.
      const std::optional<CallSite> found = RecognizeSite(code, offset, site);
      if (!found || !MayHaveStub(*found)) {
        continue;
      }
      if (const auto stub = Write(id, space, *found,
                                  std::span(code).subspan(offset - kBytesBefore, kBytesBefore))) {
        space.sites.insert_or_assign(site, stub);
      }
    }
  }
}

}  // namespace cordon
