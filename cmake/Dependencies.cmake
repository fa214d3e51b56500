# Imported targets for everything that is not ours. The Debian packages are named in one place: packages() in ./dev.

find_package(PkgConfig REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
# Archives first: of a launch's two milliseconds before main() one went into finding and relocating shared libraries.
set(CMAKE_FIND_LIBRARY_SUFFIXES .a .so)
if(CORDON_STATIC)
  set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
endif()
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp>=2.5)
pkg_check_modules(LIBMD REQUIRED IMPORTED_TARGET libmd)
pkg_check_modules(SELINUX REQUIRED IMPORTED_TARGET libselinux)
pkg_check_modules(SEPOL REQUIRED IMPORTED_TARGET libsepol)
find_package(BZip2 REQUIRED)
# Without threads: cordon has none.
pkg_check_modules(CTEMPLATE REQUIRED IMPORTED_TARGET libctemplate_nothreads)
# What the shared libselinux brings along by itself.
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
target_link_libraries(PkgConfig::SELINUX INTERFACE PkgConfig::PCRE2)
