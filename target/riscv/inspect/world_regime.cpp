// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "target/riscv/csr/row.h"
#include "target/riscv/inspect/walk.h"

namespace gstage::riscv {

namespace {

/// Of keys for fetching: what tells blocks apart and has nothing to do with translation (mmu/context.cpp).
constexpr std::uint64_t kRegimeFlags = 0x7ff | std::uint64_t{0xff} << Regime::kPmlenShift;

bool is_number(const std::string& text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

Result<Regime> guest_regime(Hart& hart, unsigned vmid) {
  if (hart.v != 0 && atp::Vmid::get(hart.hgatp) == vmid) return hart.mmu->data;
  const TlbContext* const context = hart.mmu->tlb.newest(
      [vmid](const TlbKey& key) { return key_is_virtual(key) && key_vmid(key) == vmid; });
  if (context == nullptr)
    return error("hart %llu remembers no guest of VMID %u: name one that it ran lately (info tlb)",
                 static_cast<unsigned long long>(hart.hartid), vmid);
  return regime_of_key(context->key);
}

}  // namespace

Regime regime_of_key(const TlbKey& key) { return {key.words[0], key.words[1], key.words[2] & kRegimeFlags}; }

Result<Regime> world_regime(Hart& hart, const std::string& world, AccessType access) {
  Regime regime;
  if (world == "current") return access == AccessType::kFetch ? hart.mmu->fetch : hart.mmu->data;
  if (is_number(world))
    return guest_regime(hart, static_cast<unsigned>(std::strtoul(world.c_str(), nullptr, 10)));
  if (world == "host") {
    make_access_regime(hart, hart.v == 0 && hart.priv == kUser ? kUser : kSupervisor, false, regime);
    return regime;
  }
  if (!has_misa(hart, 'H') || (world != "gva" && world != "gpa"))
    return error("there is no world '%s': use current, host%s", world.c_str(),
                 has_misa(hart, 'H') ? ", gva, gpa or a VMID" : "");
  if (hart.v != 0)
    make_access_regime(hart, hart.priv, true, regime);
  else
    make_hypervisor_regime(hart, false, regime);
  if (world == "gpa") regime.satp = 0;
  return regime;
}

}  // namespace gstage::riscv
