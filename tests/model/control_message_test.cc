#include "model/control_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>

namespace cordon {
namespace {

using ::testing::HasSubstr;

SandboxState ExampleState() {
  SandboxState state;
  state.name = "web";
  state.supervisor = 10;
  state.pid = 12;
  state.started_ms = 1'795'491'015'669;
  state.command = {"nginx", "-g", "daemon off;"};
  state.policy = "nginx.policy";
  state.root = "/";
  state.hostname = "cordon";
  state.network = "none";
  state.enforcement = "enforce";
  state.status = "paused";
  state.files_held_by = "files are held by Landlock";
  state.selinux_label = "system_u:system_r:web_t:s0";
  state.namespaces = {{"net", "net:[4026532181]"}, {"pid", "pid:[4026532180]"}};
  state.cgroups = {"/sys/fs/cgroup/memory/cordon-10-0"};
  state.limits.memory_bytes = 65536;
  state.limits.pids = kUnlimited;
  state.mounts = {"/proc from proc"};
  state.filter_instructions = 700;
  state.violations = 3;
  state.entered = {{20, {"sh"}}, {21, {"cat", "a b"}}};
  state.ended_ms = 1'795'491'020'000;
  state.outcome = Exited{3};
  return state;
}

TEST(SandboxState, ReadsWhatItWrote) {
  for (const SandboxState& state : {SandboxState(), ExampleState()}) {
    const Expected<SandboxState> read = ReadSandboxState(WriteSandboxState(state), "f");
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(*read, state);
  }
}

TEST(SandboxState, IsUtf8WhateverTheWorkloadIsCalled) {
  SandboxState state = ExampleState();
  state.command = {"\xff"};
  state.entered = {{1, {"\xfe\xff"}}};
  const Expected<SandboxState> read = ReadSandboxState(WriteSandboxState(state), "f");
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(WriteSandboxState(*read), WriteSandboxState(state));
}

TEST(SandboxState, NamesThePlaceOfAMistake) {
  const Expected<SandboxState> cut = ReadSandboxState("{\"name\":\"x\"", "f");
  EXPECT_FALSE(cut.has_value());
  std::string text = WriteSandboxState(ExampleState());
  text.replace(text.find("12"), 2, "-1");
  const Expected<SandboxState> wrong = ReadSandboxState(text, "f");
  ASSERT_FALSE(wrong.has_value());
  EXPECT_THAT(wrong.error().message, HasSubstr("f: /pid: "));
}

TEST(SandboxStateField, FollowsNamesAndIndices) {
  const SandboxState state = ExampleState();
  EXPECT_EQ(SandboxStateField(state, "name").value(), "web");
  EXPECT_EQ(SandboxStateField(state, "pid").value(), "12");
  EXPECT_EQ(SandboxStateField(state, "namespaces.net").value(), "net:[4026532181]");
  EXPECT_EQ(SandboxStateField(state, "entered.1.command.1").value(), "a b");
  EXPECT_EQ(SandboxStateField(state, "entered.1.command").value(), R"(["cat","a b"])");
  for (const std::string_view wrong :
       {"", "moon", "name.x", "entered.2", "entered.-1", "entered.x", "namespaces."}) {
    const Expected<std::string> none = SandboxStateField(state, wrong);
    ASSERT_FALSE(none.has_value()) << wrong;
    EXPECT_EQ(none.error().code, ErrorCode::kInvalidInput);
  }
  EXPECT_THAT(SandboxStateField(state, "namespaces.moon").error().message,
              HasSubstr("there is: net, pid"));
}

TEST(ControlRequest, ReadsWhatItWroteBytesIncluded) {
  std::string every_byte;
  for (int byte = 1; byte < 256; ++byte) {
    every_byte += static_cast<char>(byte);
  }
  for (const ControlRequest& request :
       {ControlRequest{}, ControlRequest{ControlRequestKind::kPause, 0, {}, {}, "", {}, {}},
        ControlRequest{ControlRequestKind::kResume, 0, {}, {}, "", {}, {}},
        ControlRequest{ControlRequestKind::kWait, 0, {}, {}, "", {}, {}},
        ControlRequest{ControlRequestKind::kSignal, SIGTERM, {}, {}, "", {}, {}},
        ControlRequest{ControlRequestKind::kExecute,
                       0,
                       {"cat", every_byte},
                       {"A=" + every_byte},
                       "/\xff",
                       {},
                       {}},
        ControlRequest{ControlRequestKind::kExecute, 0, {"true"}, {}, "", {}, {}},
        ControlRequest{
            ControlRequestKind::kExecute, 0, {"true"}, {}, "", {}, TerminalSize{30, 65535}},
        ControlRequest{ControlRequestKind::kUpdate, 0, {}, {}, "", ExampleState().limits, {}}}) {
    const Expected<ControlRequest> read = ReadControlRequest(WriteControlRequest(request), "f");
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(*read, request);
  }
}

TEST(ControlRequest, RefusesWhatMeansNothing) {
  for (
      const std::string_view text :
      {"", "[]", "{}", R"({"request":"moon"})", R"({"request":1})", R"({"request":"signal"})",
       R"({"request":"signal","signal":0})", R"({"request":"signal","signal":65})",
       R"({"request":"exec"})", R"({"request":"update"})",
       R"({"request":"update","resources":{"memory":{"limit":"x"}}})",
       R"({"request":"exec","arguments":[],"environment":[],"working_directory":[]})",
       R"({"request":"exec","arguments":[""],"environment":[],"working_directory":[]})",
       R"({"request":"exec","arguments":["a\u0000b"],"environment":[],"working_directory":[]})",
       R"({"request":"exec","arguments":["a"],"environment":[],"working_directory":[],"terminal":{"rows":1}})",
       R"({"request":"exec","arguments":["a"],"environment":[],"working_directory":[],"terminal":{"rows":1,"columns":65536}})",
       R"({"request":"exec","arguments":["\u0100"],"environment":[],"working_directory":[]})"}) {
    EXPECT_FALSE(ReadControlRequest(text, "f").has_value()) << text;
  }
}

TEST(ControlReply, ReadsWhatItWrote) {
  for (const ControlReply& reply :
       {ControlReply{}, ControlReply{"why not", {}, {}, false},
        ControlReply{"", ExampleState(), {}, false}, ControlReply{"", {}, Exited{3}, false},
        ControlReply{"", {}, Signaled{SIGKILL}, false}, ControlReply{"", {}, {}, true},
        ControlReply{"", {}, NotExecuted{ENOENT}, false}}) {
    const Expected<ControlReply> read = ReadControlReply(WriteControlReply(reply), "f");
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(*read, reply);
  }
  for (const std::string_view text :
       {"", "[]", R"({"moon":1})", R"({"outcome":{"exited":256}})", R"({"outcome":{}})",
        R"({"outcome":{"signaled":0}})", R"({"state":{}})"}) {
    EXPECT_FALSE(ReadControlReply(text, "f").has_value()) << text;
  }
}

}  // namespace
}  // namespace cordon
