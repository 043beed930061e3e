// SPDX-License-Identifier: Apache-2.0
// mstatus, sstatus, vsstatus and misa. M's bits lie in Hart::mstatus, the supervisor's in its bank.
#include "target/riscv/csr/csr.h"
#include "target/riscv/csr/row.h"
#include "target/riscv/mmu/mmu.h"
#include "target/riscv/trap/trap.h"

namespace gstage::riscv {

namespace {

/// Bits of sstatus or vsstatus that can be set. Little-endian only, no vectors: UBE and VS are read-only
/// zero; SUM and MXR are so without address translation, SDT while DTE is zero.
std::uint64_t supervisor_mask(const Hart& hart, const Bank& bank) {
  std::uint64_t mask = status::Sie::kMask | status::Spie::kMask | status::Spp::kMask;
  if (has_misa(hart, 'F')) mask |= status::Fs::kMask;
  if (hart.config->mmu) mask |= status::Sum::kMask | status::Mxr::kMask;
  if (has_double_trap(hart, bank)) mask |= status::Sdt::kMask;
  return mask;
}

/// Bits of mstatus, other than those of sstatus and MPP, that can be set.
std::uint64_t machine_mask(const Hart& hart) {
  std::uint64_t mask =
      status::Mie::kMask | status::Mpie::kMask | status::Mprv::kMask | status::Tw::kMask | status::Tsr::kMask;
  if (hart.config->mmu) mask |= status::Tvm::kMask;
  if (has_misa(hart, 'H')) mask |= status::Mpv::kMask | status::Gva::kMask;
  if (hart.config->smdbltrp) mask |= status::Mdt::kMask;
  return mask;
}

/// The bank's status as sstatus or vsstatus shows it: SD sums up the view's own FS alone.
std::uint64_t view(const Hart& hart, const Bank& bank) {
  std::uint64_t value = status::Uxl::set(bank.status & supervisor_mask(hart, bank), kXlen64);
  if (status::Fs::get(value) == status::kFsDirty) value |= status::Sd::kMask;
  return value;
}

std::uint8_t effects_of(std::uint64_t changed) {
  constexpr std::uint64_t kOfRegimes = status::Sum::kMask | status::Mxr::kMask | status::Fs::kMask |
                                       status::Mprv::kMask | status::Mpp::kMask | status::Mpv::kMask;
  constexpr std::uint64_t kOfInterrupts = status::Sie::kMask | status::Mie::kMask;
  std::uint8_t effects = kNoEffect;
  if ((changed & kOfRegimes) != 0) effects |= kEffectRegimes;
  if ((changed & kOfInterrupts) != 0) effects |= kEffectInterrupts;
  return effects;
}

std::uint8_t write_bank_status(const Hart& hart, Bank& bank, std::uint64_t value) {
  const std::uint64_t old = bank.status;
  bank.status = status::Uxl::set(value & supervisor_mask(hart, bank), kXlen64);
  // SDT keeps SIE clear, whatever the same write says of it.
  if (status::Sdt::get(bank.status) != 0) bank.status &= ~status::Sie::kMask;
  return effects_of(old ^ bank.status);
}

/// Sees to what a write of a bank's status may have changed of S-mode's own rules. What a kernel does at each
/// system call, SIE, SUM and FS, is told from the rest, which is rare.
void apply_changes(Hart& hart, std::uint64_t changed) {
  if ((changed & status::Mxr::kMask) != 0) {
    update_regimes(hart);
  } else {
    if ((changed & status::Sum::kMask) != 0) update_sum(hart);
    if ((changed & status::Fs::kMask) != 0) update_fp_enabled(hart);
  }
  if ((changed & hart.s->status & status::Sie::kMask) != 0) update_interrupts(hart);
}

}  // namespace

void fold_fp_dirty(Hart& hart) {
  if (hart.fp_dirty == 0) return;
  hart.fp_dirty = 0;
  hart.hs.status = status::Fs::set(hart.hs.status, status::kFsDirty);
  if (hart.v != 0) hart.vs.status = status::Fs::set(hart.vs.status, status::kFsDirty);
}

std::uint64_t read_sstatus(Hart& hart, unsigned) { return view(hart, hart.hs); }
std::uint64_t read_vsstatus(Hart& hart, unsigned) { return view(hart, hart.vs); }
std::uint64_t read_mstatus(Hart& hart, unsigned) {
  return status::Sxl::set(hart.mstatus | view(hart, hart.hs), kXlen64);
}

std::uint8_t write_sstatus(Hart& hart, unsigned, const CsrWrite& write) {
  return write_bank_status(hart, hart.hs, write.value);
}
std::uint8_t write_vsstatus(Hart& hart, unsigned, const CsrWrite& write) {
  return write_bank_status(hart, hart.vs, write.value);
}

std::uint64_t access_sstatus(Hart& hart, CsrOp op, std::uint64_t operand) {
  fold_fp_dirty(hart);
  Bank& bank = *hart.s;
  const std::uint64_t stored = bank.status;
  const std::uint64_t old = view(hart, bank);
  write_bank_status(hart, bank, make_write(op, old, operand).value);
  apply_changes(hart, stored ^ bank.status);
  return old;
}

std::uint8_t write_mstatus(Hart& hart, unsigned, const CsrWrite& write) {
  constexpr std::uint64_t kReservedPrivilege = 2;
  const std::uint64_t old = hart.mstatus;
  // MPP is WARL: a write of the reserved privilege leaves it.
  const std::uint64_t mpp = status::Mpp::get(write.value);
  hart.mstatus = write.value & machine_mask(hart);
  // MDT keeps MIE clear, as SDT does with SIE.
  if (status::Mdt::get(hart.mstatus) != 0) hart.mstatus &= ~status::Mie::kMask;
  hart.mstatus = status::Mpp::set(hart.mstatus, mpp == kReservedPrivilege ? status::Mpp::get(old) : mpp);
  const std::uint8_t effects = write_bank_status(hart, hart.hs, write.value);
  return effects | effects_of(old ^ hart.mstatus);
}

/// Only H can be switched: it is looked at where its instructions and registers are used. The other letters
/// are known to translated code, so they are read-only.
std::uint8_t write_misa(Hart& hart, unsigned, const CsrWrite& write) {
  if (!hart.config->h) return kNoEffect;
  const std::uint64_t h = misa_bit('H');
  hart.misa = (hart.misa & ~h) | (write.value & h);
  hart.mstatus &= machine_mask(hart) | status::Mpp::kMask;
  return kEffectRegimes | kEffectInterrupts | kEffectTimers;
}

}  // namespace gstage::riscv
