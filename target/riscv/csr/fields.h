// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "softmmu/base/bits.h"

/// Fields of the privileged registers and of page-table entries: a type each, in the namespace of the layout
/// ("status::Sie" is SIE of mstatus, sstatus and vsstatus). The table is fields.inc.
namespace gstage::riscv {

#define LAYOUT(space, id) namespace space {
#define BITS(type, name, high, low, views) using type = Field<high, low>;
#define VALUE(constant, value, name) inline constexpr std::uint64_t constant = value;
#define NAMED(value, name)
#define END_LAYOUT }
#define REGISTERS(number, count, id, views)
#define BY_TYPE(number, type, id)
#define ENTRIES(number, stem, first, id)
#include "target/riscv/csr/fields.inc"
#undef LAYOUT
#undef BITS
#undef VALUE
#undef NAMED
#undef END_LAYOUT
#undef REGISTERS
#undef BY_TYPE
#undef ENTRIES

/// Encoding of a 64-bit XLEN in MXL, SXL, UXL and VSXL.
inline constexpr std::uint64_t kXlen64 = 2;

/// The bit of a letter in misa.
constexpr std::uint64_t misa_bit(char letter) { return std::uint64_t{1} << (letter - 'A'); }

/// The interrupt bit of mcause, scause and vscause.
inline constexpr std::uint64_t kCauseInterrupt = cause::Interrupt::kMask;

}  // namespace gstage::riscv
