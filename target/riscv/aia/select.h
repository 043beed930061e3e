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
/// The counters that Smcdeleg gives to S-mode.
inline constexpr unsigned kCounter0 = 0x40;
constexpr bool is_counter_range(std::uint64_t select) {
  return select >= kCounter0 && select < kCounter0 + 32;
}
/// The window that a CSR number is: 1 for mireg, sireg and vsireg, 2–6 for the further ones. 0x354 is miph.
constexpr unsigned window_of(unsigned number) {
  constexpr unsigned kMiph = 4;
  const unsigned place = number & 7;
  return place > kMiph ? place - 1 : place;
}
/// The numbers of an interrupt file's registers, existing or not.
constexpr bool is_file_range(std::uint64_t select) { return select >= 0x70 && select <= 0xff; }
/// Whether the file is there and has the register.
inline bool has_file_register(const InterruptFile* file, std::uint64_t select) {
  return file != nullptr && is_file_range(select) &&
         InterruptFile::has_register(static_cast<unsigned>(select));
}

}  // namespace gstage::riscv
