#include "generator/selinux_reach.h"

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "common/text.h"
#include "generator/file_context_regex.h"
#include "generator/selinux_access.h"
#include "policies/embedded.h"

namespace cordon {
namespace {

constexpr std::size_t kSamples = 3;

/// The file contexts of file_contexts.homedirs, which no module has.
std::vector<FilePattern> ParseContexts(std::string_view text) {
  std::vector<FilePattern> patterns;
  for (const std::string& line : Split(text, '\n')) {
    std::istringstream words(line);
    FilePattern pattern;
    std::string flag;
    std::string context;
    if (line.starts_with('#') || !(words >> pattern.regex >> flag)) {
      continue;
    }
    if (!(words >> context)) {
      context = std::exchange(flag, std::string());
    }
    for (const FileClass candidate :
         {FileClass::kFile, FileClass::kDirectory, FileClass::kSymlink, FileClass::kCharacter,
          FileClass::kBlock, FileClass::kFifo, FileClass::kSocket}) {
      if (!flag.empty() && FileContextFlag(candidate) == flag) {
        pattern.file_class = candidate;
      }
    }
    const std::vector<std::string> parts = Split(context, ':');
    if (parts.size() >= 3) {
      pattern.type = parts[2];
      patterns.push_back(std::move(pattern));
    }
  }
  return patterns;
}

/// Does `regex` match one path only? A backslash makes an ordinary character of the next one.
bool IsSinglePath(std::string_view regex) {
  for (std::size_t i = 0; i < regex.size(); ++i) {
    if (regex[i] == '\\') {
      ++i;
    } else if (std::string_view(".^$?*+|[({").contains(regex[i])) {
      return false;
    }
  }
  return true;
}

class ReachFinder {
 public:
  ReachFinder(const SelinuxRules& rules, const SelinuxTarget& target);

  std::vector<TypeReach> Find() const;

 private:
  void CountFiles(TypeReach* reach) const;
  void CountPorts(TypeReach* reach) const;

  const SelinuxRules& rules_;
  const SelinuxTarget& target_;
  std::map<std::string, std::vector<FilePattern>> patterns_;  ///< by type
  std::map<std::pair<std::string, std::string>, std::set<std::string>> places_;
};

ReachFinder::ReachFinder(const SelinuxRules& rules, const SelinuxTarget& target)
    : rules_(rules), target_(target) {
  for (const FilePattern& pattern : target.facts.file_patterns) {
    patterns_[pattern.type].push_back(pattern);
  }
  for (FilePattern& pattern : ParseContexts(target.home_contexts)) {
    patterns_[pattern.type].push_back(std::move(pattern));
  }
  for (const RecordedAccess& access : rules.accesses) {
    places_[{access.target, access.object_class}].insert(access.place);
  }
}

void ReachFinder::CountFiles(TypeReach* reach) const {
  const auto found = patterns_.find(reach->type);
  if (found == patterns_.end()) {
    return;
  }
  const auto places = places_.find({reach->type, reach->object_class});
  for (const FilePattern& pattern : found->second) {
    if (pattern.file_class.has_value() &&
        SelinuxClassName(*pattern.file_class) != reach->object_class) {
      continue;
    }
    ++reach->file_contexts;
    const bool single = IsSinglePath(pattern.regex);
    reach->single_paths += single ? 1 : 0;
    const bool recorded = places != places_.end() &&
                          std::ranges::any_of(places->second, [&](const std::string& place) {
                            return PathRegex(place) == pattern.regex;
                          });
    if (!recorded && reach->such_as.size() < kSamples) {
      reach->such_as.push_back(pattern.regex);
    }
  }
}

void ReachFinder::CountPorts(TypeReach* reach) const {
  const std::optional<std::string_view> protocol = PortProtocol(reach->object_class);
  for (const PortRange& range : target_.facts.ports) {
    if (range.type == reach->type && range.protocol == protocol) {
      reach->ports += range.high - range.low + 1U;
    }
  }
}

std::vector<TypeReach> ReachFinder::Find() const {
  std::vector<TypeReach> reaches;
  for (const auto& [key, rule] : rules_.policy.allow) {
    if (key.source != rules_.policy.domain || key.target == "self" ||
        rules_.policy.types.contains(key.target) || rules_.policy.attributes.contains(key.target)) {
      continue;
    }
    TypeReach reach{.type = key.target,
                    .object_class = key.object_class,
                    .permissions = rule.permissions,
                    .recorded = 0,
                    .file_contexts = 0,
                    .single_paths = 0,
                    .such_as = {},
                    .ports = 0};
    const auto places = places_.find({key.target, key.object_class});
    reach.recorded = places == places_.end() ? 0 : places->second.size();
    CountFiles(&reach);
    CountPorts(&reach);
    reaches.push_back(std::move(reach));
  }
  std::ranges::stable_sort(reaches, [](const TypeReach& one, const TypeReach& other) {
    return one.file_contexts + one.ports > other.file_contexts + other.ports;
  });
  return reaches;
}

}  // namespace

std::vector<TypeReach> ReachOf(const SelinuxRules& rules, const SelinuxTarget& target) {
  return ReachFinder(rules, target).Find();
}

std::vector<ForbiddenAccess> ForbiddenAccesses(const PolicyFacts& facts) {
  std::vector<ForbiddenAccess> rows;
  for (const std::string& line : Split(policies::kSelinuxMustStayDenied, '\n')) {
    std::istringstream words(line);
    ForbiddenAccess row;
    if (line.starts_with('#') ||
        !(words >> row.type >> row.object_class >> row.permission >> std::ws)) {
      continue;
    }
    std::getline(words, row.what);
    if (facts.HasPermission(row.object_class, row.permission) &&
        (row.type == "self" || facts.types.contains(row.type))) {
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

}  // namespace cordon
