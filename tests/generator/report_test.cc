#include "generator/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <nlohmann/json.hpp>

#include "generator/bundle.h"
#include "generator/report/report_value.h"
#include "tests/testing/recorded.h"

namespace cordon {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

using testing::Recorded;

Recording Server() {
  Recorded recorded("/usr/sbin/server");
  recorded.Calls({"execve", "read", "write", "openat", "close"})
      .Call("socket", {AF_INET, SOCK_STREAM, 0});
  return recorded.recording();
}

void AddFile(Recording& recording, const std::string& path, FileAccessSet access) {
  FileObservation& file = recording.files[{path, FileClass::kFile}];
  file.seen.Note(5, "/usr/sbin/server", Phase::kStart);
  file.access = access;
}

std::string PageOf(const std::vector<ReportSubject>& subjects) {
  Expected<std::string> page = WriteReport(subjects);
  EXPECT_TRUE(page.has_value()) << page.error().message;
  return page ? *std::move(page) : std::string();
}

ReportSubject About(const std::string& name, const Recording& recording) {
  return {.name = name, .source = {}, .recording = &recording, .bundle = nullptr};
}

ReportSubject About(const std::string& name, const GeneratedBundle& bundle) {
  return {.name = name, .source = name + ".policy", .recording = nullptr, .bundle = &bundle.files};
}

std::string PageOf(const Recording& recording) {
  return PageOf({About("server", recording)});
}

GeneratedBundle Generate(const Recording& recording) {
  Expected<GeneratedBundle> bundle =
      GenerateBundle(recording, {.name = "server", .selinux_target = "refpolicy-debian12"});
  EXPECT_TRUE(bundle.has_value()) << bundle.error().message;
  return bundle ? *std::move(bundle) : GeneratedBundle{};
}

/// What stands between the tags of the data island.
std::string IslandOf(const std::string& page) {
  constexpr std::string_view kOpens = "<script type=\"application/json\" id=\"data\">";
  const std::size_t from = page.find(kOpens) + kOpens.size();
  return page.substr(from, page.find("</script>", from) - from);
}

nlohmann::json DataOf(const std::string& page) {
  return nlohmann::json::parse(IslandOf(page), nullptr, /*allow_exceptions=*/false);
}

std::size_t CountOf(std::string_view part, std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

TEST(WriteReport, ShowsNamesFromAWorkloadAsText) {
  Recording recording = Server();
  AddFile(recording, "/srv/<script>alert(1)</script>", {FileAccess::kWrite});
  AddFile(recording, "/srv/\" onload=alert(2) x='", {FileAccess::kWrite});
  AddFile(recording, "/srv/<!--<script>", {FileAccess::kWrite});
  AddFile(recording, "/srv/{{DATA}}{{#RUNS}}", {FileAccess::kWrite});
  AddFile(recording, "/srv/\xe2\x80\xa8separated", {FileAccess::kWrite});
  const std::string right_to_left{'\xe2', '\x80', '\xae'};
  AddFile(recording, "/srv/" + right_to_left + "txt.exe", {FileAccess::kWrite});
  AddFile(recording, "/srv/\xff\xfe", {FileAccess::kWrite});
  AddFile(recording, std::string("/srv/line\nbreak"), {FileAccess::kWrite});
  ::cordon::Run& run = recording.runs.begin()->second;
  run.command = {"/usr/sbin/server", "--name=</title><script>alert(3)</script>"};
  run.limitations.insert({"io_uring", "<img src=x onerror=alert(4)>"});
  recording.capabilities["CAP_<b>"].reasons.insert("<i>");
  recording
      .sockets[{.family = AF_UNIX,
                .type = SOCK_STREAM,
                .protocol = 0,
                .operation = SocketOperation::kBind,
                .address = "/run/<svg onload=alert(5)>",
                .port = 0}]
      .seen.Note(1, "/bin/<u>", Phase::kStart);
  const std::string page = PageOf({About("</title><script>x", recording)});

  // The page's own are the data and the script.
  EXPECT_EQ(CountOf("<script", page), 2);
  EXPECT_EQ(CountOf("</script", page), 2);
  for (const std::string_view markup :
       {"<script>alert", "<img", "<svg onload", "<b>", "<i>", "<u>", "<!--"}) {
    EXPECT_THAT(page, Not(HasSubstr(markup)));
  }
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;"));
  EXPECT_THAT(page, HasSubstr("/srv/&quot; onload=alert(2) x=&#39;"));
  EXPECT_THAT(page, HasSubstr("{{DATA}}{{#RUNS}}"));
  EXPECT_THAT(page, HasSubstr("\\u{2028}separated"));
  EXPECT_THAT(page, HasSubstr("\\u{202e}txt.exe"));
  EXPECT_THAT(page, HasSubstr("\\xff\\xfe"));
  EXPECT_THAT(page, HasSubstr("line\\u{a}break"));

  const std::string island = IslandOf(page);
  EXPECT_EQ(island.find_first_of("<>&\n"), std::string::npos);
  const nlohmann::json names = DataOf(page)["subjects"][0]["files"]["name"];
  EXPECT_THAT(names, ::testing::Contains("<script>alert(1)<"));
  EXPECT_THAT(names, ::testing::Contains("\\u{2028}separated"));
}

TEST(WriteReport, LetsNoScriptRunButItsOwn) {
  const std::string page = PageOf(Server());
  EXPECT_THAT(page, HasSubstr("default-src &#39;none&#39;"));
  EXPECT_THAT(page, HasSubstr("script-src &#39;sha256-"));
  for (const std::string_view outside : {"http-equiv=\"refresh\"", " src=", "@import", "url("}) {
    EXPECT_THAT(page, Not(HasSubstr(outside)));
  }
}

TEST(WriteReport, SaysWhatARecordingIsWorth) {
  Recording recording = Server();
  ::cordon::Run& run = recording.runs.begin()->second;
  run.coverage = {.calls = 100000, .calls_once = 0, .uses = 100000, .files_once = 0};
  EXPECT_THAT(PageOf(recording), HasSubstr("A complete and saturated recording"));

  run.coverage.calls_once = 5000;
  EXPECT_THAT(PageOf(recording), HasSubstr("A usable recording, with 1 point to look at"));
  run.coverage.calls_once = 0;
  run.limitations.insert({"io_uring", "a ring"});
  EXPECT_THAT(PageOf(recording), HasSubstr("Complete, except for 1 thing"));
  run.limitations.insert({"attached", "late"});
  EXPECT_THAT(PageOf(recording),
              HasSubstr("Not fit for a policy yet: a part of the workload was not seen"));
}

TEST(WriteReport, SaysThatAPolicyRefusesWhatARecordingHas) {
  Recording recording = Server();
  const GeneratedBundle bundle = Generate(recording);
  const ReportSubject subject{.name = "server",
                              .source = "server.policy",
                              .recording = &recording,
                              .bundle = &bundle.files};
  const std::string held = PageOf({subject});
  EXPECT_THAT(held, Not(HasSubstr("Not ready to enforce")));
  EXPECT_THAT(held, HasSubstr("recorded calls hold"));

  Recorded more("/usr/sbin/server");
  more.Calls({"reboot"});
  recording.Merge(more.recording());
  const std::string refused = PageOf({subject});
  EXPECT_THAT(refused, HasSubstr("Not ready to enforce"));
  EXPECT_THAT(refused, HasSubstr("The policy refuses a recorded call"));
  EXPECT_THAT(refused, HasSubstr("recorded with ok, answered with ERRNO EPERM"));
}

TEST(WriteReport, SetsTwoRecordingsSideBySide) {
  const Recording left = Server();
  Recording right = Server();
  Recorded more("/usr/sbin/server");
  more.Calls({"sync"});
  right.Merge(more.recording());
  for (int i = 0; i < 300; ++i) {
    AddFile(right, "/srv/" + std::to_string(i), {FileAccess::kRead});
  }
  const std::string page = PageOf({About("left", left), About("right", right)});
  EXPECT_THAT(page, HasSubstr("Seen only in B"));
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">Verdict</th>"));
  EXPECT_EQ(CountOf("<article", page), 2);
  const nlohmann::json lists = DataOf(page)["lists"];
  ASSERT_EQ(lists.size(), 2);
  EXPECT_TRUE(lists[0].empty()) << lists[0];
  EXPECT_EQ(lists[1].size(), 301);
}

