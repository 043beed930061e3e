// SPDX-License-Identifier: Apache-2.0
// Helpers of the hypervisor instructions (ISA manual vol. II, "Hypervisor Instructions").
#include "target/riscv/csr/row.h"
#include "target/riscv/hart.h"
#include "target/riscv/mmu/mmu.h"
#include "target/riscv/ops/fence_operands.h"
#include "target/riscv/ops/helpers.h"
#include "target/riscv/trap/trap.h"

namespace gstage::riscv {

namespace {

/// Second argument of hlv: MemKind, and this for HLVX.
constexpr std::uint64_t kHlvx = 0x10;

/// Whether the instruction may execute; raises if not. They do not exist while misa.H is clear, are virtual
/// instructions when V=1, and need HS-mode, or in U-mode `is_open_to_user`.
bool is_allowed(Hart& hart, bool is_open_to_user, std::uint64_t raw) {
  if (hart.v != 0) {
    raise_virtual(hart, raw);
    return false;
  }
  if (has_misa(hart, 'H') && (hart.priv != kUser || is_open_to_user)) return true;
  raise_illegal(hart, raw);
  return false;
}

bool is_open_to_user(const Hart& hart) { return hstatus::Hu::get(hart.hstatus) != 0; }

}  // namespace

std::uint64_t helper_hlv(CpuCore* core, std::uint64_t address, std::uint64_t kind, std::uint64_t raw,
                         std::uint64_t) {
  Hart& hart = hart_of(core);
  if (!is_allowed(hart, is_open_to_user(hart), raw)) return 0;
  return hyp_load(hart, Vaddr{address}, static_cast<tcg::MemKind>(kind & ~kHlvx), (kind & kHlvx) != 0);
}

std::uint64_t helper_hsv(CpuCore* core, std::uint64_t address, std::uint64_t value, std::uint64_t kind,
                         std::uint64_t raw) {
  Hart& hart = hart_of(core);
  if (is_allowed(hart, is_open_to_user(hart), raw))
    hyp_store(hart, Vaddr{address}, static_cast<tcg::MemKind>(kind), value);
  return 0;
}

/// Neither TVM nor VTVM concerns it.
std::uint64_t helper_hfence_vvma(CpuCore* core, std::uint64_t address, std::uint64_t asid,
                                 std::uint64_t given, std::uint64_t raw) {
  Hart& hart = hart_of(core);
  if (is_allowed(hart, false, raw)) hfence_vvma(hart, fence_operands(address, asid & asid_mask(hart), given));
  return 0;
}

std::uint64_t helper_hfence_gvma(CpuCore* core, std::uint64_t address, std::uint64_t vmid,
                                 std::uint64_t given, std::uint64_t raw) {
  Hart& hart = hart_of(core);
  if (!is_allowed(hart, false, raw)) return 0;
  if (hart.priv == kSupervisor && status::Tvm::get(hart.mstatus) != 0) {
    raise_illegal(hart, raw);
    return 0;
  }
  // rs1 holds the guest physical address shifted right by 2.
  hfence_gvma(hart, fence_operands(address << 2, vmid & vmid_mask(hart), given));
  return 0;
}

}  // namespace gstage::riscv
