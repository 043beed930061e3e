// SPDX-License-Identifier: Apache-2.0
// Resumable non-maskable interrupts (ISA manual vol. II, "Smrnmi" chapter).
#include "target/riscv/trap/rnmi.h"

#include "softmmu/base/log.h"
#include "target/riscv/csr/row.h"
#include "target/riscv/debug/hart_debug.h"
#include "target/riscv/guest.h"
#include "target/riscv/trace/exit_recorder.h"
#include "target/riscv/trap/log_subject.h"
#include "target/riscv/trap/mode.h"
#include "target/riscv/trap/trap.h"

namespace gstage::riscv {

namespace {

/// The handlers' addresses are implementation-defined: those of -cpu, or else that of all other traps.
std::uint64_t vector_or_mtvec(const Hart& hart, std::uint64_t vector) {
  constexpr std::uint64_t kMode = 3;
  return vector != 0 ? vector : hart.mtvec & ~kMode;
}

/// There are no kinds of them: the code is zero.
constexpr std::uint64_t kCauseNmi = kCauseInterrupt;

void enter(Hart& hart, std::uint64_t cause, Privilege from, bool from_v) {
  if (log_enabled(Log::kInt) && log_filter().has(log_subject(hart)))
    log_line(Log::kInt, "hart %llu: non-maskable, cause 0x%llx, epc 0x%016llx, %s -> M",
             static_cast<unsigned long long>(hart.hartid), static_cast<unsigned long long>(cause),
             static_cast<unsigned long long>(hart.core.pc), mode_name(hart.priv, hart.v != 0));
  hart.wfi_spins = 0;
  if (hart.exits != nullptr) hart.exits->non_maskable(hart, cause);
  hart.mnepc = hart.core.pc;
  hart.mncause = cause;
  hart.mnstatus = mnstatus::Mnpp::set(mnstatus::Mnpv::set(0, from_v ? 1 : 0), from);
  hart.core.pc = vector_or_mtvec(hart, hart.config->rnmi_vector);
  set_mode(hart, kMachine, false);
}

}  // namespace

void take_nmi(Hart& hart) {
  hart.is_nmi_pending.store(0, std::memory_order_seq_cst);
  enter(hart, kCauseNmi, static_cast<Privilege>(hart.priv), hart.v != 0);
}

void enter_rnmi(Hart& hart, std::uint64_t cause) { enter(hart, cause, kMachine, false); }

std::uint64_t rnmi_exception_vector(const Hart& hart) {
  return vector_or_mtvec(hart, hart.config->rnmi_exception_vector);
}

void return_from_rnmi(Hart& hart) {
  const auto priv = static_cast<Privilege>(mnstatus::Mnpp::get(hart.mnstatus));
  // misa.H may have been cleared since MNPV was set.
  const bool v = priv != kMachine && mnstatus::Mnpv::get(hart.mnstatus) != 0 && has_misa(hart, 'H');
  hart.mnstatus |= mnstatus::Nmie::kMask;
  if (priv != kMachine) {
    hart.mstatus &= ~status::Mprv::kMask;
    clear_double_trap(hart, priv, v);
  }
  hart.core.pc = hart.mnepc & epc_mask(hart);
  set_mode(hart, priv, v);
  update_interrupts(hart);
  if (hart.stepping != nullptr) hart.stepping->note_return();
}

}  // namespace gstage::riscv
