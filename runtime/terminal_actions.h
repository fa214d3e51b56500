#pragma once

#include <sys/types.h>

#include "model/terminal_size.h"
#include "runtime/launch_step.h"

/// The terminal of a sandbox or an OCI container. Between clone and exec: raw, async-signal-safe
/// calls only.
namespace cordon {

/// Opens `path` below `root`, behind no link: the multiplexer of a devpts. Whatever else is there
/// fails with ENOTTY, for its terminals would not be the sandbox's (CVE-2025-52565).
StepResult OpenMultiplexer(int root, const char* path, int& master);

/// Opens the other end of `master`, which no path leads to.
StepResult OpenTerminalOf(int master, int& terminal);

StepResult SetTerminalSize(int terminal, const TerminalSize& size);

/// Makes `terminal` the process's standard streams.
StepResult MakeStreams(int terminal);

/// Makes the terminal that is standard input the controlling one of a new session, in which no
/// signal of a terminal is ignored. The caller must lead no process group.
StepResult ControlTerminal();

/// Shows `terminal` at /dev/console below `root`; the file is made where it is missing. A link
/// there fails with ELOOP.
StepResult ShowConsole(int root, int terminal);

/// Gives `master` to who supervises (SetupMessageKind::kTerminal) and its `terminal`, which will be
/// `owner`'s, to the process as its standard streams; closes both.
StepResult HandOverTerminal(int supervisor, int master, int terminal, uid_t owner,
                            const TerminalSize& size);

}  // namespace cordon
