// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "target/riscv/csr/csr.h"
#include "target/riscv/csr/row.h"
#include "target/riscv/pmu/pmu.h"

namespace gstage::riscv {

namespace {

std::uint64_t initial_misa(const CpuConfig& config) {
  std::uint64_t misa = kXlen64 << 62 | misa_bit('S') | misa_bit('U');
  const struct {
    char letter;
    bool is_on;
  } letters[] = {{'I', config.i}, {'M', config.m}, {'A', config.a}, {'F', config.f},
                 {'D', config.d}, {'C', config.c}, {'B', config.b}, {'H', config.h}};
  for (const auto& [letter, is_on] : letters)
    if (is_on) misa |= misa_bit(letter);
  return misa;
}

/// The specification leaves the reset value open. A kernel that no firmware prepares may rely on what the
/// hart is said to have: the hart updates A and D if Svadu alone is there, and has the memory types of
/// Svpbmt, as on other emulators.
std::uint64_t initial_menvcfg(const CpuConfig& config) {
  std::uint64_t value = config.svpbmt ? envcfg::Pbmte::kMask : 0;
  if (config.svadu && !config.svade) value |= envcfg::Adue::kMask;
  return value;
}

void reset_bank(Bank& bank) {
  bank = Bank{};
  bank.status = status::Uxl::set(0, kXlen64);
}

void reset_machine(Hart& hart) {
  hart.misa = initial_misa(*hart.config);
  hart.mtvec = hart.mscratch = hart.mepc = hart.mcause = 0;
  hart.mstatus = hart.config->smdbltrp ? status::Mdt::kMask : 0;
  hart.mnstatus = hart.config->smrnmi ? 0 : mnstatus::Nmie::kMask;
  hart.mnscratch = hart.mnepc = hart.mncause = 0;
  hart.mtval = hart.mtval2 = hart.mtinst = 0;
  hart.medeleg = hart.mideleg = hart.mie = hart.mip = 0;
  hart.miselect = hart.mvien = hart.mvip = hart.sie_own = 0;
  std::memset(hart.miprio, 0, sizeof hart.miprio);
  hart.mcounteren = hart.mcountinhibit = hart.mseccfg = 0;
  hart.menvcfg = initial_menvcfg(*hart.config);
  std::memset(hart.mstateen, 0, sizeof hart.mstateen);
  reset_counters(hart);
  for (unsigned i = 0; i < kPmpEntries; ++i) {
    hart.pmpcfg[i] = 0;
    hart.pmpaddr[i] = 0;
  }
}

void reset_hypervisor(Hart& hart) {
  hart.scounteren = hart.senvcfg = 0;
  hart.hstatus = hart.hedeleg = hart.hideleg = hart.hvip = 0;
  hart.hcounteren = hart.henvcfg = hart.hgeie = 0;
  hart.hvien = hart.vsie_own = hart.hvictl = 0;
  std::memset(hart.siprio, 0, sizeof hart.siprio);
  std::memset(hart.hviprio, 0, sizeof hart.hviprio);
  std::memset(hart.hstateen, 0, sizeof hart.hstateen);
  hart.htimedelta = hart.htval = hart.htinst = hart.hgatp = 0;
}

}  // namespace

/// irq_lines and hgeip are levels of wires: they belong to who drives them.
void reset_csrs(Hart& hart) {
  constexpr std::uint32_t kAllMasked = 0x1f80;
  // A comparand of all ones is never reached: no timer is pending before software arms one.
  reset_bank(hart.hs);
  reset_bank(hart.vs);
  hart.hs.timecmp = hart.vs.timecmp = ~std::uint64_t{0};
  reset_machine(hart);
  reset_hypervisor(hart);
  reset_triggers(hart);
  hart.frm = 0;
  hart.fp_dirty = 0;
  hart.core.mxcsr = kAllMasked;
}

}  // namespace gstage::riscv
