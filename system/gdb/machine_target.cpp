// SPDX-License-Identifier: Apache-2.0
#include "system/gdb/machine_target.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "softmmu/base/format.h"
#include "target/riscv/cpu.h"
#include "target/riscv/csr/fields.h"
#include "target/riscv/guest.h"
#include "target/riscv/inspect/symbols.h"
#include "system/gdb/target_xml.h"

namespace gstage::gdb {

using riscv::AddressKind;
using riscv::StopCause;
using riscv::StopEvent;
using riscv::WatchKind;
using riscv::WorldKind;

namespace {

bool is_breakpoint(PointKind kind) { return kind == PointKind::kSoftware || kind == PointKind::kHardware; }

WatchKind watch_kind(PointKind kind) {
  if (kind == PointKind::kWrite) return WatchKind::kWrite;
  return kind == PointKind::kRead ? WatchKind::kRead : WatchKind::kAccess;
}
PointKind point_kind(WatchKind kind) {
  if (kind == WatchKind::kWrite) return PointKind::kWrite;
  return kind == WatchKind::kRead ? PointKind::kRead : PointKind::kAccess;
}

}  // namespace

MachineTarget::MachineTarget(Machine& machine, RunState& run_state, Hmp hmp)
    : machine_(machine),
      run_state_(run_state),
      hmp_(std::move(hmp)),
      debugger_(machine.harts()->debugger()),
      states_(machine.harts()->count()) {
  for (unsigned hart = 0; hart < machine.harts()->count(); ++hart)
    harts_.push_back(&machine.harts()->cpu(hart).hart());
  subscription_ = run_state_.on_stopped([this](const StopEvent& event) { stopped(event); });
}

MachineTarget::~MachineTarget() { run_state_.forget_listener(subscription_); }

void MachineTarget::listen(TargetListener* listener) {
  listener_ = listener;
  if (listener != nullptr) {
    // Not before: which registers there are follows from misa, and the harts are reset once the machine runs.
    registers_ = riscv::list_registers(*harts_.front());
    return;
  }
  choices_ = Choices{};
  if (is_non_stop_) return;
  // What was to stay while others ran is nobody's business any more.
  for (unsigned hart = 0; hart < harts(); ++hart)
    if (std::exchange(states_[hart].is_held, false)) run_state_.let_go(hart);
}

bool MachineTarget::is_running(unsigned hart) const {
  if (is_non_stop_) return !states_[hart].is_parked;
  return !run_state_.is_paused() || !are_parked_;
}

bool MachineTarget::wait_until_parked() {
  return run_state_.while_stopped([] {});
}

void MachineTarget::set_non_stop(bool is_non_stop) {
  if (is_non_stop == is_non_stop_) return;
  // Between the two all harts stand still: the machine is paused, then each hart is held, or the reverse.
  run_state_.pause();
  if (!wait_until_parked()) return;
  is_non_stop_ = is_non_stop;
  run_state_.set_stop_mode(is_non_stop ? StopMode::kNonStop : StopMode::kAllStop);
  for (unsigned hart = 0; hart < harts(); ++hart) {
    states_[hart].is_held = false;
    states_[hart].is_parked = true;
    if (is_non_stop)
      run_state_.hold(hart);
    else
      run_state_.let_go(hart);
  }
  are_parked_ = true;
  if (is_non_stop) run_state_.resume();
}

void MachineTarget::resume(std::span<const Move> moves) {
  if (std::find(moves.begin(), moves.end(), Move::kStep) == moves.end()) forget_unused();
  if (!is_non_stop_) return resume_all(moves);
  for (unsigned hart = 0; hart < harts(); ++hart) {
    if (moves[hart] == Move::kStay || !states_[hart].is_parked) continue;
    if (moves[hart] == Move::kStep) debugger_.step(hart, choices_.step);
    states_[hart].is_parked = false;
    run_state_.let_go(hart);
  }
  // Somebody else has paused the machine meanwhile.
  if (run_state_.is_paused()) run_state_.resume();
}

void MachineTarget::resume_all(std::span<const Move> moves) {
  for (unsigned hart = 0; hart < harts(); ++hart) {
    const bool stays = moves[hart] == Move::kStay;
    if (stays && !states_[hart].is_held) run_state_.hold(hart);
    if (!stays && states_[hart].is_held) run_state_.let_go(hart);
    states_[hart].is_held = stays;
    if (moves[hart] == Move::kStep) debugger_.step(hart, choices_.step);
  }
  are_parked_ = false;
  run_state_.resume();
}

void MachineTarget::stop(unsigned hart, unsigned signal) {
  if (is_non_stop_) {
    if (states_[hart].is_parked) return;
    states_[hart].signal = signal;
    return run_state_.hold(hart);
  }
  for (HartState& state : states_) state.signal = signal;
  if (!run_state_.is_paused()) {
    are_parked_ = false;
    return run_state_.pause();
  }
  are_parked_ = are_parked_ || wait_until_parked();
}

Stop MachineTarget::stop_of(const StopEvent& event) {
  Stop stop{event.hart, kSigtrap, std::nullopt, event.address};
  if (event.cause == StopCause::kHalted) stop.signal = std::exchange(states_[event.hart].signal, kSigint);
  if (event.cause == StopCause::kWatchpoint) stop.point = point_kind(event.watch);
  if (event.cause == StopCause::kBreakpoint) {
    const auto found = points_.find({PointKind::kHardware, event.address});
    const bool is_hardware = found != points_.end() && found->second.is_set;
    stop.point = is_hardware ? PointKind::kHardware : PointKind::kSoftware;
  }
  return stop;
}

void MachineTarget::stopped(const StopEvent& event) {
  are_parked_ = true;
  states_[event.hart].is_parked = true;
  const Stop stop = stop_of(event);
  if (listener_ != nullptr) listener_->stopped(stop);
}

std::string MachineTarget::description() { return describe_target(registers_); }
std::string MachineTarget::memory_map() { return describe_memory(machine_.memory()); }

const riscv::Register* MachineTarget::find(unsigned number) const {
  const auto found = std::lower_bound(registers_.begin(), registers_.end(), number,
                                      [](const riscv::Register& row, unsigned n) { return row.number < n; });
  return found != registers_.end() && found->number == number ? &*found : nullptr;
}

std::optional<std::string> MachineTarget::read_register(unsigned hart, unsigned number) {
  const riscv::Register* const row = find(number);
  if (row == nullptr) return std::nullopt;
  const auto value = riscv::read_register(*harts_[hart], *row);
  if (!value) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(&*value), row->bits / 8);
}

