// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "target/riscv/csr/fields.h"
#include "target/riscv/hart.h"

namespace gstage::riscv {

/// mnstatus.NMIE: interrupts are enabled at all, M-mode may trap, MPRV counts. Always true without Smrnmi.
inline bool is_nmi_enabled(const Hart& hart) { return mnstatus::Nmie::get(hart.mnstatus) != 0; }
/// Whether a non-maskable interrupt is to be taken now.
inline bool is_nmi_due(const Hart& hart) {
  return is_nmi_enabled(hart) && hart.is_nmi_pending.load(std::memory_order_seq_cst) != 0;
}

/// Takes the non-maskable interrupt that is due, at core.pc.
void take_nmi(Hart& hart);
/// Enters the handler of non-maskable interrupts for a trap with this cause that M-mode could not take.
void enter_rnmi(Hart& hart, std::uint64_t cause);
/// Where exceptions of M-mode go while NMIE is clear.
std::uint64_t rnmi_exception_vector(const Hart& hart);
/// What mnret does once it is allowed.
void return_from_rnmi(Hart& hart);

}  // namespace gstage::riscv
