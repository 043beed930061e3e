// SPDX-License-Identifier: Apache-2.0
// Helpers of the privileged instructions outside the hypervisor extension. In a helper core->pc is not the
// instruction's: what needs it is done when the trap is delivered.
#include "target/riscv/csr/csr.h"
#include "target/riscv/csr/row.h"
#include "target/riscv/debug/triggers.h"
#include "target/riscv/hart.h"
#include "target/riscv/mmu/mmu.h"
#include "target/riscv/ops/fence_operands.h"
#include "target/riscv/ops/helpers.h"
#include "target/riscv/sanitize/fences.h"
#include "target/riscv/sanitize/icache.h"
#include "target/riscv/semihosting/semihosting.h"
#include "target/riscv/trap/mode.h"
#include "target/riscv/trap/rnmi.h"
#include "target/riscv/trap/trap.h"
#include "target/riscv/vary/variation.h"

namespace gstage::riscv {

namespace {

/// Raises what the verdict says. Returns whether the instruction may go on.
bool is_allowed(Hart& hart, Verdict verdict, std::uint64_t raw) {
  if (verdict == Verdict::kIllegal) raise_illegal(hart, raw);
  if (verdict == Verdict::kVirtual) raise_virtual(hart, raw);
  return verdict == Verdict::kAllowed;
}

/// SRET and SFENCE.VMA: supervisor instructions that a bit of mstatus takes from HS-mode, and one of hstatus
/// from VS-mode ("Virtualization Support in mstatus Register"; "Trap Cause Codes" of the hypervisor chapter).
Verdict judge_supervisor(const Hart& hart, bool is_trapped_in_hs, bool is_trapped_in_vs) {
  if (hart.priv == kMachine) return Verdict::kAllowed;
  if (hart.v != 0) return hart.priv == kUser || is_trapped_in_vs ? Verdict::kVirtual : Verdict::kAllowed;
  return hart.priv == kUser || is_trapped_in_hs ? Verdict::kIllegal : Verdict::kAllowed;
}

/// "Wait for Interrupt": no time limit is granted where the instruction may trap after one.
Verdict judge_wfi(const Hart& hart) {
  if (hart.priv == kMachine) return Verdict::kAllowed;
  if (status::Tw::get(hart.mstatus) != 0) return Verdict::kIllegal;
  if (hart.v == 0) return hart.priv == kUser ? Verdict::kIllegal : Verdict::kAllowed;
  return hart.priv == kUser || hstatus::Vtw::get(hart.hstatus) != 0 ? Verdict::kVirtual : Verdict::kAllowed;
}

Cause ecall_cause(const Hart& hart) {
  if (hart.priv == kMachine) return Cause::kEcallM;
  if (hart.priv == kUser) return Cause::kEcallU;
  return hart.v != 0 ? Cause::kEcallVs : Cause::kEcallHs;
}

/// MRET and MNRET, instructions of M-mode alone.
void return_in_machine(Hart& hart, std::uint64_t raw, void (*return_from)(Hart&)) {
  if (is_allowed(hart, hart.priv == kMachine ? Verdict::kAllowed : Verdict::kIllegal, raw)) return_from(hart);
}

void raise_plain(Hart& hart, Cause cause) {
  Trap trap{};
  trap.cause = cause;
  raise(hart, trap);
}

}  // namespace

std::uint64_t helper_csr(CpuCore* core, std::uint64_t number, std::uint64_t op, std::uint64_t operand,
                         std::uint64_t raw) {
  return csr_access(hart_of(core), static_cast<unsigned>(number), static_cast<CsrOp>(op), operand, raw)
      .value_or(0);
}

std::uint64_t helper_sstatus(CpuCore* core, std::uint64_t op, std::uint64_t operand, std::uint64_t,
                             std::uint64_t) {
  return access_sstatus(hart_of(core), static_cast<CsrOp>(op), operand);
}

std::uint64_t helper_illegal(CpuCore* core, std::uint64_t raw, std::uint64_t, std::uint64_t, std::uint64_t) {
  raise_illegal(hart_of(core), raw);
  return 0;
}

std::uint64_t helper_virtual_instruction(CpuCore* core, std::uint64_t raw, std::uint64_t, std::uint64_t,
                                         std::uint64_t) {
  raise_virtual(hart_of(core), raw);
  return 0;
}

std::uint64_t helper_trigger(CpuCore* core, std::uint64_t offset, std::uint64_t size, std::uint64_t,
                             std::uint64_t) {
  check_instruction(hart_of(core), Vaddr{core->pc_page + offset}, static_cast<unsigned>(size));
  return 0;
}

std::uint64_t helper_ecall(CpuCore* core, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  Hart& hart = hart_of(core);
  raise_plain(hart, ecall_cause(hart));
  return 0;
}

std::uint64_t helper_ebreak(CpuCore* core, std::uint64_t pc, std::uint64_t, std::uint64_t, std::uint64_t) {
  Hart& hart = hart_of(core);
  const std::optional<Vaddr> next =
      hart.semihosting == nullptr ? std::nullopt : hart.semihosting->call(hart, Vaddr{pc});
  if (next.has_value())
    core->pc = next->value;
  else
    raise_plain(hart, Cause::kBreakpoint);
  return 0;
}

std::uint64_t helper_sret(CpuCore* core, std::uint64_t raw, std::uint64_t, std::uint64_t, std::uint64_t) {
  Hart& hart = hart_of(core);
  const bool has_tsr = status::Tsr::get(hart.mstatus) != 0;
  const bool has_vtsr = hstatus::Vtsr::get(hart.hstatus) != 0;
  if (is_allowed(hart, judge_supervisor(hart, has_tsr, has_vtsr), raw)) return_from_supervisor(hart);
  return 0;
}

std::uint64_t helper_mret(CpuCore* core, std::uint64_t raw, std::uint64_t, std::uint64_t, std::uint64_t) {
  return_in_machine(hart_of(core), raw, return_from_machine);
  return 0;
}

std::uint64_t helper_mnret(CpuCore* core, std::uint64_t raw, std::uint64_t, std::uint64_t, std::uint64_t) {
  return_in_machine(hart_of(core), raw, return_from_rnmi);
  return 0;
}

/// The hart sleeps in the run loop, which it reaches through the attention word. It does not sleep if an
/// interrupt is there, but naps if it has come here with one again and again.
std::uint64_t helper_wfi(CpuCore* core, std::uint64_t raw, std::uint64_t, std::uint64_t, std::uint64_t) {
  Hart& hart = hart_of(core);
  if (!is_allowed(hart, judge_wfi(hart), raw)) return 0;
  if (hart.variation != nullptr && hart.variation->ends_wait()) return 0;
  if (has_wakeup(hart)) {
    if (hart.wfi_spins < kWfiPatience) {
      ++hart.wfi_spins;
      return 0;
    }
    hart.is_napping.store(1, std::memory_order_seq_cst);
  }
  hart.is_waiting = 1;
  core->attention.fetch_or(kAttendInterrupt, std::memory_order_seq_cst);
  return 0;
}

std::uint64_t helper_sfence_vma(CpuCore* core, std::uint64_t address, std::uint64_t asid, std::uint64_t given,
                                std::uint64_t raw) {
  Hart& hart = hart_of(core);
  const bool has_tvm = status::Tvm::get(hart.mstatus) != 0;
  const bool has_vtvm = hstatus::Vtvm::get(hart.hstatus) != 0;
  if (is_allowed(hart, judge_supervisor(hart, has_tvm, has_vtvm), raw))
    sfence_vma(hart, fence_operands(address, asid & asid_mask(hart), given));
  return 0;
}

std::uint64_t helper_sinval_fence(CpuCore* core, std::uint64_t is_after, std::uint64_t, std::uint64_t,
                                  std::uint64_t) {
  Hart& hart = hart_of(core);
  if (hart.fence_sanitizer == nullptr) return 0;
  if (is_after != 0)
    hart.fence_sanitizer->after_sinval(hart);
  else
    hart.fence_sanitizer->before_sinval(hart);
  return 0;
}

/// Stores to code are seen at once, whoever stores: nothing is left to do.
std::uint64_t helper_fence_i(CpuCore* core, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  Hart& hart = hart_of(core);
  if (hart.icache_sanitizer != nullptr) hart.icache_sanitizer->fence(hart);
  return 0;
}

std::uint64_t helper_fp_off(CpuCore* core, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  // Never a virtual instruction, whichever FS it is ("Trap Cause Codes"). The bits are fetched at delivery.
  raise_illegal(hart_of(core), 0);
  return 0;
}

std::uint64_t helper_misaligned_fetch(CpuCore* core, std::uint64_t target, std::uint64_t, std::uint64_t,
                                      std::uint64_t) {
  if ((target & 3) == 0) return 0;
  Hart& hart = hart_of(core);
  Trap trap{};
  trap.cause = Cause::kFetchMisaligned;
  trap.tval = target;
  trap.tval_is_guest_vaddr = hart.v != 0;
  raise(hart, trap);
  return 0;
}

}  // namespace gstage::riscv
