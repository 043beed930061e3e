// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "target/riscv/mmu/mmu.h"
#include "target/riscv/vary/variation.h"

namespace gstage::riscv {

/// Higher bits of rs2 are ignored: ASIDLEN is 16, VMIDLEN 14, or what -vary says.
inline std::uint64_t asid_mask(const Hart& hart) {
  return hart.variation == nullptr ? 0xffff : hart.variation->asid_mask();
}
inline std::uint64_t vmid_mask(const Hart& hart) {
  return hart.variation == nullptr ? 0x3fff : hart.variation->vmid_mask();
}

/// Bits of the fence helpers' third argument: which operands are not x0.
inline constexpr std::uint64_t kFenceHasAddress = 1;
inline constexpr std::uint64_t kFenceHasId = 2;
inline constexpr std::uint64_t kFenceIsSinval = 4;  ///< sinval.vma and its like

/// The operands that `given` names.
inline FenceOperands fence_operands(std::uint64_t address, std::uint64_t id, std::uint64_t given) {
  FenceOperands operands;
  if ((given & kFenceHasAddress) != 0) operands.address = address;
  if ((given & kFenceHasId) != 0) operands.id = id;
  operands.is_sinval = (given & kFenceIsSinval) != 0;
  return operands;
}

}  // namespace gstage::riscv
