# For another architecture than this machine's (CORDON_LEARN_ONLY): the libraries are not there, and need not be, since nothing is linked.
# Their headers hold for every architecture, but lie among those of this machine's C library: links to them are the include folder.

set(headers ${CMAKE_BINARY_DIR}/headers)
file(MAKE_DIRECTORY ${headers})
foreach(header fmt nlohmann seccomp.h seccomp-syscalls.h sha2.h)
  if(NOT EXISTS /usr/include/${header})
    message(FATAL_ERROR "/usr/include/${header} is missing: ./dev build aarch64 installs what is needed")
  endif()
  file(CREATE_LINK /usr/include/${header} ${headers}/${header} SYMBOLIC)
endforeach()
foreach(library nlohmann_json::nlohmann_json fmt::fmt-header-only PkgConfig::SECCOMP PkgConfig::LIBMD)
  add_library(${library} INTERFACE IMPORTED)
  target_include_directories(${library} SYSTEM INTERFACE ${headers})
endforeach()
