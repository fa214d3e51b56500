// Generated modules against the reference policy that Debian ships, all of its modules, neverallow
// rules on.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "common/child_process.h"
#include "common/file.h"
#include "common/text.h"
#include "generator/cil_writer.h"
#include "generator/convert_selinux_module.h"
#include "generator/file_labels.h"
#include "generator/selinux_check.h"
#include "generator/selinux_generator.h"
#include "generator/selinux_proof.h"
#include "generator/selinux_rules.h"
#include "generator/selinux_target.h"
#include "policies/embedded.h"
#include "tests/generator/debian_policy.h"
#include "tests/generator/selinux_recordings.h"
#include "tests/testing/skip.h"
#include "tests/testing/temp_dir.h"

namespace cordon {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;

constexpr const char* kShipped = "refpolicy-debian12";

class DebianPolicy : public testing::DebianPolicyTest {
 protected:
  /// The module that cordon makes of `recording` from its own table of names, compiled with all of
  /// Debian's modules.
  void ExpectShippedModuleHolds(const Recording& recording, const std::string& name) const {
    const Expected<SelinuxTarget> shipped = LoadSelinuxTarget(kShipped);
    ASSERT_TRUE(shipped.has_value());
    const Expected<SelinuxRules> rules =
        BuildSelinuxRules(recording, *shipped, {.module = name, .workload = name});
    ASSERT_TRUE(rules.has_value());
    const Expected<CompiledSelinux> compiled =
        CompileSelinux(target_.modules, {name, WriteCil(rules->policy, {})}, NeverallowCheck::kOn);
    ASSERT_TRUE(compiled.has_value()) << compiled.error().message;
    const Expected<SelinuxProof> proof = ProveSelinux(*rules, target_, *compiled);
    ASSERT_TRUE(proof.has_value()) << proof.error().message;
    EXPECT_THAT(proof->denied, IsEmpty());
    EXPECT_GT(proof->asked, 50U);
  }
};

SelinuxQuestion Ask(const std::string& source, const std::string& target,
                    const std::string& object_class, const std::string& permission) {
  return {.source = source,
          .source_role = "system_r",
          .target = target,
          .target_role = source == target ? "system_r" : "object_r",
          .object_class = object_class,
          .permissions = {permission}};
}

TEST_F(DebianPolicy, DeclaresTheNamesThatCordonCarries) {
  const Expected<SelinuxTarget> shipped = LoadSelinuxTarget(kShipped);
  ASSERT_TRUE(shipped.has_value());
  if (Split(*ReadFile(folder_ + "/version", 1024), '\n').front() != shipped->version) {
    SKIP_BECAUSE("the package has another version than the shipped table: " + shipped->version);
  }
  std::set<std::string> types = target_.facts.types;
  for (const auto& [alias, type] : target_.facts.aliases) {
    types.insert(alias);
  }
  EXPECT_EQ(shipped->facts.types, types);
  EXPECT_EQ(shipped->facts.classes, target_.facts.classes);
  EXPECT_EQ(shipped->facts.roles, target_.facts.roles);
  EXPECT_EQ(shipped->module_names.size(), target_.module_names.size() + 1);
  EXPECT_THAT(target_.facts.attributes, IsSupersetOf(shipped->facts.attributes));
}

TEST_F(DebianPolicy, LabelsThePlacesThatCordonCarries) {
  const Expected<FileLabels> labels =
      FileLabels::Create(target_.file_contexts, target_.substitutions, target_.facts);
  ASSERT_TRUE(labels.has_value());
  int checked = 0;
  for (const std::string& line : Split(policies::kSelinuxDebian12Places, '\n')) {
    std::istringstream words(line);
    std::string kind;
    std::string path;
    std::string type;
    std::string class_name;
    words >> kind >> path >> type >> class_name;
    // "/" itself has a path line; home directories are labelled by templates that only an installed
    // policy fills in.
    const bool home = path == "/" || path.starts_with("/home") || path.starts_with("/root");
    if ((kind != "tree" && kind != "path") || path.contains('*') || home) {
      continue;
    }
    const FileClass file_class = FileClassFromName(class_name).value_or(FileClass::kDirectory);
    EXPECT_EQ(labels->TypeOf(path, file_class), type) << line;
    if (kind == "tree") {
      EXPECT_EQ(labels->TypeOf(path + "/some-file", FileClass::kFile), type) << line;
    }
    ++checked;
  }
  EXPECT_GT(checked, 80);
}

// A look-up tries the lines that can match in a path's folder; in parentheses each could match
// anywhere, so all are tried.
TEST_F(DebianPolicy, LabelsPathsByTheLinesOfTheirFoldersAsByAll) {
  std::string parenthesized;
  std::set<std::string> paths;
  for (const std::string& line : Split(target_.file_contexts, '\n')) {
    if (!line.starts_with('/')) {
      continue;
    }
    const std::size_t end = line.find('\t');
    parenthesized += fmt::format("({}){}\n", line.substr(0, end), line.substr(end));
    std::string literal = line.substr(0, line.find_first_of("\\.^$?*+|[({\t"));
    paths.insert(literal.substr(0, std::max<std::size_t>(literal.find_last_not_of('/') + 1, 1)));
    paths.insert(literal + "x");
    paths.insert(literal + "/lib/y.conf");
  }
  const Expected<FileLabels> some = FileLabels::Create(target_.file_contexts, "", target_.facts);
  const Expected<FileLabels> all = FileLabels::Create(parenthesized, "", target_.facts);
  ASSERT_TRUE(some.has_value() && all.has_value());
  std::set<std::string> types;
  for (const std::string& path : paths) {
    for (const FileClass file_class : {FileClass::kFile, FileClass::kDirectory}) {
      const std::string type = all->TypeOf(path, file_class);
      EXPECT_EQ(some->TypeOf(path, file_class), type) << path;
      types.insert(type);
    }
  }
  EXPECT_GT(types.size(), 800U) << "of " << paths.size() << " paths";
}

TEST_F(DebianPolicy, PutsPortsAndKernelFilesWhereCordonSays) {
  const Expected<SelinuxTarget> shipped = LoadSelinuxTarget(kShipped);
  ASSERT_TRUE(shipped.has_value());
  EXPECT_THAT(target_.facts.ports, IsSupersetOf(shipped->facts.ports));
  for (const FilesystemPrefix& prefix : shipped->facts.filesystem_prefixes) {
    const bool by_use = target_.facts.filesystem_types.contains(prefix.filesystem) &&
                        target_.facts.filesystem_types.at(prefix.filesystem) == prefix.type;
    EXPECT_TRUE(by_use || std::ranges::find(target_.facts.filesystem_prefixes, prefix) !=
                              target_.facts.filesystem_prefixes.end())
        << prefix.filesystem << prefix.prefix;
  }
}

TEST_F(DebianPolicy, TakesAModuleMadeForItAndHoldsIt) {
  const Expected<GeneratedSelinux> generated =
      GenerateSelinux(testing::TinyServer(), {.name = "tinyd", .target = folder_});
  ASSERT_TRUE(generated.has_value()) << generated.error().message;
  const nlohmann::json proof = nlohmann::json::parse(generated->proof_json, nullptr, false);
  EXPECT_EQ(proof["recorded_accesses"], proof["allowed"]);
  EXPECT_EQ(proof["compiled"]["neverallow_checked"], true);
  EXPECT_THAT(proof["withheld"].dump(), HasSubstr("read on shadow_t:file"));

  const Expected<CompiledSelinux> compiled = CompileSelinux(
      target_.modules, {"tinyd", generated->files.at("tinyd.cil")}, NeverallowCheck::kOff);
  ASSERT_TRUE(compiled.has_value()) << compiled.error().message;

  struct Refusal {
    SelinuxQuestion question;
    const char* control;  ///< a domain of Debian's that has this access
  };

  const std::vector<Refusal> refusals{
      {Ask("tinyd_t", "shadow_t", "file", "read"), "passwd_t"},
      {Ask("tinyd_t", "redis_conf_t", "file", "read"), "redis_t"},
      {Ask("tinyd_t", "tinyd_conf_t", "file", "write"), "unconfined_t"},
      {Ask("tinyd_t", "tinyd_log_t", "file", "write"), "unconfined_t"},
      {Ask("tinyd_t", "smtp_port_t", "tcp_socket", "name_bind"), "postfix_master_t"},
      {Ask("tinyd_t", "shell_exec_t", "file", "execute_no_trans"), "initrc_t"},
      {Ask("tinyd_t", "tinyd_t", "rawip_socket", "create"), "ping_t"},
      {Ask("tinyd_t", "tinyd_t", "process", "execmem"), "kmod_t"},
      {Ask("tinyd_t", "tinyd_t", "capability", "sys_admin"), "mount_t"},
  };
  std::vector<SelinuxQuestion> questions;
  for (const Refusal& refusal : refusals) {
    questions.push_back(refusal.question);
    SelinuxQuestion control = refusal.question;
    control.source = refusal.control;
    control.target = control.target == "tinyd_t" ? control.source : control.target;
    questions.push_back(control);
  }
  const Expected<std::vector<SelinuxAnswer>> answers = AskSelinux(compiled->policy, questions);
  ASSERT_TRUE(answers.has_value()) << answers.error().message;
  for (std::size_t i = 0; i < questions.size(); i += 2) {
    const std::string what = fmt::format("{} on {}:{}", *questions[i].permissions.begin(),
                                         questions[i].target, questions[i].object_class);
    EXPECT_FALSE((*answers)[i].missing.empty()) << what << " is allowed to tinyd_t";
    EXPECT_TRUE((*answers)[i + 1].missing.empty())
        << what << " is refused to " << questions[i + 1].source << ": " << (*answers)[i + 1].reason;
  }
}

TEST_F(DebianPolicy, HasNamesThatNoModuleMayBeGiven) {
  for (const char* name : {"redis", "sshd", "postgresql"}) {
    const Expected<GeneratedSelinux> generated =
        GenerateSelinux(testing::TinyServer(),
                        {.name = name, .target = folder_, .name_origin = NameOrigin::kGiven});
    ASSERT_FALSE(generated.has_value()) << name;
    EXPECT_THAT(generated.error().message, HasSubstr(fmt::format("such as cordon_{}", name)));
  }
  const Expected<GeneratedSelinux> aside =
      GenerateSelinux(testing::TinyServer(), {.name = "sshd", .target = folder_});
  ASSERT_TRUE(aside.has_value()) << aside.error().message;
  EXPECT_EQ(aside->module_name, "cordon_sshd");
}

// Debian gives everything in /var/spool/rsyslog the type of logs, by the file context that cordon
// would write for a folder of the workload.
TEST_F(DebianPolicy, LosesToMoreSpecificFileContextsWhereItHasTheSame) {
  Recording recording = testing::TinyServer();
  testing::AddFile(&recording, "/var/spool/rsyslog", FileClass::kDirectory,
                   {FileAccess::kSearch, FileAccess::kAddName});
  testing::AddFile(&recording, "/var/spool/rsyslog/state", FileClass::kFile,
                   {FileAccess::kOpen, FileAccess::kRead, FileAccess::kWrite, FileAccess::kCreate});
  const std::string same = R"(filecon "/var/spool/rsyslog(/.*)?" any)";
  ASSERT_TRUE(std::ranges::any_of(
      target_.modules, [&](const CilModule& module) { return module.text.contains(same); }));
  const Expected<GeneratedSelinux> generated =
      GenerateSelinux(recording, {.name = "tinyd", .target = folder_});
  ASSERT_TRUE(generated.has_value()) << generated.error().message;
  const std::string& cil = generated->files.at("tinyd.cil");
  EXPECT_THAT(cil, ::testing::Not(HasSubstr(same)));
  const Expected<CompiledSelinux> compiled =
      CompileSelinux(target_.modules, {"tinyd", cil}, NeverallowCheck::kOff);
  ASSERT_TRUE(compiled.has_value()) << compiled.error().message;
  const auto type_of = [&](const std::string& contexts, const std::string& path,
                           FileClass file_class) {
    const Expected<FileLabels> labels =
        FileLabels::Create(contexts, target_.substitutions, target_.facts);
    return labels.has_value() ? labels->TypeOf(path, file_class) : labels.error().message;
  };
  EXPECT_EQ(type_of(target_.file_contexts, "/var/spool/rsyslog/state", FileClass::kFile),
            "var_log_t");
  EXPECT_EQ(type_of(compiled->file_contexts, "/var/spool/rsyslog/state", FileClass::kFile),
            "tinyd_data_t");
  EXPECT_EQ(type_of(compiled->file_contexts, "/var/spool/rsyslog", FileClass::kDirectory),
            "tinyd_data_t");
}

// Paths of nginx have types in Debian's policy; its domain uses these, and says nothing of them.
TEST_F(DebianPolicy, KeepsItsFileContextsForNginx) {
  const Expected<SelinuxRules> rules =
      BuildSelinuxRules(testing::NginxServer(), target_, {.module = "nginx", .workload = "nginx"});
  ASSERT_TRUE(rules.has_value()) << rules.error().message;
  for (const auto& [key, context] : rules->policy.file_contexts) {
    EXPECT_TRUE(std::ranges::none_of(target_.facts.file_patterns, [&](const FilePattern& pattern) {
      return pattern.regex == key.regex && pattern.file_class == key.file_class;
    })) << key.regex;
  }
  EXPECT_FALSE(rules->policy.file_contexts.empty());
  EXPECT_FALSE(rules->policy.types.contains("nginx_exec_t"));
  EXPECT_TRUE(rules->policy.allow.contains({"nginx_t", "httpd_exec_t", "file"}));
}

TEST_F(DebianPolicy, TakesTheModuleThatCordonMakesWithoutIt) {
  ExpectShippedModuleHolds(testing::TinyServer(), "tinyd");
}

TEST_F(DebianPolicy, TakesNginxMadeWithoutIt) {
  ExpectShippedModuleHolds(testing::NginxServer(), "nginx");
}

TEST_F(DebianPolicy, TakesRedisMadeWithoutIt) {
  ExpectShippedModuleHolds(testing::RedisServer(), "cordon_redis");
}

/// What the Security Profiles Operator installs for a RawSelinuxProfile
/// (internal/pkg/daemon/selinuxprofile/rawselinuxprofile.go, wrapPolicy).
std::string AsOperatorWraps(const nlohmann::json& object) {
  return fmt::format("(block {}\n{}\n)", object["metadata"]["name"].get<std::string>(),
                     object["spec"]["policy"].get<std::string>());
}

TEST_F(DebianPolicy, TakesTheModuleOfARawSelinuxProfile) {
  const Expected<GeneratedSelinux> generated =
      GenerateSelinux(testing::NginxServer(), {.name = "web", .target = folder_});
  ASSERT_TRUE(generated.has_value()) << generated.error().message;
  const Expected<ConvertedPolicy> converted =
      ConvertSelinuxModule(generated->files.at("web.cil"), "web_t", "web");
  ASSERT_TRUE(converted.has_value()) << converted.error().message;
  const nlohmann::json object = nlohmann::json::parse(converted->document, nullptr, false);
  const Expected<CompiledSelinux> compiled =
      CompileSelinux(target_.modules, {"web", AsOperatorWraps(object)}, NeverallowCheck::kOn);
  ASSERT_TRUE(compiled.has_value()) << compiled.error().message;
  // The type that the operator gives to pods may do what the domain may, and no more.
  const auto missing = [&](const std::string& target, const std::string& object_class,
                           const std::string& permission) {
    const auto answers =
        AskSelinux(compiled->policy, {Ask("web.process", target, object_class, permission)});
    EXPECT_TRUE(answers.has_value());
    return answers ? answers->front().missing : std::set<std::string>{"no answer"};
  };
  EXPECT_THAT(missing("ld_so_cache_t", "file", "read"), IsEmpty());
  EXPECT_THAT(missing("web.process", "process", "fork"), IsEmpty());
  EXPECT_THAT(missing("shadow_t", "file", "read"), ::testing::ElementsAre("read"));
  EXPECT_THAT(missing("no_such_t", "file", "read"), ::testing::ElementsAre("read"));
}

TEST_F(DebianPolicy, RefusesAModuleThatBreaksANeverallowRule) {
  Recording recording = testing::TinyServer();
  testing::AddFile(&recording, "/dev/mem", FileClass::kCharacter,
                   {FileAccess::kOpen, FileAccess::kRead});
  const Expected<GeneratedSelinux> generated =
      GenerateSelinux(recording, {.name = "tinyd", .target = folder_});
  ASSERT_FALSE(generated.has_value());
  EXPECT_EQ(generated.error().code, ErrorCode::kInvalidInput);
  EXPECT_THAT(generated.error().message, HasSubstr("neverallow"));
  EXPECT_THAT(generated.error().message, HasSubstr("memory_device_t"));
  EXPECT_THAT(generated.error().message, HasSubstr("the rule is there for /dev/mem"));
}

// A row that every domain may do there would be no news about any workload.
TEST_F(DebianPolicy, RefusesEveryForbiddenAccessToADomainWithoutRules) {
  const Expected<CompiledSelinux> compiled = CompileSelinux(
      target_.modules,
      {"bare", "(type bare_t)(typeattributeset domain (bare_t))(roletype system_r bare_t)"},
      NeverallowCheck::kOn);
  ASSERT_TRUE(compiled.has_value()) << compiled.error().message;
  const std::vector<ForbiddenAccess> rows = ForbiddenAccesses(target_.facts);
  const std::vector<std::string> lines = Split(policies::kSelinuxMustStayDenied, '\n');
  const Expected<SelinuxTarget> fedora = LoadSelinuxTarget("fedora-container");
  ASSERT_TRUE(fedora.has_value()) << fedora.error().message;
  const std::vector<ForbiddenAccess> fedoras = ForbiddenAccesses(fedora->facts);
  const auto of_containers = static_cast<std::size_t>(std::ranges::count_if(
      fedoras, [](const ForbiddenAccess& row) { return row.type.starts_with("container_"); }));
  EXPECT_GT(of_containers, 0U);
  EXPECT_EQ(
      rows.size() + of_containers,
      std::ranges::count_if(
          lines, [](const std::string& line) { return !line.empty() && !line.starts_with('#'); }))
      << "a row of a type, class or permission that neither Debian nor Fedora has";
  std::vector<SelinuxQuestion> questions;
  questions.reserve(rows.size());
  for (const ForbiddenAccess& row : rows) {
    questions.push_back(MakeQuestion("bare_t", row.type, row.object_class, {row.permission}));
  }
  const Expected<std::vector<SelinuxAnswer>> answers = AskSelinux(compiled->policy, questions);
  ASSERT_TRUE(answers.has_value());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_FALSE((*answers)[i].missing.empty())
        << rows[i].permission << " on " << rows[i].type << ":" << rows[i].object_class;
    EXPECT_EQ((*answers)[i].reason.find("no such"), std::string::npos) << rows[i].type;
  }
}

