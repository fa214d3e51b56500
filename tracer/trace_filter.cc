#include "tracer/trace_filter.h"

#include <linux/seccomp.h>

namespace cordon {

std::vector<sock_filter> TraceFilter() {
  return {sock_filter{
      .code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = SECCOMP_RET_TRACE | kTraceFilterTag}};
}

}  // namespace cordon
