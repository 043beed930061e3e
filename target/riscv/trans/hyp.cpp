// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/trans/translator.h"

// The hypervisor's instructions (ISA manual vol. II, "Hypervisor Extension" chapter, "Hypervisor
// Instructions"). With V=1 all of them raise a virtual-instruction exception.

namespace gstage::riscv {

using tcg::MemKind;

bool Translator::hypervisor_fence(const ArgsVma& args, const tcg::Helper& helper, std::uint64_t kind) {
  if (is_virtual()) return virtual_instruction();
  return privilege() != kUser && fence_vma(args, helper, kind);
}
bool Translator::hfence_vvma(const ArgsVma& args) { return hypervisor_fence(args, k_hfence_vvma, 0); }
bool Translator::hfence_gvma(const ArgsVma& args) { return hypervisor_fence(args, k_hfence_gvma, 0); }

// In U-mode hstatus.HU decides: the helper looks.
bool Translator::hyp_load(const ArgsR2& args, MemKind kind, bool needs_execute) {
  if (is_virtual()) return virtual_instruction();
  constexpr std::int64_t kNeedsExecute = 0x10;
  const std::int64_t access = static_cast<std::int64_t>(kind) | (needs_execute ? kNeedsExecute : 0);
  set_x(args.rd, ir_.call(k_hlv, {x(args.rs1), ir_.const_(access), raw_bits()}));
  return true;
}
bool Translator::hyp_store(const ArgsVma& args, MemKind kind) {
  if (is_virtual()) return virtual_instruction();
  ir_.call(k_hsv, {x(args.rs1), x(args.rs2), ir_.const_(static_cast<std::int64_t>(kind)), raw_bits()});
  return true;
}

bool Translator::hlv_b(const ArgsR2& args) { return hyp_load(args, MemKind::s8); }
bool Translator::hlv_bu(const ArgsR2& args) { return hyp_load(args, MemKind::u8); }
bool Translator::hlv_h(const ArgsR2& args) { return hyp_load(args, MemKind::s16); }
bool Translator::hlv_hu(const ArgsR2& args) { return hyp_load(args, MemKind::u16); }
bool Translator::hlvx_hu(const ArgsR2& args) { return hyp_load(args, MemKind::u16, true); }
bool Translator::hlv_w(const ArgsR2& args) { return hyp_load(args, MemKind::s32); }
bool Translator::hlv_wu(const ArgsR2& args) { return hyp_load(args, MemKind::u32); }
bool Translator::hlvx_wu(const ArgsR2& args) { return hyp_load(args, MemKind::u32, true); }
bool Translator::hlv_d(const ArgsR2& args) { return hyp_load(args, MemKind::u64); }
bool Translator::hsv_b(const ArgsVma& args) { return hyp_store(args, MemKind::u8); }
bool Translator::hsv_h(const ArgsVma& args) { return hyp_store(args, MemKind::u16); }
bool Translator::hsv_w(const ArgsVma& args) { return hyp_store(args, MemKind::u32); }
bool Translator::hsv_d(const ArgsVma& args) { return hyp_store(args, MemKind::u64); }

}  // namespace gstage::riscv
