// SPDX-License-Identifier: Apache-2.0
#include "softmmu/base/result.h"

#include <cstdarg>

#include "softmmu/base/format.h"

namespace gstage {

Error error(const char* format, ...) {
  va_list args;
  va_start(args, format);
  Error result{printable(vformat(format, args))};
  va_end(args);
  return result;
}

}  // namespace gstage
