// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/mmu/regime.h"

#include "softmmu/base/bits.h"

namespace gstage::riscv {

namespace {

using StatusSum = Bit<18>;
using StatusMxr = Bit<19>;
using MstatusMprv = Bit<17>;
using MstatusMpp = Field<12, 11>;
using MstatusMpv = Bit<39>;
using MnstatusNmie = Bit<3>;
using HstatusSpvp = Bit<8>;
using EnvcfgAdue = Bit<61>;
using EnvcfgPbmte = Bit<62>;
using AtpMode = Field<63, 60>;
using Pmm = Field<33, 32>;  // of mseccfg and the envcfg registers
using HstatusHupmm = Field<49, 48>;
using Asid = Field<59, 44>;
using Vmid = Field<57, 44>;

// Flags in the third word of a key.
constexpr std::uint64_t kKeyPrivilege = 3;
constexpr std::uint64_t kKeyVirtual = 1 << 2;
constexpr std::uint64_t kKeySum = 1 << 3;
constexpr std::uint64_t kKeyMxr = 1 << 4;
constexpr std::uint64_t kKeyVsMxr = 1 << 5;
constexpr std::uint64_t kKeyExecute = 1 << 6;
constexpr std::uint64_t kKeyAdue = 1 << 7;
constexpr std::uint64_t kKeyGAdue = 1 << 8;
constexpr std::uint64_t kKeyPbmte = 1 << 9;
constexpr std::uint64_t kKeyGPbmte = 1 << 10;
using KeyPmlen = Field<31, 24>;

/// Roots and A/D rules for a privilege and V.
Regime base_regime(const Hart& hart, std::uint8_t priv, bool v) {
  Regime r{};
  r.priv = priv;
  if (priv == kMachine) return r;
  r.v = v;
  const std::uint64_t satp = v ? hart.vs.satp : hart.hs.satp;
  r.satp = AtpMode::get(satp) == 0 ? 0 : satp;
  r.hgatp = v ? hart.hgatp : 0;
  const bool m_adue = EnvcfgAdue::get(hart.menvcfg) != 0;
  r.adue = m_adue && (!v || EnvcfgAdue::get(hart.henvcfg) != 0);
  r.g_adue = v && m_adue;
  const bool m_pbmte = EnvcfgPbmte::get(hart.menvcfg) != 0;
  r.pbmte = m_pbmte && (!v || EnvcfgPbmte::get(hart.henvcfg) != 0);
  r.g_pbmte = v && m_pbmte;
  return r;
}

/// SUM and MXR of the statuses that govern the regime; what has no effect is left out so that keys are few.
Regime with_permissions(Regime r, const Hart& hart) {
  if (r.priv == kMachine) return r;
  const std::uint64_t status = r.v ? hart.vs.status : hart.hs.status;
  r.sum = r.priv == kSupervisor && r.satp != 0 && StatusSum::get(status) != 0;
  r.mxr = StatusMxr::get(hart.hs.status) != 0;
  r.vs_mxr = r.v && StatusMxr::get(hart.vs.status) != 0;
  return r;
}

/// PMLEN by the PMM field of each mode.
std::uint8_t pmlen_of(std::uint64_t pmm) {
  static constexpr std::uint8_t kLengths[] = {0, 0, 7, 16};
  return kLengths[pmm];
}

/// A mode's masking is set by the mode above it: U's and VU's by senvcfg, VS's by henvcfg, HS's by menvcfg.
std::uint64_t pmm_of(const Hart& hart, const Regime& r) {
  if (r.priv == kMachine) return Pmm::get(hart.mseccfg);
  if (r.priv == kUser) return Pmm::get(hart.senvcfg);
  return Pmm::get(r.v ? hart.henvcfg : hart.menvcfg);
}

/// Where MXR is in effect nothing is masked, with or without paging.
Regime with_masking(Regime r, std::uint64_t pmm) {
  r.pmlen = r.mxr || r.vs_mxr ? 0 : pmlen_of(pmm);
  return r;
}

/// The rules of explicit accesses.
Regime access_regime(const Hart& hart, std::uint8_t priv, bool v) {
  const Regime r = with_permissions(base_regime(hart, priv, v), hart);
  return with_masking(r, pmm_of(hart, r));
}

}  // namespace

TlbKey Regime::key() const {
  std::uint64_t flags = priv;
  if (v) flags |= kKeyVirtual;
  if (sum) flags |= kKeySum;
  if (mxr) flags |= kKeyMxr;
  if (vs_mxr) flags |= kKeyVsMxr;
  if (needs_execute) flags |= kKeyExecute;
  if (adue) flags |= kKeyAdue;
  if (g_adue) flags |= kKeyGAdue;
  if (pbmte) flags |= kKeyPbmte;
  if (g_pbmte) flags |= kKeyGPbmte;
  return TlbKey{{satp, hgatp, KeyPmlen::set(flags, pmlen)}};
}

Regime data_regime(const Hart& hart) {
  // MPRV counts as clear while NMIE is ("Smrnmi").
  const bool has_mprv = MstatusMprv::get(hart.mstatus) != 0 && MnstatusNmie::get(hart.mnstatus) != 0;
  if (hart.priv != kMachine || !has_mprv) return access_regime(hart, hart.priv, hart.v != 0);
  const auto mpp = static_cast<std::uint8_t>(MstatusMpp::get(hart.mstatus));
  return access_regime(hart, mpp, MstatusMpv::get(hart.mstatus) != 0);
}

Regime fetch_regime(const Hart& hart) { return base_regime(hart, hart.priv, hart.v != 0); }

Regime hypervisor_regime(const Hart& hart, bool needs_execute) {
  const std::uint8_t priv = HstatusSpvp::get(hart.hstatus) != 0 ? kSupervisor : kUser;
  Regime r = with_permissions(base_regime(hart, priv, true), hart);
  r.needs_execute = needs_execute;
  // HLVX stands for a fetch, which is not masked. From U-mode HUPMM takes the place of senvcfg for VU.
  if (needs_execute) return r;
  const bool is_by_user = hart.priv == kUser && priv == kUser;
  return with_masking(r, is_by_user ? HstatusHupmm::get(hart.hstatus) : pmm_of(hart, r));
}

bool key_is_masked(const TlbKey& key) { return KeyPmlen::get(key.words[2]) != 0; }

bool key_is_virtual(const TlbKey& key) { return (key.words[2] & kKeyVirtual) != 0; }
bool key_is_user(const TlbKey& key) { return (key.words[2] & kKeyPrivilege) == kUser; }
std::uint64_t key_mode(const TlbKey& key) { return AtpMode::get(key.words[0]); }
std::uint64_t key_asid(const TlbKey& key) { return Asid::get(key.words[0]); }
std::uint64_t key_vmid(const TlbKey& key) { return Vmid::get(key.words[1]); }

}  // namespace gstage::riscv
