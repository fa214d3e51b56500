#include "generator/selinux_target.h"

#include <bzlib.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <system_error>
#include <utility>

#include "common/file.h"
#include "common/text.h"
#include "generator/file_context_regex.h"
#include "generator/policy_cache.h"
#include "generator/selinux_container.h"
#include "model/sha256.h"
#include "policies/embedded.h"

namespace cordon {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxModuleBytes = std::size_t{64} << 20;
constexpr std::string_view kShippedTarget = "refpolicy-debian12";
constexpr std::string_view kFedoraTarget = "fedora-container";

/// The words of each line that is not a comment.
std::vector<std::vector<std::string>> Table(std::string_view text) {
  std::vector<std::vector<std::string>> rows;
  for (const std::string& line : Split(text, '\n')) {
    if (line.starts_with('#')) {
      continue;
    }
    std::vector<std::string> words;
    for (std::string& word : Split(line, ' ')) {
      if (!word.empty()) {
        words.push_back(std::move(word));
      }
    }
    if (!words.empty()) {
      rows.push_back(std::move(words));
    }
  }
  return rows;
}

std::string Context(std::string_view type) {
  return fmt::format("(system_u object_r {} ((s0) (s0)))", type);
}

/// Declarations that give the names a policy to stand in: one sensitivity, one category, one user;
/// which types are domains is not known, so the system's role may have any.
std::string DeclareNames(const std::vector<std::vector<std::string>>& rows, SelinuxTarget* target) {
  std::string cil =
      "(handleunknown allow)\n(mls true)\n(sensitivity s0)\n(sensitivityorder (s0))\n(category "
      "c0)\n(categoryorder (c0))\n"
      "(sensitivitycategory s0 (c0))\n(sid kernel)\n(sidorder (kernel))\n"
      "(sidcontext kernel (system_u system_r kernel_t ((s0) (s0))))\n"
      "(user system_u)\n(userrole system_u object_r)\n(userrole system_u system_r)\n(userlevel "
      "system_u (s0))\n"
      "(userrange system_u ((s0) (s0 (c0))))\n";
  std::string order;
  for (const std::vector<std::string>& row : rows) {
    if (row.size() < 2) {
      continue;
    }
    const std::string& name = row[1];
    if (row[0] == "version") {
      target->version = name;
    } else if (row[0] == "module") {
      target->module_names.insert(name);
    } else if (row[0] == "class") {
      order += " " + name;
      cil += fmt::format("(class {} ({}))\n", name, Join({row.begin() + 2, row.end()}, " "));
    } else if (row[0] == "type") {
      cil += fmt::format("(type {0})\n(roletype object_r {0})\n(roletype system_r {0})\n", name);
    } else if (row[0] == "attribute") {
      cil += fmt::format("(typeattribute {})\n", name);
    } else if (row[0] == "role") {
      cil += fmt::format("(role {})\n", name);
    }
  }
  return cil + fmt::format("(classorder ({}))\n", order.substr(1));
}

std::string PortStatement(const std::vector<std::string>& row) {
  std::string range = row[2];
  if (const std::size_t dash = range.find('-'); dash != std::string::npos) {
    range = fmt::format("({} {})", range.substr(0, dash), range.substr(dash + 1));
  }
  return fmt::format("(portcon {} {} {})\n", row[1], range, Context(row[3]));
}

std::string PlaceStatements(const std::vector<std::vector<std::string>>& rows) {
  std::string cil;
  for (const std::vector<std::string>& row : rows) {
    if (row[0] == "tree" && row.size() == 3) {
      cil += fmt::format("(filecon \"{}\" any {})\n", TreeRegex(row[1]), Context(row[2]));
    } else if (row[0] == "none" && row.size() == 2) {
      cil += fmt::format("(filecon \"{}\" any ())\n", BelowRegex(row[1]));
    } else if (row[0] == "path" && row.size() >= 3) {
      const std::optional<FileClass> file_class =
          row.size() == 4 ? FileClassFromName(row[3]) : std::nullopt;
      cil += fmt::format("(filecon \"{}\" {} {})\n", GlobRegex(row[1]), FileconWord(file_class),
                         Context(row[2]));
    } else if (row[0] == "fs" && row.size() == 4) {
      cil += fmt::format("(genfscon {} \"{}\" {})\n", row[1], row[2], Context(row[3]));
    } else if (row[0] == "port" && row.size() == 4) {
      cil += PortStatement(row);
    }
  }
  return cil;
}

Expected<std::string> Decompressed(const std::string& data, const std::string& path) {
  if (!data.starts_with("BZh")) {
    return data;
  }
  std::string input = data;
  std::string out;
  std::array<char, 1U << 16> chunk{};
  bz_stream stream{};
  stream.next_in = input.data();
  stream.avail_in = static_cast<unsigned>(input.size());
  if (BZ2_bzDecompressInit(&stream, 0, 0) != BZ_OK) {
    return Fail(MakeError(ErrorCode::kLimit, "no memory for libbz2"));
  }
  int result = BZ_OK;
  do {
    stream.next_out = chunk.data();
    stream.avail_out = static_cast<unsigned>(chunk.size());
    result = BZ2_bzDecompress(&stream);
    out.append(chunk.data(), chunk.size() - stream.avail_out);
  } while (result == BZ_OK && out.size() <= kMaxModuleBytes &&
           (stream.avail_in > 0 || stream.avail_out == 0));
  BZ2_bzDecompressEnd(&stream);
  if (result != BZ_STREAM_END) {
    return Fail(InvalidInput(fmt::format("{}: the bzip2 data is damaged or too long", path)));
  }
  return out;
}

std::string ReadIfThere(const fs::path& path) {
  Expected<std::string> text = ReadFile(path.string(), kMaxModuleBytes);
  return text.has_value() ? std::move(*text) : std::string();
}

std::vector<fs::path> Entries(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator it(folder, error); !error && it != fs::directory_iterator();
       it.increment(error)) {
    paths.push_back(it->path());
  }
  std::ranges::sort(paths);
  return paths;
}

