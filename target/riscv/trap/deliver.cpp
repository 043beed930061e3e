// SPDX-License-Identifier: Apache-2.0
// Entry into the trap handlers of M-, HS- and VS-mode (ISA manual vol. II, "Trap Entry" of the hypervisor
// chapter).
#include <string>

#include "softmmu/base/check.h"
#include "softmmu/base/format.h"
#include "softmmu/base/log.h"
#include "target/riscv/cpu.h"
#include "target/riscv/csr/csr.h"
#include "target/riscv/csr/row.h"
#include "target/riscv/debug/triggers.h"
#include "target/riscv/guest.h"
#include "target/riscv/hart.h"
#include "target/riscv/mmu/mmu.h"
#include "target/riscv/pmu/pmu.h"
#include "target/riscv/trace/exit_recorder.h"
#include "target/riscv/trap/entry.h"
#include "target/riscv/trap/log_subject.h"
#include "target/riscv/trap/mode.h"
#include "target/riscv/trap/rnmi.h"
#include "target/riscv/trap/tinst.h"
#include "target/riscv/trap/trap.h"
#include "target/riscv/vary/variation.h"

namespace gstage::riscv {

namespace {

/// Sets of causes, as bits.
constexpr std::uint64_t bit_of(Cause cause) { return std::uint64_t{1} << static_cast<unsigned>(cause); }
constexpr std::uint64_t kGuestPageFaults = bit_of(Cause::kFetchGuestPageFault) |
                                           bit_of(Cause::kLoadGuestPageFault) |
                                           bit_of(Cause::kStoreGuestPageFault);
/// Exceptions of explicit accesses, which report a transformed instruction.
constexpr std::uint64_t kExplicitAccesses =
    bit_of(Cause::kLoadMisaligned) | bit_of(Cause::kLoadAccess) | bit_of(Cause::kStoreMisaligned) |
    bit_of(Cause::kStoreAccess) | bit_of(Cause::kLoadPageFault) | bit_of(Cause::kStorePageFault) |
    bit_of(Cause::kLoadGuestPageFault) | bit_of(Cause::kStoreGuestPageFault);

/// A trap goes to M-mode unless delegated, then to HS-mode unless it comes from a guest and is delegated
/// further.
TrapTarget target_of(const Hart& hart, Cause cause) {
  const std::uint64_t bit = bit_of(cause);
  if (hart.priv == kMachine || (hart.medeleg & bit) == 0) return TrapTarget::kMachine;
  return hart.v != 0 && (hart.hedeleg & bit) != 0 ? TrapTarget::kGuest : TrapTarget::kSupervisor;
}

std::uint64_t tinst_of(Hart& hart, const Trap& trap) {
  if (trap.is_implicit) return trap.tinst;
  if ((kExplicitAccesses & bit_of(trap.cause)) == 0) return 0;
  const std::optional<std::uint32_t> raw = peek_instruction(hart);
  return raw ? transformed_instruction(*raw, trap.vaddr_offset) : 0;
}

/// BASE for exceptions and in Direct mode, BASE + 4 × cause for interrupts in Vectored mode.
std::uint64_t vector_of(std::uint64_t tvec, std::uint64_t cause) {
  const std::uint64_t base = tvec & ~3ull;
  const bool is_vectored = (tvec & 3) == 1;
  return is_vectored && (cause & kCauseInterrupt) != 0 ? base + 4 * (cause & ~kCauseInterrupt) : base;
}

void enter_machine(Hart& hart, const TrapEntry& entry) {
  std::uint64_t mstatus = hart.mstatus;
  mstatus = status::Mpp::set(mstatus, hart.priv);
  mstatus = status::Mpv::set(mstatus, hart.v);
  mstatus = status::Gva::set(mstatus, entry.gva ? 1 : 0);
  mstatus = status::Mpie::set(mstatus, status::Mie::get(mstatus));
  mstatus &= ~status::Mie::kMask;
  if (hart.config->smdbltrp) mstatus |= status::Mdt::kMask;
  hart.mstatus = mstatus;
  hart.mepc = hart.core.pc;
  hart.mcause = entry.cause;
  hart.mtval = entry.tval;
  hart.mtval2 = entry.tval2;
  hart.mtinst = entry.tinst;
  const bool is_in_rnmi = hart.priv == kMachine && !is_nmi_enabled(hart);
  hart.core.pc = is_in_rnmi ? rnmi_exception_vector(hart) : vector_of(hart.mtvec, entry.cause);
  set_mode(hart, kMachine, false);
}

/// What a trap into HS- and into VS-mode have in common.
void enter_bank(Hart& hart, Bank& bank, const TrapEntry& entry) {
  bank.status = status::Spp::set(bank.status, hart.priv);
  bank.status = status::Spie::set(bank.status, status::Sie::get(bank.status));
  bank.status &= ~status::Sie::kMask;
  if (has_double_trap(hart, bank)) bank.status |= status::Sdt::kMask;
  bank.epc = hart.core.pc;
  bank.cause = entry.cause;
  bank.tval = entry.tval;
  hart.core.pc = vector_of(bank.tvec, entry.cause);
}

void enter_supervisor(Hart& hart, const TrapEntry& entry) {
  hart.hstatus = hstatus::Spv::set(hart.hstatus, hart.v);
  hart.hstatus = hstatus::Gva::set(hart.hstatus, entry.gva ? 1 : 0);
  if (hart.v != 0) hart.hstatus = hstatus::Spvp::set(hart.hstatus, hart.priv);
  hart.htval = entry.tval2;
  hart.htinst = entry.tinst;
  enter_bank(hart, hart.hs, entry);
  set_mode(hart, kSupervisor, false);
}

/// Whether a trap into S- or VS-mode comes while SDT says that its handler cannot take one. SDT is only set
/// where Ssdbltrp is there and on.
bool is_double(const Hart& hart, TrapTarget target) {
  if (target == TrapTarget::kMachine) return false;
  const Bank& bank = target == TrapTarget::kSupervisor ? hart.hs : hart.vs;
  return status::Sdt::get(bank.status) != 0;
}

/// The trap that M-mode takes in place of a double one ("Double Trap Control in sstatus Register").
TrapEntry doubled(const TrapEntry& entry) {
  TrapEntry result = entry;
  result.cause = static_cast<std::uint64_t>(Cause::kDoubleTrap);
  result.tval2 = entry.cause;
  return result;
}

/// The text of a trap for people.
std::string name_of(const TrapEntry& entry) {
  return entry.is_interrupt() ? interrupt_name(entry.cause & ~kCauseInterrupt)
                              : cause_name(static_cast<Cause>(entry.cause));
}

/// Whether M-mode cannot take a trap ("Double Trap Control in mstatus Register").
bool is_unexpected(const Hart& hart) {
  if (!hart.config->smdbltrp) return false;
  return status::Mdt::get(hart.mstatus) != 0 || (hart.priv == kMachine && !is_nmi_enabled(hart));
}

/// There is no handler for it either: the hart stops with its state as it is. The platform, which the
/// critical-error signal goes to, powers off with exit code 1.
void enter_critical_error(Hart& hart, const TrapEntry& entry) {
  warn("hart %llu: critical error: double trap in M-mode: %s (tval 0x%llx) at pc 0x%llx: the machine ends",
       static_cast<unsigned long long>(hart.hartid), name_of(entry).c_str(),
       static_cast<unsigned long long>(entry.tval), static_cast<unsigned long long>(hart.core.pc));
  hart.has_critical_error = 1;
  hart.is_waiting = 1;
  hart.core.attention.fetch_or(kAttendInterrupt, std::memory_order_seq_cst);
  hart.cpu->report_critical_error();
}

/// Events of exceptions: those of their cause, those of the VM exit that they are.
struct ExceptionEvents {
  std::uint64_t causes;  ///< as bits
  Event event;
  Event exit;
};
constexpr ExceptionEvents kExceptionEvents[] = {
    {kGuestPageFaults, Event::kGuestPageFault, Event::kGuestExitByGuestPageFault},
    {bit_of(Cause::kFetchPageFault) | bit_of(Cause::kLoadPageFault) | bit_of(Cause::kStorePageFault),
     Event::kPageFault, Event::kGuestExitByOther},
    {bit_of(Cause::kEcallU) | bit_of(Cause::kEcallHs) | bit_of(Cause::kEcallVs) | bit_of(Cause::kEcallM),
     Event::kEnvironmentCall, Event::kGuestExitByCall},
    {bit_of(Cause::kIllegalInstruction), Event::kIllegalInstruction, Event::kGuestExitByInstruction},
    {bit_of(Cause::kVirtualInstruction), Event::kVirtualInstruction, Event::kGuestExitByInstruction},
};

void count_trap_events(Hart& hart, TrapTarget target, const TrapEntry& entry) {
  const bool is_exit = hart.v != 0 && target != TrapTarget::kGuest;
  Event exit = Event::kGuestExitByOther;
  if (entry.is_interrupt()) {
    count_event(hart, Event::kInterrupt);
    exit = Event::kGuestExitByInterrupt;
  } else {
    count_event(hart, Event::kException);
    for (const ExceptionEvents& row : kExceptionEvents) {
      if ((row.causes >> entry.cause & 1) == 0) continue;
      count_event(hart, row.event);
      exit = row.exit;
    }
  }
  if (!is_exit) return;
  count_event(hart, Event::kGuestExit);
  count_event(hart, exit);
}

void log_entry(const Hart& hart, TrapTarget target, const TrapEntry& entry) {
  if (!log_filter().has(log_subject(hart))) return;
  static constexpr const char* kTargets[] = {"M", "HS", "VS"};
  const std::string name = name_of(entry);
  log_line(Log::kInt, "hart %llu: %s, epc 0x%016llx, tval 0x%llx, tval2 0x%llx, tinst 0x%llx, %s -> %s%s",
           static_cast<unsigned long long>(hart.hartid), name.c_str(),
           static_cast<unsigned long long>(hart.core.pc), static_cast<unsigned long long>(entry.tval),
           static_cast<unsigned long long>(entry.tval2), static_cast<unsigned long long>(entry.tinst),
           mode_name(hart.priv, hart.v != 0), kTargets[static_cast<unsigned>(target)],
           symbol_suffix(hart).c_str());
}

}  // namespace

namespace {

void take_trap(Hart& hart, TrapTarget target, const TrapEntry& entry) {
  if (is_double(hart, target)) {
    take_trap(hart, TrapTarget::kMachine, doubled(entry));
    return;
  }
  if (target == TrapTarget::kMachine && is_unexpected(hart)) {
    if (hart.config->smrnmi && is_nmi_enabled(hart))
      enter_rnmi(hart, entry.cause);
    else
      enter_critical_error(hart, entry);
    return;
  }
  if (log_enabled(Log::kInt)) log_entry(hart, target, entry);
  hart.wfi_spins = 0;
  count_trap_events(hart, target, entry);
  if (hart.exits != nullptr) hart.exits->trap(hart, target, entry);
  switch (target) {
    case TrapTarget::kMachine: enter_machine(hart, entry); break;
    case TrapTarget::kSupervisor: enter_supervisor(hart, entry); break;
    case TrapTarget::kGuest:
      enter_bank(hart, hart.vs, entry);
      set_mode(hart, kSupervisor, true);
      break;
  }
}

}  // namespace

void enter_trap(Hart& hart, TrapTarget target, const TrapEntry& entry) {
  const std::uint8_t from = mode_bit(hart.priv, hart.v != 0);
  if (hart.trap_trigger_modes == 0) {
    take_trap(hart, target, entry);
    return;
  }
  count_trap(hart, entry.cause);
  take_trap(hart, target, entry);
  // An exception trigger breaks in before the handler's first instruction, and tval is zero.
  if (!fires_for_exception(hart, entry.cause, from)) return;
  TrapEntry breakpoint{};
  breakpoint.cause = static_cast<std::uint64_t>(Cause::kBreakpoint);
  take_trap(hart, target_of(hart, Cause::kBreakpoint), breakpoint);
}

void deliver_trap(Hart& hart) {
  CHECK(hart.core.trap_pending != 0);
  hart.core.trap_pending = 0;
  const Trap& trap = hart.trap;
  if (trap.is_stop) {
    hart.core.attention.fetch_or(kAttendDebug, std::memory_order_seq_cst);
    return;
  }
  const TrapTarget target = target_of(hart, trap.cause);
  TrapEntry entry{};
  entry.cause = static_cast<std::uint64_t>(trap.cause);
  entry.tval = trap.tval;
  entry.gva = trap.tval_is_guest_vaddr;
  if (trap.cause == Cause::kBreakpoint && !trap.is_trigger) {
    // tval may be zero or the address of ebreak ("Machine Trap Value Register"): the address, as for all
    // other exceptions that have one.
    entry.tval = hart.core.pc;
    entry.gva = hart.v != 0;
  }
  // Who raised it did not have the bits.
  if (trap.cause == Cause::kIllegalInstruction && entry.tval == 0)
    entry.tval = peek_instruction(hart).value_or(0);
  if ((kGuestPageFaults & bit_of(trap.cause)) != 0) entry.tval2 = trap.gpa >> 2;
  if (target != TrapTarget::kGuest || is_double(hart, target)) entry.tinst = tinst_of(hart, trap);
  if (Variation* const variation = hart.variation; variation != nullptr) {
    entry.tval2 = variation->tval2(entry.tval2);
    entry.tinst = variation->tinst(entry.tinst, trap.is_implicit, entry.tval2 != 0);
  }
  enter_trap(hart, target, entry);
}

}  // namespace gstage::riscv
