#pragma once

#include <string>
#include <string_view>

namespace cordon {

/// The folder that holds `path`, an absolute path; "/" for "/" itself.
std::string ParentPath(const std::string& path);

/// Is `path` `folder` itself or something beneath it?
bool IsAtOrBeneath(std::string_view path, std::string_view folder);

/// A folder that many programs share ("/etc", "/run", "/home/NAME", …): a rule on it would say far
/// more than what one workload does there.
bool IsSharedFolder(std::string_view path);

/// A pseudo-terminal: the kernel makes and labels its node (fs/devpts), whatever file contexts say.
bool IsTerminalPath(std::string_view path);

/// Beneath a folder that only the package manager changes (/usr, /lib, …): its files are not
/// replaced while a workload runs.
bool IsStaticPath(std::string_view path);

}  // namespace cordon
