// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace gstage::riscv {

/// The transformed instruction for mtinst and htinst: of a load, store, atomic, HLV, HLVX or HSV (4 bytes, or
/// 2 in the low half), with `offset`, the faulting minus the original address, in place of rs1. 0 for every
/// other instruction. ISA manual vol. II, "Transformed Instruction or Pseudoinstruction for mtinst or
/// htinst".
std::uint64_t transformed_instruction(std::uint32_t raw, unsigned offset);

}  // namespace gstage::riscv
