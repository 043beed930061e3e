// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "softmmu/base/bits.h"

/// Fields of an APLIC domain's registers (AIA, "Memory-mapped control region for an interrupt domain").
namespace gstage::hw::aplic {

namespace domaincfg {
using Dm = Bit<2>;
using Ie = Bit<8>;
inline constexpr std::uint32_t kConstant = 0x8000'0000;
}  // namespace domaincfg

namespace target {
using HartIndex = Field<31, 18>;
using GuestIndex = Field<17, 12>;
using Eiid = Field<10, 0>;
using Iprio = Field<7, 0>;
}  // namespace target

/// mmsiaddrcfgh and smsiaddrcfgh.
namespace address {
using L = Bit<31>;
using Hhxs = Field<28, 24>;
using Lhxs = Field<22, 20>;
using Hhxw = Field<18, 16>;
using Lhxw = Field<15, 12>;
using HighPpn = Field<11, 0>;
inline constexpr std::uint32_t kMasks[] = {
    0xffff'ffff,
    static_cast<std::uint32_t>(L::kMask | Hhxs::kMask | Lhxs::kMask | Hhxw::kMask | Lhxw::kMask |
                               HighPpn::kMask),
    0xffff'ffff,
    static_cast<std::uint32_t>(Lhxs::kMask | HighPpn::kMask),
};
inline constexpr unsigned kMachineLow = 0;
inline constexpr unsigned kMachineHigh = 1;
inline constexpr unsigned kSupervisorLow = 2;
inline constexpr unsigned kSupervisorHigh = 3;
}  // namespace address

/// sourcecfg.
inline constexpr std::uint32_t kDelegate = 1u << 10;
enum Mode : unsigned { kInactive = 0, kDetached = 1, kEdge1 = 4, kEdge0 = 5, kLevel1 = 6, kLevel0 = 7 };
inline constexpr unsigned kModeMask = 7;
constexpr bool is_mode(unsigned mode) { return mode != 2 && mode != 3; }

/// A source's bit in its word of setip and the like.
constexpr std::uint32_t bit_of(unsigned source) { return 1u << (source % 32); }

}  // namespace gstage::hw::aplic
