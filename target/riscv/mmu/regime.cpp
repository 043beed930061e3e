// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/mmu/regime.h"

#include "target/riscv/csr/fields.h"

namespace gstage::riscv {

namespace {

constexpr std::uint64_t flag_if(bool condition, std::uint64_t flag) { return condition ? flag : 0; }

/// Roots and A/D rules for a privilege and V.
void set_base(const Hart& hart, std::uint8_t priv, bool v, Regime& r) {
  r.satp = r.hgatp = 0;
  r.flags = priv;
  if (priv == kMachine) return;
  const std::uint64_t satp = v ? hart.vs.satp : hart.hs.satp;
  if (atp::Mode::get(satp) != 0) r.satp = satp;
  const std::uint64_t first_stage = v ? hart.menvcfg & hart.henvcfg : hart.menvcfg;
  r.flags |= flag_if(envcfg::Adue::get(first_stage) != 0, Regime::kAdue) |
             flag_if(envcfg::Pbmte::get(first_stage) != 0, Regime::kPbmte);
  if (!v) return;
  r.hgatp = hart.hgatp;
  r.flags |= Regime::kVirtual | flag_if(envcfg::Adue::get(hart.menvcfg) != 0, Regime::kGAdue) |
             flag_if(envcfg::Pbmte::get(hart.menvcfg) != 0, Regime::kGPbmte);
}

/// SUM and MXR of the statuses that govern the regime; what has no effect is left out so that keys are few.
void add_permissions(const Hart& hart, Regime& r) {
  if (r.priv() == kMachine) return;
  const std::uint64_t status = r.v() ? hart.vs.status : hart.hs.status;
  const bool has_sum = r.priv() == kSupervisor && r.satp != 0 && status::Sum::get(status) != 0;
  r.flags |= flag_if(has_sum, Regime::kSum) | flag_if(status::Mxr::get(hart.hs.status) != 0, Regime::kMxr) |
             flag_if(r.v() && status::Mxr::get(hart.vs.status) != 0, Regime::kVsMxr);
}

/// PMLEN by the PMM field of each mode.
std::uint64_t pmlen_of(std::uint64_t pmm) {
  static constexpr std::uint8_t kLengths[] = {0, 0, 7, 16};
  return kLengths[pmm];
}

/// A mode's masking is set by the mode above it: U's and VU's by senvcfg, VS's by henvcfg, HS's by menvcfg.
std::uint64_t pmm_of(const Hart& hart, const Regime& r) {
  if (r.priv() == kMachine) return mseccfg::Pmm::get(hart.mseccfg);
  if (r.priv() == kUser) return envcfg::Pmm::get(hart.senvcfg);
  return envcfg::Pmm::get(r.v() ? hart.henvcfg : hart.menvcfg);
}

/// Where MXR is in effect nothing is masked, with or without paging.
void add_masking(std::uint64_t pmm, Regime& r) {
  if (!r.has(Regime::kMxr | Regime::kVsMxr)) r.flags |= pmlen_of(pmm) << Regime::kPmlenShift;
}

}  // namespace

void make_access_regime(const Hart& hart, std::uint8_t priv, bool v, Regime& regime) {
  set_base(hart, priv, v, regime);
  add_permissions(hart, regime);
  add_masking(pmm_of(hart, regime), regime);
}

void make_data_regime(const Hart& hart, Regime& regime) {
  // MPRV counts as clear while NMIE is ("Smrnmi").
  const bool has_mprv = status::Mprv::get(hart.mstatus) != 0 && mnstatus::Nmie::get(hart.mnstatus) != 0;
  if (hart.priv != kMachine || !has_mprv) return make_access_regime(hart, hart.priv, hart.v != 0, regime);
  const auto mpp = static_cast<std::uint8_t>(status::Mpp::get(hart.mstatus));
  make_access_regime(hart, mpp, status::Mpv::get(hart.mstatus) != 0, regime);
}

void make_fetch_regime(const Hart& hart, Regime& regime) { set_base(hart, hart.priv, hart.v != 0, regime); }

void make_hypervisor_regime(const Hart& hart, bool needs_execute, Regime& regime) {
  const std::uint8_t priv = hstatus::Spvp::get(hart.hstatus) != 0 ? kSupervisor : kUser;
  set_base(hart, priv, true, regime);
  add_permissions(hart, regime);
  // HLVX stands for a fetch, which is not masked. From U-mode HUPMM takes the place of senvcfg for VU.
  if (needs_execute) {
    regime.flags |= Regime::kExecute;
    return;
  }
  const bool is_by_user = hart.priv == kUser && priv == kUser;
  add_masking(is_by_user ? hstatus::Hupmm::get(hart.hstatus) : pmm_of(hart, regime), regime);
}

bool key_is_masked(const TlbKey& key) { return (key.words[2] >> Regime::kPmlenShift & 0xff) != 0; }

bool key_is_virtual(const TlbKey& key) { return (key.words[2] & Regime::kVirtual) != 0; }
bool key_is_user(const TlbKey& key) { return (key.words[2] & Regime::kPrivilege) == kUser; }
std::uint64_t key_mode(const TlbKey& key) { return atp::Mode::get(key.words[0]); }
std::uint64_t key_asid(const TlbKey& key) { return atp::Asid::get(key.words[0]); }
std::uint64_t key_vmid(const TlbKey& key) { return atp::Vmid::get(key.words[1]); }

}  // namespace gstage::riscv
