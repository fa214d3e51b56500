# cordon_test(NAME LABEL LABEL TIMEOUT SECONDS LIBS libraries… SOURCES files…): one gtest program, one ctest entry per test.
# Labels: unit (no privilege, no clock, < 1 s each), sim, sepol, ptrace, sandbox, escape, e2e, golden, fuzz, docker, vm, long. A test that needs
# what the host lacks calls SKIP_BECAUSE() (tests/testing/skip.h), which prints the reason. RUN_SERIAL keeps other tests from running
# beside it.

find_package(GTest REQUIRED)
include(GoogleTest)
find_program(BASH_PROGRAM bash REQUIRED)

function(cordon_test name)
  cmake_parse_arguments(T "RUN_SERIAL" "LABEL;TIMEOUT" "LIBS;SOURCES" ${ARGN})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 60)
  endif()
  add_executable(${name} ${T_SOURCES})
  target_link_libraries(${name} PRIVATE ${T_LIBS} cordon_testing GTest::gmock_main)
  # A third of the time that -O3 takes for them, and nothing is measured in a test.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  gtest_discover_tests(${name} NO_PRETTY_VALUES DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS "${T_LABEL}" TIMEOUT ${T_TIMEOUT} SKIP_REGULAR_EXPRESSION "SKIPPED" RUN_SERIAL ${T_RUN_SERIAL})
endfunction()

# cordon_script_test(NAME LABEL LABEL SCRIPT FILE [TIMEOUT SECONDS] [RUN_SERIAL] [ARGS …]): runs `bash FILE BUILD_DIR ARGS…`, which exits 0 for
# ok and 77, after printing "SKIPPED: reason", for skipped.
function(cordon_script_test name)
  cmake_parse_arguments(T "RUN_SERIAL" "LABEL;TIMEOUT;SCRIPT" "ARGS" ${ARGN})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  add_test(NAME ${name} COMMAND ${BASH_PROGRAM} ${CMAKE_CURRENT_SOURCE_DIR}/${T_SCRIPT} ${CMAKE_BINARY_DIR} ${T_ARGS})
  set_tests_properties(${name} PROPERTIES
    LABELS "${T_LABEL}" TIMEOUT ${T_TIMEOUT} SKIP_RETURN_CODE 77 RUN_SERIAL ${T_RUN_SERIAL})
endfunction()

# cordon_victim(NAME FILE.c): a C program that does one thing, built plainly: no optimiser, no sanitizer, no hardening of ours.
# The target `victims` builds all of them, into BUILD_DIR/victims.
add_custom_target(victims)
function(cordon_victim name source)
  add_executable(${name} ${source})
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
  target_compile_options(${name} PRIVATE -O0 -g -Wall)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/victims)
  add_dependencies(victims ${name})
endfunction()

# cordon_victim_module(NAME FILE.c): the same as a shared object, NAME.so.
function(cordon_victim_module name source)
  add_library(${name} MODULE ${source})
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
  target_compile_options(${name} PRIVATE -O0 -g -Wall)
  set_target_properties(${name} PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/victims)
  add_dependencies(victims ${name})
endfunction()

# cordon_fuzzer(NAME LIBS libraries…): NAME_fuzz.cc holds LLVMFuzzerTestOneInput. With CORDON_BUILD_FUZZERS (clang) it becomes
# BUILD_DIR/fuzz/NAME_fuzz; otherwise a program that replays corpora/NAME, as a test.
if(CORDON_BUILD_FUZZERS)
  add_custom_target(fuzzers)
endif()
function(cordon_fuzzer name)
  cmake_parse_arguments(T "" "" "LIBS" ${ARGN})
  if(CORDON_BUILD_FUZZERS)
    add_executable(${name}_fuzz ${name}_fuzz.cc)
    target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
    set_target_properties(${name}_fuzz PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
    add_dependencies(fuzzers ${name}_fuzz)
  else()
    add_executable(${name}_fuzz ${name}_fuzz.cc replay_main.cc)
    add_test(NAME fuzz.${name} COMMAND ${name}_fuzz ${CMAKE_CURRENT_SOURCE_DIR}/corpora/${name})
    set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 60)
  endif()
  target_link_libraries(${name}_fuzz PRIVATE cordon_options ${T_LIBS})
endfunction()
