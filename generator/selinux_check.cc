#include "generator/selinux_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sepol/cil/cil.h>
#include <sepol/debug.h>
#include <sepol/handle.h>
#include <sepol/policydb.h>
#include <sepol/policydb/policydb.h>
#include <sepol/policydb/services.h>
#include <sepol/sepol.h>

extern "C" {  // the header of libsepol 3.4 does not say so itself
#include <sepol/kernel_to_cil.h>
}

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string_view>

#include "common/forked_task.h"
#include "common/text.h"

namespace cordon {
namespace {

/// Linux 4.15's format (policy version 31 brought InfiniBand, 33 compressed transitions): what
/// Debian 12's tools and kernels from 5.10 on load.
constexpr int kPolicyVersion = 33;

// --- bytes between child and parent ---

void Put(std::string* out, std::string_view bytes) {
  const std::uint64_t size = bytes.size();
  out->append(reinterpret_cast<const char*>(&size), sizeof size);
  out->append(bytes);
}

/// Takes what Put() wrote; nothing when the data ends early.
std::optional<std::string> Take(std::string_view* in) {
  std::uint64_t size = 0;
  if (in->size() < sizeof size) {
    return std::nullopt;
  }
  std::memcpy(&size, in->data(), sizeof size);
  in->remove_prefix(sizeof size);
  if (in->size() < size) {
    return std::nullopt;
  }
  std::string bytes(in->substr(0, size));
  in->remove_prefix(size);
  return bytes;
}

// --- compiling ---

/// The compiler's log of this process: libsepol gives its handler no user pointer, and messages in
/// pieces.
std::string& CompilerLog() {
  static std::string log;
  return log;
}

void KeepMessage(int /*level*/, const char* message) {
  CompilerLog() += message;
}

struct CilClose {
  void operator()(cil_db_t* db) const { cil_db_destroy(&db); }
};

std::string CompileInThisProcess(const std::vector<CilModule>& modules, const CilModule& ours,
                                 NeverallowCheck check) {
  std::string out;
  const auto failed = [&out](std::string_view what) {
    Put(&out,
        fmt::format("{}: {}", what, CompilerLog().empty() ? "no reason given" : CompilerLog()));
    return out;
  };
  cil_set_log_handler(&KeepMessage);
  cil_set_log_level(CIL_ERR);
  cil_db_t* raw = nullptr;
  cil_db_init(&raw);
  const std::unique_ptr<cil_db_t, CilClose> db(raw);
  cil_set_mls(raw, 1);
  cil_set_handle_unknown(raw, SEPOL_ALLOW_UNKNOWN);
  cil_set_policy_version(raw, kPolicyVersion);
  cil_set_disable_neverallow(raw, check == NeverallowCheck::kOff ? 1 : 0);
  cil_set_attrs_expand_generated(raw, 0);
  cil_set_attrs_expand_size(raw, 1);
  for (const CilModule& module : modules) {
    if (cil_add_file(raw, module.name.c_str(), module.text.data(), module.text.size()) !=
        SEPOL_OK) {
      return failed(fmt::format("module {} of the target", module.name));
    }
  }
  if (cil_add_file(raw, ours.name.c_str(), ours.text.data(), ours.text.size()) != SEPOL_OK) {
    return failed("the generated module");
  }
  if (cil_compile(raw) != SEPOL_OK) {
    return failed("the module does not fit the target");
  }
  sepol_policydb_t* policy = nullptr;
  if (cil_build_policydb(raw, &policy) != SEPOL_OK) {
    return failed("the policy could not be built");
  }
  void* image = nullptr;
  std::size_t image_size = 0;
  sepol_handle_t* handle = sepol_handle_create();
  if (sepol_policydb_to_image(handle, policy, &image, &image_size) != 0) {
    return failed("the policy could not be written");
  }
  char* contexts = nullptr;
  std::size_t contexts_size = 0;
  if (cil_filecons_to_string(raw, &contexts, &contexts_size) != SEPOL_OK) {
    return failed("the file contexts");
  }
  Put(&out, "");
  Put(&out, std::string_view(static_cast<const char*>(image), image_size));
  Put(&out, std::string_view(contexts, contexts_size));
  return out;  // the process ends with this: nothing is freed
}

/// The compiler's log as one sentence: its lines without blanks, the first and the last few.
std::string Readable(const std::string& log) {
  constexpr std::size_t kLines = 8;
  std::vector<std::string> lines;
  for (const std::string& line : Split(log, '\n')) {
    const std::size_t start = line.find_first_not_of(" \t");
    if (start != std::string::npos && lines.size() < kLines) {
      lines.push_back(line.substr(start));
    }
  }
  return Join(lines, "; ");
}

// --- asking ---

std::string Why(unsigned bits, std::string_view constraint) {
  std::vector<std::string> reasons;
  if ((bits & SEPOL_COMPUTEAV_TE) != 0) {
    reasons.emplace_back("no rule allows it");
  }
  if ((bits & SEPOL_COMPUTEAV_CONS) != 0) {
    reasons.push_back(fmt::format("a constraint forbids it: {}", constraint));
  }
  if ((bits & SEPOL_COMPUTEAV_RBAC) != 0) {
    reasons.emplace_back("the role may not");
  }
  if ((bits & SEPOL_COMPUTEAV_BOUNDS) != 0) {
    reasons.emplace_back("the bounds of the type");
  }
  return Join(reasons, "; ");
}

/// Contexts that were looked up already: a lookup parses the string.
class Sids {
 public:
  std::optional<sepol_security_id_t> Find(const std::string& role, const std::string& type,
                                          const std::string& categories) {
    const std::string user = "system_u";
    const std::string plain = fmt::format("{}:{}:{}", user, role, type);
    const std::string level = plain + ":s0" + (categories.empty() ? "" : ":") + categories;
    const auto known = sids_.find(level);
    if (known != sids_.end()) {
      return known->second;
    }
    std::optional<sepol_security_id_t> found;
    // A policy without levels has contexts without a range.
    for (const std::string& context : {level, plain}) {
      sepol_security_id_t sid = 0;
      if (!found.has_value() &&
          sepol_context_to_sid(context.c_str(), context.size() + 1, &sid) == 0) {
        found = sid;
      }
    }
    sids_.emplace(level, found);
    return found;
  }

