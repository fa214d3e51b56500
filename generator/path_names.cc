#include "generator/path_names.h"

#include <algorithm>
#include <array>

namespace cordon {
namespace {

// hier(7), the Filesystem Hierarchy Standard 3.0; and where private keys lie beside certificates.
constexpr std::array<std::string_view, 26> kSharedFolders{
    "/",          "/boot",    "/dev",       "/etc",     "/home",     "/media",    "/mnt",
    "/opt",       "/proc",    "/root",      "/run",     "/run/lock", "/srv",      "/sys",
    "/tmp",       "/var",     "/var/cache", "/var/lib", "/var/log",  "/var/mail", "/var/opt",
    "/var/spool", "/var/tmp", "/run/user",  "/etc/ssl", "/etc/pki"};
constexpr std::array<std::string_view, 8> kStaticFolders{"/usr",   "/bin",   "/sbin",   "/lib",
                                                         "/lib32", "/lib64", "/libx32", "/boot"};

}  // namespace

std::string ParentPath(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

bool IsAtOrBeneath(std::string_view path, std::string_view folder) {
  return folder == "/" || path == folder ||
         (path.starts_with(folder) && path[folder.size()] == '/');
}

bool IsSharedFolder(std::string_view path) {
  if (std::ranges::find(kSharedFolders, path) != kSharedFolders.end()) {
    return true;
  }
  // /home/NAME and /run/user/UID
  return (path.starts_with("/home/") && path.find('/', 6) == std::string_view::npos) ||
         (path.starts_with("/run/user/") && path.find('/', 10) == std::string_view::npos);
}

bool IsTerminalPath(std::string_view path) {
  return path.starts_with("/dev/pts/") && path != "/dev/pts/ptmx";
}

bool IsStaticPath(std::string_view path) {
  return std::ranges::any_of(
             kStaticFolders,
             [&](std::string_view folder) { return IsAtOrBeneath(path, folder); }) &&
         !IsAtOrBeneath(path, "/usr/local");
}

}  // namespace cordon
