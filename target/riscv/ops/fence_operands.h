// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "target/riscv/mmu/mmu.h"

namespace gstage::riscv {

/// Higher bits of rs2 are ignored: ASIDLEN is 16, VMIDLEN 14.
inline constexpr std::uint64_t kAsidMask = 0xffff;
inline constexpr std::uint64_t kVmidMask = 0x3fff;

/// Bits of the fence helpers' third argument: which operands are not x0.
inline constexpr std::uint64_t kFenceHasAddress = 1;
inline constexpr std::uint64_t kFenceHasId = 2;

/// The operands that `given` names.
inline FenceOperands fence_operands(std::uint64_t address, std::uint64_t id, std::uint64_t given) {
  FenceOperands operands;
  if ((given & kFenceHasAddress) != 0) operands.address = address;
  if ((given & kFenceHasId) != 0) operands.id = id;
  return operands;
}

}  // namespace gstage::riscv
