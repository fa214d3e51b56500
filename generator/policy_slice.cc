#include "generator/policy_slice.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "common/text.h"
#include "generator/cil_tree.h"

namespace cordon {
namespace {

/// What the converter of module packages puts into optional blocks for every name that they require
/// (policycoreutils/hll/pp): `(typeattributeset cil_gen_require NAME)`.
constexpr std::string_view kRequire = "cil_gen_require";

enum class Kind : std::uint8_t {
  kVector,       ///< a rule of source, target, class and permissions
  kTypeRule,     ///< source, target, class, perhaps a name, type
  kUse,          ///< declares nothing
  kOptional,     ///< the block
  kConditional,  ///< booleanif
  kOther,        ///< declares something, or holds for the whole policy
};

/// Every statement that may be in a policy that is sliced. Each works on its own: what it makes of
/// one type does not hang on which rules there are for others, so leaving rules out changes none.
/// (Of typebounds and deny this is not true; blocks and macros declare names that are not seen.)
const std::unordered_map<std::string_view, Kind>& Kinds() {
  static const std::unordered_map<std::string_view, Kind> kinds = [] {
    std::unordered_map<std::string_view, Kind> all{
        {"allow", Kind::kVector},         {"auditallow", Kind::kVector},
        {"dontaudit", Kind::kVector},     {"typetransition", Kind::kTypeRule},
        {"typechange", Kind::kTypeRule},  {"typemember", Kind::kTypeRule},
        {"optional", Kind::kOptional},    {"booleanif", Kind::kConditional},
        {"typeattributeset", Kind::kUse}, {"roletype", Kind::kUse},
        {"roleattributeset", Kind::kUse}, {"roleallow", Kind::kUse},
        {"roletransition", Kind::kUse},   {"rangetransition", Kind::kUse},
        {"allowx", Kind::kUse},           {"auditallowx", Kind::kUse},
        {"dontauditx", Kind::kUse},       {"neverallow", Kind::kUse},
        {"neverallowx", Kind::kUse},      {"expandtypeattribute", Kind::kUse},
        {"typepermissive", Kind::kUse},
    };
    for (const std::string_view other : {"boolean",
                                         "category",
                                         "categoryalias",
                                         "categoryaliasactual",
                                         "categoryorder",
                                         "categoryset",
                                         "class",
                                         "classcommon",
                                         "classorder",
                                         "common",
                                         "constrain",
                                         "context",
                                         "defaultrange",
                                         "defaultrole",
                                         "defaulttype",
                                         "defaultuser",
                                         "devicetreecon",
                                         "filecon",
                                         "fsuse",
                                         "genfscon",
                                         "handleunknown",
                                         "ibendportcon",
                                         "ibpkeycon",
                                         "iomemcon",
                                         "ioportcon",
                                         "ipaddr",
                                         "level",
                                         "levelrange",
                                         "mls",
                                         "mlsconstrain",
                                         "mlsvalidatetrans",
                                         "netifcon",
                                         "nodecon",
                                         "pcidevicecon",
                                         "pirqcon",
                                         "policycap",
                                         "portcon",
                                         "role",
                                         "roleattribute",
                                         "selinuxuser",
                                         "selinuxuserdefault",
                                         "sensitivity",
                                         "sensitivityalias",
                                         "sensitivityaliasactual",
                                         "sensitivitycategory",
                                         "sensitivityorder",
                                         "sid",
                                         "sidcontext",
                                         "sidorder",
                                         "type",
                                         "typealias",
                                         "typealiasactual",
                                         "typeattribute",
                                         "user",
                                         "userlevel",
                                         "userprefix",
                                         "userrange",
                                         "userrole",
                                         "validatetrans"}) {
      all.emplace(other, Kind::kOther);
    }
    return all;
  }();
  return kinds;
}

using Names = std::unordered_set<std::string_view>;

enum class Level : std::uint8_t { kTop, kNested };

class Slicer {
 public:
  explicit Slicer(const std::vector<CilModule>& modules) : modules_(modules) {}

