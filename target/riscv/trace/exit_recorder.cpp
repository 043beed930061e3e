// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/trace/exit_recorder.h"

#include <algorithm>
#include <bit>

#include "softmmu/base/bits.h"

namespace gstage::riscv {

namespace {

constexpr std::uint64_t code_of(Cause cause) { return static_cast<std::uint64_t>(cause); }

/// hgatp.VMID.
std::uint16_t vmid_of(const Hart& hart) { return static_cast<std::uint16_t>(bits(hart.hgatp, 57, 44)); }

bool is_guest_page_fault(std::uint64_t cause) {
  return cause == code_of(Cause::kFetchGuestPageFault) || cause == code_of(Cause::kLoadGuestPageFault) ||
         cause == code_of(Cause::kStoreGuestPageFault);
}

/// Bits 1:0 of the guest physical address are those of the virtual one, but for an implicit access of the
/// walk, which is aligned ("Hypervisor Trap Value (htval) Register").
std::uint64_t address_of(const TrapEntry& entry) {
  if (!is_guest_page_fault(entry.cause)) return entry.tval;
  constexpr std::uint64_t kPseudoinstructions[] = {0x3000, 0x3020};
  const bool is_implicit = std::find(std::begin(kPseudoinstructions), std::end(kPseudoinstructions),
                                     entry.tinst) != std::end(kPseudoinstructions);
  return entry.tval2 << 2 | (is_implicit ? 0 : entry.tval & 3);
}

/// SBI: a7 is the extension, a6 the function; the legacy extensions 0 to 15 have no functions.
void read_call(const Hart& hart, ExitKey& key) {
  constexpr std::uint64_t kLastLegacy = 15;
  key.extension = hart.x[17];
  key.function = key.extension <= kLastLegacy ? 0 : hart.x[16];
}

ExitPlace place_of(Privilege priv) {
  if (priv == kMachine) return ExitPlace::kFirmware;
  return priv == kSupervisor ? ExitPlace::kHypervisor : ExitPlace::kUser;
}

unsigned index_of(ExitPlace place) { return static_cast<unsigned>(place); }

}  // namespace

void ExitRecorder::trap(const Hart& hart, TrapTarget target, const TrapEntry& entry) {
  if (hart.v == 0) {
    if (!is_out_ || target != TrapTarget::kMachine) return;
    below_ = {entry.cause, 0, 0, exit_.key.vmid};
    if (entry.cause == code_of(Cause::kEcallHs)) read_call(hart, below_);
    return;
  }
  if (target == TrapTarget::kGuest) return;
  exit_.key = {entry.cause, 0, 0, vmid_of(hart)};
  if (entry.cause == code_of(Cause::kEcallVs)) read_call(hart, exit_.key);
  exit_.pc = hart.core.pc;
  exit_.address = address_of(entry);
  below_ = exit_.key;
}

void ExitRecorder::non_maskable(const Hart& hart, std::uint64_t cause) {
  TrapEntry entry{};
  entry.cause = cause;
  trap(hart, TrapTarget::kMachine, entry);
}

void ExitRecorder::mode(const Hart& hart, Privilege priv, bool v) {
  if (hart.v != 0) {
    if (!v) begin(time_.ticks(), place_of(priv));
    return;
  }
  if (v) {
    const std::uint64_t now = time_.ticks();
    if (is_out_) finish(hart, now);
    is_out_ = false;
    entered_ = now;
    return;
  }
  if (is_out_ && place_of(priv) != place_) move(time_.ticks(), place_of(priv));
}

void ExitRecorder::sleep(const Hart& hart, bool is_asleep) {
  if (is_out_)
    move(time_.ticks(), is_asleep ? ExitPlace::kIdle : place_of(static_cast<Privilege>(hart.priv)));
}

void ExitRecorder::end(const Hart& hart) {
  if (!is_out_) return;
  exit_.has_returned = false;
  finish(hart, time_.ticks());
  is_out_ = false;
  exit_.has_returned = true;
}

void ExitRecorder::begin(std::uint64_t now, ExitPlace place) {
  is_out_ = true;
  place_ = place;
  since_ = now;
  stays_ = 0;
  ticks_ = {};
  exit_.begin = now;
  exit_.entered = entered_;
  exit_.is_to_hypervisor = place == ExitPlace::kHypervisor;
}

void ExitRecorder::move(std::uint64_t now, ExitPlace place) {
  ticks_[index_of(place_)] += now - since_;
  if (ring_ != nullptr && place_ != ExitPlace::kHypervisor && stays_ < kMaxStays) {
    ++stays_;
    ExitEvent stay;
    stay.kind = ExitEvent::Kind::kStay;
    stay.place = place_;
    stay.key = place_ == ExitPlace::kFirmware ? below_ : exit_.key;
    stay.key.vmid = exit_.key.vmid;
    stay.begin = since_;
    stay.end = now;
    ring_->push(stay);
  }
  if (place == ExitPlace::kHypervisor) exit_.is_to_hypervisor = true;
  place_ = place;
  since_ = now;
}

void ExitRecorder::finish(const Hart& hart, std::uint64_t now) {
  ticks_[index_of(place_)] += now - since_;
  const std::uint64_t ns = time_.ns(now - exit_.begin);
  const ExitTotals::Entry entry = totals_.find(exit_.key, exit_.pc);
  ExitGroup& group = *entry.group;
  add_to(group.count, 1);
  exit_.ns[0] = ns;
  add_to(group.ns[0], ns);
  for (unsigned i = 1; i < kExitPlaces; ++i) {
    exit_.ns[i] = ticks_[i] == 0 ? 0 : time_.ns(ticks_[i]);
    if (exit_.ns[i] != 0) add_to(group.ns[i], exit_.ns[i]);
  }
  if (ns > group.longest_ns.load(std::memory_order_relaxed))
    group.longest_ns.store(ns, std::memory_order_relaxed);
  add_to(group.buckets[std::min<unsigned>(static_cast<unsigned>(std::bit_width(ns)), kExitBuckets - 1)], 1);
  if (entry.site != nullptr) {
    add_to(entry.site->count, 1);
    add_to(entry.site->ns, ns);
  }
  if (ring_ == nullptr) return;
  exit_.end = now;
  exit_.next_vmid = vmid_of(hart);
  ring_->push(exit_);
}

}  // namespace gstage::riscv
