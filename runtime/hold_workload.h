#pragma once

#include <array>
#include <csignal>
#include <string_view>
#include <vector>

#include "runtime/setup_channel.h"
#include "runtime/workload_process.h"

/// What the processes do that hold a workload: the sandbox's first one (runtime/init_process.h) and
/// one that enters it later (runtime/entry_process.h). For the fresh child of clone3 with all
/// signals blocked; everything here is async-signal-safe.
namespace cordon {

/// The plan, and what was laid out or opened before the clone.
struct HoldContext {
  const LaunchPlan& plan;
  const ExecuteArguments& execute;
  HandoverPage& page;
  std::vector<int> cgroup_task_files;
  int supervisor = -1;  ///< SOCK_SEQPACKET, speaks runtime/setup_channel.h
  sigset_t signal_mask;
  int landlock_ruleset = -1;  ///< the sandbox's; -1: it has none, or this process makes it
  int handed_on = -1;  ///< of `kept`, what the workload keeps beside the standard ones; -1: nothing
  /// "@name" of a datagram socket that the supervisor gets, bound in the workload's network
  /// namespace; empty: none.
  std::string_view notify_address;
  /// What the process keeps of the supervisor's descriptors beside the standard ones, ascending: a
  /// lock or a client's connection must not live on in it.
  std::vector<int> kept;
};

/// HoldContext::kept: the supervisor's socket, the cgroup files, and `others`, of which
/// negative ones are none.
std::vector<int> KeptDescriptors(int supervisor, const std::vector<int>& cgroup_task_files,
                                 const std::vector<int>& others = {});

/// Ends the process without a word.
[[noreturn]] void Quit();

/// Tells the supervisor what failed, and ends.
[[noreturn]] void ReportFailure(const HoldContext& context, const StepResult& result);

/// The same, where something failed.
void Require(const HoldContext& context, const StepResult& result);

/// Waits for `kind` from the supervisor; ends when that one is gone.
void Await(int supervisor, SetupMessageKind kind);

/// The same, until the child behind `pidfd` has ended, if that is earlier: its holder must reap it
/// even when the supervisor says nothing. A sandbox's first process ends only after every zombie of
/// its pid namespace is reaped, also those whose parent is outside (zap_pid_ns_processes() in
/// kernel/pid_namespace.c), and a supervisor that waits for that end answers nobody.
void AwaitUnlessEnded(int supervisor, SetupMessageKind kind, int pidfd);

/// Binds the process's life to the supervisor's (PR_SET_PDEATHSIG), closes what it does not keep,
/// waits for kProceed, and shuts the process against tracing. `name`: for comm, at most 15 bytes.
void BecomeHolder(const HoldContext& context, const char* name);

/// Makes `streams` the process's standard ones; -1: as they are.
StepResult TakeStreams(const std::array<int, 3>& streams);
/// Takes the ids of root inside, where the caller's own have no number there.
StepResult BecomeRootInside(const LaunchPlan& plan);

/// Joins the sandbox's v1 cgroups (CLONE_INTO_CGROUP did v2), and makes them a namespace's roots.
StepResult JoinCgroups(const HoldContext& context);

/// Starts the workload as a child, under the sandbox's Landlock ruleset or one that it makes and
/// gives to the supervisor (what enters later must have the same: the paths of its rules may by
/// then lead elsewhere), and stays, unfiltered but without capabilities, to reap, to pass
/// signals on, to hand the seccomp listener out and to make sockets for published ports. The
/// mounts must be those that the workload sees. `private_proc`: a procfs that the sandbox cannot
/// change. Ends with the workload.
[[noreturn]] void HoldWorkload(const HoldContext& context, int private_proc);

}  // namespace cordon