  std::optional<PolicySlice> Slice();

 private:
  bool Learn(const CilNode& node, Level level);
  bool LearnChildren(const CilNode& node, std::size_t from);
  void LearnTop(const CilNode& node);

  bool HasPermissions(const CilNode& node) const;
  bool IsLeftOut(const CilNode& node) const;
  bool IsMetRequirement(const CilNode& node) const;
  bool IsKnownCondition(const CilNode& condition) const;
  const CilNode* UnmetRequirement(const CilNode& optional) const;

  void Append(const CilNode& node, std::string* out);
  void AppendOptional(const CilNode& node, std::string* out);
  void AppendConditional(const CilNode& node, std::string* out) const;
  void AppendOff(const CilNode& node, std::string* out);
  void KeepWords(const CilNode& node);

  const std::vector<CilModule>& modules_;
  // Declared outside of optional blocks: there whatever else is.
  Names types_;  ///< and aliases
  Names attributes_;
  Names booleans_;
  std::unordered_map<std::string_view, Names> classes_;
  std::unordered_map<std::string_view, Names> commons_;
  std::unordered_map<std::string_view, std::string_view> class_commons_;
  /// Types, aliases and attributes declared anywhere.
  Names declared_;
  /// Nothing but requirements and its own declaration speaks of kRequire.
  bool require_is_plain_ = true;
  std::set<std::string> absent_;
};

void Slicer::LearnTop(const CilNode& node) {
  const std::string_view head = node.Head();
  const std::string_view name = node.WordAt(1);
  if (head == "type" || head == "typealiasactual") {
    types_.insert(name);
  } else if (head == "typeattribute") {
    attributes_.insert(name);
  } else if (head == "boolean") {
    booleans_.insert(name);
  } else if (head == "classcommon") {
    class_commons_.emplace(name, node.WordAt(2));
  } else if ((head == "class" || head == "common") && node.items.size() >= 3) {
    Names& permissions = head == "class" ? classes_[name] : commons_[name];
    for (const CilNode& permission : node.items[2].items) {
      permissions.insert(permission.text);
    }
  }
}

bool Slicer::LearnChildren(const CilNode& node, std::size_t from) {
  for (std::size_t i = from; i < node.items.size(); ++i) {
    if (!Learn(node.items[i], Level::kNested)) {
      return false;
    }
  }
  return true;
}

bool Slicer::Learn(const CilNode& node, Level level) {
  const std::string_view head = node.Head();
  const auto kind = Kinds().find(head);
  if (!node.list || kind == Kinds().end()) {
    return false;
  }
  if (kind->second == Kind::kOptional) {
    return LearnChildren(node, 2);
  }
  if (kind->second == Kind::kConditional) {
    for (std::size_t i = 2; i < node.items.size(); ++i) {
      const std::string_view branch = node.items[i].Head();
      if ((branch != "true" && branch != "false") || !LearnChildren(node.items[i], 1)) {
        return false;
      }
    }
    return node.items.size() >= 2;
  }
  if (head == "type" || head == "typealias" || head == "typeattribute") {
    declared_.insert(node.WordAt(1));
  }
  if (level == Level::kTop) {
    LearnTop(node);
  }
  const bool about_sets = head == "typeattribute" || head == "typeattributeset" ||
                          head == "roleattribute" || head == "roleattributeset";
  for (std::size_t i = about_sets ? 2 : 1; i < node.items.size(); ++i) {
    require_is_plain_ = require_is_plain_ && !node.items[i].text.contains(kRequire);
  }
  return true;
}

/// `(CLASS (PERMISSION …))`: are they the policy's, plainly written out?
bool Slicer::HasPermissions(const CilNode& node) const {
  const auto known = classes_.find(node.Head());
  if (node.items.size() != 2 || known == classes_.end() || !node.items[1].list) {
    return false;
  }
  const auto base = class_commons_.find(node.Head());
  const auto common = base == class_commons_.end() ? commons_.end() : commons_.find(base->second);
  return std::ranges::all_of(node.items[1].items, [&](const CilNode& permission) {
    return !permission.list &&
           (known->second.contains(permission.text) ||
            (common != commons_.end() && common->second.contains(permission.text)));
  });
}

/// Only such a rule is left out whose every name is there for certain: so it cannot turn off the
/// optional block around it.
bool Slicer::IsLeftOut(const CilNode& node) const {
  const Kind kind = Kinds().at(node.Head());
  const std::string_view source = node.WordAt(1);
  const std::string_view target = node.WordAt(2);
  const bool own = types_.contains(source) && (types_.contains(target) || target == "self");
  if (kind == Kind::kVector) {
    const auto is_name = [&](std::string_view name) {
      return types_.contains(name) || attributes_.contains(name);
    };
    // Auditing decides nothing: its attributes do not matter, either.
    const bool silent =
        node.Head() != "allow" && is_name(source) && (is_name(target) || target == "self");
    return (own || silent) && node.items.size() == 4 && HasPermissions(node.items[3]);
  }
  return kind == Kind::kTypeRule && own && (node.items.size() == 5 || node.items.size() == 6) &&
         classes_.contains(node.WordAt(3)) && types_.contains(node.WordAt(node.items.size() - 1));
}

bool Slicer::IsMetRequirement(const CilNode& node) const {
  return require_is_plain_ && attributes_.contains(kRequire) && node.items.size() == 3 &&
         node.Head() == "typeattributeset" && node.WordAt(1) == kRequire &&
         (types_.contains(node.WordAt(2)) || attributes_.contains(node.WordAt(2)));
}

/// The statement that turns an optional block off, because nothing declares what it names.
const CilNode* Slicer::UnmetRequirement(const CilNode& optional) const {
  const auto found = std::ranges::find_if(optional.items, [&](const CilNode& node) {
    return node.items.size() == 3 && node.Head() == "typeattributeset" &&
           node.WordAt(1) == kRequire && !node.items[2].list && !declared_.contains(node.WordAt(2));
  });
  return found == optional.items.end() ? nullptr : &*found;
}

void Slicer::KeepWords(const CilNode& node) {
  for (const CilNode& item : node.items) {
    if (item.list) {
      KeepWords(item);
    } else if (!declared_.contains(item.text)) {
      absent_.emplace(item.text);
    }
  }
}

/// A block that is off has no effect, but what it declares must not be declared again.
void Slicer::AppendOff(const CilNode& node, std::string* out) {
  std::string inner;
  for (std::size_t i = 2; i < node.items.size(); ++i) {
    const CilNode& item = node.items[i];
    const Kind kind = Kinds().at(item.Head());
    if (kind == Kind::kOptional) {
      AppendOff(item, &inner);
    } else if (kind == Kind::kOther) {
      inner += fmt::format("{}\n", item.text);
    }
  }
  if (!inner.empty()) {
    const CilNode* unmet = UnmetRequirement(node);
    *out += fmt::format("(optional {} {}\n{})\n", node.WordAt(1),
                        unmet == nullptr ? std::string_view() : unmet->text, inner);
  }
}

void Slicer::AppendOptional(const CilNode& node, std::string* out) {
  if (UnmetRequirement(node) != nullptr) {
    KeepWords(node);
    AppendOff(node, out);
    return;
  }
  std::string inner;
  for (std::size_t i = 2; i < node.items.size(); ++i) {
    Append(node.items[i], &inner);
  }
  if (!inner.empty()) {
    *out += fmt::format("(optional {}\n{})\n", node.WordAt(1), inner);
  }
}

bool Slicer::IsKnownCondition(const CilNode& condition) const {
  constexpr auto kOperators =
      std::to_array<std::string_view>({"and", "or", "xor", "not", "eq", "neq"});
  if (!condition.list) {
    return booleans_.contains(condition.text);
  }
  return std::ranges::all_of(condition.items, [&](const CilNode& item) {
    return (!item.list && std::ranges::find(kOperators, item.text) != kOperators.end()) ||
           IsKnownCondition(item);
  });
}

void Slicer::AppendConditional(const CilNode& node, std::string* out) const {
  std::string branches;
  for (std::size_t i = 2; i < node.items.size(); ++i) {
    std::string inner;
    for (const CilNode& item : node.items[i].items) {
      if (item.list && !IsLeftOut(item)) {
        inner += fmt::format("{}\n", item.text);
      }
    }
    if (!inner.empty()) {
      branches += fmt::format("({}\n{})\n", node.items[i].Head(), inner);
    }
  }
  if (!branches.empty()) {
    *out += fmt::format("(booleanif {} {})\n", node.items[1].text, branches);
  } else if (!IsKnownCondition(node.items[1])) {
    *out += fmt::format("{}\n", node.text);
  }
}

void Slicer::Append(const CilNode& node, std::string* out) {
  const Kind kind = Kinds().at(node.Head());
  if (kind == Kind::kOptional) {
    AppendOptional(node, out);
  } else if (kind == Kind::kConditional) {
    AppendConditional(node, out);
  } else if (!IsMetRequirement(node) && !IsLeftOut(node)) {
    *out += fmt::format("{}\n", node.text);
  }
}

std::optional<PolicySlice> Slicer::Slice() {
  // Twice over the texts: the trees of a whole policy take too much memory to be kept.
  for (const CilModule& module : modules_) {
    const Expected<std::vector<CilNode>> statements = ParseCil(module.text, module.name);
    if (!statements.has_value() || !std::ranges::all_of(*statements, [&](const CilNode& node) {
          return Learn(node, Level::kTop);
        })) {
      return std::nullopt;
    }
  }
  PolicySlice slice;
  for (const CilModule& module : modules_) {
    const Expected<std::vector<CilNode>> statements = ParseCil(module.text, module.name);
    std::string text;
    for (const CilNode& node : *statements) {
      Append(node, &text);
    }
    slice.modules.push_back({module.name, std::move(text)});
  }
  slice.absent = Join({absent_.begin(), absent_.end()}, " ");
  return slice;
}

constexpr std::string_view kDelimiters = "() \n\t\r;\"";

bool HasWord(std::string_view text, std::string_view word) {
  const auto ends = [&](std::size_t at) {
    return at >= text.size() || kDelimiters.contains(text[at]);
  };
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    if (ends(at + word.size()) && (at == 0 || ends(at - 1))) {
      return true;
    }
  }
  return false;
}

/// The names that a module declares, and whether its statements are about them.
class ModuleReader {
 public:
  explicit ModuleReader(const std::vector<CilNode>& statements) {
    for (const CilNode& node : statements) {
      if (node.Head() == "type") {
        types_.insert(node.WordAt(1));
      } else if (node.Head() == "typeattribute") {
        attributes_.insert(node.WordAt(1));
      }
    }
  }

