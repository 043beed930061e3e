// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdarg>
#include <string>

namespace gstage {

/// printf into a string.
[[gnu::format(printf, 1, 2)]] std::string format(const char* format, ...);
/// vprintf into a string.
[[gnu::format(printf, 1, 0)]] std::string vformat(const char* format, va_list args);

}  // namespace gstage
