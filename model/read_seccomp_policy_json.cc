#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "common/text.h"
#include "model/errno_name.h"
#include "model/json_cursor.h"
#include "model/seccomp_names.h"
#include "model/seccomp_policy_json.h"
#include "model/swallowed_rules.h"

namespace cordon {
namespace {

constexpr std::uint64_t kMaxTraceMessage = 65535;  // SECCOMP_RET_DATA

/// Architectures that libseccomp 2.5 has and cordon has no table of.
constexpr std::array<std::string_view, 14> kOtherArchitectures = {
    "SCMP_ARCH_MIPS",     "SCMP_ARCH_MIPS64",      "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL",
    "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",       "SCMP_ARCH_PPC64",
    "SCMP_ARCH_S390",     "SCMP_ARCH_PARISC",      "SCMP_ARCH_PARISC64",  "SCMP_ARCH_M68K",
    "SCMP_ARCH_SH",       "SCMP_ARCH_SHEB"};

/// How includes and excludes spell an architecture: as Go's runtime does.
struct GoArchitecture {
  std::string_view name;
  Architecture arch;
};

constexpr std::array kGoArchitectures = {
    GoArchitecture{"amd64", Architecture::kX86_64},
    GoArchitecture{"x86", Architecture::kX86},
    GoArchitecture{"x32", Architecture::kX32},
    GoArchitecture{"arm64", Architecture::kAarch64},
    GoArchitecture{"arm", Architecture::kArm},
    GoArchitecture{"riscv64", Architecture::kRiscv64},
    GoArchitecture{"s390x", Architecture::kS390x},
    GoArchitecture{"ppc64le", Architecture::kPpc64le},
    GoArchitecture{"loong64", Architecture::kLoongarch64},
};

/// Where a document may have an errno: as a number and, in Podman's format, as a word.
struct ErrnoMembers {
  std::string_view number;
  std::string_view word;
};

/// The two conditions of a rule: all of `includes` must hold, none of `excludes` may.
enum class FilterKind : std::uint8_t { kExcludes, kIncludes };

/// A member that may be missing or, as Go's writers have it, null.
std::optional<JsonCursor> FindGiven(const JsonCursor& object, std::string_view name) {
  std::optional<JsonCursor> place = object.Find(name);
  return place && !place->value().is_null() ? place : std::nullopt;
}

/// Reads one profile. With a context it takes the whole language of the container engines, without
/// one the subset that they all read alike.
class ProfileReader {
 public:
  explicit ProfileReader(const ProfileContext* context) : context_(context) {}

  Expected<ResolvedProfile> Read(const JsonCursor& root);

 private:
  void Note(ProfileNote::Kind kind, const JsonCursor& place, std::string_view what) {
    result_.notes.push_back(
        {kind, place.pointer(), std::string(what), place.Mistake(what).message});
  }

  /// A member that may be missing, or null where the engines take that.
  std::optional<JsonCursor> Find(const JsonCursor& object, std::string_view name) const {
    return context_ == nullptr ? object.Find(name) : FindGiven(object, name);
  }

  Expected<SeccompAction> ReadAction(const JsonCursor& object, std::string_view name,
                                     const ErrnoMembers& members);
  Expected<std::optional<std::uint16_t>> ReadErrno(const JsonCursor& object,
                                                   const ErrnoMembers& members,
                                                   std::uint64_t maximum);
  Status ReadArchitectures(const JsonCursor& root);
  Status AddArchitecture(const JsonCursor& place);
  Status ReadArchitectureMap(const JsonCursor& map);
  Status ReadFlags(const JsonCursor& list);
  Status ReadRule(const JsonCursor& place);
  void LeaveOutSwallowedRules();
  Expected<std::vector<std::string>> ReadNames(const JsonCursor& rule);
  Expected<std::vector<ArgumentCondition>> ReadConditions(const JsonCursor& args);
  /// Does the rule hold for the context? Notes why not.
  Expected<bool> Applies(const JsonCursor& rule);
  /// Which condition of `filter` speaks against the rule; empty: none.
  Expected<std::string> Against(const JsonCursor& filter, FilterKind kind);

