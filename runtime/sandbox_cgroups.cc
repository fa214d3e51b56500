#include "runtime/sandbox_cgroups.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <iterator>
#include <ranges>
#include <string_view>
#include <utility>

#include "common/file.h"
#include "common/text.h"
#include "runtime/cgroup_file.h"
#include "runtime/device_rules.h"

namespace cordon {
namespace {

/// cgroups(7), "freezer"; Documentation/admin-guide/cgroup-v2.rst, cgroup.freeze.
std::string_view FreezeWord(CgroupVersion version) {
  return version == CgroupVersion::kV1 ? "FROZEN" : "1";
}

std::string_view ThawWord(CgroupVersion version) {
  return version == CgroupVersion::kV1 ? "THAWED" : "0";
}

/// Where `steps` may come to make a folder called `name`: of v2, also above (PrepareParent).
std::vector<std::string> PossibleFolders(const std::vector<CgroupStep>& steps,
                                         const std::string& name) {
  std::vector<std::string> folders;
  for (const CgroupStep& step : steps) {
    std::string parent = step.parent;
    folders.push_back(Join({parent, name}, "/"));
    while (step.version == CgroupVersion::kV2 && parent.size() > step.root.size()) {
      parent.resize(parent.rfind('/'));
      folders.push_back(Join({parent, name}, "/"));
    }
  }
  return folders;
}

void WriteIfThere(const std::string& path, std::string_view word) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  (void)!::write(file.get(), word.data(), word.size());
}

/// What the helper does once this process is gone: removes what that one could not.
void RemoveAll(const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) {
    // What is frozen does not even die of its parent's death.
    WriteIfThere(folder + "/freezer.state", ThawWord(CgroupVersion::kV1));
    WriteIfThere(folder + "/cgroup.freeze", ThawWord(CgroupVersion::kV2));
  }
  for (const std::string& folder : folders) {
    RemoveCgroup(folder);
  }
}

bool MayBeLeftOut(const Error& error) {
  return error.code == ErrorCode::kPermission || error.code == ErrorCode::kUnsupported ||
         error.sys_errno == EROFS || error.sys_errno == EBUSY;
}

}  // namespace

SandboxCgroups::SandboxCgroups(SandboxCgroups&& other) noexcept
    : name_(std::move(other.name_)),
      scope_plan_(std::move(other.scope_plan_)),
      scope_(std::exchange(other.scope_, std::nullopt)),
      made_(std::exchange(other.made_, {})),
      freezer_version_(other.freezer_version_),
      freezer_(std::move(other.freezer_)),
      frozen_(std::exchange(other.frozen_, false)),
      remover_(std::move(other.remover_)) {}

SandboxCgroups::~SandboxCgroups() {
  Remove();
}

void SandboxCgroups::RemoveLast() {
  const std::string folder = std::move(made_.back().folder);
  made_.pop_back();
  RemoveCgroup(folder);
}

void SandboxCgroups::Remove() noexcept {
  if (frozen_) {
    (void)Thaw();
  }
  freezer_.Reset();
  while (!made_.empty()) {
    RemoveLast();
  }
  remover_ = OwnerWatch();
  scope_.reset();
}

std::vector<std::string> SandboxCgroups::folders() const {
  std::vector<std::string> folders;
  std::ranges::transform(made_, std::back_inserter(folders), &Made::folder);
  return folders;
}

std::vector<int> SandboxCgroups::task_files() const {
  std::vector<int> fds;
  for (const Made& made : made_) {
    if (made.step.version == CgroupVersion::kV1) {
      fds.push_back(made.entrance.get());
    }
  }
  return fds;
}

const SandboxCgroups::Made* SandboxCgroups::OfV2() const {
  const auto found = std::ranges::find_if(
      made_, [](const Made& made) { return made.step.version == CgroupVersion::kV2; });
  return found == made_.end() ? nullptr : &*found;
}

int SandboxCgroups::folder_to_clone_into() const {
  const Made* const made = OfV2();
  return made != nullptr && CallerMoves() ? made->entrance.get() : -1;
}

Status SandboxCgroups::Admit(pid_t process) const {
  const Made* const made = OfV2();
  return made == nullptr || CallerMoves() ? Status() : MoveInto(*made, process);
}

