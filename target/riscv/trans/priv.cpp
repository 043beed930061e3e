// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/ops/fence_operands.h"
#include "target/riscv/trans/translator.h"

// Privileged instructions (ISA manual vol. II, "Machine-Level ISA" and "Supervisor-Level ISA" chapters). What
// depends on the mode alone is decided here; helpers look at TSR, TW, TVM and their like in hstatus. An
// instruction of S-mode that V=1 alone forbids raises a virtual-instruction exception ("Hypervisor Extension"
// chapter, "Trap Cause Codes").

namespace gstage::riscv {

bool Translator::sret(const ArgsNone&) {
  if (privilege() == kUser) return is_virtual() && virtual_instruction();
  ir_.call(k_sret, {raw_bits()});
  ir_.exit_pc();
  is_done_ = true;
  return true;
}

bool Translator::return_to_lower(const tcg::Helper& helper) {
  if (privilege() != kMachine) return false;
  ir_.call(helper, {raw_bits()});
  ir_.exit_pc();
  is_done_ = true;
  return true;
}

bool Translator::mret(const ArgsNone&) { return return_to_lower(k_mret); }
bool Translator::mnret(const ArgsNone&) { return return_to_lower(k_mnret); }

// In every mode: which exception it is, if any, depends on mstatus.TW and hstatus.VTW.
bool Translator::wfi(const ArgsNone&) {
  ir_.call(k_wfi, {raw_bits()});
  leave();
  return true;
}

bool Translator::fence_vma(const ArgsVma& args, const tcg::Helper& helper, std::uint64_t kind) {
  const std::uint64_t present =
      kind | (args.rs1 != 0 ? kFenceHasAddress : 0) | (args.rs2 != 0 ? kFenceHasId : 0);
  ir_.call(helper, {x(args.rs1), x(args.rs2), ir_.const_(static_cast<std::int64_t>(present)), raw_bits()});
  leave();
  return true;
}

bool Translator::supervisor_fence(const ArgsVma& args, std::uint64_t kind) {
  if (privilege() == kUser) return is_virtual() && virtual_instruction();
  return fence_vma(args, k_sfence_vma, kind);
}
bool Translator::sfence_vma(const ArgsVma& args) { return supervisor_fence(args, 0); }

}  // namespace gstage::riscv
