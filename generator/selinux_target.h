#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "generator/cil_module.h"
#include "generator/cil_scanner.h"
#include "generator/policy_slice.h"

namespace cordon {

/// How much of the target's policy is at hand.
enum class SelinuxTargetKind : std::uint8_t {
  kNames,    ///< cordon's own table of names: rules, constraints and neverallow statements are not
             ///< known
  kModules,  ///< every module of the policy
};

/// Where the processes of a generated domain run.
enum class SelinuxSurroundings : std::uint8_t {
  kHost,       ///< among the host's files, started by init or from a shell
  kContainer,  ///< among a container's files, started by an engine
};

/// What LoadSelinuxTarget() calls the surroundings of a container.
inline constexpr std::string_view kContainerTarget = "container";

/// A module as its file has it: CIL, perhaps compressed by bzip2.
struct StoredModule {
  std::string name;
  std::string path;
  std::string data;
};

/// The policy that a generated module is for.
struct SelinuxTarget {
  std::string
      name;  ///< "refpolicy-debian12", "default", or the folder; of a container "container:" before
  std::string version;  ///< of the package that the names came from; empty where not known
  SelinuxTargetKind kind = SelinuxTargetKind::kNames;
  PolicyFacts facts;
  std::set<std::string> module_names;  ///< a module of ours with such a name would replace that one
  /// What our module is compiled with, sorted by name. Without those of the policy itself while
  /// `slice` stands for them.
  std::vector<CilModule> modules;
  std::optional<PolicySlice> slice;  ///< as it was kept from an earlier time
  std::vector<StoredModule> stored;  ///< what `slice` is of
  std::string slice_key;             ///< in the cache; empty: nothing is to be kept
  std::string file_contexts;         ///< format of file_contexts(5)
  std::string home_contexts;         ///< file_contexts.homedirs, which no module has
  std::string substitutions;         ///< file_contexts.subs_dist and .subs
  std::vector<std::string> notes;    ///< what could not be read of it
  SelinuxSurroundings surroundings = SelinuxSurroundings::kHost;
  std::vector<CilModule>
      companions;  ///< ours, to be loaded with what is generated; `modules` has them, too
};

/// May the slice of a policy be kept for the next time, and one that was kept be used?
enum class SliceCache : std::uint8_t { kOff, kOn };

/// Loads `target`: "host" (/etc/selinux and its module store), "refpolicy-debian12" (the table that
/// cordon carries), or a folder that is the root of an installed policy or holds *.cil with a
/// file_contexts; empty means host where a policy is installed, else refpolicy-debian12.
/// "container:TARGET" is a container on a host with that policy (generator/selinux_container.h),
/// "container" the same without a name; "fedora-container" is one on Fedora, by the table that
/// cordon carries. Fails with kNotFound when there is no policy there, with kInvalidInput naming
/// the file when one cannot be understood. With SliceCache::kOn a slice that was kept takes the
/// place of the modules of a whole policy (target_compiler.h says when one is kept).
Expected<SelinuxTarget> LoadSelinuxTarget(const std::string& target,
                                          SliceCache cache = SliceCache::kOff);

/// Makes `modules` of `stored`, which holds nothing then; nothing where that was done before. Fails
/// with kInvalidInput naming the file when one is damaged.
Status UnpackModules(SelinuxTarget* target);

/// The target made of a table of names and a table of places (format: policies/selinux/*).
Expected<SelinuxTarget> TargetFromTables(std::string name, std::string_view symbols,
                                         std::string_view places);

}  // namespace cordon
