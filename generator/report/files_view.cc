#include "generator/report/files_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/text.h"
#include "generator/report/file_kind.h"

namespace cordon::report {
namespace {

constexpr std::size_t kMaxDirectoriesShown = 60;
constexpr std::size_t kMaxChangedShown = 200;
constexpr std::size_t kMaxTypesOfADirectory = 4;

/// "/a/b" -> "", "a", "b"; a name that is no path is one part below no root.
std::vector<std::string_view> PartsOf(std::string_view path) {
  std::vector<std::string_view> parts;
  if (!path.starts_with('/')) {
    return {path};
  }
  parts.emplace_back("/");
  for (std::size_t from = 1; from < path.size();) {
    const std::size_t to = std::min(path.find('/', from), path.size());
    parts.push_back(path.substr(from, to - from));
    from = to + 1;
  }
  return parts;
}

/// As if '/' were the lowest character: a directory's entries follow it at once.
bool ComesBefore(std::string_view left, std::string_view right) {
  return std::ranges::lexicographical_compare(
      left, right, {},
      [](char c) { return c == '/' ? 0 : static_cast<int>(static_cast<unsigned char>(c)) + 1; },
      [](char c) { return c == '/' ? 0 : static_cast<int>(static_cast<unsigned char>(c)) + 1; });
}

/// "open read map"
std::string AccessWords(FileAccessSet accesses) {
  std::string words;
  for (const FileAccess access : accesses.List()) {
    words += fmt::format("{}{}", words.empty() ? "" : " ", Name(access));
  }
  return words;
}

/// Numbers for values, in the order of their first use.
class Numbers {
 public:
  std::size_t Of(const std::string& key, const std::function<Json()>& value) {
    const auto [place, added] = numbers_.emplace(key, list_.size());
    if (added) {
      list_.push_back(value());
    }
    return place->second;
  }

  Json Take() { return std::move(list_); }

 private:
  std::map<std::string, std::size_t> numbers_;
  Json list_ = Json::array();
};

/// What a policy says of the types of paths.
class TypesOfPaths {
 public:
  explicit TypesOfPaths(const ReportPolicy* policy) {
    if (policy == nullptr) {
      return;
    }
    for (const Json& rule : ListOf(Member(policy->selinux, "rules"))) {
      for (const Json& need : ListOf(Member(rule, "by"))) {
        const Json& place = Member(need, "place");
        if (place.is_string() && place.get_ref<const std::string&>().starts_with('/')) {
          paths_[place.get<std::string>()] = TextOf(Member(rule, "target"));
        }
      }
    }
    for (const Json& context : ListOf(Member(policy->selinux, "file_contexts"))) {
      const Json& regex = Member(context, "regex");
      if (regex.is_string()) {
        AddContext(regex.get<std::string>(), TextOf(Member(context, "type")));
      }
    }
  }

  /// Empty where it says nothing.
  std::string Of(const std::string& path) const {
    if (const auto found = paths_.find(path); found != paths_.end()) {
      return found->second;
    }
    for (std::size_t end = trees_.empty() ? 0 : path.size(); end > 0;
         end = path.rfind('/', end - 1)) {
      if (const auto found = trees_.find(path.substr(0, end)); found != trees_.end()) {
        return found->second;
      }
      if (path.find('/') >= end) {
        break;
      }
    }
    return {};
  }

 private:
  /// A literal path, or a literal path and all below it: what PathRegex() and TreeRegex() write.
  /// Other patterns say nothing of a single path here.
  void AddContext(std::string regex, const std::string& type) {
    constexpr std::string_view kBelow = "(/.*)?";
    const bool tree = regex.ends_with(kBelow);
    if (tree) {
      regex.resize(regex.size() - kBelow.size());
    }
    std::string path;
    for (std::size_t i = 0; i < regex.size(); ++i) {
      if (regex[i] == '\\' && i + 1 < regex.size()) {
        path += regex[++i];
      } else if (std::string_view("^$.|?*+()[]{}\\").find(regex[i]) != std::string_view::npos) {
        return;
      } else {
        path += regex[i];
      }
    }
    (tree ? trees_ : paths_).emplace(path, type);
  }

