// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "target/riscv/csr/row.h"

namespace gstage::riscv {

/// What S-mode reaches of its counters through siselect 0x40–0x5f and the windows sireg (1) and sireg2 (2):
/// the counter and its configuration (ISA manual vol. II, "Counter Delegation"). RV64 has nothing in the
/// others.
bool has_delegated_counter(const Hart& hart, unsigned select, unsigned window);
/// Zero, or no effect, where there is nothing.
std::uint64_t read_delegated_counter(const Hart& hart, unsigned select, unsigned window);
std::uint8_t write_delegated_counter(Hart& hart, unsigned select, unsigned window, const CsrWrite& write);

}  // namespace gstage::riscv