  const Names& types() const { return types_; }

  const Names& attributes() const { return attributes_; }

  bool IsAboutThem(const CilNode& node) const {
    const std::string_view head = node.Head();
    if (head == "type" || head == "typeattribute") {
      return node.items.size() == 2 && !node.WordAt(1).empty();
    }
    if (head == "filecon" || head == "portcon") {
      return true;
    }
    if (head == "typepermissive") {
      return types_.contains(node.WordAt(1));
    }
    if (head == "roletype") {
      return types_.contains(node.WordAt(2));
    }
    if (head == "typeattributeset") {
      return FillsSet(node);
    }
    if (node.WordAt(1).empty() || node.WordAt(2).empty()) {
      return false;
    }
    // Vectors add up, and all neverallow rules are in the slice. The others could contradict, or go
    // together with, a rule that was left out.
    if (head == "allow" || head == "dontaudit" || head == "auditallow") {
      return true;
    }
    return (head == "allowx" || head == "typetransition") &&
           (types_.contains(node.WordAt(1)) || types_.contains(node.WordAt(2)));
  }

 private:
  /// Of an attribute of the policy only the module's types become members: so no type of the policy
  /// changes its sets.
  bool FillsSet(const CilNode& node) const {
    if (node.items.size() != 3 || !node.items[2].list) {
      return false;
    }
    const bool own = attributes_.contains(node.WordAt(1));
    constexpr auto kOperators =
        std::to_array<std::string_view>({"and", "or", "xor", "not", "all", "eq", "neq"});
    return std::ranges::all_of(node.items[2].items, [&](const CilNode& item) {
      return !item.list && (types_.contains(item.text) ||
                            (own && std::ranges::find(kOperators, item.text) == kOperators.end()));
    });
  }

