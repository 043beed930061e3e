// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "softmmu/base/bits.h"

/// Fields of tdata1 by the trigger's type (debug specification, "Trigger Module Registers").
namespace gstage::riscv::tdata1 {

using Type = Field<63, 60>;
inline constexpr std::uint64_t kIcount = 3;
inline constexpr std::uint64_t kEtrigger = 5;
inline constexpr std::uint64_t kMcontrol6 = 6;
inline constexpr std::uint64_t kDisabled = 15;

namespace mcontrol6 {
using Load = Bit<0>;
using Store = Bit<1>;
using Execute = Bit<2>;
using U = Bit<3>;
using S = Bit<4>;
using M = Bit<6>;
using Match = Field<10, 7>;
inline constexpr std::uint64_t kEqual = 0;
inline constexpr std::uint64_t kNapot = 1;
inline constexpr std::uint64_t kNotBelow = 2;
inline constexpr std::uint64_t kBelow = 3;
using Size = Field<18, 16>;
using Hit0 = Bit<22>;
using Vu = Bit<23>;
using Vs = Bit<24>;
}  // namespace mcontrol6

namespace icount {
using U = Bit<6>;
using S = Bit<7>;
using Pending = Bit<8>;
using M = Bit<9>;
using Count = Field<23, 10>;
using Hit = Bit<24>;
using Vu = Bit<25>;
using Vs = Bit<26>;
}  // namespace icount

namespace etrigger {
using U = Bit<6>;
using S = Bit<7>;
using M = Bit<9>;
using Vu = Bit<11>;
using Vs = Bit<12>;
using Hit = Bit<58>;
}  // namespace etrigger

}  // namespace gstage::riscv::tdata1
