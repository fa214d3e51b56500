#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "common/error.h"

namespace cordon {

/// A statement of CIL, or a word of one. Views the text that it was read from.
struct CilNode {
  /// A word (a string without its quotes), or a list as it stands in the text, with parentheses.
  std::string_view text;
  std::vector<CilNode> items;
  bool list = false;

  /// The first word of a list; empty where it does not begin with one.
  std::string_view Head() const;

  /// The word at `index` of a list; empty where there is none.
  std::string_view WordAt(std::size_t index) const;
};

/// Reads CIL text from its beginning: blanks and comments are passed over.
class CilLexer {
 public:
  /// `source` is what errors call the text.
  CilLexer(std::string_view text, std::string_view source) : text_(text), source_(source) {}

  std::size_t at() const { return at_; }

  void Return(std::size_t at) { at_ = at; }

  /// The next character that is no blank and in no comment; 0 at the end.
  char Next();

  /// Passes over the character that Next() gave.
  void Skip() { ++at_; }

  /// The word at Next(), which is no parenthesis. Fails with kInvalidInput in an endless string.
  Expected<std::string_view> Word();

  /// The list that begins at Next(). Fails with kInvalidInput when it does not end.
  Expected<CilNode> List();

  /// kInvalidInput naming source and byte.
  Error Mistake(std::string_view what) const;

 private:
  std::string_view text_;
  std::string_view source_;
  std::size_t at_ = 0;
};

/// The statements of `text`. Fails with kInvalidInput naming `source` and the byte where it is not
/// CIL.
Expected<std::vector<CilNode>> ParseCil(std::string_view text, std::string_view source);

}  // namespace cordon