  Names types_;
  Names attributes_;
};

}  // namespace

bool PolicySlice::SpeaksFor(const CilModule& module) const {
  const Expected<std::vector<CilNode>> statements = ParseCil(module.text, module.name);
  if (!statements.has_value()) {
    return false;
  }
  const ModuleReader reader(*statements);
  const auto is_new = [this](std::string_view name) {
    return !HasWord(absent, name) && std::ranges::none_of(modules, [&](const CilModule& part) {
      return HasWord(part.text, name);
    });
  };
  return std::ranges::all_of(*statements,
                             [&](const CilNode& node) { return reader.IsAboutThem(node); }) &&
         std::ranges::all_of(reader.types(), is_new) &&
         std::ranges::all_of(reader.attributes(), is_new);
}

std::optional<PolicySlice> SlicePolicy(const std::vector<CilModule>& modules) {
  return Slicer(modules).Slice();
}

std::string WriteSlice(const PolicySlice& slice) {
  std::string bytes =
      fmt::format("{} {}\n{}\n", slice.modules.size(), slice.absent.size(), slice.absent);
  for (const CilModule& module : slice.modules) {
    bytes += fmt::format("{} {}\n{}\n{}", module.name.size(), module.text.size(), module.name,
                         module.text);
  }
  return bytes;
}

