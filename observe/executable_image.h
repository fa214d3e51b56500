#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "observe/path_resolver.h"

namespace cordon {

/// What the kernel opens to run a program (execve(2)).
struct ExecutableImage {
  bool is_script = false;             ///< `program` has a "#!" line
  FileKey program;                    ///< what was named in execve(2)
  std::vector<FileKey> interpreters;  ///< the "#!" interpreter, its own where that is a script too,
                                      ///< then the ELF interpreter
  std::vector<PathStep> steps;        ///< walked on the way to the interpreters
};

/// Reads the "#!" line and the PT_INTERP of `program`, an existing file that `resolver` resolved.
/// What its name has come to mean since then is looked up by `resolver` alone, so that no link
/// leads out of the task's root; a file that may not be read, or is none, has no interpreters.
ExecutableImage ReadExecutableImage(const FileKey& program, const PathResolver& resolver);

/// The interpreter in the first bytes of a script ("#!/bin/sh -e" -> "/bin/sh"); empty when it is
/// none.
std::string ScriptInterpreter(std::string_view head);

}  // namespace cordon