TEST(WriteReport, SetsTwoPoliciesSideBySide) {
  Recorded more("/usr/sbin/server");
  more.Calls({"sync"});
  Recording right = Server();
  right.Merge(more.recording());
  const GeneratedBundle left_bundle = Generate(Server());
  const GeneratedBundle right_bundle = Generate(right);
  const std::string page = PageOf({About("left", left_bundle), About("right", right_bundle)});
  EXPECT_THAT(page, HasSubstr("sync() on x86_64: A answers ERRNO EPERM, B ALLOW"));
  EXPECT_THAT(page, HasSubstr("This is a policy alone"));
}

TEST(WriteReport, NamesThePartOfABundleThatIsWrong) {
  GeneratedBundle bundle = Generate(Server());
  const auto error = [&] {
    const Expected<std::string> page = WriteReport({About("server", bundle)});
    return page ? std::string("a page") : page.error().message;
  };
  EXPECT_EQ(error(), "a page");
  bundle.files["why.json"] = "{";
  EXPECT_THAT(error(), HasSubstr("server.policy/why.json"));
  bundle.files.erase("why.json");
  EXPECT_THAT(error(), HasSubstr("server.policy: the part why.json"));
}

TEST(WriteReport, TakesNumbersAndListsThatAreNone) {
  GeneratedBundle bundle = Generate(Server());
  nlohmann::ordered_json proof = nlohmann::ordered_json::parse(bundle.files["proof.json"]);
  proof["seccomp"] = {{"recorded_calls", "many"}, {"readings", 3}, {"attack_surface", {1, 2}}};
  proof["selinux"] = {{"reach", {{"type", 1}}}, {"target", nullptr}, {"denied", {1, "a"}}};
  bundle.files["proof.json"] = proof.dump();
  nlohmann::ordered_json why = nlohmann::ordered_json::parse(bundle.files["why.json"]);
  why["selinux"] = {
      {"rules", {1, {{"by", 2}}}}, {"types", "t"}, {"file_contexts", {{{"regex", 1}}}}};
  bundle.files["why.json"] = why.dump();
  EXPECT_THAT(PageOf({About("server", bundle)}), HasSubstr("Not ready to enforce"));
}

