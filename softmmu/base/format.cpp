// SPDX-License-Identifier: Apache-2.0
#include "softmmu/base/format.h"

#include <array>
#include <cstdio>

namespace gstage {

std::string vformat(const char* format, va_list args) {
  std::array<char, 256> small;
  va_list again;
  va_copy(again, args);
  const int length = std::vsnprintf(small.data(), small.size(), format, args);
  std::string text;
  if (length >= 0 && static_cast<std::size_t>(length) < small.size()) {
    text.assign(small.data(), static_cast<std::size_t>(length));
  } else if (length >= 0) {
    text.resize(static_cast<std::size_t>(length));
    std::vsnprintf(text.data(), text.size() + 1, format, again);
  }
  va_end(again);
  return text;
}

std::string format(const char* format, ...) {
  va_list args;
  va_start(args, format);
  std::string text = vformat(format, args);
  va_end(args);
  return text;
}

}  // namespace gstage
