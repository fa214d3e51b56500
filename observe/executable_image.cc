#include "observe/executable_image.h"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>

#include "common/unique_fd.h"

namespace cordon {
namespace {

constexpr int kMaxInterpreterDepth = 5;      // exec_binprm() in fs/exec.c
constexpr std::size_t kHeadBytes = 256;      // BINPRM_BUF_SIZE
constexpr unsigned kMaxProgramHeaders = 64;  // more than any linker writes

/// Up to `size` bytes at `offset`; fewer at the end of the file.
std::string ReadAt(const UniqueFd& file, std::size_t size, std::uint64_t offset) {
  std::string bytes(size, '\0');
  const ssize_t got = ::pread(file.get(), bytes.data(), size, static_cast<off_t>(offset));
  bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return bytes;
}

template <typename T>
bool Take(std::string_view bytes, std::size_t offset, T& value) {
  if (bytes.size() < offset + sizeof value) {
    return false;
  }
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return true;
}

template <typename Header, typename ProgramHeader>
std::string ElfInterpreter(const UniqueFd& file, std::string_view head) {
  Header header;
  if (!Take(head, 0, header) || header.e_phentsize != sizeof(ProgramHeader)) {
    return {};
  }
  const std::size_t count = std::min<std::size_t>(header.e_phnum, kMaxProgramHeaders);
  const std::string table = ReadAt(file, count * sizeof(ProgramHeader), header.e_phoff);
  for (std::size_t i = 0; i < count; ++i) {
    ProgramHeader entry;
    if (!Take(table, i * sizeof entry, entry)) {
      break;
    }
    if (entry.p_type == PT_INTERP) {
      std::string path =
          ReadAt(file, std::min<std::size_t>(entry.p_filesz, PATH_MAX), entry.p_offset);
      path.resize(std::min(path.find('\0'), path.size()));
      return path;
    }
  }
  return {};
}

/// The interpreter that a file names; empty if none.
struct NamedInterpreter {
  std::string path;
  bool by_script = false;
};

NamedInterpreter InterpreterOf(const UniqueFd& file) {
  const std::string head = ReadAt(file, kHeadBytes, 0);
  if (head.starts_with("#!")) {
    return {.path = ScriptInterpreter(head), .by_script = true};
  }
  if (!head.starts_with(ELFMAG) || head.size() <= EI_CLASS) {
    return {};
  }
  return {.path = head[EI_CLASS] == ELFCLASS64
                      ? ElfInterpreter<Elf64_Ehdr, Elf64_Phdr>(file, head)
                      : ElfInterpreter<Elf32_Ehdr, Elf32_Phdr>(file, head)};
}

/// `path` for reading, if it leads to a regular file. Anything else is not opened: to open a FIFO
/// or a device does something.
UniqueFd OpenProgram(const std::string& path, const PathResolver& resolver) {
  const UniqueFd place =
      resolver.Open({.directory_fd = {}, .path = path, .final_link = FinalLink::kKeep})
          .value_or(UniqueFd());
  struct stat status{};
  if (!place.valid() || ::fstat(place.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return {};
  }
  return UniqueFd(::open(fmt::format("/proc/self/fd/{}", place.get()).c_str(),
                         O_RDONLY | O_CLOEXEC | O_NONBLOCK));
}

}  // namespace

std::string ScriptInterpreter(std::string_view head) {
  if (!head.starts_with("#!")) {
    return {};
  }
  head.remove_prefix(2);
  head = head.substr(0, head.find('\n'));
  const std::size_t begin = head.find_first_not_of(" \t");
  if (begin == std::string_view::npos) {
    return {};
  }
  head.remove_prefix(begin);
  return std::string(head.substr(0, head.find_first_of(std::string_view(" \t\0", 3))));
}

ExecutableImage ReadExecutableImage(const FileKey& program, const PathResolver& resolver) {
  ExecutableImage image{.is_script = false, .program = program, .interpreters = {}, .steps = {}};
  FileKey current = program;
  for (int depth = 0; depth < kMaxInterpreterDepth; ++depth) {
    if (!current.path.starts_with('/')) {
      break;  // a memfd
    }
    const UniqueFd file = OpenProgram(current.path, resolver);
    const NamedInterpreter named = file.valid() ? InterpreterOf(file) : NamedInterpreter();
    image.is_script |= depth == 0 && named.by_script;
    if (named.path.empty()) {
      break;
    }
    Expected<ResolvedPath> resolved = resolver.Resolve(
        {.directory_fd = {}, .path = named.path, .final_link = FinalLink::kFollow});
    if (!resolved.has_value() || !resolved->exists()) {
      break;
    }
    std::ranges::move(resolved->steps, std::back_inserter(image.steps));
    current = resolved->key;
    if (std::ranges::find(image.interpreters, current) != image.interpreters.end()) {
      break;
    }
    image.interpreters.push_back(current);
  }
  return image;
}

}  // namespace cordon
