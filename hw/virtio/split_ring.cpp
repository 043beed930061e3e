// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/split_ring.h"

#include <atomic>
#include <bit>
#include <cstring>

#include "hw/core/visitor.h"

namespace gstage::hw {
namespace {

constexpr std::uint16_t kNoInterrupt = 1;  // flags of the driver area
constexpr std::uint16_t kNoNotify = 1;     // flags of the device area
constexpr unsigned kUsedElementBytes = 8;
/// Offsets within the driver and the device area; the event field follows the ring.
constexpr unsigned kIndexOffset = 2;
constexpr unsigned kRingOffset = 4;

}  // namespace

const char* SplitRing::start() {
  if (!std::has_single_bit(setup_.size)) return "the queue's size is not a power of two";
  const std::uint64_t event = features_.has_event_idx ? 2 : 0;
  const std::uint64_t size = setup_.size;
  const char* wrong = nullptr;
  descriptors_ = locate(setup_.descriptors, size * kDescriptorBytes, 16, wrong);
  driver_area_ = locate(setup_.driver_area, kRingOffset + size * 2 + event, 2, wrong);
  device_area_ = locate(setup_.device_area, kRingOffset + size * kUsedElementBytes + event, 4, wrong);
  return wrong;
}

void SplitRing::set_used(unsigned offset, const void* from, unsigned size) {
  std::memcpy(device_area_ + offset, from, size);
  memory_.dirty(Paddr{setup_.device_area + offset}, size);
}

bool SplitRing::has_next() const { return available(kIndexOffset) != state_.next_available; }

const char* SplitRing::take(Chain& chain) {
  if (static_cast<std::uint16_t>(available(kIndexOffset) - state_.next_available) > setup_.size)
    return "the available index is ahead by more than the queue's size";
  chain.id = available(kRingOffset + state_.next_available % setup_.size * 2);
  chain.slots = 1;
  ++state_.next_available;
  return walk({descriptors_, setup_.size}, chain.id, false, chain);
}

void SplitRing::put_back(const Chain& /*chain*/) { --state_.next_available; }

const char* SplitRing::walk(Table table, std::uint16_t index, bool is_indirect, Chain& chain) {
  for (std::uint32_t steps = 0;; ++steps) {
    if (steps >= table.count) return "a descriptor chain is a loop";
    if (index >= table.count) return "a descriptor's index is beyond the table";
    Descriptor descriptor{};
    std::memcpy(&descriptor, table.host + std::size_t{index} * kDescriptorBytes, sizeof descriptor);
    if ((descriptor.flags & kIndirect) != 0) {
      if (!features_.has_indirect) return "an indirect descriptor without the feature";
      if (is_indirect) return "an indirect descriptor within an indirect table";
      if ((descriptor.flags & kNext) != 0) return "an indirect descriptor with a successor";
      const std::byte* host = nullptr;
      if (const char* wrong = locate_table(descriptor.address, descriptor.length, host)) return wrong;
      return walk({host, descriptor.length / kDescriptorBytes}, 0, true, chain);
    }
    const bool is_writable = (descriptor.flags & kWrite) != 0;
    if (const char* wrong = chain.add(memory_, Paddr{descriptor.address}, descriptor.length, is_writable))
      return wrong;
    if ((descriptor.flags & kNext) == 0) return nullptr;
    index = descriptor.next;
  }
}

void SplitRing::stage(const Chain& chain, std::uint32_t written) {
  const std::uint32_t element[2] = {chain.id, written};
  set_used(kRingOffset + state_.next_used % setup_.size * kUsedElementBytes, element, sizeof element);
  ++state_.next_used;
}

void SplitRing::publish() {
  // The elements must be visible before the index.
  store_release(device_area_ + kIndexOffset, state_.next_used);
  memory_.dirty(Paddr{setup_.device_area + kIndexOffset}, sizeof state_.next_used);
}

void SplitRing::ask_for_notifications(bool is_wanted) {
  if (!features_.has_event_idx) {
    const std::uint16_t flags = is_wanted ? 0 : kNoNotify;
    return set_used(0, &flags, sizeof flags);
  }
  // What is behind the next buffer the driver never reaches (Virtio 1.3, 2.7.10).
  if (!is_wanted && state_.asked != state_.next_available) return;
  state_.asked = static_cast<std::uint16_t>(state_.next_available - (is_wanted ? 0 : 1));
  set_used(kRingOffset + setup_.size * kUsedElementBytes, &state_.asked, sizeof state_.asked);
}

bool SplitRing::must_interrupt() {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const std::uint16_t before = state_.signalled_used;
  state_.signalled_used = state_.next_used;
  if (before == state_.next_used) return false;
  if (!features_.has_event_idx) return (available(0) & kNoInterrupt) == 0;
  // Whether used_event lies among the entries written since (Virtio 1.3, 2.7.7.2).
  const std::uint16_t event = available(kRingOffset + setup_.size * 2);
  return static_cast<std::uint16_t>(state_.next_used - event - 1) <
         static_cast<std::uint16_t>(state_.next_used - before);
}

void SplitRing::visit(Visitor& visitor) {
  visitor.field("next_available", state_.next_available);
  visitor.field("next_used", state_.next_used);
  visitor.field("signalled_used", state_.signalled_used);
  visitor.field("asked", state_.asked);
}

}  // namespace gstage::hw
