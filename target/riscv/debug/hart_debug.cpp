// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/debug/hart_debug.h"

#include <algorithm>

#include "softmmu/base/bits.h"
#include "tcg/runtime/engine.h"
#include "target/riscv/decode/decode.h"
#include "target/riscv/mmu/mmu.h"
#include "target/riscv/mmu/translate.h"
#include "target/riscv/trap/trap.h"

namespace gstage::riscv {

namespace {

constexpr unsigned kSp = 2;

bool matches(const WorldFilter& filter, const Regime& regime) {
  const TlbKey key = regime.key();
  if (filter.v && *filter.v != regime.v()) return false;
  if (filter.vmid && (!regime.v() || *filter.vmid != key_vmid(key))) return false;
  if (filter.asid && (key_mode(key) == 0 || *filter.asid != key_asid(key))) return false;
  return !filter.privilege || *filter.privilege == regime.priv();
}

/// An address as what it counts as; nothing where it is none of that kind.
std::optional<std::uint64_t> as_kind(AddressKind kind, const Regime& regime, Vaddr vaddr,
                                     const Translation& t) {
  switch (kind) {
    case AddressKind::kVirtual: return vaddr.value;
    case AddressKind::kGuestPhysical:
      if (!regime.v()) return std::nullopt;
      return t.gpa;
    case AddressKind::kPhysical: return t.paddr.value;
  }
  return std::nullopt;
}

std::uint64_t last_of(const Watchpoint& point) { return point.address + (point.size - 1); }

}  // namespace

void HartDebug::reset() {
  pending_.reset();
  passes_at_.reset();
  forget_step();
  debugger_.forget_step(index_);
}

// What is set.

/// Pages that a new breakpoint or watchpoint concerns leave the tables.
void HartDebug::refresh() {
  const std::uint64_t version = debugger_.version();
  if (version == seen_version_) return;
  seen_version_ = version;
  const std::uint64_t insertions = points_.insertions;
  const std::uint64_t points = points_.version;
  Debugger::Step step;
  debugger_.copy(index_, points_, step);
  if (step.number != step_.number) {
    forget_step();
    step_ = step;
  }
  if (points_.version == points) return;
  // What was raised may be for what is gone; else it is raised again.
  pending_.reset();
  const auto has_asid = [](const auto& point) { return point.filter.asid.has_value(); };
  has_asids_ = std::any_of(points_.breakpoints.begin(), points_.breakpoints.end(), has_asid) ||
               std::any_of(points_.watchpoints.begin(), points_.watchpoints.end(), has_asid);
  hart_.debug = points_.breakpoints.empty() && points_.watchpoints.empty() ? nullptr : this;
  if (points_.insertions == insertions) return;
  hart_.mmu->tlb.for_each([](TlbContext& context) { context.clear(); });
  update_regimes(hart_);
}

std::optional<std::uint16_t> HartDebug::limit_of_fetch(const Regime& regime, Vaddr vaddr,
                                                       const Translation& t, std::uint16_t limit) {
  constexpr auto kPageEnd = static_cast<std::uint16_t>(kPageSize);
  const std::uint64_t here = vaddr.page_offset();
  // The second halfword of an instruction is fetched by itself, at times.
  const bool is_begin = vaddr.value == hart_.core.pc && !is_alone_;
  for (const Breakpoint& point : points_.breakpoints) {
    if (!matches(point.filter, regime)) continue;
    const std::optional<std::uint64_t> address = as_kind(point.kind, regime, vaddr, t);
    if (!address || (*address ^ point.address) >> kPageShift != 0) continue;
    const std::uint64_t at = point.address & kPageMask;
    if (at == here && is_begin) {
      raise_stop(StopCause::kBreakpoint, vaddr.value, WatchKind::kWrite);
      return std::nullopt;
    }
    const std::uint16_t end = at > here ? static_cast<std::uint16_t>(at) : kPageEnd;
    limit = limit == 0 ? end : std::min(limit, end);
  }
  return limit;
}

HartDebug::Watched HartDebug::watched(const Regime& regime, Vaddr page, const Translation& t) const {
  Watched result;
  for (const Watchpoint& point : points_.watchpoints) {
    if (!matches(point.filter, regime)) continue;
    const std::optional<std::uint64_t> address = as_kind(point.kind, regime, page, t);
    if (!address) continue;
    const std::uint64_t first = *address & ~kPageMask;
    if (last_of(point) < first || point.address > (first | kPageMask)) continue;
    // AMOs load through the table for writes.
    result.writes = true;
    result.reads = result.reads || point.watch != WatchKind::kWrite;
  }
  return result;
}

/// The first byte of the watchpoint that the access touches, if it is made: if none of its pages faults.
std::optional<std::uint64_t> HartDebug::touched(const Regime& regime, const Watchpoint& point, Vaddr vaddr,
                                                unsigned size, bool stores) {
  const auto of_virtual = [&](std::uint64_t first, unsigned bytes) -> std::optional<std::uint64_t> {
    const std::uint64_t last = first + (bytes - 1);
    if (last < point.address || first > last_of(point)) return std::nullopt;
    return std::max(first, point.address);
  };
  if (point.kind == AddressKind::kVirtual && !of_virtual(vaddr.value, size)) return std::nullopt;
  std::optional<std::uint64_t> found;
  for (unsigned done = 0; done < size;) {
    const Vaddr at = vaddr + done;
    const auto left = static_cast<unsigned>(kPageSize - at.page_offset());
    const unsigned bytes = std::min(size - done, left);
    const Translation t =
        translate(hart_, regime, at, bytes, stores ? AccessType::kStore : AccessType::kLoad);
    if (!t.ok() || hart_.memory->find(t.paddr) == nullptr) return std::nullopt;
    const std::optional<std::uint64_t> address = as_kind(point.kind, regime, at, t);
    if (address && !found) found = of_virtual(*address, bytes);
    done += bytes;
  }
  return found;
}

bool HartDebug::stops_access(const Regime& regime, Vaddr vaddr, unsigned size, AccessKind kind) {
  if (!sees_watchpoints_) return false;
  for (const Watchpoint& point : points_.watchpoints) {
    const bool is_wanted =
        (kind.stores && point.watch != WatchKind::kRead) || (kind.loads && point.watch != WatchKind::kWrite);
    if (!is_wanted || !matches(point.filter, regime)) continue;
    const std::optional<std::uint64_t> address = touched(regime, point, vaddr, size, kind.stores);
    if (!address) continue;
    raise_stop(StopCause::kWatchpoint, *address, point.watch);
    return true;
  }
  return false;
}

/// The instruction has no effect, as with a trap; but delivery only makes the hart leave (deliver_trap).
void HartDebug::raise_stop(StopCause cause, std::uint64_t address, WatchKind watch) {
  if (hart_.core.trap_pending != 0) return;
  pending_ = StopEvent{index_, cause, address, watch};
  Trap trap{};
  trap.is_stop = true;
  raise(hart_, trap);
}

// Where the hart stops.

bool HartDebug::attend(tcg::Engine& engine) {
  refresh();
  if (pending_) return report_pending() || proceed(engine);
  return proceed(engine);
}

/// Returns whether the hart stops: somebody wants to know.
bool HartDebug::report(const StopEvent& event) {
  const std::optional<Debugger::Answer> answer = debugger_.report(event);
  if (!answer) return false;
  const bool recurs = event.cause != StopCause::kStep;
  if (recurs && *answer == Debugger::Answer::kReported) passes_at_ = hart_.core.pc;
  forget_step();
  debugger_.forget_step(index_);
  return true;
}

void HartDebug::forget_step() {
  step_.mode.reset();
  away_.reset();
  hart_.stepping = nullptr;
}

bool HartDebug::report_pending() {
  const StopEvent event = *pending_;
  pending_.reset();
  if (report(event)) return true;
  passes_at_ = hart_.core.pc;
  return false;
}

HartDebug::World HartDebug::world() const {
  const TlbKey key = hart_.mmu->fetch.key();
  const bool is_user = hart_.priv == kUser;
  // A kernel is the same in all address spaces, and may come back in another one.
  return {hart_.priv, hart_.v, hart_.v != 0 ? key_vmid(key) : 0, is_user ? key_asid(key) : 0};
}

/// Behind the instruction at the pc; the pc itself if that cannot be fetched.
std::uint64_t HartDebug::next_pc() const {
  const std::optional<std::uint32_t> raw = peek_instruction(hart_);
  if (!raw) return hart_.core.pc;
  return hart_.core.pc + (is_long(static_cast<std::uint16_t>(*raw)) ? 4 : 2);
}

/// What stands between the hart and full speed. Returns whether the hart stops.
bool HartDebug::proceed(tcg::Engine& engine) {
  if (step_.mode) {
    if (!away_) return step_once(engine);
    const bool is_back = world() == away_->world && hart_.x[kSp] == away_->sp;
    const std::uint64_t pc = hart_.core.pc;
    if (!is_back || (pc != away_->pc && pc != away_->next)) return false;
    const bool is_done = pc != away_->pc;
    away_.reset();
    hart_.stepping = nullptr;
    return is_done ? end_step() : step_once(engine);
  }
  const bool passes = passes_at_ == hart_.core.pc;
  passes_at_.reset();
  // A hart that sleeps after wfi has the instruction at the pc before it.
  if (passes && hart_.is_waiting == 0) execute_one(engine, false);
  return false;
}

bool HartDebug::step_once(tcg::Engine& engine) {
  if (hart_.has_critical_error != 0) return end_step();
  hart_.is_waiting = 0;
  const bool passes = passes_at_ == hart_.core.pc;
  passes_at_.reset();
  Away away{world(), hart_.core.pc, next_pc(), hart_.x[kSp]};
  bool is_trapped = take_interrupt(hart_);
  if (is_trapped)
    away.next = away.pc;
  else
    is_trapped = execute_one(engine, !passes);
  if (pending_ && report_pending()) return true;
  // wfi may end at any time.
  if (hart_.has_critical_error == 0) hart_.is_waiting = 0;
  hart_.is_napping.store(0, std::memory_order_seq_cst);
  if (!is_trapped || *step_.mode == StepMode::kIntoTraps) return end_step();
  away_ = away;
  hart_.stepping = this;
  return false;
}

bool HartDebug::end_step() {
  step_.mode.reset();
  return report({index_, StopCause::kStep, hart_.core.pc, WatchKind::kWrite});
}

void HartDebug::note_return() {
  const std::uint64_t pc = hart_.core.pc;
  if (away_ && (pc == away_->pc || pc == away_->next))
    hart_.core.attention.fetch_or(kAttendDebug, std::memory_order_seq_cst);
}

/// Executes the instruction at the pc, whatever breakpoints are there. Returns whether it trapped.
bool HartDebug::execute_one(tcg::Engine& engine, bool sees_watchpoints) {
  is_alone_ = true;
  sees_watchpoints_ = sees_watchpoints;
  engine.run_block(hart_.core, hart_.mmu->tlb, 1);
  is_alone_ = false;
  sees_watchpoints_ = true;
  const bool is_trapped = hart_.core.trap_pending != 0;
  if (is_trapped) deliver_trap(hart_);
  return is_trapped && !pending_;
}

}  // namespace gstage::riscv