/// The names that the modules declare become the facts of the target.
Status ScanModules(SelinuxTarget* target) {
  CilScanner scanner;
  for (const CilModule& module :
       target->slice.has_value() ? target->slice->modules : target->modules) {
    RETURN_IF_ERROR(scanner.Add(module.text, module.name));
    target->module_names.insert(module.name);
  }
  target->facts = scanner.Finish();
  if (target->facts.classes.empty() || target->facts.types.empty()) {
    return Fail(InvalidInput(
        fmt::format("the SELinux target {} declares no classes or no types", target->name)));
  }
  return {};
}

/// The highest priority of each module that is not disabled (libsemanage's store layout).
std::map<std::string, fs::path> ModulesInStore(const fs::path& store) {
  std::map<std::string, std::pair<std::uint64_t, fs::path>> best;
  for (const fs::path& level : Entries(store)) {
    const std::optional<std::uint64_t> priority = ParseUnsigned(level.filename().string());
    if (!priority.has_value()) {
      continue;
    }
    for (const fs::path& module : Entries(level)) {
      std::pair<std::uint64_t, fs::path>& entry = best[module.filename().string()];
      if (*priority >= entry.first) {
        entry = {*priority, module};
      }
    }
  }
  for (const fs::path& disabled : Entries(store / "disabled")) {
    best.erase(disabled.filename().string());
  }
  std::map<std::string, fs::path> modules;
  for (const auto& [name, entry] : best) {
    modules.emplace(name, entry.second);
  }
  return modules;
}

/// What a slice depends on: every byte of the modules, and what makes it.
std::string SliceKey(const std::vector<StoredModule>& stored) {
  constexpr int kFormat = 1;  // to be raised when slices are cut in another way
  std::string all = fmt::format("slice {}, cordon {}\n", kFormat, CORDON_VERSION);
  for (const StoredModule& module : stored) {
    all += fmt::format("{} {} {}\n", module.name.size(), module.data.size(), module.name);
    all += module.data;
  }
  return ToHex(Sha256(all));
}

/// Makes modules and facts of `stored`, or of the slice that was kept of them.
Status AddModules(SliceCache cache, SelinuxTarget* target) {
  if (cache == SliceCache::kOn) {
    target->slice_key = SliceKey(target->stored);
    if (const std::optional<std::string> kept = PolicyCache().Find(target->slice_key)) {
      target->slice = ReadSlice(*kept);
    }
  }
  if (!target->slice.has_value()) {
    RETURN_IF_ERROR(UnpackModules(target));
  }
  return ScanModules(target);
}

Expected<SelinuxTarget> FromStore(const fs::path& store, const fs::path& contexts, std::string name,
                                  SliceCache cache) {
  SelinuxTarget target;
  target.name = std::move(name);
  target.kind = SelinuxTargetKind::kModules;
  for (const auto& [module, folder] : ModulesInStore(store)) {
    const std::string path = (folder / "cil").string();
    Expected<std::string> data = ReadFile(path, kMaxModuleBytes);
    if (!data.has_value()) {
      target.notes.push_back(
          fmt::format("module {} has no CIL in the store and was left out", module));
      continue;
    }
    target.stored.push_back({module, path, *std::move(data)});
  }
  RETURN_IF_ERROR(AddModules(cache, &target));
  const std::string base = (contexts / "file_contexts").string();
  target.file_contexts = ReadIfThere(base) + "\n" + ReadIfThere(base + ".local");
  target.home_contexts = ReadIfThere(base + ".homedirs");
  target.substitutions = ReadIfThere(base + ".subs_dist") + "\n" + ReadIfThere(base + ".subs");
  return target;
}

