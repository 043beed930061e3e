// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "softmmu/base/bits.h"

/// Fields of the privileged registers; ISA manual vol. II, the chapter of each register.
namespace gstage::riscv {

namespace status {
// mstatus, sstatus and vsstatus share one layout.
using Sie = Bit<1>;
using Mie = Bit<3>;
using Spie = Bit<5>;
using Mpie = Bit<7>;
using Spp = Bit<8>;
using Mpp = Field<12, 11>;
using Fs = Field<14, 13>;
using Mprv = Bit<17>;
using Sum = Bit<18>;
using Mxr = Bit<19>;
using Tvm = Bit<20>;
using Tw = Bit<21>;
using Tsr = Bit<22>;
using Sdt = Bit<24>;
using Uxl = Field<33, 32>;
using Sxl = Field<35, 34>;
using Gva = Bit<38>;
using Mpv = Bit<39>;
using Mdt = Bit<42>;
using Sd = Bit<63>;
}  // namespace status

/// Values of status::Fs.
inline constexpr std::uint64_t kFsOff = 0;
inline constexpr std::uint64_t kFsDirty = 3;
/// Encoding of a 64-bit XLEN in MXL, SXL, UXL and VSXL.
inline constexpr std::uint64_t kXlen64 = 2;

namespace mnstatus {
using Nmie = Bit<3>;
using Mnpv = Bit<7>;
using Mnpp = Field<12, 11>;
}  // namespace mnstatus

namespace hstatus {
using Gva = Bit<6>;
using Spv = Bit<7>;
using Spvp = Bit<8>;
using Hu = Bit<9>;
using Vgein = Field<17, 12>;
using Vtvm = Bit<20>;
using Vtw = Bit<21>;
using Vtsr = Bit<22>;
using Vsxl = Field<33, 32>;
using Hupmm = Field<49, 48>;
}  // namespace hstatus

namespace hpmevent {
// mhpmevent, mcyclecfg and minstretcfg share one layout; the last two have neither Of nor Selector.
using Selector = Field<19, 0>;
using Vuinh = Bit<58>;
using Vsinh = Bit<59>;
using Uinh = Bit<60>;
using Sinh = Bit<61>;
using Minh = Bit<62>;
using Of = Bit<63>;
}  // namespace hpmevent

namespace envcfg {
// menvcfg, henvcfg and senvcfg share one layout.
using Fiom = Bit<0>;
using Cbie = Field<5, 4>;
using Cbcfe = Bit<6>;
using Cbze = Bit<7>;
using Pmm = Field<33, 32>;
using Dte = Bit<59>;
using Cde = Bit<60>;
using Adue = Bit<61>;
using Pbmte = Bit<62>;
using Stce = Bit<63>;
}  // namespace envcfg

namespace stateen {
// mstateen0 and hstateen0 share one layout; Se is in all of them.
using Imsic = Bit<58>;
using Aia = Bit<59>;
using Csrind = Bit<60>;
using Envcfg = Bit<62>;
using Se = Bit<63>;
}  // namespace stateen

namespace mseccfg {
using Mml = Bit<0>;
using Mmwp = Bit<1>;
using Rlb = Bit<2>;
using Useed = Bit<8>;
using Sseed = Bit<9>;
using Pmm = Field<33, 32>;
}  // namespace mseccfg

namespace pmpcfg {
using R = Bit<0>;
using W = Bit<1>;
using X = Bit<2>;
using A = Field<4, 3>;
using L = Bit<7>;
inline constexpr std::uint64_t kTor = 1;
}  // namespace pmpcfg

namespace atp {
// satp and vsatp; hgatp has VMID in the place of ASID.
using Ppn = Field<43, 0>;
using Asid = Field<59, 44>;
using Vmid = Field<57, 44>;
using Mode = Field<63, 60>;
inline constexpr std::uint64_t kBare = 0;
inline constexpr std::uint64_t kSv39 = 8;
inline constexpr std::uint64_t kSv48 = 9;
inline constexpr std::uint64_t kSv57 = 10;
}  // namespace atp

namespace counter {
// Bits of mcounteren, hcounteren, scounteren and mcountinhibit.
using Cy = Bit<0>;
using Tm = Bit<1>;
using Ir = Bit<2>;
}  // namespace counter

/// The bit of a letter in misa.
constexpr std::uint64_t misa_bit(char letter) { return std::uint64_t{1} << (letter - 'A'); }

/// The interrupt bit of mcause, scause and vscause.
inline constexpr std::uint64_t kCauseInterrupt = std::uint64_t{1} << 63;

}  // namespace gstage::riscv
