// SPDX-License-Identifier: Apache-2.0
// Machine-level registers that are neither status, interrupts, counters nor PMP.
#include "target/riscv/csr/row.h"

namespace gstage::riscv {

namespace {

/// Exceptions that medeleg can delegate: all that a mode below M can raise. Bit 11 (ecall from M) cannot be.
constexpr std::uint64_t kMedelegMask = 0xb3ff;
/// Those of the hypervisor extension: ecall from VS, guest-page faults, virtual instruction.
constexpr std::uint64_t kMedelegHypervisorMask = 1ull << 10 | 0xfull << 20;

std::uint64_t medeleg_mask(const Hart& hart) {
  return kMedelegMask | (has_misa(hart, 'H') ? kMedelegHypervisorMask : 0);
}

}  // namespace

std::uint64_t read_zero(Hart&, unsigned) { return 0; }
std::uint8_t write_ignored(Hart&, unsigned, const CsrWrite&) { return kNoEffect; }

std::uint64_t read_mhartid(Hart& hart, unsigned) { return hart.hartid; }

std::uint64_t read_medeleg(Hart& hart, unsigned) { return hart.medeleg & medeleg_mask(hart); }
std::uint8_t write_medeleg(Hart& hart, unsigned, const CsrWrite& write) {
  hart.medeleg = write.value & medeleg_mask(hart);
  return kNoEffect;
}

std::uint64_t senvcfg_mask(const Hart& hart) {
  std::uint64_t mask = envcfg::Fiom::kMask;
  if (hart.config->zicbom) mask |= envcfg::Cbie::kMask | envcfg::Cbcfe::kMask;
  if (hart.config->zicboz) mask |= envcfg::Cbze::kMask;
  if (hart.config->ssnpm) mask |= envcfg::Pmm::kMask;
  return mask;
}

std::uint64_t envcfg_value(std::uint64_t old, std::uint64_t value, std::uint64_t mask) {
  constexpr std::uint64_t kReserved = 2;
  if (envcfg::Cbie::get(value) == kReserved) value = envcfg::Cbie::set(value, envcfg::Cbie::get(old));
  return envcfg::Pmm::set(value, pmm_value(envcfg::Pmm::get(old), envcfg::Pmm::get(value))) & mask;
}

std::uint64_t menvcfg_mask(const Hart& hart) {
  std::uint64_t mask = senvcfg_mask(hart) & ~envcfg::Pmm::kMask;
  if (hart.config->smnpm) mask |= envcfg::Pmm::kMask;
  if (hart.config->svpbmt) mask |= envcfg::Pbmte::kMask;
  if (hart.config->svadu) mask |= envcfg::Adue::kMask;
  if (hart.config->sstc) mask |= envcfg::Stce::kMask;
  if (hart.config->ssdbltrp) mask |= envcfg::Dte::kMask;
  if (hart.config->ssccfg) mask |= envcfg::Cde::kMask;
  return mask;
}

void drop_disabled_sdt(Hart& hart) {
  for (Bank* const bank : {&hart.hs, &hart.vs})
    if (!has_double_trap(hart, *bank)) bank->status &= ~status::Sdt::kMask;
}

std::uint8_t write_menvcfg(Hart& hart, unsigned, const CsrWrite& write) {
  hart.menvcfg = envcfg_value(hart.menvcfg, write.value, menvcfg_mask(hart));
  drop_disabled_sdt(hart);
  return kEffectRegimes | kEffectTimers;
}

/// MML and MMWP stay set once set. RLB cannot be set while a rule is locked ("Machine Security
/// Configuration").
static std::uint64_t smepmp_value(const Hart& hart, const CsrWrite& write) {
  constexpr std::uint64_t kSticky = mseccfg::Mml::kMask | mseccfg::Mmwp::kMask;
  const std::uint64_t old = hart.mseccfg;
  bool is_locked = false;
  for (const std::uint8_t cfg : hart.pmpcfg) is_locked |= pmpcfg::L::get(cfg) != 0;
  const bool is_rlb_fixed = is_locked && mseccfg::Rlb::get(old) == 0;
  const std::uint64_t rlb = is_rlb_fixed ? 0 : write.value & mseccfg::Rlb::kMask;
  return ((old | write.value) & kSticky) | rlb;
}

std::uint8_t write_mseccfg(Hart& hart, unsigned, const CsrWrite& write) {
  const std::uint64_t old = hart.mseccfg;
  std::uint64_t value = hart.config->smepmp ? smepmp_value(hart, write) : 0;
  if (hart.config->zkr) value |= write.value & (mseccfg::Sseed::kMask | mseccfg::Useed::kMask);
  if (hart.config->smmpm)
    value = mseccfg::Pmm::set(value, pmm_value(mseccfg::Pmm::get(old), mseccfg::Pmm::get(write.value)));
  hart.mseccfg = value;
  return value == old ? kNoEffect : kEffectPmp | kEffectRegimes;
}

/// MODE is WARL: Direct and Vectored. The upper bit of MODE does not exist.
std::uint8_t write_mtvec(Hart& hart, unsigned, const CsrWrite& write) {
  hart.mtvec = write.value & ~2ull;
  return kNoEffect;
}

std::uint64_t read_mepc(Hart& hart, unsigned) { return hart.mepc & epc_mask(hart); }
std::uint8_t write_mepc(Hart& hart, unsigned, const CsrWrite& write) {
  hart.mepc = write.value & epc_mask(hart);
  return kNoEffect;
}

}  // namespace gstage::riscv
