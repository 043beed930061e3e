// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "target/riscv/hart.h"

namespace gstage::riscv {

/// Who stored to memory, for reports.
struct Writer {
  enum class Kind : std::uint8_t { kUnknown, kHart, kDevice };
  Kind kind = Kind::kUnknown;
  std::uint8_t priv = 0;
  bool v = false;
  std::uint64_t hart = 0;
  std::uint64_t pc = 0;
};

/// The calling thread runs the hart (null: none).
void set_current_hart(Hart* hart);
/// What `set_current_hart` said.
Hart* current_hart();
/// Who stores now: the hart of the calling thread, or else a device.
Writer present_writer();
/// "hart 0 in HS-mode, pc 0x80001234".
std::string describe(const Writer& writer);

}  // namespace gstage::riscv
