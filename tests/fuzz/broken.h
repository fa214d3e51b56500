#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

/// Ends the fuzzer with `message` where a promise was broken, so that libFuzzer keeps the input.
[[noreturn]] inline void Broken(const char* promise, const std::string& detail) {
  (void)std::fprintf(stderr, "broken: %s: %s\n", promise, detail.c_str());
  std::abort();
}