std::optional<PolicySlice> ReadSlice(std::string_view bytes) {
  // "NUMBER NUMBER\n"
  const auto take_numbers = [&]() -> std::optional<std::pair<std::uint64_t, std::uint64_t>> {
    const std::size_t end = bytes.find('\n');
    const std::size_t blank = bytes.find(' ');
    if (end == std::string_view::npos || blank > end) {
      return std::nullopt;
    }
    const auto first = ParseUnsigned(bytes.substr(0, blank));
    const auto second = ParseUnsigned(bytes.substr(blank + 1, end - blank - 1));
    bytes.remove_prefix(end + 1);
    return first && second ? std::optional(std::pair(*first, *second)) : std::nullopt;
  };
  const auto take = [&](std::uint64_t size) -> std::optional<std::string> {
    if (bytes.size() < size) {
      return std::nullopt;
    }
    std::string text(bytes.substr(0, size));
    bytes.remove_prefix(size);
    return text;
  };
  const auto head = take_numbers();
  std::optional<std::string> absent = head ? take(head->second) : std::nullopt;
  if (!absent || take(1) != "\n") {
    return std::nullopt;
  }
  PolicySlice slice;
  slice.absent = std::move(*absent);
  for (std::uint64_t i = 0; i < head->first; ++i) {
    const auto sizes = take_numbers();
    std::optional<std::string> name = sizes ? take(sizes->first) : std::nullopt;
    if (!name || take(1) != "\n") {
      return std::nullopt;
    }
    std::optional<std::string> text = take(sizes->second);
    if (!text) {
      return std::nullopt;
    }
    slice.modules.push_back({std::move(*name), std::move(*text)});
  }
  return bytes.empty() ? std::optional(std::move(slice)) : std::nullopt;
}

}  // namespace cordon
