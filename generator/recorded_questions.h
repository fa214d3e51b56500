#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "generator/file_labels.h"
#include "generator/selinux_check.h"
#include "generator/selinux_rules.h"

namespace cordon {

/// A recorded access that a policy does not allow in full.
struct DeniedAccess {
  std::string place;  ///< for people: a path, "socket tcp", …
  std::string type;   ///< of the object; "self" where it is the domain
  std::string object_class;
  std::set<std::string> permissions;  ///< those that are missing
  std::set<std::uint16_t> requests;   ///< ioctl requests that no allowxperm rule names
  std::string reason;
  Seen seen;

  /// One line.
  std::string Describe() const;
};

/// The questions to ask of a policy about everything that was recorded. The type of each path is
/// looked up in `labels`, and that of what the workload made in the transitions of `rules.policy`.
/// `rules` and `labels` have to outlive it.
class RecordedQuestions {
 public:
  RecordedQuestions(const SelinuxRules& rules, const FileLabels& labels);

  const std::vector<SelinuxQuestion>& questions() const { return questions_; }

  /// How many (object, permission) pairs they ask about, ioctl requests each counted.
  std::size_t asked() const { return asked_; }

  /// What `answers`, in the order of questions(), and the ioctl rules of `rules.policy` refuse.
  std::vector<DeniedAccess> Denied(std::span<const SelinuxAnswer> answers) const;

 private:
  std::set<std::string> TypesOf(const RecordedAccess& access) const;
  std::string CreatedType(const std::string& path, FileClass file_class) const;
  std::string DirectoryType(const std::string& path) const;
  std::set<std::uint16_t> RefusedRequests(const RecordedAccess& access,
                                          const std::string& type) const;

  const SelinuxRules& rules_;
  const FileLabels& labels_;
  std::set<std::pair<std::string, FileClass>> created_;
  std::vector<SelinuxQuestion> questions_;
  std::vector<std::pair<const RecordedAccess*, std::string>>
      subjects_;  ///< access and type of each
  std::size_t asked_ = 0;
};

/// `source` asks for `permissions` on an object of class `object_class` and type `type` ("self":
/// itself).
SelinuxQuestion MakeQuestion(const std::string& source, const std::string& type,
                             const std::string& object_class, std::set<std::string> permissions);

}  // namespace cordon
