#pragma once

#include <span>
#include <string_view>

#include "model/recording.h"

namespace cordon {

/// Was a thread made: a clone(2) or clone3(2) with CLONE_THREAD that succeeded?
bool MakesThreads(const Recording& recording);

/// A file that glibc reads in a program with threads, only when they are many or give much memory
/// back at once: a recording need not show it.
struct ThreadFile {
  std::string_view path;
  std::string_view why;
};

/// Each by glibc 2.36 with what Debian has of its branch; a musl program reads none of them.
std::span<const ThreadFile> FilesOfThreads();

}  // namespace cordon
