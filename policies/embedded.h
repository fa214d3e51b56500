#pragma once

#include <string_view>

/// The data files of policies/, inside the program. Each constant has the bytes of the file that
/// policies/CMakeLists.txt names.
namespace cordon::policies {

extern const std::string_view kSyscallClasses;     ///< syscall_classes.json
extern const std::string_view kBaseSets;           ///< base_sets.json
extern const std::string_view kDangerousCalls;     ///< dangerous_calls.json
extern const std::string_view kDockerDefault;      ///< docker_default.json
extern const std::string_view kSyscallCompanions;  ///< syscall_companions.json
extern const std::string_view kSyscallFamilies;    ///< syscall_families.json
extern const std::string_view kSystemdDefault;     ///< systemd_default.json
extern const std::string_view kSelinuxDebian12Symbols;
extern const std::string_view kSelinuxDebian12Places;
extern const std::string_view kSelinuxFedoraSymbols;
extern const std::string_view kSelinuxFedoraPlaces;
extern const std::string_view kSelinuxMustStayDenied;

}  // namespace cordon::policies
