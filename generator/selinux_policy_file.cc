#include "generator/selinux_policy_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>

#include "common/child_process.h"
#include "common/file.h"
#include "common/text.h"
#include "generator/cil_scanner.h"
#include "generator/selinux_check.h"

namespace cordon {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxContextsBytes = std::size_t{64} << 20;
constexpr std::string_view kCompiledMagic = "\x8c\xff\x7c\xf9";  // SELINUX_MAGIC
constexpr std::string_view kPackageMagic = "\x8f\xff\x7c\xf9";   // SEPOL_MODULE_PACKAGE_MAGIC
constexpr const char* kConverter = "/usr/libexec/selinux/hll/pp";

std::string ReadIfThere(const fs::path& path) {
  Expected<std::string> text = ReadFile(path.string(), kMaxContextsBytes);
  return text.has_value() ? std::move(*text) : std::string();
}

/// The CIL of a module package.
Expected<std::string> Converted(const std::string& path) {
  std::error_code ignored;
  if (!fs::exists(kConverter, ignored)) {
    return Fail(MakeError(ErrorCode::kUnsupported,
                          fmt::format("{} is a module package, and {} of policycoreutils, which "
                                      "converts them, is not installed: name the .cil instead",
                                      Quote(path), kConverter)));
  }
  ASSIGN_OR_RETURN(ProgramOutput output, RunProgram({kConverter, path}, std::chrono::seconds(60)));
  if (output.exit_code != 0) {
    return Fail(InvalidInput(fmt::format("{}: {} refuses it: {}", Quote(path), kConverter,
                                         Split(output.standard_error, '\n').front())));
  }
  return std::move(output.standard_output);
}

/// The name that a loaded module of this file would have.
std::string ModuleNameOf(const std::string& path) {
  return fs::path(path).stem().string();
}

Expected<SelinuxPolicyFile> FromModule(const std::string& path, std::string text,
                                       SelinuxFileKind kind,
                                       const SelinuxPolicyFileOptions& options) {
  ASSIGN_OR_RETURN(SelinuxTarget target, LoadSelinuxTarget(options.target));
  const std::string name = ModuleNameOf(path);
  if (kind == SelinuxFileKind::kPackage && target.kind == SelinuxTargetKind::kNames) {
    // Converted packages put what they require into these two, which a real base module has.
    text += "(typeattribute cil_gen_require)(roleattribute cil_gen_require)\n";
  }
  std::erase_if(target.modules, [&](const CilModule& module) { return module.name == name; });
  Expected<CompiledSelinux> compiled =
      CompileSelinux(target.modules, {name, std::move(text)}, NeverallowCheck::kOff);
  if (!compiled.has_value()) {
    return Fail(std::move(compiled).error().WithContext(
        fmt::format("{} with the SELinux target {}", Quote(path), Quote(target.name))));
  }
  SelinuxPolicyFile file;
  file.target.name = std::move(target.name);
  file.target.file_contexts = std::move(compiled->file_contexts);
  file.target.home_contexts = std::move(target.home_contexts);
  file.target.substitutions = std::move(target.substitutions);
  file.target.notes = std::move(target.notes);
  file.target.surroundings = target.surroundings;
  file.policy = std::move(compiled->policy);
  file.domain = name + "_t";
  return file;
}

/// The file contexts for a compiled policy.
Status AddContexts(const std::string& path, const SelinuxPolicyFileOptions& options,
                   SelinuxTarget* target) {
  std::error_code ignored;
  const fs::path installed =
      fs::path(path).parent_path().parent_path() / "contexts/files/file_contexts";
  if (options.file_contexts.empty() && !fs::exists(installed, ignored)) {
    ASSIGN_OR_RETURN(const SelinuxTarget shipped, LoadSelinuxTarget("refpolicy-debian12"));
    target->file_contexts = shipped.file_contexts;
    target->notes.emplace_back(
        "no file contexts stand beside the policy: paths were labelled by the places that cordon "
        "carries for refpolicy-debian12");
    return {};
  }
  const std::string contexts =
      options.file_contexts.empty() ? installed.string() : options.file_contexts;
  ASSIGN_OR_RETURN(target->file_contexts, ReadFile(contexts, kMaxContextsBytes));
  target->file_contexts += "\n" + ReadIfThere(contexts + ".local");
  target->home_contexts = ReadIfThere(contexts + ".homedirs");
  target->substitutions =
      ReadIfThere(contexts + ".subs_dist") + "\n" + ReadIfThere(contexts + ".subs");
  return {};
}

}  // namespace

std::optional<SelinuxFileKind> SelinuxFileKindOf(std::string_view bytes, std::string_view path) {
  if (bytes.starts_with(kCompiledMagic)) {
    return SelinuxFileKind::kCompiled;
  }
  if (bytes.starts_with(kPackageMagic)) {
    return SelinuxFileKind::kPackage;
  }
  return path.ends_with(".cil") ? std::optional(SelinuxFileKind::kCil) : std::nullopt;
}

Expected<SelinuxPolicyFile> ReadSelinuxPolicyFile(const std::string& path, std::string bytes,
                                                  SelinuxFileKind kind,
                                                  const SelinuxPolicyFileOptions& options) {
  SelinuxPolicyFile file;
  if (kind == SelinuxFileKind::kCompiled) {
    file.policy = std::move(bytes);
    file.target.name = path;
    RETURN_IF_ERROR(AddContexts(path, options, &file.target));
  } else {
    if (kind == SelinuxFileKind::kPackage) {
      ASSIGN_OR_RETURN(bytes, Converted(path));
    }
    ASSIGN_OR_RETURN(file, FromModule(path, std::move(bytes), kind, options));
  }
  Expected<std::string> cil = PolicyAsCil(file.policy);
  if (!cil.has_value()) {
    return Fail(std::move(cil).error().WithContext(Quote(path)));
  }
  file.cil = std::move(*cil);
  file.target.kind = SelinuxTargetKind::kModules;
  CilScanner scanner;
  RETURN_IF_ERROR(scanner.Add(file.cil, path));
  file.target.facts = scanner.Finish();
  return file;
}

}  // namespace cordon
