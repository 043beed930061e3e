// SPDX-License-Identifier: Apache-2.0
#include "softmmu/base/check.h"

#include <cstdio>
#include <cstdlib>

#include "softmmu/base/log.h"

namespace gstage {

void check_failed(const char* condition, const char* file, int line) {
  log_flush();
  std::fprintf(stderr, "gstage: internal error: %s:%d: CHECK(%s) failed; please report this\n", file, line,
               condition);
  std::abort();
}

}  // namespace gstage
