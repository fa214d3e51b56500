#include "generator/cil_tree.h"

#include <fmt/format.h>

#include <utility>

namespace cordon {

std::string_view CilNode::Head() const {
  return WordAt(0);
}

std::string_view CilNode::WordAt(std::size_t index) const {
  return index < items.size() && !items[index].list ? items[index].text : std::string_view();
}

Error CilLexer::Mistake(std::string_view what) const {
  return InvalidInput(fmt::format("{}: byte {}: {}", source_, at_, what));
}

char CilLexer::Next() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == ';') {
      while (at_ < text_.size() && text_[at_] != '\n') {
        ++at_;
      }
    } else if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
      ++at_;
    } else {
      return c;
    }
  }
  return 0;
}

Expected<std::string_view> CilLexer::Word() {
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

Expected<CilNode> CilLexer::List() {
  std::vector<CilNode> open;
  std::vector<std::size_t> starts;
  for (;;) {
    const char next = Next();
    if (next == 0) {
      return Fail(Mistake("a list without its end"));
    }
    if (next == '(') {
      starts.push_back(at_++);
      open.emplace_back();
      open.back().list = true;
    } else if (next == ')') {
      ++at_;
      CilNode done = std::move(open.back());
      done.text = text_.substr(starts.back(), at_ - starts.back());
      open.pop_back();
      starts.pop_back();
      if (open.empty()) {
        return done;
      }
      open.back().items.push_back(std::move(done));
    } else {
      ASSIGN_OR_RETURN(const std::string_view word, Word());
      open.back().items.push_back(CilNode{.text = word, .items = {}, .list = false});
    }
  }
}

Expected<std::vector<CilNode>> ParseCil(std::string_view text, std::string_view source) {
  CilLexer lexer(text, source);
  std::vector<CilNode> statements;
  for (char next = lexer.Next(); next != 0; next = lexer.Next()) {
    if (next != '(') {
      return Fail(lexer.Mistake("a word or a parenthesis outside of a statement"));
    }
    ASSIGN_OR_RETURN(CilNode statement, lexer.List());
    statements.push_back(std::move(statement));
  }
  return statements;
}

}  // namespace cordon
