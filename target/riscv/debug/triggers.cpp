// SPDX-License-Identifier: Apache-2.0
// What the triggers match and when they fire (debug specification, "Sdtrig").
#include "target/riscv/debug/triggers.h"

#include "target/riscv/csr/fields.h"
#include "target/riscv/mmu/translate.h"
#include "target/riscv/trap/trap.h"

namespace gstage::riscv {

namespace {

using namespace tdata1;

constexpr std::uint8_t kModeM = mode_bit(kMachine, false);
constexpr std::uint8_t kModeS = mode_bit(kSupervisor, false);
constexpr std::uint8_t kModeU = mode_bit(kUser, false);
constexpr std::uint8_t kModeVs = mode_bit(kSupervisor, true);
constexpr std::uint8_t kModeVu = mode_bit(kUser, true);

/// The modes that the bits of one type's tdata1 name.
template <class M, class S, class U, class Vs, class Vu>
std::uint8_t named_modes(std::uint64_t value) {
  std::uint8_t modes = 0;
  if (M::get(value) != 0) modes |= kModeM;
  if (S::get(value) != 0) modes |= kModeS;
  if (U::get(value) != 0) modes |= kModeU;
  if (Vs::get(value) != 0) modes |= kModeVs;
  if (Vu::get(value) != 0) modes |= kModeVu;
  return modes;
}

std::uint8_t modes_of(const Trigger& trigger) {
  const std::uint64_t value = trigger.tdata1;
  switch (Type::get(value)) {
    case kMcontrol6:
      return named_modes<mcontrol6::M, mcontrol6::S, mcontrol6::U, mcontrol6::Vs, mcontrol6::Vu>(value);
    case kIcount: return named_modes<icount::M, icount::S, icount::U, icount::Vs, icount::Vu>(value);
    case kEtrigger:
      return named_modes<etrigger::M, etrigger::S, etrigger::U, etrigger::Vs, etrigger::Vu>(value);
    default: return 0;
  }
}

bool is_type(const Trigger& trigger, std::uint64_t type) { return Type::get(trigger.tdata1) == type; }
bool is_counting(const Trigger& trigger) {
  return is_type(trigger, kIcount) &&
         (icount::Count::get(trigger.tdata1) != 0 || icount::Pending::get(trigger.tdata1) != 0);
}

/// Whether triggers may fire here. Breakpoints should not hit the handler that they go to before it has saved
/// its state: `sdtrig-guard` is the first of the two solutions of "Native Triggers". Without it there is
/// none.
bool is_reentrant(const Hart& hart) {
  if (!hart.config->sdtrig_guard) return true;
  constexpr std::uint64_t kBreakpointBit = 1u << static_cast<unsigned>(Cause::kBreakpoint);
  if (hart.priv == kMachine) return status::Mie::get(hart.mstatus) != 0;
  if (hart.priv == kUser || (hart.medeleg & kBreakpointBit) == 0) return true;
  if (hart.v == 0) return status::Sie::get(hart.hs.status) != 0;
  return (hart.hedeleg & kBreakpointBit) == 0 || status::Sie::get(hart.vs.status) != 0;
}

bool is_enabled(const Hart& hart, const Trigger& trigger) {
  return (modes_of(trigger) & mode_bit(hart.priv, hart.v != 0)) != 0;
}

/// Whether the size field lets an access or an instruction of so many bytes through.
bool is_size(std::uint64_t size_field, unsigned size) {
  static constexpr std::uint8_t kSizes[] = {0, 1, 2, 4, 0, 8, 0, 0};
  return size_field == 0 || kSizes[size_field] == size;
}

/// A range of addresses, both ends included.
struct Range {
  std::uint64_t first;
  std::uint64_t last;
};

/// What tdata2 stands for.
Range watched_range(const Trigger& trigger) {
  const std::uint64_t value = trigger.tdata2;
  switch (mcontrol6::Match::get(trigger.tdata1)) {
    case mcontrol6::kNapot: {
      // All bits up to the lowest zero are free; all ones leave one bit to compare.
      const std::uint64_t free = (value ^ (value + 1)) & ~(std::uint64_t{1} << 63);
      return {value & ~free, value | free};
    }
    case mcontrol6::kNotBelow: return {value, ~std::uint64_t{0}};
    case mcontrol6::kBelow: return value == 0 ? Range{1, 0} : Range{0, value - 1};
    default: return {value, value};
  }
}

bool overlap(const Range& a, const Range& b) {
  return a.first <= a.last && a.first <= b.last && b.first <= a.last;
}

void raise_breakpoint(Hart& hart, std::uint64_t tval, bool is_guest_vaddr) {
  Trap trap{};
  trap.cause = Cause::kBreakpoint;
  trap.is_trigger = true;
  trap.tval = tval;
  trap.tval_is_guest_vaddr = is_guest_vaddr;
  raise(hart, trap);
}

/// One match of an instruction count.
void count_down(Hart& hart, Trigger& trigger) {
  const std::uint64_t count = icount::Count::get(trigger.tdata1);
  if (count == 0) return;
  trigger.tdata1 = icount::Count::set(trigger.tdata1, count - 1);
  if (count != 1) return;
  trigger.tdata1 |= icount::Pending::kMask;
  triggers_changed(hart);
}

/// Fires the counts that are pending. Returns whether one did.
bool fire_counts(Hart& hart) {
  bool has_fired = false;
  for (Trigger& trigger : hart.triggers) {
    if (!is_type(trigger, kIcount) || icount::Pending::get(trigger.tdata1) == 0) continue;
    if (!is_enabled(hart, trigger)) continue;
    trigger.tdata1 = icount::Hit::set(trigger.tdata1 & ~icount::Pending::kMask, 1);
    has_fired = true;
  }
  if (has_fired) {
    triggers_changed(hart);
    raise_breakpoint(hart, 0, false);
  }
  return has_fired;
}

}  // namespace

void triggers_changed(Hart& hart) {
  hart.execute_trigger_modes = hart.access_trigger_modes = hart.trap_trigger_modes = 0;
  for (const Trigger& trigger : hart.triggers) {
    const std::uint8_t modes = modes_of(trigger);
    const std::uint64_t value = trigger.tdata1;
    const bool is_match = is_type(trigger, kMcontrol6);
    if ((is_match && mcontrol6::Execute::get(value) != 0) || is_counting(trigger))
      hart.execute_trigger_modes |= modes;
    if (is_match && (value & (mcontrol6::Load::kMask | mcontrol6::Store::kMask)) != 0)
      hart.access_trigger_modes |= modes;
    if (is_type(trigger, kEtrigger) || is_counting(trigger)) hart.trap_trigger_modes |= modes;
  }
}

void check_instruction(Hart& hart, Vaddr pc, unsigned size) {
  if (!is_reentrant(hart) || fire_counts(hart)) return;
  bool has_fired = false;
  for (Trigger& trigger : hart.triggers) {
    if (!is_enabled(hart, trigger)) continue;
    if (is_type(trigger, kIcount)) count_down(hart, trigger);
    if (!is_type(trigger, kMcontrol6) || mcontrol6::Execute::get(trigger.tdata1) == 0) continue;
    // An instruction is known by its lowest address.
    if (!is_size(mcontrol6::Size::get(trigger.tdata1), size) ||
        !overlap(watched_range(trigger), {pc.value, pc.value}))
      continue;
    trigger.tdata1 |= mcontrol6::Hit0::kMask;
    has_fired = true;
  }
  if (has_fired) raise_breakpoint(hart, pc.value, hart.v != 0);
}

bool check_access(Hart& hart, bool is_guest_vaddr, Vaddr vaddr, unsigned size, AccessKind kind) {
  if ((hart.access_trigger_modes & mode_bit(hart.priv, hart.v != 0)) == 0 || !is_reentrant(hart))
    return false;
  bool has_fired = false;
  for (Trigger& trigger : hart.triggers) {
    if (!is_type(trigger, kMcontrol6) || !is_enabled(hart, trigger)) continue;
    const std::uint64_t value = trigger.tdata1;
    const bool is_wanted = (kind.loads && mcontrol6::Load::get(value) != 0) ||
                           (kind.stores && mcontrol6::Store::get(value) != 0);
    if (!is_wanted || !is_size(mcontrol6::Size::get(value), size)) continue;
    // Each byte's address is compared.
    if (!overlap(watched_range(trigger), {vaddr.value, vaddr.value + (size - 1)})) continue;
    trigger.tdata1 |= mcontrol6::Hit0::kMask;
    has_fired = true;
  }
  if (has_fired) raise_breakpoint(hart, vaddr.value, is_guest_vaddr);
  return has_fired;
}

bool is_watched(const Hart& hart, TlbAccess access, Vaddr page) {
  if (hart.access_trigger_modes == 0) return false;
  // AMOs load through the table for writes.
  const std::uint64_t seen =
      mcontrol6::Load::kMask | (access == TlbAccess::kWrite ? mcontrol6::Store::kMask : 0);
  for (const Trigger& trigger : hart.triggers) {
    if (!is_type(trigger, kMcontrol6) || (trigger.tdata1 & seen) == 0 || modes_of(trigger) == 0) continue;
    if (overlap(watched_range(trigger), {page.value, page.value | kPageMask})) return true;
  }
  return false;
}

/// Instructions are counted when they begin, whether they trap or not. What is left are traps without one:
/// interrupts and faults of the fetch.
void count_trap(Hart& hart, std::uint64_t cause) {
  constexpr std::uint64_t kOfFetch = 1ull << static_cast<unsigned>(Cause::kFetchAccess) |
                                     1ull << static_cast<unsigned>(Cause::kFetchPageFault) |
                                     1ull << static_cast<unsigned>(Cause::kFetchGuestPageFault);
  if ((hart.trap_trigger_modes & mode_bit(hart.priv, hart.v != 0)) == 0 || !is_reentrant(hart)) return;
  const bool has_no_instruction = (cause & kCauseInterrupt) != 0 || (kOfFetch >> cause & 1) != 0;
  if (!has_no_instruction) return;
  for (Trigger& trigger : hart.triggers)
    if (is_type(trigger, kIcount) && is_enabled(hart, trigger)) count_down(hart, trigger);
}

bool fires_for_exception(Hart& hart, std::uint64_t cause, std::uint8_t from) {
  if ((hart.trap_trigger_modes & from) == 0 || (cause & kCauseInterrupt) != 0 || !is_reentrant(hart))
    return false;
  bool has_fired = false;
  for (Trigger& trigger : hart.triggers) {
    if (!is_type(trigger, kEtrigger) || (modes_of(trigger) & from) == 0) continue;
    if ((trigger.tdata2 >> cause & 1) == 0) continue;
    trigger.tdata1 |= etrigger::Hit::kMask;
    has_fired = true;
  }
  return has_fired;
}

}  // namespace gstage::riscv