TEST_F(DebianPolicy, TakesTheModuleInItsOlderFormToo) {
  constexpr const char* kConverter = "/usr/libexec/selinux/hll/pp";
  const Expected<GeneratedSelinux> generated =
      GenerateSelinux(testing::TinyServer(), {.name = "tinyd", .target = kShipped});
  ASSERT_TRUE(generated.has_value()) << generated.error().message;
  const testing::TempDir work;
  for (const auto& [name, content] : generated->files) {
    ASSERT_TRUE(WriteFileAtomically(work / name, content).has_value());
  }
  const auto run = [](const std::vector<std::string>& arguments) {
    const Expected<ProgramOutput> output = RunProgram(arguments, std::chrono::minutes(1));
    return output.has_value() ? output->exit_code : -1;
  };
  if (run({"which", "checkmodule"}) != 0 || run({"which", "semodule_package"}) != 0) {
    SKIP_BECAUSE(
        "checkmodule or semodule_package is not installed (packages checkpolicy, semodule-utils)");
  }
  const Expected<ProgramOutput> checked =
      RunProgram({"checkmodule", "-M", "-m", "-o", work / "tinyd.mod", work / "tinyd.te"},
                 std::chrono::minutes(1));
  ASSERT_TRUE(checked.has_value());
  ASSERT_EQ(checked->exit_code, 0) << checked->standard_output << checked->standard_error;
  ASSERT_EQ(run({"semodule_package", "-o", work / "tinyd.pp", "-m", work / "tinyd.mod", "-f",
                 work / "tinyd.fc"}),
            0);
  const Expected<ProgramOutput> cil =
      RunProgram({kConverter, work / "tinyd.pp"}, std::chrono::minutes(1));
  ASSERT_TRUE(cil.has_value());
  ASSERT_EQ(cil->exit_code, 0);
  const Expected<CompiledSelinux> compiled =
      CompileSelinux(target_.modules, {"tinyd", cil->standard_output}, NeverallowCheck::kOn);
  EXPECT_TRUE(compiled.has_value()) << compiled.error().message;
}

}  // namespace
}  // namespace cordon
