#include "generator/selinux_generator.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/socket.h>

#include <nlohmann/json.hpp>

#include "tests/generator/selinux_recordings.h"

namespace cordon {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kShipped = "refpolicy-debian12";

GeneratedSelinux Generated(const Recording& recording, const std::string& name) {
  Expected<GeneratedSelinux> generated =
      GenerateSelinux(recording, {.name = name, .target = kShipped});
  EXPECT_TRUE(generated.has_value()) << generated.error().message;
  return generated.value_or(GeneratedSelinux{});
}

nlohmann::json Proof(const GeneratedSelinux& generated) {
  return nlohmann::json::parse(generated.proof_json, nullptr, /*allow_exceptions=*/false);
}

TEST(GenerateSelinux, MakesAModuleThatProvesItself) {
  const GeneratedSelinux generated = Generated(testing::TinyServer(), "tinyd");
  EXPECT_EQ(generated.module_name, "tinyd");
  EXPECT_EQ(generated.domain_label, "system_u:system_r:tinyd_t:s0");
  for (const char* const name : {"tinyd.cil", "tinyd.te", "tinyd.fc"}) {
    EXPECT_TRUE(generated.files.contains(name)) << name;
  }
  const nlohmann::json proof = Proof(generated);
  EXPECT_GT(proof["recorded_accesses"].get<int>(), 100);
  EXPECT_EQ(proof["recorded_accesses"], proof["allowed"]);
  EXPECT_TRUE(proof["denied"].empty());
  EXPECT_THAT(proof["withheld"].dump(), HasSubstr("read on shadow_t:file"));
  EXPECT_THAT(proof["launchable_from"].dump(), HasSubstr("kernel_t"));
}

/// The item of "reach" about this type and class; an empty object for none.
nlohmann::json ReachIn(const nlohmann::json& proof, const std::string& type,
                       const std::string& object_class) {
  for (const nlohmann::json& item : proof.at("reach")) {
    if (item.value("type", "") == type && item.value("class", "") == object_class) {
      return item;
    }
  }
  return nlohmann::json::object();
}

TEST(GenerateSelinux, SaysHowFarItsRulesReach) {
  Recording recording = testing::TinyServer();
  testing::AddFile(&recording, "/etc/motd", FileClass::kFile,
                   {FileAccess::kOpen, FileAccess::kWrite});
  const GeneratedSelinux generated = Generated(recording, "tinyd");
  const nlohmann::json proof = Proof(generated);
  const nlohmann::json files = ReachIn(proof, "etc_t", "file");
  EXPECT_GE(files.value("file_contexts", 0), 2);
  EXPECT_GE(files.value("recorded", 0), 2);
  EXPECT_THAT(files.dump(), HasSubstr("\"/etc(/.*)?\""));
  EXPECT_GT(ReachIn(proof, "http_port_t", "tcp_socket").value("ports", 0), 1);
  EXPECT_THAT(proof.at("reach").dump(), Not(HasSubstr("tinyd")));
  EXPECT_THAT(proof["must_stay_denied"]["allowed_because_recorded"].dump(),
              HasSubstr("write on etc_t:file"));
  const nlohmann::json before =
      Proof(Generated(testing::TinyServer(), "tinyd")).at("must_stay_denied");
  EXPECT_GT(before["denied"].get<int>(), 50);
  EXPECT_TRUE(before["allowed_because_recorded"].empty());
  EXPECT_TRUE(before["allowed_to_every_domain"].empty());
  EXPECT_EQ(before["asked"], before["denied"]);
  EXPECT_THAT(generated.summary, ::testing::Contains(HasSubstr("etc_t may be changed")));
}

TEST(GenerateSelinux, GivesTheWorkloadsOwnFilesTheirOwnTypes) {
  const std::string cil = Generated(testing::TinyServer(), "tinyd").files["tinyd.cil"];
  EXPECT_THAT(cil, HasSubstr(R"((filecon "/usr/sbin/tinyd" any (system_u object_r tinyd_exec_t )"));
  EXPECT_THAT(
      cil, HasSubstr(R"((filecon "/etc/tinyd/tinyd\.conf" any (system_u object_r tinyd_conf_t )"));
  EXPECT_THAT(
      cil, HasSubstr(R"((filecon "/etc/tinyd/sites(/.*)?" any (system_u object_r tinyd_conf_t )"));
  EXPECT_THAT(cil,
              HasSubstr(R"((filecon "/var/lib/tinyd(/.*)?" any (system_u object_r tinyd_data_t )"));
  EXPECT_THAT(cil,
              HasSubstr(R"((filecon "/var/log/tinyd\.log" any (system_u object_r tinyd_log_t )"));
  EXPECT_THAT(cil, HasSubstr("(typetransition tinyd_t var_log_t file tinyd_log_t)"));
  EXPECT_THAT(cil, HasSubstr("(typetransition tinyd_t tmp_t file tinyd_tmp_t)"));
  EXPECT_THAT(cil, HasSubstr("(typetransition tinyd_t var_run_t sock_file tinyd_run_t)"));
  EXPECT_THAT(cil, HasSubstr("(portcon tcp 7777 (system_u object_r tinyd_port_t "));
}

TEST(GenerateSelinux, KeepsTheDistributionsTypesForSharedFiles) {
  const std::string cil = Generated(testing::TinyServer(), "tinyd").files["tinyd.cil"];
  EXPECT_THAT(cil, HasSubstr("(allow tinyd_t etc_t (file (getattr open read)))"));
  EXPECT_THAT(cil, Not(HasSubstr("\"/etc/passwd\"")));
  EXPECT_THAT(cil, HasSubstr("(allow tinyd_t self (file (getattr open read)))"));
  EXPECT_THAT(cil, HasSubstr("(allow tinyd_t sysctl_kernel_t (file (getattr open read)))"));
  EXPECT_THAT(cil, HasSubstr("(allowx tinyd_t devtty_t (ioctl chr_file (0x5401 0x5413)))"));
}

TEST(GenerateSelinux, AppendsToALogAndNeverWritesIt) {
  const std::string cil = Generated(testing::TinyServer(), "tinyd").files["tinyd.cil"];
  EXPECT_THAT(cil, HasSubstr("(allow tinyd_t tinyd_log_t (file (append create getattr open)))"));
}

TEST(GenerateSelinux, SaysWhyForEachRule) {
  const std::string cil = Generated(testing::TinyServer(), "tinyd").files["tinyd.cil"];
  EXPECT_THAT(cil, HasSubstr("; /etc/tinyd/sites/a and 3 more\n(allow tinyd_t tinyd_conf_t (file "
                             "(getattr open read)))"));
}

TEST(GenerateSelinux, ConnectsToItsOwnServerAndToTheBaseSystems) {
  const std::string cil = Generated(testing::TinyServer(), "tinyd").files["tinyd.cil"];
  EXPECT_THAT(cil, HasSubstr("connectto"));
  EXPECT_THAT(cil, HasSubstr("(allow tinyd_t syslogd_t (unix_dgram_socket (sendto)))"));
  EXPECT_THAT(cil, HasSubstr("(allow tinyd_t http_port_t (tcp_socket (name_connect)))"));
}

TEST(GenerateSelinux, ReportsAServerWhoseDomainIsNotKnown) {
  Recording recording = testing::TinyServer();
  testing::AddSocket(&recording, AF_UNIX, SOCK_STREAM, SocketOperation::kConnect,
                     "/run/other.sock");
  const GeneratedSelinux generated = Generated(recording, "tinyd");
  EXPECT_THAT(Proof(generated)["blind_spots"].dump(), HasSubstr("/run/other.sock"));
}

TEST(GenerateSelinux, StepsAsideForANameOfTheTarget) {
  const GeneratedSelinux generated = Generated(testing::RedisServer(), "redis");
  EXPECT_EQ(generated.module_name, "cordon_redis");
  EXPECT_TRUE(generated.files.contains("cordon_redis.cil"));
  EXPECT_EQ(generated.domain_label, "system_u:system_r:cordon_redis_t:s0");
  EXPECT_THAT(Proof(generated).value("renamed", ""), HasSubstr("redis"));
}

TEST(GenerateSelinux, StepsAsideForAWordOfThePolicyLanguage) {
  const GeneratedSelinux generated = Generated(testing::TinyServer(), "true");
  EXPECT_EQ(generated.module_name, "cordon_true");
  EXPECT_THAT(generated.files.at("cordon_true.te"), HasSubstr("cordon_true"));
  EXPECT_EQ(Generated(testing::TinyServer(), "truer").module_name, "truer");
}

TEST(GenerateSelinux, RefusesANameOfTheTargetThatWasGiven) {
  struct Row {
    const char* name;
    const char* taken;
  };

  for (const Row& row :
       {Row{"redis", "module redis"}, Row{"sshd", "type sshd_t"},
        Row{"postgresql", "module postgresql"}, Row{"user", "type user_t"},
        Row{"Redis", "module redis"}, Row{"true", "keyword true"}, Row{"Range", "keyword range"}}) {
    const Expected<GeneratedSelinux> generated =
        GenerateSelinux(testing::TinyServer(),
                        {.name = row.name, .target = kShipped, .name_origin = NameOrigin::kGiven});
    ASSERT_FALSE(generated.has_value()) << row.name;
    EXPECT_EQ(generated.error().code, ErrorCode::kInvalidInput);
    EXPECT_THAT(generated.error().message, HasSubstr(std::string("has a ") + row.taken));
    EXPECT_THAT(generated.error().message, HasSubstr("choose another --name, such as cordon_"));
  }
  const Expected<GeneratedSelinux> free = GenerateSelinux(
      testing::TinyServer(),
      {.name = "cordon_redis", .target = kShipped, .name_origin = NameOrigin::kGiven});
  ASSERT_TRUE(free.has_value()) << free.error().message;
  EXPECT_EQ(free->module_name, "cordon_redis");
}

TEST(GenerateSelinux, StepsAsideForEachNameOfTheTargetAndSaysSo) {
  for (const char* name : {"redis", "sshd", "postgresql"}) {
    const GeneratedSelinux generated = Generated(testing::TinyServer(), name);
    EXPECT_EQ(generated.module_name, std::string("cordon_") + name);
    EXPECT_THAT(generated.summary, ::testing::Contains(HasSubstr("the target has a ")));
  }
  EXPECT_THAT(Generated(testing::TinyServer(), "tinyd").summary,
              ::testing::Not(::testing::Contains(HasSubstr("the target has a "))));
}

TEST(GenerateSelinux, KeepsWhatTheTargetLabelsItself) {
  const GeneratedSelinux generated = Generated(testing::NginxServer(), "nginx");
  const std::string cil = generated.files.at("nginx.cil");
  EXPECT_THAT(cil, HasSubstr("(allow nginx_t httpd_exec_t (file (entrypoint "));
  EXPECT_THAT(cil, HasSubstr("(allow nginx_t httpd_log_t (file (append create getattr open)))"));
  EXPECT_THAT(cil, HasSubstr(R"((filecon "/run/nginx\.pid" any (system_u object_r nginx_run_t )"));
  EXPECT_THAT(cil, Not(HasSubstr("nginx_exec_t")));
}

TEST(GenerateSelinux, NeverRelabelsAShell) {
  Recording recording;
  testing::AddProgramStart(&recording, "/usr/bin/dash");
  const std::string cil = Generated(recording, "script").files["script.cil"];
  EXPECT_THAT(cil, Not(HasSubstr("script_exec_t")));
  EXPECT_THAT(cil, HasSubstr("(allow script_t shell_exec_t (file (entrypoint "));
}

// A transition without a name would give the log's type to the other files, too, whose names are
// drawn by lot.
TEST(GenerateSelinux, NamesALogThatIsMadeAmongDataFiles) {
  using enum FileAccess;
  Recording recording;
  testing::AddProgramStart(&recording, "/usr/sbin/mixd");
  testing::AddFile(&recording, "/srv/mixd", FileClass::kDirectory,
                   {kAddName, kRemoveName, kSearch});
  testing::AddFile(&recording, "/srv/mixd/access.log", FileClass::kFile,
                   {kOpen, kAppend, kCreate, kGetattr});
  testing::AddFile(&recording, "/srv/mixd/tmpx7Qw3", FileClass::kFile,
                   {kOpen, kWrite, kCreate, kGetattr, kIoctl}, {0x5451});
  const std::string cil = Generated(recording, "mixd").files["mixd.cil"];
  EXPECT_THAT(cil, HasSubstr("(typetransition mixd_t mixd_data_t file \"access.log\" mixd_log_t)"));
  EXPECT_THAT(cil, Not(HasSubstr("(typetransition mixd_t mixd_data_t file mixd_log_t)")));
  EXPECT_THAT(cil, HasSubstr("(allowx mixd_t mixd_data_t (ioctl file (0x5451)))"));
}

TEST(GenerateSelinux, LetsLibselinuxLookForSelinux) {
  constexpr const char* kLookUp = "(allow tool_t security_t (filesystem (getattr)))";
  Recording recording;
  testing::AddProgramStart(&recording, "/usr/sbin/tool");
  EXPECT_THAT(Generated(recording, "tool").files["tool.cil"], Not(HasSubstr(kLookUp)));
  testing::AddFile(&recording, "/usr/lib/x86_64-linux-gnu/libselinux.so.1", FileClass::kFile,
                   {FileAccess::kOpen, FileAccess::kRead, FileAccess::kMapExecute});
  const std::string linked = Generated(recording, "tool").files["tool.cil"];
  EXPECT_THAT(linked, HasSubstr(kLookUp));
  EXPECT_THAT(linked, HasSubstr("(allow tool_t selinux_config_t (file (getattr open read)))"));
  EXPECT_THAT(linked, Not(HasSubstr("setfscreate")));
  recording.processes[{"/usr/bin/sed", "/usr/sbin/tool"}];
  EXPECT_THAT(Generated(recording, "tool").files["tool.cil"], HasSubstr("setfscreate"));
}

TEST(GenerateSelinux, LetsThreadsDoWhatTheirMemoryNeeds) {
  constexpr const char* kOvercommit =
      "(allow pool_t sysctl_vm_overcommit_t (file (getattr open read)))";
  Recording recording;
  testing::AddProgramStart(&recording, "/usr/sbin/pool");
  testing::AddCall(&recording, "clone");
  EXPECT_THAT(Generated(recording, "pool").files["pool.cil"], Not(HasSubstr(kOvercommit)));
  for (auto& [call, observation] : recording.syscalls) {
    observation.tuples[{CLONE_VM | CLONE_SIGHAND | CLONE_THREAD}].results[0] = 1;
  }
  const std::string cil = Generated(recording, "pool").files["pool.cil"];
  for (const char* const rule :
       {kOvercommit, "(allow pool_t sysctl_vm_t (dir (search)))",
        "(allow pool_t sysctl_t (dir (search)))", "(allow pool_t proc_t (dir (search)))",
        "(allow pool_t cpu_online_t (file (getattr open read)))",
        "(allow pool_t sysfs_t (dir (search)))"}) {
    EXPECT_THAT(cil, HasSubstr(rule));
  }
  EXPECT_THAT(cil, HasSubstr("(allow pool_t self (process (fork getsched sigchld)))"));
  EXPECT_THAT(cil, Not(HasSubstr("(allow pool_t sysfs_t (file")));
}

TEST(GenerateSelinux, NeverRelabelsTheUserDatabase) {
  Recording recording;
  testing::AddProgramStart(&recording, "/usr/bin/passwd");
  testing::AddFile(&recording, "/etc/passwd", FileClass::kFile,
                   {FileAccess::kOpen, FileAccess::kWrite});
  const std::string cil = Generated(recording, "passwd").files.begin()->second;
  EXPECT_THAT(cil, Not(HasSubstr("\"/etc/passwd\"")));
}

TEST(GenerateSelinux, MakesANameOfAnything) {
  Recording recording;
  testing::AddProgramStart(&recording, "/opt/9 lives/run.me");
  EXPECT_EQ(Generated(recording, "9-Lives!").module_name, "app_9_lives_");
}

TEST(GenerateSelinux, IsTheSameEveryTime) {
  const GeneratedSelinux one = Generated(testing::TinyServer(), "tinyd");
  const GeneratedSelinux two = Generated(testing::TinyServer(), "tinyd");
  EXPECT_EQ(one.files, two.files);
  EXPECT_EQ(one.proof_json, two.proof_json);
}

TEST(GenerateSelinux, TakesAThousandPaths) {
  Recording recording = testing::TinyServer();
  for (int i = 0; i < 1000; ++i) {
    testing::AddFile(&recording, fmt::format("/srv/tinyd/{}/page-{}.html", i % 10, i),
                     FileClass::kFile, {FileAccess::kOpen, FileAccess::kRead});
  }
  const std::string cil = Generated(recording, "tinyd").files["tinyd.cil"];
  EXPECT_THAT(cil, HasSubstr(R"("/srv/tinyd/3(/.*)?")"));
  EXPECT_THAT(cil, Not(HasSubstr("(filecon \"/srv/tinyd/3/page")));
}

TEST(GenerateSelinux, KeepsControlCharactersOutOfTheModule) {
  Recording recording = testing::TinyServer();
  testing::AddFile(&recording, "/srv/tinyd/a\n(allow tinyd_t shadow_t (file (read)))\n\"b",
                   FileClass::kFile,
                   {FileAccess::kOpen, FileAccess::kRead, FileAccess::kWrite, FileAccess::kCreate});
  const std::string cil = Generated(recording, "tinyd").files["tinyd.cil"];
  EXPECT_THAT(cil, Not(HasSubstr("\n(allow tinyd_t shadow_t")));
}

TEST(GenerateSelinux, RefusesATargetThatIsNotThere) {
  const Expected<GeneratedSelinux> generated =
      GenerateSelinux(testing::TinyServer(), {.name = "tinyd", .target = "/nonexistent/policy"});
  ASSERT_FALSE(generated.has_value());
  EXPECT_EQ(generated.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(generated.error().message, HasSubstr("/nonexistent/policy"));
}

}  // namespace
}  // namespace cordon