bool MachineTarget::write_register(unsigned hart, unsigned number, const std::string& bytes) {
  const riscv::Register* const row = find(number);
  if (row == nullptr || bytes.size() != row->bits / 8) return false;
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), bytes.size());
  return riscv::write_register(*harts_[hart], *row, value);
}

Result<riscv::Regime> MachineTarget::view(unsigned hart) {
  return riscv::regime_of(*harts_[hart], choices_.world, harts_);
}

std::string MachineTarget::read_memory(unsigned hart, std::uint64_t address, std::size_t size) {
  auto from = view(hart);
  if (!from.ok()) return "";
  std::string bytes(size, '\0');
  const riscv::MemoryAccess access{*harts_[hart], *from, choices_.has_devices};
  bytes.resize(riscv::read_memory(access, address, std::as_writable_bytes(std::span(bytes))));
  return bytes;
}

bool MachineTarget::write_memory(unsigned hart, std::uint64_t address, const std::string& bytes) {
  auto to = view(hart);
  if (!to.ok()) return false;
  const riscv::MemoryAccess access{*harts_[hart], *to, choices_.has_devices};
  return riscv::write_memory(access, address, std::as_bytes(std::span(bytes))) == bytes.size();
}

std::string MachineTarget::hart_text(unsigned hart) {
  if (is_running(hart)) return "running";
  const riscv::Hart& h = *harts_[hart];
  const bool v = h.v != 0;
  std::string text = riscv::mode_name(h.priv, v);
  text += format(" V=%d", v ? 1 : 0);
  if (v) text += format(" VMID %u", static_cast<unsigned>(riscv::atp::Vmid::get(h.hgatp)));
  if (h.priv != riscv::kMachine)
    text += format(" ASID %u", static_cast<unsigned>(riscv::atp::Asid::get(h.s->satp)));
  text += format(" pc 0x%llx", static_cast<unsigned long long>(h.core.pc));
  const auto vmid = v ? std::optional(static_cast<unsigned>(riscv::atp::Vmid::get(h.hgatp))) : std::nullopt;
  if (const auto place = riscv::program_symbols().find(h.core.pc, vmid)) text += " " + place->text();
  return text;
}

