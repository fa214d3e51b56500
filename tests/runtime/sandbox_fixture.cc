#include "tests/runtime/sandbox_fixture.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>

#include "common/file.h"
#include "common/text.h"
#include "model/compiled_filter.h"
#include "model/policy_bundle.h"
#include "model/sandbox_config_json.h"
#include "model/seccomp_compiler.h"
#include "model/seccomp_policy_json.h"

namespace cordon::testing {
namespace {

constexpr std::chrono::seconds kTimeout{50};

ProgramOutput MustRun(const std::vector<std::string>& arguments) {
  const Expected<ProgramOutput> output = RunProgram(arguments, kTimeout);
  EXPECT_TRUE(output.has_value()) << (output ? "" : output.error().message);
  return output.value_or(ProgramOutput{-1, "", ""});
}

/// The victims where every user may execute them: the build folder may lie below one that only root
/// may enter, and /tmp is private in a sandbox.
class ReachableVictims {
 public:
  ReachableVictims() {
    if (::mkdtemp(path_.data()) == nullptr || ::chmod(path_.c_str(), 0755) != 0) {
      ADD_FAILURE() << "mkdtemp " << path_;
      return;
    }
    std::filesystem::copy(CORDON_VICTIMS, path_, std::filesystem::copy_options::recursive);
  }

  ReachableVictims(const ReachableVictims&) = delete;
  ReachableVictims& operator=(const ReachableVictims&) = delete;

  ~ReachableVictims() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }

 private:
  std::string path_ = "/var/tmp/cordon-victims.XXXXXX";
};

}  // namespace

ProgramOutput CordonRun(const std::vector<std::string>& arguments, Caller caller) {
  std::vector<std::string> command;
  if (caller == Caller::kNobody && IsRoot()) {
    command = {"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"};
  }
  command.insert(command.end(), {CORDON_PROGRAM, "run"});
  command.insert(command.end(), arguments.begin(), arguments.end());
  return MustRun(command);
}

ProgramOutput Directly(const std::vector<std::string>& arguments) {
  return MustRun(arguments);
}

std::string Victim(const std::string& name) {
  static const ReachableVictims victims;
  return victims.path() + "/" + name;
}

SeccompPolicy AllBut(const std::vector<std::string>& names) {
  SeccompPolicy policy;
  policy.default_action = SeccompAction::Allow();
  policy.architectures = {NativeArchitecture()};
  SeccompRule rule;
  rule.names = names;
  rule.action = SeccompAction::Errno(EPERM);
  policy.rules = {rule};
  return policy;
}

void WriteBundle(const std::string& path, const SandboxConfig& config,
                 const SeccompPolicy& policy) {
  const std::string seccomp = WriteSeccompPolicy(policy);
  const Expected<std::vector<sock_filter>> program = CompileSeccomp(NotifyingVariant(policy));
  ASSERT_TRUE(program.has_value()) << program.error().message;
  SandboxConfig with_seccomp = config;
  with_seccomp.seccomp = policy;
  PolicyProof proof;
  proof.name = "test";
  proof.files = {"config.json", "seccomp.bpf", "seccomp.json", "test.cil"};
  const std::map<std::string, std::string> files{
      {std::string(kSeccompFile), seccomp},
      {std::string(kSeccompBpfFile), WriteCompiledFilter(MakeCompiledFilter(seccomp, *program))},
      {std::string(kConfigFile), WriteSandboxConfig(with_seccomp)},
      {std::string(kProofFile), WritePolicyProof(proof)},
      {"test.cil", "(type test_t)\n"}};
  const Status written = WriteFolderAtomically(path, files, std::string(kProofFile));
  ASSERT_TRUE(written.has_value()) << written.error().message;
  ASSERT_EQ(::chmod(path.c_str(), 0755), 0);
}

std::string StatusField(const std::string& status, const std::string& name) {
  for (const std::string& line : Split(status, '\n')) {
    if (line.starts_with(name + ":\t")) {
      return line.substr(name.size() + 2);
    }
  }
  return {};
}

bool IsRoot() {
  return ::geteuid() == 0;
}

}  // namespace cordon::testing
