#include "generator/domain_rules.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <vector>

namespace cordon {
namespace {

/// The words of one statement, parentheses as words of their own.
std::vector<std::string_view> Words(std::string_view line) {
  std::vector<std::string_view> words;
  std::size_t at = 0;
  while (at < line.size()) {
    const char c = line[at];
    if (c == ' ' || c == '\n') {
      ++at;
    } else if (c == '(' || c == ')') {
      words.push_back(line.substr(at++, 1));
    } else if (c == '"') {
      const std::size_t end = std::min(line.find('"', at + 1), line.size() - 1);
      words.push_back(line.substr(at + 1, end - at - 1));
      at = end + 1;
    } else {
      const std::size_t end = std::min(line.find_first_of(" ()\n", at), line.size());
      words.push_back(line.substr(at, end - at));
      at = end;
    }
  }
  return words;
}

std::optional<std::uint16_t> Request(std::string_view word) {
  constexpr std::string_view kPrefix = "0x";
  const int base = word.starts_with(kPrefix) ? 16 : 10;
  word.remove_prefix(base == 16 ? kPrefix.size() : 0);
  std::uint16_t value = 0;
  const auto [end, error] = std::from_chars(word.begin(), word.end(), value, base);
  return error == std::errc() && end == word.end() ? std::optional(value) : std::nullopt;
}

class Reader {
 public:
  explicit Reader(const std::string& domain) : domain_(domain) {}

  DomainRules Read(std::string_view cil);

 private:
  /// Calls `use` with the words of every statement that stands for itself and begins with `head`.
  template <typename Use>
  static void ForEach(std::string_view cil, std::string_view head, const Use& use);

  bool IsDomain(std::string_view name) const {
    return name == domain_ || rules_.attributes.contains(std::string(name));
  }

  void OnSet(const std::vector<std::string_view>& words);
  void OnTransition(const std::vector<std::string_view>& words);
  void OnIoctl(const std::vector<std::string_view>& words);

  const std::string& domain_;
  DomainRules rules_;
  std::map<std::string, std::vector<std::string>, std::less<>> members_;
};

template <typename Use>
void Reader::ForEach(std::string_view cil, std::string_view head, const Use& use) {
  std::size_t at = 0;
  while (at < cil.size()) {
    const std::size_t end = std::min(cil.find('\n', at), cil.size());
    const std::string_view line = cil.substr(at, end - at);
    at = end + 1;
    if (line.starts_with('(') && line.substr(1).starts_with(head) &&
        line.substr(1 + head.size()).starts_with(' ')) {
      use(Words(line));
    }
  }
}

/// (typeattributeset NAME (TYPE…))
void Reader::OnSet(const std::vector<std::string_view>& words) {
  if (words.size() < 5) {
    return;
  }
  std::vector<std::string>& members = members_[std::string(words[2])];
  for (std::size_t i = 4; i < words.size() && words[i] != ")"; ++i) {
    members.emplace_back(words[i]);
    if (words[i] == domain_) {
      rules_.attributes.emplace(words[2]);
    }
  }
}

/// (typetransition SOURCE TARGET CLASS ["NAME"] TYPE)
void Reader::OnTransition(const std::vector<std::string_view>& words) {
  if (words.size() < 7 || !IsDomain(words[2])) {
    return;
  }
  const bool named = words.size() > 7;
  const TransitionKey key{domain_, std::string(words[3]), std::string(words[4]),
                          named ? std::string(words[5]) : std::string()};
  rules_.transitions[key].type = std::string(words[named ? 6 : 5]);
}

/// (allowx SOURCE TARGET (ioctl CLASS (NUMBER… (range LOW HIGH)…)))
void Reader::OnIoctl(const std::vector<std::string_view>& words) {
  if (words.size() < 8 || !IsDomain(words[2]) || words[5] != "ioctl") {
    return;
  }
  std::set<std::uint16_t> requests;
  for (std::size_t i = 8; i < words.size(); ++i) {
    const bool range = words[i] == "range" && i + 2 < words.size();
    const std::optional<std::uint16_t> low = Request(words[range ? i + 1 : i]);
    const std::optional<std::uint16_t> high = range ? Request(words[i + 2]) : low;
    i += range ? 2 : 0;
    if (!low.has_value() || !high.has_value()) {
      continue;
    }
    for (std::uint32_t number = *low; number <= *high; ++number) {
      requests.insert(static_cast<std::uint16_t>(number));
    }
  }
  std::vector<std::string> targets{std::string(words[3])};
  if (const auto members = members_.find(words[3]); members != members_.end()) {
    targets = members->second;
  }
  for (const std::string& target : targets) {
    rules_.allow_ioctl[{domain_, target == domain_ ? "self" : target, std::string(words[6])}]
        .requests.insert(requests.begin(), requests.end());
  }
}

DomainRules Reader::Read(std::string_view cil) {
  ForEach(cil, "typeattributeset", [this](const auto& words) { OnSet(words); });
  ForEach(cil, "typetransition", [this](const auto& words) { OnTransition(words); });
  ForEach(cil, "allowx", [this](const auto& words) { OnIoctl(words); });
  return std::move(rules_);
}

}  // namespace

DomainRules ReadDomainRules(std::string_view cil, const std::string& domain) {
  return Reader(domain).Read(cil);
}

}  // namespace cordon
