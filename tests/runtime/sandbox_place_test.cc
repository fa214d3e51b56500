#include "runtime/sandbox_place.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "common/file.h"
#include "runtime/control_channel.h"
#include "runtime/sandbox_record.h"

namespace cordon {
namespace {

std::string OwnName(std::string_view part) {
  return "place-test-" + std::string(part) + "-" + std::to_string(::getpid());
}

bool IsListed(const std::string& name) {
  const Expected<KnownSandboxes> known = FindSandboxes();
  return known.has_value() && std::ranges::binary_search(known->running, name);
}

bool IsKept(const std::string& name) {
  const Expected<KnownSandboxes> known = FindSandboxes();
  return known.has_value() && std::ranges::binary_search(known->ended, name);
}

TEST(CheckSandboxName, TakesFileNamesThatNeedNoQuotes) {
  for (const std::string& good :
       {std::string("a"), std::string("Web-1.2_x"), std::string(64, 'x')}) {
    EXPECT_TRUE(CheckSandboxName(good).has_value()) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("-a"), std::string("a/b"),
        std::string("a b"), std::string("a\0b", 3), std::string("\xc3\xa4"),
        std::string(65, 'x')}) {
    EXPECT_FALSE(CheckSandboxName(bad).has_value()) << bad;
  }
}

TEST(SandboxPlace, IsThereForAsLongAsItsOwner) {
  const std::string name = OwnName("life");
  const std::string folder = SandboxesFolder() + "/" + name;
  {
    const Expected<SandboxPlace> place = SandboxPlace::Create(name);
    ASSERT_TRUE(place.has_value()) << place.error().message;
    EXPECT_TRUE(IsListed(name));
    const Expected<SandboxPlace> second = SandboxPlace::Create(name);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, ErrorCode::kInvalidInput);
    const Expected<UniqueFd> client = ConnectToSandbox(name);
    ASSERT_TRUE(client.has_value()) << client.error().message;
    const UniqueFd server(::accept4(place->listener(), nullptr, nullptr, SOCK_CLOEXEC));
    ASSERT_TRUE(server.valid());
    ASSERT_TRUE(SendControlMessage(client->get(), "hello", {client->get()}).has_value());
    const Expected<ControlMessage> message = ReceiveControlMessage(server.get());
    ASSERT_TRUE(message.has_value());
    EXPECT_EQ(message->text, "hello");
    ASSERT_EQ(message->fds.size(), 1U);
    EXPECT_GE(message->fds.front().get(), 3);
  }
  EXPECT_FALSE(std::filesystem::exists(folder));
  EXPECT_FALSE(IsListed(name));
  EXPECT_FALSE(ConnectToSandbox(name).has_value());
}

TEST(SandboxPlace, WhatNobodyHoldsIsRemovedByWhoLooks) {
  const std::string name = OwnName("left");
  {
    ASSERT_TRUE(SandboxPlace::Create(OwnName("folder")).has_value());
  }
  const std::string folder = SandboxesFolder() + "/" + name;
  ASSERT_TRUE(std::filesystem::create_directory(folder));
  ASSERT_TRUE(WriteFileAtomically(folder + "/lock", "").has_value());
  EXPECT_FALSE(IsListed(name));
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST(SandboxPlace, IsKeptWithItsRecordUntilItIsRemoved) {
  const std::string name = OwnName("kept");
  SandboxState state;
  state.name = name;
  state.command = {"cat"};
  state.pid = 12;
  state.namespaces = {{"pid", "pid:[1]"}};
  {
    Expected<SandboxPlace> place = SandboxPlace::Create(name);
    ASSERT_TRUE(place.has_value()) << place.error().message;
    EXPECT_EQ(ReadRecord(place->folder()).error().code, ErrorCode::kNotFound);
    ASSERT_TRUE(RecordBeginning(place->folder(), state).has_value());
    place->KeepRecord();
    EXPECT_TRUE(IsListed(name));
    EXPECT_FALSE(IsKept(name));
    EXPECT_EQ(RemoveEndedSandbox(name).error().code, ErrorCode::kUnsupported);
  }
  EXPECT_FALSE(IsListed(name));
  EXPECT_TRUE(IsKept(name));
  EXPECT_EQ(SandboxPlace::Create(name).error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(ConnectToSandbox(name).error().code, ErrorCode::kNotFound);
  const Expected<SandboxState> lost = ReadRecord(SandboxFolder(name));
  ASSERT_TRUE(lost.has_value()) << lost.error().message;
  EXPECT_EQ(lost->status, "lost");
  EXPECT_EQ(lost->outcome, Outcome(Signaled{SIGKILL}));
  EXPECT_EQ(lost->pid, 0);
  EXPECT_TRUE(lost->namespaces.empty());
  state.outcome = Exited{3};
  ASSERT_TRUE(RecordEnd(SandboxFolder(name), state).has_value());
  const Expected<SandboxState> ended = ReadRecord(SandboxFolder(name));
  ASSERT_TRUE(ended.has_value()) << ended.error().message;
  EXPECT_EQ(ended->status, "ended");
  EXPECT_EQ(ended->outcome, Outcome(Exited{3}));
  EXPECT_EQ(ended->command, state.command);
  EXPECT_GT(ended->ended_ms, 0);
  ASSERT_TRUE(RemoveEndedSandbox(name).has_value());
  EXPECT_FALSE(std::filesystem::exists(SandboxFolder(name)));
  EXPECT_EQ(RemoveEndedSandbox(name).error().code, ErrorCode::kNotFound);
}

TEST(ControlChannel, RefusesWhatIsTooLong) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  const UniqueFd first(ends[0]);
  const UniqueFd second(ends[1]);
  const std::string longest(kMaxControlMessageBytes, 'x');
  ASSERT_TRUE(SendControlMessage(first.get(), longest, {}).has_value());
  EXPECT_EQ(ReceiveControlMessage(second.get()).value().text, longest);
  const Status refused = SendControlMessage(first.get(), longest + "x", {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kLimit);
  const std::string longer = longest + "x";
  ASSERT_EQ(::send(first.get(), longer.data(), longer.size(), 0),
            static_cast<ssize_t>(longer.size()));
  EXPECT_FALSE(ReceiveControlMessage(second.get()).has_value());
}

}  // namespace
}  // namespace cordon
