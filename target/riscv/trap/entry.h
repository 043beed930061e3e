// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "target/riscv/csr/fields.h"
#include "target/riscv/hart.h"

namespace gstage::riscv {

/// The mode whose handler runs: M, HS or VS.
enum class TrapTarget : std::uint8_t { kMachine, kSupervisor, kGuest };

/// What a trap writes, besides what follows from the mode that it leaves.
struct TrapEntry {
  std::uint64_t cause;  ///< as in the target's cause register: with kCauseInterrupt for interrupts
  std::uint64_t tval;
  std::uint64_t tval2;  ///< mtval2 or htval
  std::uint64_t tinst;  ///< mtinst or htinst
  bool gva;
  [[nodiscard]] bool is_interrupt() const { return (cause & kCauseInterrupt) != 0; }
};

/// Enters the target's trap handler from core.pc: saves mode and interrupt enable, writes the trap registers,
/// changes the mode, sets core.pc to the vector. Writes the line of `-d int`.
void enter_trap(Hart& hart, TrapTarget target, const TrapEntry& entry);

/// "supervisor timer interrupt", by the bit in mip.
const char* interrupt_name(std::uint64_t number);

}  // namespace gstage::riscv