TEST(WriteReport, IsTheSameForTheSameInput) {
  const GeneratedBundle bundle = Generate(Server());
  EXPECT_EQ(bundle.files.at(std::string(kReportFile)), Generate(Server()).files.at("report.html"));
  EXPECT_THAT(bundle.proof.files, Not(::testing::Contains(std::string(kReportFile))));
}

TEST(WriteReport, KeepsEveryPathInATree) {
  Recording recording = Server();
  AddFile(recording, "/a-b", {FileAccess::kRead});
  AddFile(recording, "/a/x/y", {FileAccess::kWrite});
  AddFile(recording, "/a", {});
  AddFile(recording, "pipe:", {FileAccess::kRead});
  recording.files[{"/a", FileClass::kDirectory}].access = {FileAccess::kSearch};
  const nlohmann::json files = DataOf(PageOf(recording))["subjects"][0]["files"];
  EXPECT_EQ(files["name"], nlohmann::json({"/", "a", "a", "x", "y", "a-b", "pipe:"}));
  EXPECT_EQ(files["up"], nlohmann::json({-1, 0, 0, 2, 3, 0, -1}));
  // Nothing was done to "/" and "x" themselves; "/a" was not found once, and walked through.
  EXPECT_EQ(files["kind"], nlohmann::json({-1, 4, 3, -1, 1, 2, 2}));
}

TEST(WriteReport, GrowsWithPathsByALittle) {
  Recording recording = Server();
  constexpr int kPaths = 100'000;
  for (int i = 0; i < kPaths; ++i) {
    AddFile(recording, "/srv/data/" + std::to_string(i / 200) + "/entry-" + std::to_string(i),
            {FileAccess::kOpen, FileAccess::kRead});
  }
  const std::string page = PageOf(recording);
  constexpr std::size_t kBytesOfAPath = 60;
  EXPECT_LT(page.size(), kBytesOfAPath * kPaths);
  // What a browser lays out does not grow with them.
  EXPECT_LT(CountOf("<tr", page), 1000);
  EXPECT_EQ(DataOf(page)["subjects"][0]["files"]["name"].size(), kPaths + 3 + kPaths / 200);
}

TEST(VisibleText, ShowsWhatCannotBeSeen) {
  using report::VisibleText;
  EXPECT_EQ(VisibleText("plain ünïcode 名前 😀"), "plain ünïcode 名前 😀");
  EXPECT_EQ(VisibleText(std::string_view("\0\x1f\x7f", 3)), "\\u{0}\\u{1f}\\u{7f}");
  EXPECT_EQ(VisibleText("a\xe2\x80\x8b"
                        "b\xef\xbb\xbf"),
            "a\\u{200b}b\\u{feff}");
  EXPECT_EQ(VisibleText("\xf3\xa0\x81\x81"), "\\u{e0041}");
  EXPECT_EQ(VisibleText("\xc3"), "\\xc3");
}

}  // namespace
}  // namespace cordon
