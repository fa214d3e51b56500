# cordon_test(NAME LABEL LABEL TIMEOUT SECONDS LIBS libraries… SOURCES files…): one gtest program, one ctest entry per test.
# Labels: unit (no privilege, no clock, < 1 s each), sim, sepol, ptrace, sandbox, e2e, golden, docker, vm, long. A test that needs what the
# host lacks calls SkipBecause() (tests/testing/skip.h), which prints the reason.

find_package(GTest REQUIRED)
include(GoogleTest)

function(cordon_test name)
  cmake_parse_arguments(T "" "LABEL;TIMEOUT" "LIBS;SOURCES" ${ARGN})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 60)
  endif()
  add_executable(${name} ${T_SOURCES})
  target_link_libraries(${name} PRIVATE ${T_LIBS} cordon_testing GTest::gmock GTest::gtest)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES LABELS "${T_LABEL}" TIMEOUT ${T_TIMEOUT} SKIP_REGULAR_EXPRESSION "SKIPPED")
endfunction()

# cordon_victim(NAME FILE.c): a C program that does one thing, built plainly: no optimiser, no sanitizer, no hardening of ours.
function(cordon_victim name source)
  add_executable(${name} ${source})
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
  target_compile_options(${name} PRIVATE -O0 -g -Wall)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/victims)
endfunction()
