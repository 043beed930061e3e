// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <variant>

#include "system/monitor/command.h"

namespace gstage {

/// Finds JSON values in a stream of bytes from outside, one after the other, with or without blanks between.
/// What is no JSON is told once and skipped up to where a value can begin again: behind the end of the line,
/// or of the brackets that are open. Work and memory are bounded whatever comes.
class JsonStream {
 public:
  static constexpr std::size_t kMaxBytes = 4 << 20;  ///< of one value
  static constexpr unsigned kMaxDepth = 64;          ///< of arrays and objects within each other

  /// Takes a value, or an Error that says what is wrong with the input.
  using Accept = std::function<void(Result<Json> value)>;

  explicit JsonStream(Accept accept) : accept_(std::move(accept)) {}
  void feed(std::span<const std::uint8_t> bytes);
  /// Forgets what is not complete.
  void reset();

 private:
  void feed_byte(char byte);
  void feed_outside(char byte);
  void finish();
  void refuse(const char* why);

  Accept accept_;
  std::string text_;    ///< of the value so far
  unsigned depth_ = 0;  ///< of brackets that are open
  bool is_in_string_ = false;
  bool is_escaped_ = false;   ///< the last byte was the backslash of a string
  bool is_skipping_ = false;  ///< the value was refused: its rest goes away
};

}  // namespace gstage
