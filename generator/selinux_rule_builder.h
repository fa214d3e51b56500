#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "generator/file_labels.h"
#include "generator/selinux_places.h"
#include "generator/selinux_rules.h"

namespace cordon {

/// How BuildSelinuxRules() does it: types and files (selinux_rules.cc), calls and sockets
/// (selinux_rules_network.cc), and what starting a program in its domain needs
/// (selinux_rules_launch.cc, selinux_rules_container.cc). One use each.
class RuleBuilder {
 public:
  RuleBuilder(const Recording& recording, const SelinuxTarget& target, const ModuleName& name)
      : recording_(recording), target_(target), workload_(name.workload), files_(recording.files) {
    rules_.policy.name = name.module;
    rules_.policy.domain = name.module + "_t";
  }

  Expected<SelinuxRules> Build();

  /// ReplayAccesses() for `domain`.
  Expected<SelinuxRules> Replay(const std::string& domain);

 private:
  // Names of the target.
  std::set<std::string> Known(const std::string& object_class,
                              const std::set<std::string>& permissions);
  bool HasType(const std::string& type);
  std::string PortType(std::string_view protocol, std::uint16_t port) const;

  bool InContainer() const { return target_.surroundings == SelinuxSurroundings::kContainer; }

  // Types of the module.
  std::string TypeName(PrivateType type) const {
    return fmt::format("{}_{}_t", rules_.policy.name, Suffix(type));
  }

  void DeclareDomain();
  void DeclarePrivateTypes();
  void AddFileContexts();
  std::optional<std::string> TypeInTarget(const FileContextKey& key) const;
  std::vector<FileContextKey> MoreSpecific(const FileContextKey& key) const;
  Expected<FileLabels> LabelsOfTarget() const;
  Expected<FileLabels> LabelsWithOurs() const;
  std::string TypeOf(const FileKey& key) const;

  // Rules.
  void Allow(const std::string& target, const std::string& object_class,
             const std::set<std::string>& permissions, const std::string& place);
  void Record(RecordedAccess access, const std::string& target);
  void AddSocketFiles();
  void AddProgramFiles();
  void AddFile(const FileKey& key, const FileObservation& file);
  std::string AddNamedFile(const FileKey& key, const FileObservation& file, RecordedAccess* access);
  void AddFileIoctls(const FileObservation& file, RecordedAccess* access);
  void AddMarks(const FileKey& key, RecordedAccess* access);
  void AddMessageQueues();
  void AddAncestors();
  void FindInheriting();
  void AddTransition(const FileKey& key);
  void AddCalls();
  void AddPassing();
  void AddSocketRequests(RecordedAccess* access) const;
  void AddSockets();
  void AddSocket(const SocketKey& key, const SocketObservation& socket,
                 const std::set<std::string>& extra);
  void AddPort(const SocketKey& key, const Seen& seen, const std::string& object_class,
               const std::string& permission);
  void AddPeer(const SocketKey& key, const Seen& seen, const std::string& object_class);
  void AddCapabilities();
  void AddLaunch();
  void AddContainerLaunch();
  std::set<std::string> Engines() const;
  void AddMappedCapability(const std::string& object_class, const std::string& permission,
                           const std::string& place);
  void AddLibraryInContainer(const std::string& place);
  void AddLoader();
  void AddThreads();
  void AddSelinuxLibrary();

  const Recording& recording_;
  const SelinuxTarget& target_;
  std::string workload_;
  bool replaying_ = false;                    ///< no types, ports and transitions of our own
  std::unique_ptr<const FileLabels> labels_;  ///< the target's with the module's own file contexts
  /// The recording's, with what its sockets and processes say added.
  std::map<FileKey, FileObservation> files_;
  WorkloadPlaces places_;
  std::set<std::string> executed_inside_;
  /// Type of a directory and class of the objects made in it that keep that type.
  std::set<std::pair<std::string, std::string>> inheriting_;
  SelinuxRules rules_;
};

/// Is `value` in `list`?
template <typename List>
bool ListHas(const List& list, std::string_view value) {
  return std::ranges::find(list, value) != list.end();
}

/// Did the call fail as one that reached the object does? Then the kernel had asked before.
bool WasAsked(const SocketKey& key, const SocketObservation& observation);

/// Has one of `results` been seen?
inline bool Happened(const SocketObservation& observation, std::initializer_list<int> results) {
  return std::ranges::any_of(results,
                             [&](int result) { return observation.results.contains(result); });
}

}  // namespace cordon
