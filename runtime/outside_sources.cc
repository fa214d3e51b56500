#include "runtime/outside_sources.h"

#include <cerrno>
#include <string>

#include "common/text.h"
#include "runtime/linux_calls.h"

namespace cordon {
namespace {

using namespace linux_calls;

constexpr unsigned kAtRecursive = 0x8000;  // fcntl.h: AT_RECURSIVE

Expected<UniqueFd> Clone(const std::string& path, unsigned recursive,
                         MountPropagation propagation) {
  UniqueFd tree(OpenTree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive));
  if (!tree.valid() ||
      (propagation == MountPropagation::kSlave ? MakeSlave(tree.get(), kAtRecursive)
                                               : MakePrivate(tree.get(), kAtRecursive)) != 0) {
    const int tree_errno = errno;
    return Fail(SystemError(tree_errno, "cloning the mount of " + Quote(path)));
  }
  return tree;
}

Status MapOne(const UniqueFd& mount, int user_namespace, const std::string& path) {
  if (MapMountIds(mount.get(), user_namespace) == 0) {
    return {};
  }
  const int map_errno = errno;
  if (map_errno == EINVAL || map_errno == ENOSYS) {
    return Fail(MakeError(ErrorCode::kUnsupported,
                          "the ids of the mount of " + Quote(path) +
                              " cannot be mapped: this kernel (Linux 5.12) or its file system "
                              "does not support it"));
  }
  return Fail(SystemError(map_errno, "mapping the ids of the mount of " + Quote(path)));
}

}  // namespace

Expected<OutsideSources> OutsideSources::Open(const LaunchPlan& plan) {
  OutsideSources outside;
  outside.plan_ = &plan;
  if (!plan.sources_outside) {
    return outside;
  }
  ASSIGN_OR_RETURN(outside.root_, Clone(plan.root_path, kAtRecursive, MountPropagation::kPrivate));
  for (const MountStep& step : plan.mounts) {
    UniqueFd& source = outside.sources_.emplace_back();
    int& missing = outside.missing_.emplace_back(-1);
    if (step.kind != MountKind::kBind) {
      continue;
    }
    const unsigned recursive = step.recursive ? kAtRecursive : 0;
    Expected<UniqueFd> tree = Clone(step.source, recursive, step.propagation);
    if (!tree && step.optional &&
        (tree.error().sys_errno == ENOENT || tree.error().sys_errno == ENOTDIR)) {
      missing = -tree.error().sys_errno;
      continue;
    }
    if (!tree) {
      return Fail(tree.error());
    }
    source = std::move(*tree);
    if ((step.attributes_set | step.attributes_clear) != 0 &&
        SetMountAttributes(source.get(), recursive, step.attributes_set, step.attributes_clear) !=
            0) {
      const int attribute_errno = errno;
      return Fail(SystemError(attribute_errno,
                              "setting the attributes of the mount of " + Quote(step.source)));
    }
  }
  return outside;
}

Status OutsideSources::MapIds(int user_namespace) const {
  if (root_.valid() && plan_->root_idmapped) {
    RETURN_IF_ERROR(MapOne(root_, user_namespace, plan_->root_path));
  }
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i].valid() && plan_->mounts[i].idmapped) {
      RETURN_IF_ERROR(MapOne(sources_[i], user_namespace, plan_->mounts[i].source));
    }
  }
  return {};
}

std::vector<int> OutsideSources::Descriptors() const {
  std::vector<int> descriptors;
  if (root_.valid()) {
    descriptors.push_back(root_.get());
  }
  for (const UniqueFd& source : sources_) {
    if (source.valid()) {
      descriptors.push_back(source.get());
    }
  }
  return descriptors;
}

void OutsideSources::Give(MountScratch& scratch) const {
  scratch.root = root_.get();
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    scratch.sources[i] = sources_[i].valid() ? sources_[i].get() : missing_[i];
  }
}

}  // namespace cordon
