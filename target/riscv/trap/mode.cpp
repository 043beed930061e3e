// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/trap/mode.h"

#include "softmmu/base/check.h"
#include "target/riscv/csr/csr.h"
#include "target/riscv/csr/row.h"
#include "target/riscv/debug/hart_debug.h"
#include "target/riscv/mmu/mmu.h"
#include "target/riscv/pmu/pmu.h"
#include "target/riscv/trace/exit_recorder.h"

namespace gstage::riscv {

void set_mode(Hart& hart, Privilege priv, bool v) {
  CHECK(!v || priv != kMachine);
  fold_fp_dirty(hart);
  if (v && hart.v == 0) count_event(hart, Event::kGuestEntry);
  if (hart.counters.filtered != 0) stop_filtered_counters(hart);
  if (hart.exits != nullptr) hart.exits->mode(hart, priv, v);
  hart.priv = priv;
  hart.v = v ? 1 : 0;
  hart.s = v ? &hart.vs : &hart.hs;
  if (hart.counters.filtered != 0) resume_filtered_counters(hart);
  update_regimes(hart);
}

/// "Double Trap Control in mstatus Register". Each extension's bit is cleared whether or not the other one is
/// there.
void clear_double_trap(Hart& hart, Privilege priv, bool v) {
  hart.mstatus &= ~status::Mdt::kMask;
  if (priv == kUser || v) hart.hs.status &= ~status::Sdt::kMask;
  if (priv == kUser && v) hart.vs.status &= ~status::Sdt::kMask;
}

/// ISA manual vol. II, "Privilege and Global Interrupt-Enable Stack", and "Trap Return" of the hypervisor
/// chapter.
void return_from_machine(Hart& hart) {
  const auto priv = static_cast<Privilege>(status::Mpp::get(hart.mstatus));
  const bool v = priv != kMachine && status::Mpv::get(hart.mstatus) != 0;
  std::uint64_t mstatus = hart.mstatus;
  mstatus = status::Mie::set(mstatus, status::Mpie::get(mstatus));
  mstatus |= status::Mpie::kMask;
  mstatus &= ~(status::Mpp::kMask | status::Mpv::kMask);
  if (priv != kMachine) mstatus &= ~status::Mprv::kMask;
  hart.mstatus = mstatus;
  clear_double_trap(hart, priv, v);
  hart.core.pc = hart.mepc & epc_mask(hart);
  set_mode(hart, priv, v);
  update_interrupts(hart);
  if (hart.stepping != nullptr) hart.stepping->note_return();
}

void return_from_supervisor(Hart& hart) {
  Bank& bank = *hart.s;
  const Privilege priv = status::Spp::get(bank.status) != 0 ? kSupervisor : kUser;
  bool v = hart.v != 0;
  if (!v) {
    v = has_misa(hart, 'H') && hstatus::Spv::get(hart.hstatus) != 0;
    hart.hstatus &= ~hstatus::Spv::kMask;
  }
  bank.status = status::Sie::set(bank.status, status::Spie::get(bank.status));
  bank.status |= status::Spie::kMask;
  bank.status &= ~(status::Spp::kMask | status::Sdt::kMask);
  if (hart.priv == kMachine) clear_double_trap(hart, priv, v);
  if (priv == kUser && v) hart.vs.status &= ~status::Sdt::kMask;
  hart.mstatus &= ~status::Mprv::kMask;
  hart.core.pc = bank.epc & epc_mask(hart);
  set_mode(hart, priv, v);
  update_interrupts(hart);
  if (hart.stepping != nullptr) hart.stepping->note_return();
}

}  // namespace gstage::riscv
