#include "generator/cil_scanner.h"

#include <fmt/format.h>

#include <array>
#include <unordered_map>
#include <utility>

#include "common/text.h"
#include "generator/cil_tree.h"

namespace cordon {
namespace {

std::string Text(const CilNode& node) {
  return std::string(node.text);
}

/// The type of a context in place: (user role type levels).
std::string ContextType(const CilNode& node) {
  return node.list && node.items.size() >= 3 ? Text(node.items[2]) : std::string();
}

std::set<std::string> Words(const CilNode& list) {
  std::set<std::string> words;
  for (const CilNode& item : list.items) {
    if (!item.list) {
      words.insert(Text(item));
    }
  }
  return words;
}

constexpr std::array<std::pair<std::string_view, FileClass>, 7> kFileconClasses{{
    {"file", FileClass::kFile},
    {"dir", FileClass::kDirectory},
    {"char", FileClass::kCharacter},
    {"block", FileClass::kBlock},
    {"socket", FileClass::kSocket},
    {"pipe", FileClass::kFifo},
    {"symlink", FileClass::kSymlink},
}};

std::optional<std::uint16_t> Port(const CilNode& node) {
  const std::optional<std::uint64_t> value = ParseUnsigned(node.text);
  if (!value.has_value() || *value > UINT16_MAX) {
    return std::nullopt;
  }
  return static_cast<std::uint16_t>(*value);
}

}  // namespace

/// Walks one text. Only statements with a handler are built as nodes; the rest is walked over.
class CilReader {
 public:
  CilReader(CilScanner* scanner, std::string_view text, std::string_view source)
      : scanner_(*scanner), lexer_(text, source) {}

  Status Run();

 private:
  using Handler = void (CilReader::*)(const CilNode&);

  static Handler HandlerOf(std::string_view head);

  void OnType(const CilNode& node) { Declare(node, scanner_.facts_.types); }

  void OnAttribute(const CilNode& node) { Declare(node, scanner_.facts_.attributes); }

  void OnRole(const CilNode& node) { Declare(node, scanner_.facts_.roles); }

  void OnAlias(const CilNode& node);
  void OnClass(const CilNode& node);
  void OnCommon(const CilNode& node);
  void OnClassCommon(const CilNode& node);
  void OnPort(const CilNode& node);
  void OnGenfs(const CilNode& node);
  void OnFsUse(const CilNode& node);
  void OnFileContext(const CilNode& node);

  static void Declare(const CilNode& node, std::set<std::string>& names) {
    if (node.items.size() >= 2) {
      names.insert(Text(node.items[1]));
    }
  }

  CilScanner& scanner_;
  CilLexer lexer_;
};

CilReader::Handler CilReader::HandlerOf(std::string_view head) {
  static const std::unordered_map<std::string_view, Handler> handlers{
      {"type", &CilReader::OnType},           {"typeattribute", &CilReader::OnAttribute},
      {"role", &CilReader::OnRole},           {"typealiasactual", &CilReader::OnAlias},
      {"class", &CilReader::OnClass},         {"common", &CilReader::OnCommon},
      {"portcon", &CilReader::OnPort},        {"classcommon", &CilReader::OnClassCommon},
      {"genfscon", &CilReader::OnGenfs},      {"fsuse", &CilReader::OnFsUse},
      {"filecon", &CilReader::OnFileContext},
  };
  const auto found = handlers.find(head);
  return found == handlers.end() ? nullptr : found->second;
}

Status CilReader::Run() {
  int depth = 0;
  for (char next = lexer_.Next(); next != 0; next = lexer_.Next()) {
    if (next == ')') {
      if (--depth < 0) {
        return Fail(lexer_.Mistake("a closing parenthesis too many"));
      }
      lexer_.Skip();
      continue;
    }
    if (next != '(') {
      RETURN_IF_ERROR(lexer_.Word());
      continue;
    }
    const std::size_t start = lexer_.at();
    lexer_.Skip();
    const char first = lexer_.Next();
    Handler handler = nullptr;
    if (first != '(' && first != ')' && first != 0) {
      ASSIGN_OR_RETURN(const std::string_view head, lexer_.Word());
      handler = HandlerOf(head);
    }
    if (handler == nullptr) {
      ++depth;
      continue;
    }
    lexer_.Return(start);
    ASSIGN_OR_RETURN(const CilNode node, lexer_.List());
    (this->*handler)(node);
  }
  if (depth != 0) {
    return Fail(lexer_.Mistake("the text ends inside a statement"));
  }
  return {};
}

void CilReader::OnAlias(const CilNode& node) {
  if (node.items.size() >= 3) {
    scanner_.facts_.aliases.emplace(Text(node.items[1]), Text(node.items[2]));
  }
}

void CilReader::OnClass(const CilNode& node) {
  if (node.items.size() >= 3) {
    scanner_.facts_.classes[Text(node.items[1])].merge(Words(node.items[2]));
  }
}

void CilReader::OnCommon(const CilNode& node) {
  if (node.items.size() >= 3) {
    scanner_.commons_[Text(node.items[1])].merge(Words(node.items[2]));
  }
}

void CilReader::OnClassCommon(const CilNode& node) {
  if (node.items.size() >= 3) {
    scanner_.class_commons_.emplace(Text(node.items[1]), Text(node.items[2]));
  }
}

void CilReader::OnPort(const CilNode& node) {
  if (node.items.size() < 4) {
    return;
  }
  const CilNode& range = node.items[2];
  const std::optional<std::uint16_t> low =
      Port(range.list && range.items.size() == 2 ? range.items[0] : range);
  const std::optional<std::uint16_t> high =
      Port(range.list && range.items.size() == 2 ? range.items[1] : range);
  if (low.has_value() && high.has_value()) {
    scanner_.facts_.ports.push_back({Text(node.items[1]), *low, *high, ContextType(node.items[3])});
  }
}

void CilReader::OnGenfs(const CilNode& node) {
  if (node.items.size() >= 4) {
    // A file class may stand before the context.
    scanner_.facts_.filesystem_prefixes.push_back(
        {Text(node.items[1]), Text(node.items[2]), ContextType(node.items.back())});
  }
}

void CilReader::OnFsUse(const CilNode& node) {
  if (node.items.size() >= 4) {
    scanner_.facts_.filesystem_types.emplace(Text(node.items[2]), ContextType(node.items[3]));
  }
}

void CilReader::OnFileContext(const CilNode& node) {
  if (node.items.size() < 4) {
    return;
  }
  FilePattern pattern{
      .regex = Text(node.items[1]), .file_class = std::nullopt, .type = ContextType(node.items[3])};
  for (const auto& [name, file_class] : kFileconClasses) {
    if (node.items[2].text == name) {
      pattern.file_class = file_class;
    }
  }
  scanner_.facts_.file_patterns.push_back(std::move(pattern));
}

bool PolicyFacts::HasPermission(const std::string& object_class,
                                const std::string& permission) const {
  const auto found = classes.find(object_class);
  return found != classes.end() && found->second.contains(permission);
}

Status CilScanner::Add(std::string_view text, std::string_view source) {
  return CilReader(this, text, source).Run();
}

PolicyFacts CilScanner::Finish() {
  for (const auto& [object_class, common] : class_commons_) {
    const auto found = commons_.find(common);
    if (found != commons_.end()) {
      facts_.classes[object_class].insert(found->second.begin(), found->second.end());
    }
  }
  return std::move(facts_);
}

}  // namespace cordon