  std::map<std::string, std::string> paths_;
  std::map<std::string, std::string> trees_;
};

/// The tree as arrays over its nodes.
class Nodes {
 public:
  void Add(std::string_view name, std::int64_t up) {
    name_.push_back(VisibleText(name));
    up_.push_back(up);
    for (Json* const column : {&kind_, &class_, &access_, &by_, &type_}) {
      column->push_back(-1);
    }
    for (Json* const column : {&count_, &first_, &phases_}) {
      column->push_back(0);
    }
  }

  std::size_t size() const { return name_.size(); }

  bool IsTaken(std::size_t node) const { return kind_[node] != -1; }

  void Describe(std::size_t node, const FileKey& key, const FileObservation& item,
                const std::string& type) {
    kind_[node] = static_cast<int>(KindOf(item));
    class_[node] =
        classes_.Of(std::string(Name(key.file_class)), [&] { return Json(Name(key.file_class)); });
    const std::string words = AccessWords(item.access);
    access_[node] = accesses_.Of(words, [&] { return Json(words); });
    const std::string programs = Join({item.seen.executables.begin(), item.seen.executables.end()},
                                      std::string_view("\0", 1));
    by_[node] = programs_.Of(programs, [&] {
      Json names = Json::array();
      for (const std::string& executable : item.seen.executables) {
        names.push_back(VisibleText(executable));
      }
      return names;
    });
    if (!type.empty()) {
      type_[node] = types_.Of(type, [&] { return Json(type); });
    }
    count_[node] = item.seen.count;
    first_[node] = item.seen.first_ms;
    phases_[node] = item.seen.phases.bits;
    if (!item.failures.empty() || !item.ioctls.empty()) {
      std::vector<std::string> requests;
      requests.reserve(item.ioctls.size());
      for (const std::uint32_t request : item.ioctls) {
        requests.push_back(fmt::format("{:#x}", request));
      }
      more_.push_back({node, ResultsText(item.failures), Join(requests, ", ")});
    }
  }

  Json Take() {
    Json data;
    data["name"] = std::move(name_);
    data["up"] = std::move(up_);
    data["kind"] = std::move(kind_);
    data["class"] = std::move(class_);
    data["access"] = std::move(access_);
    data["by"] = std::move(by_);
    data["type"] = std::move(type_);
    data["count"] = std::move(count_);
    data["first"] = std::move(first_);
    data["phases"] = std::move(phases_);
    data["more"] = std::move(more_);
    data["classes"] = classes_.Take();
    data["accesses"] = accesses_.Take();
    data["programs_of"] = programs_.Take();
    data["types"] = types_.Take();
    return data;
  }

