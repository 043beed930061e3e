// SPDX-License-Identifier: Apache-2.0
// satp, vsatp and hgatp. ASIDLEN is 16, VMIDLEN 14, both the maximum, unless -vary says less.
#include "target/riscv/csr/row.h"
#include "target/riscv/vary/variation.h"

namespace gstage::riscv {

namespace {

/// Sv39, Sv48 and Sv57 have the same numbers as Sv39x4, Sv48x4 and Sv57x4.
bool is_supported_mode(const Hart& hart, std::uint64_t mode) {
  const CpuConfig& config = *hart.config;
  switch (mode) {
    case atp::kBare: return true;
    case atp::kSv39: return config.mmu && config.sv39;
    case atp::kSv48: return config.mmu && config.sv48;
    case atp::kSv57: return config.mmu && config.sv57;
    default: return false;
  }
}

/// Bits of an identifier that are not there read as zero.
std::uint64_t with_asid(const Hart& hart, std::uint64_t value) {
  if (hart.variation == nullptr) return value;
  return atp::Asid::set(value, atp::Asid::get(value) & hart.variation->asid_mask());
}
std::uint64_t with_vmid(const Hart& hart, std::uint64_t value) {
  if (hart.variation == nullptr) return value;
  return atp::Vmid::set(value, atp::Vmid::get(value) & hart.variation->vmid_mask());
}

}  // namespace

/// A write of an unsupported mode has no effect at all.
std::uint8_t write_satp(Hart& hart, unsigned, const CsrWrite& write) {
  if (!is_supported_mode(hart, atp::Mode::get(write.value))) return kNoEffect;
  hart.hs.satp = with_asid(hart, write.value);
  return kEffectRegimes;
}

/// A write of an unsupported mode has no effect when it comes as `satp` with V=1; else MODE alone keeps its
/// value ("Virtual Supervisor Address Translation and Protection").
std::uint8_t write_vsatp(Hart& hart, unsigned, const CsrWrite& write) {
  std::uint64_t value = write.value;
  if (!is_supported_mode(hart, atp::Mode::get(value))) {
    if (hart.v != 0) return kNoEffect;
    value = atp::Mode::set(value, atp::Mode::get(hart.vs.satp));
  }
  hart.vs.satp = with_asid(hart, value);
  return kEffectRegimes;
}

/// Every field is WARL for itself: an unsupported mode leaves MODE, PPN[1:0] are zero (the root has 16 KiB).
std::uint8_t write_hgatp(Hart& hart, unsigned, const CsrWrite& write) {
  std::uint64_t mode = atp::Mode::get(write.value);
  if (!is_supported_mode(hart, mode)) mode = atp::Mode::get(hart.hgatp);
  constexpr std::uint64_t kRootAlignment = 3;
  const std::uint64_t fields = write.value & (atp::Vmid::kMask | (atp::Ppn::kMask & ~kRootAlignment));
  hart.hgatp = with_vmid(hart, atp::Mode::set(fields, mode));
  return kEffectRegimes;
}

}  // namespace gstage::riscv