 private:
  std::map<std::string, std::optional<sepol_security_id_t>> sids_;
};

SelinuxAnswer AskOne(const SelinuxQuestion& question, Sids* sids) {
  SelinuxAnswer answer;
  const std::optional<sepol_security_id_t> source =
      sids->Find(question.source_role, question.source, question.source_categories);
  const std::optional<sepol_security_id_t> target =
      sids->Find(question.target_role, question.target, question.target_categories);
  sepol_security_class_t object_class = 0;
  if (!source.has_value() || !target.has_value() ||
      sepol_string_to_security_class(question.object_class.c_str(), &object_class) != 0) {
    answer.missing = question.permissions;
    answer.reason = "the policy has no such context or class";
    return answer;
  }
  std::map<std::string, sepol_access_vector_t> bits;
  sepol_access_vector_t wanted = 0;
  for (const std::string& permission : question.permissions) {
    sepol_access_vector_t bit = 0;
    if (sepol_string_to_av_perm(object_class, permission.c_str(), &bit) != 0) {
      answer.missing.insert(permission);
      answer.reason = "the policy has no such permission";
      continue;
    }
    bits.emplace(permission, bit);
    wanted |= bit;
  }
  sepol_av_decision decision{};
  unsigned why = 0;
  char* constraint = nullptr;
  if (sepol_compute_av_reason_buffer(*source, *target, object_class, wanted, &decision, &why,
                                     &constraint, 0) != 0) {
    answer.missing = question.permissions;
    answer.reason = "libsepol could not decide";
    return answer;
  }
  for (const auto& [permission, bit] : bits) {
    if ((decision.allowed & bit) == 0) {
      answer.missing.insert(permission);
      answer.reason = Why(why, constraint == nullptr ? "" : constraint);
    }
  }
  free(constraint);
  return answer;
}

std::string AskInThisProcess(const std::string& policy,
                             const std::vector<SelinuxQuestion>& questions) {
  sepol_debug(0);
  std::string image = policy;
  FILE* file = fmemopen(image.data(), image.size(), "r");
  if (file == nullptr || sepol_set_policydb_from_file(file) != 0) {
    return {};
  }
  (void)fclose(file);
  Sids sids;
  std::string out;
  // Many paths have one type.
  std::map<SelinuxQuestion, SelinuxAnswer> known;
  for (const SelinuxQuestion& question : questions) {
    auto found = known.find(question);
    if (found == known.end()) {
      found = known.emplace(question, AskOne(question, &sids)).first;
    }
    const SelinuxAnswer& answer = found->second;
    Put(&out, Join({answer.missing.begin(), answer.missing.end()}, " "));
    Put(&out, answer.reason);
  }
  return out;
}

std::string PolicyAsCilInThisProcess(const std::string& policy) {
  sepol_debug(0);
  std::string image = policy;
  sepol_policydb_t* db = nullptr;
  sepol_policy_file_t* file = nullptr;
  if (sepol_policydb_create(&db) != 0 || sepol_policy_file_create(&file) != 0) {
    return {};
  }
  sepol_policy_file_set_mem(file, image.data(), image.size());
  char* text = nullptr;
  std::size_t size = 0;
  FILE* out = open_memstream(&text, &size);
  // sepol_policydb_t is a policydb_t and nothing else (libsepol/src/policydb_internal.h).
  if (out == nullptr || sepol_policydb_read(db, file) != 0 ||
      sepol_kernel_policydb_to_cil(out, reinterpret_cast<policydb*>(db)) != 0 || fclose(out) != 0) {
    return {};
  }
  return {text, size};  // the process ends with this: nothing is freed
}

}  // namespace

Expected<CompiledSelinux> CompileSelinux(const std::vector<CilModule>& modules,
                                         const CilModule& ours, NeverallowCheck check) {
  ASSIGN_OR_RETURN(const std::string result,
                   RunForked([&] { return CompileInThisProcess(modules, ours, check); },
                             "compiling the SELinux module"));
  std::string_view rest = result;
  const std::optional<std::string> failure = Take(&rest);
  if (failure.has_value() && !failure->empty()) {
    return Fail(InvalidInput(Readable(*failure)));
  }
  std::optional<std::string> policy = Take(&rest);
  std::optional<std::string> contexts = Take(&rest);
  if (!policy.has_value() || !contexts.has_value()) {
    return Fail(MakeError(ErrorCode::kInternal,
                          "compiling the SELinux module: the child's answer is cut short"));
  }
  return CompiledSelinux{.policy = std::move(*policy), .file_contexts = std::move(*contexts)};
}

Expected<std::vector<SelinuxAnswer>> AskSelinux(const std::string& policy,
                                                const std::vector<SelinuxQuestion>& questions) {
  ASSIGN_OR_RETURN(
      const std::string result,
      RunForked([&] { return AskInThisProcess(policy, questions); }, "asking the SELinux policy"));
  std::string_view rest = result;
  std::vector<SelinuxAnswer> answers;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const std::optional<std::string> missing = Take(&rest);
    std::optional<std::string> reason = Take(&rest);
    if (!missing.has_value() || !reason.has_value()) {
      return Fail(
          MakeError(ErrorCode::kInvalidInput, "libsepol could not load the compiled policy"));
    }
    SelinuxAnswer answer{.missing = {}, .reason = std::move(*reason)};
    for (std::string& permission : Split(*missing, ' ')) {
      if (!permission.empty()) {
        answer.missing.insert(std::move(permission));
      }
    }
    answers.push_back(std::move(answer));
  }
  return answers;
}

Expected<std::string> PolicyAsCil(const std::string& policy) {
  ASSIGN_OR_RETURN(std::string text, RunForked([&] { return PolicyAsCilInThisProcess(policy); },
                                               "reading a SELinux policy"));
  if (text.empty()) {
    return Fail(InvalidInput("libsepol cannot read it as a compiled SELinux policy"));
  }
  return text;
}

}  // namespace cordon