 private:
  Json name_ = Json::array();
  Json up_ = Json::array();
  Json kind_ = Json::array();
  Json class_ = Json::array();
  Json access_ = Json::array();
  Json by_ = Json::array();
  Json type_ = Json::array();
  Json count_ = Json::array();
  Json first_ = Json::array();
  Json phases_ = Json::array();
  Json more_ = Json::array();
  Numbers classes_;
  Numbers accesses_;
  Numbers programs_;
  Numbers types_;
};

/// What the entries of one directory are.
struct DirectorySummary {
  std::array<std::uint64_t, kFileKinds> kinds{};
  std::set<std::string> types;
  std::uint64_t paths = 0;
};

std::string DirectoryOf(const std::string& path) {
  if (!path.starts_with('/')) {
    return "(without a path)";
  }
  return path.substr(0, std::max<std::size_t>(path.find_last_of('/'), 1));
}

enum class ColumnOfTypes : std::uint8_t { kHidden, kShown };

Json DirectoryRows(const std::map<std::string, DirectorySummary>& directories,
                   ColumnOfTypes with_types) {
  std::vector<const std::pair<const std::string, DirectorySummary>*> order;
  order.reserve(directories.size());
  for (const auto& entry : directories) {
    order.push_back(&entry);
  }
  std::ranges::stable_sort(order, std::greater(),
                           [](const auto* entry) { return entry->second.paths; });
  Json rows = Json::array();
  for (const auto* entry : order) {
    if (rows.size() == kMaxDirectoriesShown) {
      break;
    }
    const DirectorySummary& summary = entry->second;
    Json row;
    row["DIRECTORY"] = VisibleText(entry->first);
    row["DIRECTORY_PATHS"] = Grouped(summary.paths);
    row["DIRECTORY_CELL"] = Json::array();
    for (const std::uint64_t count : summary.kinds) {
      row["DIRECTORY_CELL"].push_back(count == 0 ? std::string() : Grouped(count));
    }
    std::vector<std::string> types(summary.types.begin(), summary.types.end());
    if (types.size() > kMaxTypesOfADirectory) {
      types.resize(kMaxTypesOfADirectory);
      types.push_back(fmt::format("and {} more", summary.types.size() - kMaxTypesOfADirectory));
    }
    if (with_types == ColumnOfTypes::kShown) {
      row["TYPES_CELL"] = {{"DIRECTORY_TYPES", Join(types, ", ")}};
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

FilesView MakeFilesView(const Recording& recording, const ReportPolicy* policy) {
  const TypesOfPaths types(policy);
  std::vector<const std::pair<const FileKey, FileObservation>*> files;
  files.reserve(recording.files.size());
  for (const auto& entry : recording.files) {
    files.push_back(&entry);
  }
  std::ranges::stable_sort(files, [](const auto* left, const auto* right) {
    return ComesBefore(left->first.path, right->first.path);
  });

  Nodes nodes;
  std::vector<std::pair<std::string_view, std::size_t>> open;  // the path to the last node
  std::map<std::string, DirectorySummary> directories;
  std::array<std::uint64_t, kFileKinds> kinds{};
  Json changed = Json::array();
  std::uint64_t changes = 0;
  for (const auto* entry : files) {
    const FileKey& key = entry->first;
    const std::vector<std::string_view> parts = PartsOf(key.path);
    std::size_t common = 0;
    while (common < open.size() && common < parts.size() && open[common].first == parts[common]) {
      ++common;
    }
    // The same path again is of another class: a node of its own, after the first.
    if (common == parts.size() && nodes.IsTaken(open[common - 1].second)) {
      --common;
    }
    open.resize(common);
    for (std::size_t i = common; i < parts.size(); ++i) {
      nodes.Add(parts[i], open.empty() ? -1 : static_cast<std::int64_t>(open.back().second));
      open.emplace_back(parts[i], nodes.size() - 1);
    }
    const std::string type = types.Of(key.path);
    nodes.Describe(open.back().second, key, entry->second, type);

    const FileKind kind = KindOf(entry->second);
    ++kinds.at(static_cast<std::size_t>(kind));
    DirectorySummary& directory = directories[DirectoryOf(key.path)];
    ++directory.kinds.at(static_cast<std::size_t>(kind));
    ++directory.paths;
    if (!type.empty()) {
      directory.types.insert(type);
    }
    if (kind == FileKind::kChanged && ++changes <= kMaxChangedShown) {
      Json row;
      row["CHANGED_PATH"] = VisibleText(key.path);
      row["CHANGED_ACCESS"] = AccessWords(entry->second.access);
      row["CHANGED_PHASES"] = PhasesText(entry->second.seen.phases);
      if (policy != nullptr) {
        row["TYPES_CELL"] = {{"CHANGED_TYPE", type}};
      }
      changed.push_back(std::move(row));
    }
  }

  FilesView result;
  Json& view = result.view;
  view["FILE_COUNT"] = Grouped(files.size());
  view["KIND"] = Json::array();
  for (std::uint8_t i = 0; i < kFileKinds; ++i) {
    const auto kind = static_cast<FileKind>(i);
    view["KIND"].push_back({{"KIND_CLASS", KindClass(kind)},
                            {"KIND_WORD", KindWord(kind)},
                            {"KIND_COUNT", Grouped(kinds.at(i))}});
  }
  view["DIRECTORY_ROW"] = DirectoryRows(
      directories, policy == nullptr ? ColumnOfTypes::kHidden : ColumnOfTypes::kShown);
  if (directories.size() > kMaxDirectoriesShown) {
    view["MORE_DIRECTORIES"] = {{"MORE_COUNT", Grouped(directories.size() - kMaxDirectoriesShown)}};
  }
  view["CHANGED_COUNT"] = Grouped(changes);
  view["CHANGED"] = std::move(changed);
  if (changes > kMaxChangedShown) {
    view["MORE_CHANGED"] = {{"MORE_COUNT", Grouped(changes - kMaxChangedShown)}};
  }
  view["HAS_TYPES"] = policy != nullptr;
  result.data = nodes.Take();
  return result;
}

}  // namespace cordon::report
