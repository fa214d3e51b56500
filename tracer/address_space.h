#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "observe/memory_map.h"
#include "tracer/call_site.h"
#include "tracer/known_calls.h"

namespace cordon {

/// Where the stubs of every traced process lie: the same place in all, far from where the kernel
/// puts anything by itself, so that one filter can tell their calls from all others.
struct StubWindow {
  std::uint64_t address = 0;

  /// Code; the known calls lie behind it.
  static constexpr std::uint64_t kCodeBytes = 0x80000;
  static constexpr std::uint64_t kBytes = kCodeBytes + KnownCallsLayout::kBytes;

  std::uint64_t known_calls() const { return address + kCodeBytes; }

  bool Holds(std::uint64_t pc) const { return pc >= address && pc - address < kCodeBytes; }

  /// By lot.
  static StubWindow Choose();
};

/// A site with its stub and detour.
struct StubbedSite {
  CallSite site;
  CallShape shape;
  std::uint64_t detour = 0;
  std::uint64_t after_call = 0;  ///< the instruction behind the stub's own `syscall`
  std::uint64_t done = 0;        ///< StubCode::done, as an address
  std::uint64_t reports = 0;     ///< likewise, as the next three
  std::uint64_t unknown = 0;
  std::uint64_t after_unknown = 0;
  std::uint64_t missed = 0;
  std::array<std::uint8_t, kJumpBytes> original{};  ///< what the jump at the site replaced
};

/// Memory near call sites that holds their detours: five bytes reach no further than 2 GiB.
struct DetourArena {
  static constexpr std::uint64_t kBytes = 0x10000;
  std::uint64_t address = 0;
  std::vector<std::size_t> sites;  ///< by detour: index into AddressSpace::stubbed
};

/// What was put into one process's memory; a fork has a copy, as of the memory itself.
struct AddressSpace {
  enum class State : std::uint8_t {
    kBare,     ///< nothing yet
    kReady,    ///< there is a window
    kRefused,  ///< it could not be had: the memory stays as it is
  };

  State state = State::kBare;
  unsigned tasks = 1;
  /// Tasks that share the memory but not its descriptors or directories (vfork(2)): while there are
  /// any, nothing is known.
  unsigned strangers = 0;
  bool closed = false;             ///< nothing may become known any more
  bool forgotten = false;          ///< and nothing is known: the memory need not be written again
  std::uint64_t silent_stops = 0;  ///< stops that told nothing new
  std::optional<std::uint64_t> wants_arena_near;
  std::uint64_t seed = 0;
  std::array<bool, KnownCallsLayout::kPlainCalls> plain{};  ///< in the memory likewise
  bool ends_descriptors = false;   ///< a stub makes close(2), so descriptors change unseen
  bool wants_descriptors = false;  ///< it just began to, and those from before are not known to it
  bool closes_unseen = false;      ///< any number was closed unseen, also beyond the table
  std::uint64_t described = 0;     ///< identities below this may be other than 0
  std::uint64_t names_seed = 0;
  bool reports_unknown = false;           ///< kReportsUnknown, in the memory likewise
  bool names_known = false;               ///< a call with a path became known under that seed
  std::uint32_t names_round = 1;          ///< counts the seeds
  std::vector<std::uint32_t> names_made;  ///< by slot of kNameKeys: the round it was filled in
  std::vector<StubbedSite> stubbed;       ///< by stub
  std::vector<DetourArena> arenas;
  /// By address of the `syscall` instruction; nothing: looked at in vain. Of a site that makes any
  /// call the stub with its number -1, which chooses.
  std::unordered_map<std::uint64_t, std::optional<std::size_t>> sites;
  std::vector<Mapping> text;  ///< private code of files, as last read
  bool maps_unseen = false;   ///< a stub makes mmap(2) or its kin, so `text` may be old at any time
  std::unordered_map<std::uint64_t, std::string> unpatched;  ///< sites with their names, for people
  std::uint64_t hits_at_end = 0;                             ///< as the last task to end found them
  std::uint64_t hits_before = 0;  ///< counted before this memory was forked
};

}  // namespace cordon