Status SandboxCgroups::MoveInto(const Made& made, pid_t process) const {
  Status moved = WriteControl(made.folder + "/cgroup.procs", std::to_string(process));
  if (!moved && scope_ && moved.error().sys_errno == EACCES) {
    return scope_->Attach(process, name_);
  }
  return moved;
}

/// Where there is a plan of a scope: has `step` made in that, and asks for it where it is not
/// there.
Status SandboxCgroups::Locate(CgroupStep& step) {
  if (!scope_plan_ || step.version == CgroupVersion::kV1) {
    return {};
  }
  const bool is_new = !scope_.has_value();
  if (is_new) {
    ASSIGN_OR_RETURN(scope_, SystemdScope::Start(*scope_plan_, name_));
  }
  step.parent = scope_->folder();
  step.root = scope_->folder();
  if (is_new) {
    StartRemover({step});
  }
  return {};
}

Status SandboxCgroups::Add(const CgroupStep& step) {
  ASSIGN_OR_RETURN(const std::string parent, PrepareParent(step));
  const std::string folder = parent + "/" + name_;
  if (::mkdir(folder.c_str(), 0755) != 0) {
    const int mkdir_errno = errno;
    return Fail(SystemError(mkdir_errno, "making the cgroup " + folder));
  }
  made_.push_back({step, folder, UniqueFd()});
  RETURN_IF_ERROR(WriteLimits(folder, step, step.writes));
  const bool is_v2 = step.version == CgroupVersion::kV2;
  ASSIGN_OR_RETURN(made_.back().entrance, is_v2 ? OpenAt(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY)
                                                : OpenAt(AT_FDCWD, folder + "/tasks", O_WRONLY));
  if (!step.devices.empty()) {
    RETURN_IF_ERROR(AttachDeviceProgram(made_.back().entrance.get(), step.devices));
  }
  if (!freezer_.valid() &&
      (is_v2 || std::ranges::find(step.controllers, "freezer") != step.controllers.end())) {
    // Without one (Linux before 5.2 has none in v2) nothing is lost but Freeze().
    freezer_.Reset(::open((folder + (is_v2 ? "/cgroup.freeze" : "/freezer.state")).c_str(),
                          O_RDWR | O_CLOEXEC));
    freezer_version_ = step.version;
  }
  return {};
}

Status SandboxCgroups::ChangeOne(std::size_t index, const CgroupStep& step,
                                 std::vector<Former>& former) {
  Made& made = made_[index];
  std::vector<CgroupStep::Write> writes = step.writes;
  std::erase_if(writes, [&](const CgroupStep::Write& write) {
    return std::ranges::find(made.step.writes, write) != made.step.writes.end();
  });
  if (step.version == CgroupVersion::kV2) {
    // A controller that was not asked for until now.
    std::string above = made.folder;
    above.resize(above.rfind('/'));
    if (!HasWords(made.folder + "/cgroup.controllers", step.controllers)) {
      RETURN_IF_ERROR(
          WriteControl(above + "/cgroup.subtree_control", "+" + Join(step.controllers, " +")));
    }
    RETURN_IF_ERROR(ReclaimFor(made.folder, writes));
  }
  former.push_back({index, made.step, LimitsNow(made.folder, writes)});
  RETURN_IF_ERROR(WriteLimits(made.folder, step, writes));
  made.step = step;
  return {};
}

/// The limits before the processes: what is wrong with them shows before anything was moved.
Status SandboxCgroups::ChangeAll(const std::vector<CgroupStep>& steps, const Processes& processes,
                                 std::vector<Former>& former) {
  const std::size_t before = made_.size();
  for (const CgroupStep& step : steps) {
    const auto made = std::ranges::find_if(
        made_, [&](const Made& one) { return one.step.parent == step.parent; });
    if (made != made_.end()) {
      RETURN_IF_ERROR(ChangeOne(static_cast<std::size_t>(made - made_.begin()), step, former));
    } else if (step.origin != LimitOrigin::kProposed) {
      RETURN_IF_ERROR(Add(step));
    }
  }
  for (std::size_t i = before; i < made_.size(); ++i) {
    RETURN_IF_ERROR(FillCgroup(made_[i].folder, processes,
                               [&](pid_t process) { return MoveInto(made_[i], process); }));
  }
  return {};
}

/// As it was when made_ had `made` cgroups, and those were held to `former`.
void SandboxCgroups::Restore(std::size_t made, const std::vector<Former>& former) {
  while (made_.size() > made) {
    EmptyCgroup(made_.back().folder);
    RemoveLast();
  }
  for (const Former& one : former) {
    (void)WriteLimits(made_[one.index].folder, one.step, one.limits);
    made_[one.index].step = one.step;
  }
}