/// The world's kind of address and its filter, narrowed by the user's.
MachineTarget::Meaning MachineTarget::meaning_now(const Point& point) const {
  Meaning meaning{AddressKind::kVirtual, choices_.filter, point.size, false, 0};
  riscv::WorldFilter& filter = meaning.filter;
  switch (choices_.world.kind) {
    case WorldKind::kCurrent: break;
    case WorldKind::kPhysical: meaning.kind = AddressKind::kPhysical; break;
    case WorldKind::kGuestPhysical: meaning.kind = AddressKind::kGuestPhysical; break;
    case WorldKind::kHost: filter.v = filter.v.value_or(false); break;
    case WorldKind::kGuestVirtual: filter.v = filter.v.value_or(true); break;
    case WorldKind::kVmid:
      filter.v = filter.v.value_or(true);
      filter.vmid = filter.vmid.value_or(choices_.world.vmid);
      break;
  }
  return meaning;
}

void MachineTarget::change(const PointKey& key, const Meaning& meaning, bool is_insert, Status& status) {
  const auto& [kind, address] = key;
  if (is_breakpoint(kind)) {
    const riscv::Breakpoint point{meaning.kind, address, meaning.filter};
    if (is_insert)
      status = debugger_.insert(point);
    else
      debugger_.remove(point);
    return;
  }
  const riscv::Watchpoint point{meaning.kind, address, meaning.size, watch_kind(kind), meaning.filter};
  if (is_insert)
    status = debugger_.insert(point);
  else
    debugger_.remove(point);
}

Status MachineTarget::insert(const Point& point) {
  const PointKey key{point.kind, point.address};
  auto [found, is_new] = points_.try_emplace(key, meaning_now(point));
  // gdb asks for each of its breakpoints once, whatever it means by them.
  if (found->second.is_set) return Ok{};
  if (!is_new && found->second.removed_at != choice_count_) found->second = meaning_now(point);
  if (!is_breakpoint(point.kind)) found->second.size = point.size;
  Status status = Ok{};
  change(key, found->second, true, status);
  if (status.ok())
    found->second.is_set = true;
  else if (is_new)
    points_.erase(found);
  return status;
}

void MachineTarget::remove(const Point& point) {
  const auto found = points_.find({point.kind, point.address});
  if (found == points_.end() || !found->second.is_set) return;
  found->second.is_set = false;
  found->second.removed_at = choice_count_;
  Status status = Ok{};
  change(found->first, found->second, false, status);
}

void MachineTarget::remove_all_points() {
  for (const auto& [key, meaning] : points_) {
    Status status = Ok{};
    if (meaning.is_set) change(key, meaning, false, status);
  }
  points_.clear();
}

/// Before harts go on without a step gdb has put in what it still wants.
void MachineTarget::forget_unused() {
  std::erase_if(points_, [](const auto& point) { return !point.second.is_set; });
}

void MachineTarget::kill() { run_state_.control().request(MachineRequest::kQuit); }

void MachineTarget::restart() {
  run_state_.while_stopped([this] { machine_.reset(); });
}

}  // namespace gstage::gdb
