// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace gstage::riscv {

struct Hart;

/// Exception codes; the table is causes.inc.
enum class Cause : std::uint8_t {
#define CAUSE(name, code, text) name = code,
#include "target/riscv/trap/causes.inc"
#undef CAUSE
};
const char* cause_name(Cause cause);

/// A synchronous exception on its way to delivery. What can be derived at delivery (transformed instructions,
/// epc, GVA from V) is not kept here.
struct Trap {
  Cause cause;
  bool tval_is_guest_vaddr;  ///< tval is a guest virtual address: sets GVA in mstatus/hstatus
  bool is_trigger;           ///< a breakpoint of a trigger: tval is what it says, not the pc
  bool is_stop;              ///< the debugger stops the hart before the instruction: nothing is delivered
  bool is_implicit;  ///< guest-page fault of an implicit access of the VS-stage walk: tinst is `tinst`
  std::uint8_t
      vaddr_offset;  ///< faulting address minus the instruction's address operand (page-crossing accesses)
  std::uint64_t tval;
  std::uint64_t gpa;    ///< guest-page faults: the guest physical address, whole (htval gets it >> 2)
  std::uint64_t tinst;  ///< pseudo-instruction of an implicit access
};

/// Makes the trap pending: the instruction under execution has no further effect. The first one raised wins.
void raise(Hart& hart, const Trap& trap);
/// Traps that carry the instruction bits in tval.
void raise_illegal(Hart& hart, std::uint64_t raw);
void raise_virtual(Hart& hart, std::uint64_t raw);

/// Delivers the pending synchronous trap raised at core.pc.
void deliver_trap(Hart& hart);
/// Takes the interrupt of highest priority that is pending and enabled, if any, at core.pc. Returns whether.
bool take_interrupt(Hart& hart);
/// Sets kAttendInterrupt when an enabled interrupt is pending; to be called after anything that may enable or
/// raise one. Own thread.
void update_interrupts(Hart& hart);
/// After so many wfi's that find an interrupt pending which the hart does not take, wfi waits for a change,
/// at most kNapNs. For such a hart polls memory, with wfi as a pause. OpenSBI 1.1 lets harts wait so for
/// their start: that takes a host core, and ends in a wild jump now and then, because it reads the start's
/// address before that is written (docs/adr/0003).
inline constexpr std::uint32_t kWfiPatience = 256;
inline constexpr std::int64_t kNapNs = 100'000'000;

/// Sets Hart::timers_due by the clock. Returns its time, or any where there is no timer to wait for.
std::uint64_t note_due_timers(Hart& hart);

/// Whether wfi must not sleep: any interrupt pending and enabled in mie (or hie, hgeie), whatever the global
/// enables say.
bool has_wakeup(const Hart& hart);
/// mip as software reads it: software bits, device lines, hvip, VS timer.
std::uint64_t pending_interrupts(const Hart& hart);

}  // namespace gstage::riscv
