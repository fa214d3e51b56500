# Compile flags for our own targets only: every library links cordon_options PRIVATE-ly through cordon_library().

option(CORDON_BUILD_TESTS "Build the tests" ON)
option(CORDON_BUILD_BENCHMARKS "Build the benchmarks" OFF)
option(CORDON_WERROR "Treat warnings as errors (the presets do; packagers need not)" OFF)
option(CORDON_STATIC "Link the program without any shared library, so that it runs in any container" OFF)
option(CORDON_LEARN_ONLY "Compile common, model, observe and tracer only, for another architecture, without linking" OFF)
option(CORDON_BUILD_FUZZERS "Build the fuzzers (clang only)" OFF)
set(CORDON_SANITIZE "" CACHE STRING "Argument of -fsanitize= for our targets, e.g. address,undefined")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
find_program(CORDON_CCACHE ccache)
if(CORDON_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CORDON_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CORDON_CCACHE})
endif()

add_library(cordon_options INTERFACE)
target_include_directories(cordon_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(cordon_options INTERFACE _GNU_SOURCE CORDON_VERSION="${PROJECT_VERSION}")
target_compile_options(cordon_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wundef -fstack-protector-strong
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>
  $<$<COMPILE_LANGUAGE:CXX>:-Wold-style-cast>
  $<$<BOOL:${CORDON_WERROR}>:-Werror>
  $<$<CONFIG:Debug>:-D_GLIBCXX_ASSERTIONS>
  $<$<CONFIG:Release>:-U_FORTIFY_SOURCE>
  $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>)
# glibc marks write(2) and its like warn_unused_result under _FORTIFY_SOURCE only, and GCC takes no (void) for an answer there; an ignored
# Expected or Status is caught by the other presets.
# GCC 12 takes `"text" + std::string` for an overlapping memcpy when it optimises (GCC bug 105651).
target_compile_options(cordon_options INTERFACE $<$<CONFIG:Release>:-Wno-unused-result>
  $<$<AND:$<CONFIG:Release>,$<COMPILE_LANG_AND_ID:CXX,GNU>>:-Wno-restrict>)
if(CORDON_STATIC)
  # libselinux.a has functions that ask NSS, which a static program cannot; none of them is called, but ld warns of each.
  target_link_options(cordon_options INTERFACE -static-pie -Wl,-z,relro,-z,now -Wl,--no-warnings)
else()
  target_link_options(cordon_options INTERFACE -pie -Wl,-z,relro,-z,now
    $<$<AND:$<CONFIG:Release>,$<LINK_LANG_AND_ID:CXX,GNU>>:-static-libstdc++>
    $<$<AND:$<CONFIG:Release>,$<LINK_LANG_AND_ID:CXX,GNU>>:-static-libgcc>)
endif()
if(CORDON_SANITIZE)
  target_compile_options(cordon_options INTERFACE -fsanitize=${CORDON_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(cordon_options INTERFACE -fsanitize=${CORDON_SANITIZE})
endif()

# One static library per folder: cordon_library(NAME SOURCES… ) makes cordon_NAME with the alias cordon::NAME.
function(cordon_library name)
  add_library(cordon_${name} STATIC ${ARGN})
  add_library(cordon::${name} ALIAS cordon_${name})
  target_link_libraries(cordon_${name} PUBLIC cordon_options)
endfunction()