  const ProfileContext* context_;
  ResolvedProfile result_;
  std::vector<JsonCursor> places_;  ///< of each rule of result_.policy
};

Expected<std::optional<std::uint16_t>> ProfileReader::ReadErrno(const JsonCursor& object,
                                                                const ErrnoMembers& members,
                                                                std::uint64_t maximum) {
  if (context_ != nullptr) {
    if (const std::optional<JsonCursor> place = FindGiven(object, members.word)) {
      ASSIGN_OR_RETURN(const std::string word, place->String());
      if (!word.empty()) {
        const std::optional<int> number = ErrnoFromName(word);
        if (!number) {
          return Fail(place->Mistake(fmt::format("unknown errno {}", Quote(word))));
        }
        return static_cast<std::uint16_t>(*number);
      }
    }
  }
  const std::optional<JsonCursor> place = Find(object, members.number);
  if (!place) {
    return std::nullopt;
  }
  ASSIGN_OR_RETURN(const std::uint64_t value, place->Unsigned(maximum));
  return static_cast<std::uint16_t>(value);
}

Expected<SeccompAction> ProfileReader::ReadAction(const JsonCursor& object, std::string_view name,
                                                  const ErrnoMembers& members) {
  ASSIGN_OR_RETURN(const JsonCursor place, object.At(name));
  ASSIGN_OR_RETURN(const std::string text, place.String());
  const std::optional<SeccompActionKind> kind = SeccompActionFromName(text);
  if (!kind) {
    return Fail(place.Mistake(fmt::format("unknown action {}", Quote(text))));
  }
  const std::uint64_t maximum = *kind == SeccompActionKind::kTrace ? kMaxTraceMessage : kMaxErrno;
  ASSIGN_OR_RETURN(const std::optional<std::uint16_t> value, ReadErrno(object, members, maximum));
  if (value && !TakesErrno(*kind)) {
    return Fail(object.Find(members.number)
                    .value_or(place)
                    .Mistake(fmt::format("{} takes no errno", text)));
  }
  SeccompAction action{*kind, 0};
  if (TakesErrno(*kind)) {
    action.data = value.value_or(kDefaultErrno);
  }
  return action;
}

Expected<ArgumentCondition> ReadCondition(const JsonCursor& place) {
  RETURN_IF_ERROR(place.OnlyMembers({"index", "value", "valueTwo", "op"}));
  ArgumentCondition condition;
  ASSIGN_OR_RETURN(const JsonCursor index_place, place.At("index"));
  ASSIGN_OR_RETURN(const std::uint64_t index, index_place.Unsigned(5));
  condition.index = static_cast<unsigned>(index);
  ASSIGN_OR_RETURN(const JsonCursor op, place.At("op"));
  ASSIGN_OR_RETURN(const std::string text, op.String());
  const std::optional<Comparison> comparison = ComparisonFromName(text);
  if (!comparison) {
    return Fail(op.Mistake(fmt::format("unknown operator {}", Quote(text))));
  }
  condition.comparison = *comparison;
  ASSIGN_OR_RETURN(const JsonCursor value_place, place.At("value"));
  ASSIGN_OR_RETURN(const std::uint64_t value, value_place.Unsigned());
  condition.value = value;
  std::uint64_t second = 0;
  const std::optional<JsonCursor> second_place = place.Find("valueTwo");
  if (second_place) {
    ASSIGN_OR_RETURN(second, second_place->Unsigned());
  }
  if (condition.comparison == Comparison::kMaskedEqual) {
    // seccomp_rule_add(3): datum_a is the mask, datum_b the value.
    condition.mask = value;
    condition.value = second;
    if (second_place && (second & ~value) != 0) {
      return Fail(
          second_place->Mistake("has bits outside the mask, so the comparison can never hold"));
    }
  }
  return condition;
}

Expected<std::vector<std::string>> ProfileReader::ReadNames(const JsonCursor& rule) {
  if (context_ != nullptr) {
    if (const std::optional<JsonCursor> single = FindGiven(rule, "name")) {
      ASSIGN_OR_RETURN(std::string name, single->String());
      if (!name.empty()) {
        if (const auto names = FindGiven(rule, "names"); names && !names->value().empty()) {
          return Fail(single->Mistake("a rule has either name or names"));
        }
        if (IsSyscallName(name)) {
          return std::vector{std::move(name)};
        }
        Note(ProfileNote::Kind::kUnknown, *single,
             fmt::format("unknown system call {}: left out", Quote(name)));
        return std::vector<std::string>{};
      }
    }
  }
  ASSIGN_OR_RETURN(const JsonCursor place, rule.At("names"));
  ASSIGN_OR_RETURN(const std::vector<JsonCursor> elements, place.Elements());
  if (elements.empty()) {
    return Fail(place.Mistake("expected at least one name"));
  }
  std::vector<std::string> names;
  for (const JsonCursor& element : elements) {
    ASSIGN_OR_RETURN(std::string name, element.String());
    if (IsSyscallName(name)) {
      names.push_back(std::move(name));
    } else if (context_ != nullptr) {
      Note(ProfileNote::Kind::kUnknown, element,
           fmt::format("unknown system call {}: left out", Quote(name)));
    } else {
      return Fail(element.Mistake(fmt::format("unknown system call {}", Quote(name))));
    }
  }
  return names;
}

Expected<std::vector<ArgumentCondition>> ProfileReader::ReadConditions(const JsonCursor& args) {
  std::vector<ArgumentCondition> conditions;
  ASSIGN_OR_RETURN(const std::vector<JsonCursor> elements, args.Elements());
  for (const JsonCursor& element : elements) {
    ASSIGN_OR_RETURN(const ArgumentCondition condition, ReadCondition(element));
    if (context_ == nullptr && std::ranges::find(conditions, condition.index,
                                                 &ArgumentCondition::index) != conditions.end()) {
      return Fail(
          element.Mistake(fmt::format("a second condition on argument {}: container runtimes take "
                                      "the two as alternatives, so write two rules",
                                      condition.index)));
    }
    conditions.push_back(condition);
  }
  return conditions;
}

bool NamesOneArgumentTwice(const std::vector<ArgumentCondition>& conditions) {
  std::set<unsigned> indices;
  return std::ranges::any_of(conditions, [&](const ArgumentCondition& condition) {
    return !indices.insert(condition.index).second;
  });
}

Expected<std::string> ProfileReader::Against(const JsonCursor& filter, FilterKind kind) {
  const bool wanted = kind == FilterKind::kIncludes;
  RETURN_IF_ERROR(filter.OnlyMembers({"caps", "arches", "minKernel"}));
  if (const auto list = FindGiven(filter, "arches")) {
    ASSIGN_OR_RETURN(const std::vector<std::string> names, list->Strings());
    const bool named = std::ranges::any_of(kGoArchitectures, [&](const GoArchitecture& one) {
      return one.arch == context_->architecture &&
             std::ranges::find(names, one.name) != names.end();
    });
    if (!names.empty() && named != wanted) {
      return fmt::format("the architecture is {}", Name(context_->architecture));
    }
  }
  if (const auto list = FindGiven(filter, "caps")) {
    ASSIGN_OR_RETURN(const std::vector<std::string> names, list->Strings());
    for (const std::string& name : names) {
      if (context_->capabilities.contains(name) != wanted) {
        return fmt::format("the container {} {}", wanted ? "lacks" : "has", name);
      }
    }
  }
  if (const auto place = FindGiven(filter, "minKernel")) {
    ASSIGN_OR_RETURN(const std::string text, place->String());
    if (!text.empty()) {
      const std::optional<KernelVersion> version = ParseKernelVersion(text);
      if (!version) {
        return Fail(place->Mistake(
            fmt::format("{} is no kernel version: write two numbers, as 5.10", Quote(text))));
      }
      if ((context_->kernel >= *version) != wanted) {
        return fmt::format("the kernel is {}.{}", context_->kernel.major, context_->kernel.minor);
      }
    }
  }
  return std::string();
}

Expected<bool> ProfileReader::Applies(const JsonCursor& rule) {
  for (const auto& [member, kind] : {std::pair("excludes", FilterKind::kExcludes),
                                     std::pair("includes", FilterKind::kIncludes)}) {
    const std::optional<JsonCursor> filter = FindGiven(rule, member);
    if (!filter) {
      continue;
    }
    ASSIGN_OR_RETURN(const std::string against, Against(*filter, kind));
    if (!against.empty()) {
      Note(ProfileNote::Kind::kConditional, rule, fmt::format("left out, since {}", against));
      return false;
    }
  }
  return true;
}

Status ProfileReader::ReadRule(const JsonCursor& place) {
  if (context_ == nullptr) {
    RETURN_IF_ERROR(place.OnlyMembers({"names", "action", "errnoRet", "args", "comment"}));
  } else {
    RETURN_IF_ERROR(place.OnlyMembers({"names", "name", "action", "errnoRet", "errno", "args",
                                       "comment", "includes", "excludes"}));
    ASSIGN_OR_RETURN(const bool applies, Applies(place));
    if (!applies) {
      return {};
    }
  }
  SeccompRule rule;
  ASSIGN_OR_RETURN(rule.names, ReadNames(place));
  ASSIGN_OR_RETURN(rule.action, ReadAction(place, "action", {"errnoRet", "errno"}));
  // Docker's own writer says null for no conditions.
  if (const std::optional<JsonCursor> args = FindGiven(place, "args")) {
    ASSIGN_OR_RETURN(rule.conditions, ReadConditions(*args));
  }
  if (const std::optional<JsonCursor> comment = Find(place, "comment")) {
    ASSIGN_OR_RETURN(rule.comment, comment->String());
  }
  if (rule.names.empty()) {
    return {};
  }
  if (!NamesOneArgumentTwice(rule.conditions)) {
    result_.policy.rules.push_back(std::move(rule));
    places_.push_back(place);
    return {};
  }
  Note(ProfileNote::Kind::kAlternatives, place,
       "two conditions on one argument: each condition is a rule of its own");
  for (const ArgumentCondition& condition : rule.conditions) {
    result_.policy.rules.push_back({rule.names, rule.action, {condition}, rule.comment});
    places_.push_back(place);
  }
  return {};
}

void ProfileReader::LeaveOutSwallowedRules() {
  std::map<std::pair<std::size_t, std::size_t>, std::vector<std::string>> names;
  for (const SwallowedName& one : RemoveSwallowedNames(result_.policy)) {
    names[{one.rule, one.by}].push_back(one.name);
  }
  for (const auto& [rules, swallowed] : names) {
    Note(ProfileNote::Kind::kNoEffect, places_[rules.first],
         fmt::format("without effect on {}: {} has no condition and counts",
                     fmt::join(swallowed, ", "), places_[rules.second].pointer()));
  }
  for (std::size_t i = result_.policy.rules.size(); i-- > 0;) {
    if (result_.policy.rules[i].names.empty()) {
      result_.policy.rules.erase(result_.policy.rules.begin() + static_cast<std::ptrdiff_t>(i));
      places_.erase(places_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
}

Status ProfileReader::AddArchitecture(const JsonCursor& place) {
  ASSIGN_OR_RETURN(const std::string name, place.String());
  const std::optional<Architecture> arch = ArchitectureFromScmpName(name);
  if (!arch) {
    if (context_ != nullptr &&
        std::ranges::find(kOtherArchitectures, name) != kOtherArchitectures.end()) {
      Note(ProfileNote::Kind::kUnknown, place, fmt::format("no table of {}: left out", name));
      return {};
    }
    return Fail(place.Mistake(fmt::format("unknown architecture {}", Quote(name))));
  }
  std::vector<Architecture>& list = result_.policy.architectures;
  if (std::ranges::find(list, *arch) == list.end()) {
    list.push_back(*arch);
  }
  return {};
}

/// The entry of the native architecture counts, the others are for other hosts.
Status ProfileReader::ReadArchitectureMap(const JsonCursor& map) {
  ASSIGN_OR_RETURN(const std::vector<JsonCursor> entries, map.Elements());
  for (const JsonCursor& entry : entries) {
    RETURN_IF_ERROR(entry.OnlyMembers({"architecture", "subArchitectures"}));
    ASSIGN_OR_RETURN(const JsonCursor place, entry.At("architecture"));
    ASSIGN_OR_RETURN(const std::string name, place.String());
    if (name != ScmpName(context_->architecture)) {
      continue;
    }
    RETURN_IF_ERROR(AddArchitecture(place));
    if (const std::optional<JsonCursor> list = FindGiven(entry, "subArchitectures")) {
      ASSIGN_OR_RETURN(const std::vector<JsonCursor> elements, list->Elements());
      for (const JsonCursor& element : elements) {
        RETURN_IF_ERROR(AddArchitecture(element));
      }
    }
  }
  return {};
}

Status ProfileReader::ReadArchitectures(const JsonCursor& root) {
  if (const std::optional<JsonCursor> list = Find(root, "architectures")) {
    ASSIGN_OR_RETURN(const std::vector<JsonCursor> elements, list->Elements());
    for (const JsonCursor& element : elements) {
      RETURN_IF_ERROR(AddArchitecture(element));
    }
  }
  if (context_ != nullptr) {
    if (const std::optional<JsonCursor> map = FindGiven(root, "archMap")) {
      if (!result_.policy.architectures.empty() && !map->value().empty()) {
        return Fail(map->Mistake("a profile has either architectures or archMap"));
      }
      RETURN_IF_ERROR(ReadArchitectureMap(*map));
    }
  }
  // Runtimes add the host's own ABI to what is listed.
  const Architecture native = context_ == nullptr ? NativeArchitecture() : context_->architecture;
  std::vector<Architecture>& list = result_.policy.architectures;
  if (list.empty()) {
    list.push_back(native);
  } else if (context_ != nullptr && std::ranges::find(list, native) == list.end()) {
    list.insert(list.begin(), native);
  }
  return {};
}

Status ProfileReader::ReadFlags(const JsonCursor& list) {
  ASSIGN_OR_RETURN(const std::vector<JsonCursor> elements, list.Elements());
  for (const JsonCursor& element : elements) {
    ASSIGN_OR_RETURN(const std::string flag, element.String());
    if (!IsSeccompFlag(flag)) {
      return Fail(element.Mistake(fmt::format("unknown flag {}", Quote(flag))));
    }
    result_.policy.flags.insert(flag);
  }
  return {};
}

Expected<ResolvedProfile> ProfileReader::Read(const JsonCursor& root) {
  if (context_ == nullptr) {
    RETURN_IF_ERROR(root.OnlyMembers(
        {"defaultAction", "defaultErrnoRet", "architectures", "flags", "syscalls"}));
  } else {
    RETURN_IF_ERROR(
        root.OnlyMembers({"defaultAction", "defaultErrnoRet", "defaultErrno", "architectures",
                          "archMap", "flags", "listenerPath", "listenerMetadata", "syscalls"}));
  }
  ASSIGN_OR_RETURN(result_.policy.default_action,
                   ReadAction(root, "defaultAction", {"defaultErrnoRet", "defaultErrno"}));
  RETURN_IF_ERROR(ReadArchitectures(root));
  if (const std::optional<JsonCursor> list = Find(root, "flags")) {
    RETURN_IF_ERROR(ReadFlags(*list));
  }
  if (const std::optional<JsonCursor> list = Find(root, "syscalls")) {
    ASSIGN_OR_RETURN(const std::vector<JsonCursor> elements, list->Elements());
    for (const JsonCursor& element : elements) {
      RETURN_IF_ERROR(ReadRule(element));
    }
  }
  if (context_ != nullptr) {
    LeaveOutSwallowedRules();
  }
  if (const std::optional<RuleConflict> conflict = FindRuleConflict(result_.policy)) {
    const JsonCursor& second = places_[conflict->second];
    return Fail(
        second.Mistake(Describe(*conflict, places_[conflict->first].pointer(), second.pointer())));
  }
  std::ranges::transform(places_, std::back_inserter(result_.places), &JsonCursor::pointer);
  return std::move(result_);
}

Expected<ResolvedProfile> ReadProfile(std::string_view text, std::string_view source,
                                      const ProfileContext* context) {
  if (text.size() > kMaxSeccompProfileBytes) {
    return Fail(MakeError(ErrorCode::kLimit, fmt::format("{}: longer than {} bytes", source,
                                                         kMaxSeccompProfileBytes)));
  }
  ASSIGN_OR_RETURN(const nlohmann::json json, JsonCursor::Parse(text, source));
  ASSIGN_OR_RETURN(ResolvedProfile profile, ProfileReader(context).Read(JsonCursor(json, source)));
  if (const Status consistent = CheckConsistent(profile.policy); !consistent) {
    return Fail(consistent.error().WithContext(fmt::format("{}: /syscalls", source)));
  }
  return profile;
}

}  // namespace

Expected<SeccompPolicy> ReadSeccompPolicy(std::string_view text, std::string_view source) {
  ASSIGN_OR_RETURN(ResolvedProfile profile, ReadProfile(text, source, nullptr));
  return std::move(profile.policy);
}

Expected<ResolvedProfile> ReadContainerProfile(std::string_view text, std::string_view source,
                                               const ProfileContext& context) {
  return ReadProfile(text, source, &context);
}

}  // namespace cordon