Expected<SelinuxTarget> FromCilFolder(const fs::path& folder, SliceCache cache) {
  SelinuxTarget target;
  target.name = folder.string();
  target.kind = SelinuxTargetKind::kModules;
  for (const fs::path& path : Entries(folder)) {
    if (path.extension() == ".cil") {
      ASSIGN_OR_RETURN(std::string text, ReadFile(path.string(), kMaxModuleBytes));
      target.stored.push_back({path.stem().string(), path.string(), std::move(text)});
    }
  }
  RETURN_IF_ERROR(AddModules(cache, &target));
  ASSIGN_OR_RETURN(target.file_contexts,
                   ReadFile((folder / "file_contexts").string(), kMaxModuleBytes));
  target.substitutions = ReadIfThere(folder / "file_contexts.subs_dist");
  return target;
}

/// SELINUXTYPE of /etc/selinux/config; the only installed policy where it names none.
std::optional<std::string> InstalledPolicy(const fs::path& root) {
  for (const std::string& line : Split(ReadIfThere(root / "etc/selinux/config"), '\n')) {
    constexpr std::string_view kKey = "SELINUXTYPE=";
    if (line.starts_with(kKey) &&
        fs::exists(root / "etc/selinux" / line.substr(kKey.size()) / "contexts")) {
      return line.substr(kKey.size());
    }
  }
  for (const fs::path& folder : Entries(root / "etc/selinux")) {
    if (fs::exists(folder / "contexts/files/file_contexts")) {
      return folder.filename().string();
    }
  }
  return std::nullopt;
}

Expected<SelinuxTarget> FromRoot(const fs::path& root, const std::string& policy,
                                 SliceCache cache) {
  return FromStore(root / "var/lib/selinux" / policy / "active/modules",
                   root / "etc/selinux" / policy / "contexts/files", policy, cache);
}

bool HasModuleStore(const fs::path& root, const std::string& policy) {
  std::error_code error;
  return fs::is_directory(root / "var/lib/selinux" / policy / "active/modules", error);
}

}  // namespace

Expected<SelinuxTarget> TargetFromTables(std::string name, std::string_view symbols,
                                         std::string_view places) {
  SelinuxTarget target;
  target.name = std::move(name);
  target.kind = SelinuxTargetKind::kNames;
  std::string cil = DeclareNames(Table(symbols), &target);
  cil += PlaceStatements(Table(places));
  target.modules.push_back({target.name, std::move(cil)});
  RETURN_IF_ERROR(ScanModules(&target));
  target.file_contexts = FileContextsText(target.facts.file_patterns);
  return target;
}

Status UnpackModules(SelinuxTarget* target) {
  for (const StoredModule& module : std::exchange(target->stored, {})) {
    ASSIGN_OR_RETURN(std::string text, Decompressed(module.data, module.path));
    target->modules.push_back({module.name, std::move(text)});
  }
  std::ranges::sort(target->modules, {}, &CilModule::name);
  return {};
}

Expected<SelinuxTarget> LoadSelinuxTarget(const std::string& target, SliceCache cache) {
  if (target == kContainerTarget || target.starts_with(std::string(kContainerTarget) + ":")) {
    const std::size_t colon = std::min(target.find(':'), target.size() - 1);
    ASSIGN_OR_RETURN(SelinuxTarget host, LoadSelinuxTarget(target.substr(colon + 1), cache));
    MakeContainerTarget(&host);
    return host;
  }
  if (target == kFedoraTarget) {
    ASSIGN_OR_RETURN(SelinuxTarget fedora, TargetFromTables(target, policies::kSelinuxFedoraSymbols,
                                                            policies::kSelinuxFedoraPlaces));
    MakeContainerTarget(&fedora);
    fedora.name = target;
    return fedora;
  }
  if (target == kShippedTarget) {
    return TargetFromTables(std::string(kShippedTarget), policies::kSelinuxDebian12Symbols,
                            policies::kSelinuxDebian12Places);
  }
  if (target.empty() || target == "host") {
    const std::optional<std::string> installed = InstalledPolicy("/");
    if (installed.has_value() && HasModuleStore("/", *installed)) {
      return FromRoot("/", *installed, cache);
    }
    if (target.empty()) {
      return LoadSelinuxTarget(std::string(kShippedTarget));
    }
    return Fail(MakeError(ErrorCode::kNotFound,
                          "this host has no SELinux policy with a module store: name another "
                          "target, such as refpolicy-debian12"));
  }
  std::error_code error;
  if (!fs::is_directory(target, error)) {
    return Fail(MakeError(
        ErrorCode::kNotFound,
        fmt::format("{} is no SELinux target: host, {}, {}, container, container: and one of "
                    "them, or a folder with a policy",
                    Quote(target), kShippedTarget, kFedoraTarget)));
  }
  if (const std::optional<std::string> installed = InstalledPolicy(target); installed.has_value()) {
    return FromRoot(target, *installed, cache);
  }
  return FromCilFolder(target, cache);
}

}  // namespace cordon
