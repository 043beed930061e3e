// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "softmmu/base/bits.h"

/// Fields of the registers that the AIA adds.
namespace gstage::riscv {

namespace hvictl {
using Iprio = Field<7, 0>;
using Ipriom = Bit<8>;
using Dpr = Bit<9>;
using Iid = Field<27, 16>;
using Vti = Bit<30>;
}  // namespace hvictl

/// Local and custom interrupts, 13–63: those that mvien and hvien can make virtual.
inline constexpr std::uint64_t kLocalInterrupts = ~std::uint64_t{0} << 13;

}  // namespace gstage::riscv
