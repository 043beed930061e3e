// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "target/riscv/aia/interrupt_file.h"

namespace gstage::riscv {

/// Ranges of miselect, siselect and vsiselect.
inline constexpr unsigned kIprio0 = 0x30;

/// A register of the iprio array: with XLEN = 64 those of even numbers.
constexpr bool is_iprio(std::uint64_t select) {
  return select >= kIprio0 && select < kIprio0 + 16 && select % 2 == 0;
}
/// The numbers of an interrupt file's registers, existing or not.
constexpr bool is_file_range(std::uint64_t select) { return select >= 0x70 && select <= 0xff; }
/// Whether the file is there and has the register.
inline bool has_file_register(const InterruptFile* file, std::uint64_t select) {
  return file != nullptr && is_file_range(select) &&
         InterruptFile::has_register(static_cast<unsigned>(select));
}

}  // namespace gstage::riscv