Status SandboxCgroups::Change(std::vector<CgroupStep> steps, const Processes& processes) {
  for (CgroupStep& step : steps) {
    RETURN_IF_ERROR(Locate(step));
  }
  if (std::ranges::any_of(steps, [this](const CgroupStep& step) {
        return std::ranges::none_of(
            made_, [&](const Made& made) { return made.step.parent == step.parent; });
      })) {
    StartRemover(steps);
  }
  const std::size_t made = made_.size();
  const bool had_freezer = freezer_.valid();
  std::vector<Former> former;
  Status changed = ChangeAll(steps, processes, former);
  if (!changed) {
    if (!had_freezer) {
      freezer_.Reset();
    }
    Restore(made, former);
  }
  return changed;
}

Status SandboxCgroups::Freeze() {
  if (!freezer_.valid()) {
    return Fail(MakeError(ErrorCode::kUnsupported,
                          "the sandbox has no cgroup that can be frozen: run it as root, with a "
                          "limit such as --pids"));
  }
  const std::string_view word = FreezeWord(freezer_version_);
  if (::pwrite(freezer_.get(), word.data(), word.size(), 0) < 0) {
    const int write_errno = errno;
    return Fail(SystemError(write_errno, "freezing the cgroup"));
  }
  frozen_ = true;
  // v1: FREEZING until the last task has stopped.
  constexpr timespec kPause{.tv_sec = 0, .tv_nsec = 5'000'000};
  constexpr int kAttempts = 200;
  std::array<char, 16> state{};
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const ssize_t length = ::pread(freezer_.get(), state.data(), state.size(), 0);
    if (length <= 0 ||
        !std::string_view(state.data(), static_cast<std::size_t>(length)).starts_with("FREEZING")) {
      break;
    }
    (void)::nanosleep(&kPause, nullptr);
  }
  return {};
}

Status SandboxCgroups::Thaw() {
  const std::string_view word = ThawWord(freezer_version_);
  if (frozen_ && ::pwrite(freezer_.get(), word.data(), word.size(), 0) < 0) {
    const int write_errno = errno;
    return Fail(SystemError(write_errno, "thawing the cgroup"));
  }
  frozen_ = false;
  return {};
}

void SandboxCgroups::StartRemover(const std::vector<CgroupStep>& steps) {
  std::vector<std::string> folders = PossibleFolders(steps, name_);
  for (const Made& made : made_) {
    folders.push_back(made.folder);
  }
  Expected<OwnerWatch> started = OwnerWatch::Start([&folders] { RemoveAll(folders); });
  if (started) {  // without, only the clean-up after a SIGKILL is lost
    remover_ = *std::move(started);
  }
}

Expected<SandboxCgroups> SandboxCgroups::Create(const std::vector<CgroupStep>& steps,
                                                const std::string& name, LimitsHeld held,
                                                const std::optional<ScopePlan>& scope,
                                                std::vector<std::string>& warnings) {
  SandboxCgroups cgroups;
  cgroups.name_ = name;
  cgroups.scope_plan_ = scope;
  if (!steps.empty() && !scope) {
    // Before there is anything to remove: this process may be killed at any point.
    cgroups.StartRemover(steps);
  }
  for (CgroupStep step : steps) {
    const std::size_t made = cgroups.made_.size();
    Status added = cgroups.Locate(step);
    if (added) {
      added = cgroups.Add(step);
    }
    if (added) {
      continue;
    }
    const std::string limits =
        "the " + Join(step.controllers, ", ") + " limit cannot be held: " + added.error().message;
    if ((step.origin == LimitOrigin::kAsked && held == LimitsHeld::kAll) ||
        !MayBeLeftOut(added.error())) {
      Error error = added.error();
      error.message = limits;
      if (!scope) {
        error.message +=
            "; run as root, or with a cgroup of your own (systemd-run --user --scope -p "
            "Delegate=yes)";
      }
      return Fail(std::move(error));
    }
    if (step.origin != LimitOrigin::kNone) {
      warnings.push_back(limits);
    }
    while (cgroups.made_.size() > made) {
      cgroups.RemoveLast();
    }
  }
  return cgroups;
}

}  // namespace cordon
