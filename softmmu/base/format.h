// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdarg>
#include <string>
#include <string_view>

namespace gstage {

/// printf into a string.
[[gnu::format(printf, 1, 2)]] std::string format(const char* format, ...);
/// vprintf into a string.
[[gnu::format(printf, 1, 0)]] std::string vformat(const char* format, va_list args);

/// Outside text (an argument, the contents of a file) as a message for a terminal shows it: control
/// characters and bytes that are no UTF-8 become \xNN, all else stays. Text that went through this stays as
/// it is. error() and warn() do it themselves.
std::string printable(std::string_view text);

}  // namespace gstage
