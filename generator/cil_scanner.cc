#include "generator/cil_scanner.h"

#include <fmt/format.h>

#include <array>
#include <unordered_map>
#include <utility>

#include "common/text.h"

namespace cordon {
namespace {

/// One parsed statement: a word, or a list.
struct Node {
  std::string_view word;
  std::vector<Node> items;
  bool list = false;
};

std::string Text(const Node& node) {
  return std::string(node.word);
}

/// The type of a context in place: (user role type levels).
std::string ContextType(const Node& node) {
  return node.list && node.items.size() >= 3 ? Text(node.items[2]) : std::string();
}

std::set<std::string> Words(const Node& list) {
  std::set<std::string> words;
  for (const Node& item : list.items) {
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

std::optional<std::uint16_t> Port(const Node& node) {
  const std::optional<std::uint64_t> value = ParseUnsigned(node.word);
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
      : scanner_(*scanner), text_(text), source_(source) {}

  Status Run();

 private:
  using Handler = void (CilReader::*)(const Node&);

  static Handler HandlerOf(std::string_view head);

  void SkipBlanks();
  Expected<std::string_view> Word();
  Expected<Node> List();
  Error Mistake(std::string_view what) const;

  void OnType(const Node& node) { Declare(node, scanner_.facts_.types); }

  void OnAttribute(const Node& node) { Declare(node, scanner_.facts_.attributes); }

  void OnRole(const Node& node) { Declare(node, scanner_.facts_.roles); }

  void OnAlias(const Node& node);
  void OnClass(const Node& node);
  void OnCommon(const Node& node);
  void OnClassCommon(const Node& node);
  void OnPort(const Node& node);
  void OnGenfs(const Node& node);
  void OnFsUse(const Node& node);
  void OnFileContext(const Node& node);

  static void Declare(const Node& node, std::set<std::string>& names) {
    if (node.items.size() >= 2) {
      names.insert(Text(node.items[1]));
    }
  }

  CilScanner& scanner_;
  std::string_view text_;
  std::string_view source_;
  std::size_t at_ = 0;
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

Error CilReader::Mistake(std::string_view what) const {
  return InvalidInput(fmt::format("{}: byte {}: {}", source_, at_, what));
}

void CilReader::SkipBlanks() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == ';') {
      while (at_ < text_.size() && text_[at_] != '\n') {
        ++at_;
      }
    } else if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
      ++at_;
    } else {
      return;
    }
  }
}

Expected<std::string_view> CilReader::Word() {
  if (text_[at_] == '"') {
    const std::size_t end = text_.find('"', at_ + 1);
    if (end == std::string_view::npos) {
      return Fail(Mistake("a string without its end"));
    }
    const std::string_view word = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return word;
  }
  const std::size_t start = at_;
  while (at_ < text_.size() && !std::string_view("() \n\t\r;\"").contains(text_[at_])) {
    ++at_;
  }
  return text_.substr(start, at_ - start);
}

Expected<Node> CilReader::List() {
  std::vector<Node> open(1);
  open.back().list = true;
  ++at_;
  for (;;) {
    SkipBlanks();
    if (at_ >= text_.size()) {
      return Fail(Mistake("a list without its end"));
    }
    if (text_[at_] == '(') {
      ++at_;
      open.emplace_back();
      open.back().list = true;
    } else if (text_[at_] == ')') {
      ++at_;
      Node done = std::move(open.back());
      open.pop_back();
      if (open.empty()) {
        return done;
      }
      open.back().items.push_back(std::move(done));
    } else {
      ASSIGN_OR_RETURN(const std::string_view word, Word());
      open.back().items.push_back(Node{.word = word, .items = {}, .list = false});
    }
  }
}

Status CilReader::Run() {
  int depth = 0;
  for (;;) {
    SkipBlanks();
    if (at_ >= text_.size()) {
      break;
    }
    if (text_[at_] == ')') {
      if (--depth < 0) {
        return Fail(Mistake("a closing parenthesis too many"));
      }
      ++at_;
      continue;
    }
    if (text_[at_] != '(') {
      RETURN_IF_ERROR(Word());
      continue;
    }
    const std::size_t start = at_++;
    SkipBlanks();
    if (at_ >= text_.size()) {
      break;
    }
    Handler handler = nullptr;
    if (text_[at_] != '(' && text_[at_] != ')') {
      ASSIGN_OR_RETURN(const std::string_view head, Word());
      handler = HandlerOf(head);
    }
    if (handler == nullptr) {
      ++depth;
      continue;
    }
    at_ = start;
    ASSIGN_OR_RETURN(const Node node, List());
    (this->*handler)(node);
  }
  if (depth != 0) {
    return Fail(Mistake("the text ends inside a statement"));
  }
  return {};
}

void CilReader::OnAlias(const Node& node) {
  if (node.items.size() >= 3) {
    scanner_.facts_.aliases.emplace(Text(node.items[1]), Text(node.items[2]));
  }
}

void CilReader::OnClass(const Node& node) {
  if (node.items.size() >= 3) {
    scanner_.facts_.classes[Text(node.items[1])].merge(Words(node.items[2]));
  }
}

void CilReader::OnCommon(const Node& node) {
  if (node.items.size() >= 3) {
    scanner_.commons_[Text(node.items[1])].merge(Words(node.items[2]));
  }
}

void CilReader::OnClassCommon(const Node& node) {
  if (node.items.size() >= 3) {
    scanner_.class_commons_.emplace(Text(node.items[1]), Text(node.items[2]));
  }
}

void CilReader::OnPort(const Node& node) {
  if (node.items.size() < 4) {
    return;
  }
  const Node& range = node.items[2];
  const std::optional<std::uint16_t> low =
      Port(range.list && range.items.size() == 2 ? range.items[0] : range);
  const std::optional<std::uint16_t> high =
      Port(range.list && range.items.size() == 2 ? range.items[1] : range);
  if (low.has_value() && high.has_value()) {
    scanner_.facts_.ports.push_back({Text(node.items[1]), *low, *high, ContextType(node.items[3])});
  }
}

void CilReader::OnGenfs(const Node& node) {
  if (node.items.size() >= 4) {
    // A file class may stand before the context.
    scanner_.facts_.filesystem_prefixes.push_back(
        {Text(node.items[1]), Text(node.items[2]), ContextType(node.items.back())});
  }
}

void CilReader::OnFsUse(const Node& node) {
  if (node.items.size() >= 4) {
    scanner_.facts_.filesystem_types.emplace(Text(node.items[2]), ContextType(node.items[3]));
  }
}

void CilReader::OnFileContext(const Node& node) {
  if (node.items.size() < 4) {
    return;
  }
  FilePattern pattern{
      .regex = Text(node.items[1]), .file_class = std::nullopt, .type = ContextType(node.items[3])};
  for (const auto& [name, file_class] : kFileconClasses) {
    if (node.items[2].word == name) {
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
