// SPDX-License-Identifier: Apache-2.0
// fflags, frm and fcsr. The flags live in MXCSR, whose sticky bits mean the same; frm has a copy in MXCSR.RC.
#include "target/riscv/csr/csr.h"
#include "target/riscv/csr/row.h"

namespace gstage::riscv {

namespace {

constexpr std::uint64_t kFflagsMask = 0x1f;
constexpr std::uint64_t kFrmMask = 7;
constexpr unsigned kFrmShift = 5;
constexpr std::uint32_t kMxcsrRounding = 3u << 13;

/// One flag in both registers: x86 IE ZE OE UE PE are NV DZ OF UF NX (F chapter, "Accrued exception flag
/// encoding"). The sixth of x86, DE, has no counterpart.
struct FlagPair {
  std::uint32_t mxcsr;
  std::uint32_t fflags;
};
constexpr FlagPair kFlags[] = {{1u << 0, 1u << 4},   // invalid operation
                               {1u << 2, 1u << 3},   // divide by zero
                               {1u << 3, 1u << 2},   // overflow
                               {1u << 4, 1u << 1},   // underflow
                               {1u << 5, 1u << 0}};  // inexact
constexpr std::uint32_t kMxcsrFlags = 0x3f;

void set_fflags(Hart& hart, std::uint64_t fflags) {
  hart.core.mxcsr = (hart.core.mxcsr & ~kMxcsrFlags) | mxcsr_of_fflags(fflags);
}

/// The regimes know whether frm is one that generated code handles itself.
std::uint8_t set_frm(Hart& hart, std::uint64_t frm) {
  const std::uint32_t flags_before = current_block_flags(hart);
  hart.frm = static_cast<std::uint8_t>(frm & kFrmMask);
  hart.core.mxcsr = (hart.core.mxcsr & ~kMxcsrRounding) | mxcsr_of_frm(hart.frm);
  return current_block_flags(hart) == flags_before ? kNoEffect : kEffectRegimes;
}

}  // namespace

std::uint64_t fflags_of_mxcsr(std::uint32_t mxcsr) {
  std::uint64_t fflags = 0;
  for (const FlagPair& flag : kFlags)
    if ((mxcsr & flag.mxcsr) != 0) fflags |= flag.fflags;
  return fflags;
}

std::uint32_t mxcsr_of_fflags(std::uint64_t fflags) {
  std::uint32_t mxcsr = 0;
  for (const FlagPair& flag : kFlags)
    if ((fflags & flag.fflags) != 0) mxcsr |= flag.mxcsr;
  return mxcsr;
}

std::uint32_t mxcsr_of_frm(std::uint64_t frm) {
  // RNE, RTZ, RDN, RUP in the encoding of x86: 0 nearest, 1 down, 2 up, 3 towards zero.
  constexpr std::uint32_t kRounding[] = {0, 3, 1, 2, 0, 0, 0, 0};
  return kRounding[frm & kFrmMask] << 13;
}

std::uint64_t read_fflags(Hart& hart, unsigned) { return fflags_of_mxcsr(hart.core.mxcsr); }
std::uint64_t read_frm(Hart& hart, unsigned) { return hart.frm; }
std::uint64_t read_fcsr(Hart& hart, unsigned index) {
  return static_cast<std::uint64_t>(hart.frm) << kFrmShift | read_fflags(hart, index);
}

std::uint8_t write_fflags(Hart& hart, unsigned, const CsrWrite& write) {
  set_fflags(hart, write.value & kFflagsMask);
  hart.fp_dirty = 1;
  return kNoEffect;
}

std::uint8_t write_frm(Hart& hart, unsigned, const CsrWrite& write) {
  hart.fp_dirty = 1;
  return set_frm(hart, write.value);
}

std::uint8_t write_fcsr(Hart& hart, unsigned index, const CsrWrite& write) {
  write_fflags(hart, index, write);
  return set_frm(hart, write.value >> kFrmShift);
}

}  // namespace gstage::riscv
