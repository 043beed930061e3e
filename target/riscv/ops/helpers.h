// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "softmmu/cpu.h"
#include "tcg/ir/unit.h"

namespace gstage::riscv {

/// What a CSR instruction does; whether it reads and writes follows from rd and rs1 (Zicsr chapter).
enum class CsrOp : std::uint8_t {
  kRead,       ///< csrrs/csrrc with x0 or a zero immediate: no write at all
  kWriteOnly,  ///< csrrw with rd = x0: no read side effects
  kSwap,
  kSet,
  kClear
};

/// Cache-block operations, as far as they differ here.
enum class CacheBlockOp : std::uint8_t { kInvalidate, kClean, kZero };

#define HELPER(name, arguments, has_result, may_trap, touches_registers)                        \
  std::uint64_t helper_##name(CpuCore* core, std::uint64_t a, std::uint64_t b, std::uint64_t c, \
                              std::uint64_t d);                                                 \
  inline constexpr tcg::Helper k_##name{#name,      helper_##name, arguments,                   \
                                        has_result, may_trap,      touches_registers};
#include "target/riscv/ops/helpers.inc"
#undef HELPER

}  // namespace gstage::riscv
