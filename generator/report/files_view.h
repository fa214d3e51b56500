#pragma once

#include "generator/report/report_policy.h"
#include "generator/report/report_value.h"
#include "model/recording.h"

namespace cordon::report {

/// Where the files of a recording are, what was done to them, and their SELinux types as `policy`
/// (may be missing) states them for single paths and trees: for the template the directories and
/// the changed files, the first of them, and for scripts every path. `data` is the tree of all of
/// them, depth first, a member for each property, each an array over the nodes:
/// name; up (index of the directory, -1); kind (FileKind, -1: nothing was done to it itself);
/// class, access, by, type (indexes into the lists classes, accesses, programs_of, types); count;
/// first (ms); phases (PhaseSet); more (not over the nodes: a list of [index, failures, ioctl
/// requests]).
struct FilesView {
  Json view;
  Json data;
};

FilesView MakeFilesView(const Recording& recording, const ReportPolicy* policy);

}  // namespace cordon::report
