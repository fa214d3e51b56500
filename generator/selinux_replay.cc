#include "generator/selinux_replay.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "common/text.h"
#include "generator/domain_rules.h"
#include "generator/selinux_container.h"

namespace cordon {

std::size_t SelinuxReplay::Refused() const {
  std::size_t refused = 0;
  for (const DeniedAccess& access : denied) {
    refused += access.permissions.size() + access.requests.size();
  }
  return refused;
}

Expected<SelinuxReplay> ReplayRecording(const SelinuxPolicyFile& file, const std::string& domain,
                                        const Recording& recording) {
  const std::string& wanted = domain.empty() ? file.domain : domain;
  const PolicyFacts& facts = file.target.facts;
  if (wanted.empty() || (!facts.types.contains(wanted) && !facts.aliases.contains(wanted))) {
    return Fail(InvalidInput(
        wanted.empty()
            ? fmt::format("{}: a whole policy has many domains: name one with --domain",
                          file.target.name)
            : fmt::format("the SELinux policy has no type {}: name the domain with --domain",
                          Quote(wanted))));
  }
  const auto alias = facts.aliases.find(wanted);
  const std::string& type = alias == facts.aliases.end() ? wanted : alias->second;
  ASSIGN_OR_RETURN(SelinuxRules rules, ReplayAccesses(recording, file.target, type));
  DomainRules own = ReadDomainRules(file.cil, type);
  rules.policy.transitions = std::move(own.transitions);
  rules.policy.allow_ioctl = std::move(own.allow_ioctl);
  ASSIGN_OR_RETURN(const FileLabels labels, TargetLabels(file.target, file.target.file_contexts));
  const RecordedQuestions recorded(rules, labels);
  ASSIGN_OR_RETURN(const std::vector<SelinuxAnswer> answers,
                   AskSelinux(file.policy, recorded.questions()));
  SelinuxReplay replay{.policy = file.target.name,
                       .domain = type,
                       .asked = recorded.asked(),
                       .denied = recorded.Denied(answers),
                       .unknown = std::move(rules.dropped),
                       .blind_spots = std::move(rules.blind_spots)};
  replay.blind_spots.insert(file.target.notes.begin(), file.target.notes.end());
  return replay;
}

std::string MissingRule(const DeniedAccess& access, const std::string& domain) {
  if (access.reason.contains("constraint")) {
    return {};
  }
  if (access.permissions.empty()) {
    std::string requests;
    for (const std::uint16_t request : access.requests) {
      requests += fmt::format(" {:#06x}", request);
    }
    return fmt::format("allowxperm {} {}:{} ioctl {{{} }};", domain, access.type,
                       access.object_class, requests);
  }
  return fmt::format("allow {} {}:{} {{ {} }};", domain, access.type, access.object_class,
                     fmt::join(access.permissions, " "));
}

}  // namespace cordon
