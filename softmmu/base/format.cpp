// SPDX-License-Identifier: Apache-2.0
#include "softmmu/base/format.h"

#include <array>
#include <cstdint>
#include <cstdio>

namespace gstage {

namespace {

/// The length of the UTF-8 sequence that `text` begins with, when it is one ("Well-Formed UTF-8 Byte
/// Sequences", table 3-7 of the Unicode standard) and no control character; else 0.
std::size_t printable_length(std::string_view text) {
  struct Form {
    std::uint8_t first, last;                // of the leading byte
    std::uint8_t second_first, second_last;  // the bytes behind the second are 0x80-0xbf
    std::size_t length;
  };
  static constexpr Form kForms[] = {
      {0xc2, 0xc2, 0xa0, 0xbf, 2},  // the 32 below are control characters (C1)
      {0xc3, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
      {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
      {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
  };
  const auto byte = [text](std::size_t at) { return static_cast<std::uint8_t>(text[at]); };
  if (byte(0) >= ' ' && byte(0) < 0x7f) return 1;
  for (const Form& form : kForms) {
    if (byte(0) < form.first || byte(0) > form.last) continue;
    if (text.size() < form.length || byte(1) < form.second_first || byte(1) > form.second_last) return 0;
    for (std::size_t at = 2; at < form.length; ++at)
      if (byte(at) < 0x80 || byte(at) > 0xbf) return 0;
    return form.length;
  }
  return 0;
}

}  // namespace

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

std::string printable(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const std::size_t length = printable_length(text);
    if (length == 0)
      shown += format("\\x%02x", static_cast<unsigned>(static_cast<std::uint8_t>(text[0])));
    else
      shown += text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return shown;
}

}  // namespace gstage
