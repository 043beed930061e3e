// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/packed_ring.h"

#include <atomic>
#include <cstring>

#include "hw/core/visitor.h"

namespace gstage::hw {
namespace {

constexpr std::uint16_t kAvailable = 1 << 7;
constexpr std::uint16_t kUsed = 1 << 15;
constexpr unsigned kLengthOffset = 8;
constexpr unsigned kIdOffset = 12;
constexpr unsigned kFlagsOffset = 14;

/// The structures of events: where and when, and whether at all.
constexpr unsigned kEventPositionOffset = 0;
constexpr unsigned kEventFlagsOffset = 2;
constexpr unsigned kEventBytes = 4;
constexpr std::uint16_t kEventWrap = 1 << 15;
enum EventFlags : std::uint16_t { kEnable = 0, kDisable = 1, kAtDescriptor = 2, kEventFlagsMask = 3 };

}  // namespace

const char* PackedRing::start() {
  if (setup_.size == 0 || setup_.size > kMaxSize) return "the queue's size is out of range";
  const char* wrong = nullptr;
  descriptors_ = locate(setup_.descriptors, std::uint64_t{setup_.size} * kDescriptorBytes, 16, wrong);
  driver_area_ = locate(setup_.driver_area, kEventBytes, 4, wrong);
  device_area_ = locate(setup_.device_area, kEventBytes, 4, wrong);
  return wrong;
}

bool PackedRing::is_available(Position at) const {
  const std::uint16_t flags = load_acquire(descriptor(at.index) + kFlagsOffset);
  return ((flags & kAvailable) != 0) == at.wrap && ((flags & kUsed) != 0) != at.wrap;
}

bool PackedRing::has_next() const { return is_available(state_.available); }

void PackedRing::advance(Position& position, unsigned count) const {
  const unsigned index = position.index + count;
  const bool is_around = index >= setup_.size;
  position.index = static_cast<std::uint16_t>(is_around ? index - setup_.size : index);
  position.wrap = position.wrap != is_around;
}

const char* PackedRing::take(Chain& chain) {
  Position at = state_.available;
  Descriptor now{};
  do {
    // Of the buffers that are under way and of this one (Virtio 1.3, 2.8.19 "Scatter-Gather Support").
    if (state_.taken + chain.slots >= setup_.size) return "more descriptors are available than the ring has";
    // All of a chain are available before the first is.
    if (!is_available(at)) return "a descriptor within a chain is not available";
    std::memcpy(&now, descriptor(at.index), sizeof now);
    const bool is_writable = (now.flags & kWrite) != 0;
    const char* wrong = nullptr;
    if ((now.flags & kIndirect) == 0)
      wrong = chain.add(memory_, Paddr{now.address}, now.length, is_writable);
    else if (chain.slots != 0 || (now.flags & kNext) != 0)
      wrong = "an indirect descriptor within a chain";
    else
      wrong = add_table(now, chain);
    if (wrong != nullptr) return wrong;
    ++chain.slots;
    advance(at, 1);
  } while ((now.flags & kNext) != 0);
  chain.id = now.id;  // the last one has it
  state_.available = at;
  state_.taken += chain.slots;
  return nullptr;
}

const char* PackedRing::add_table(const Descriptor& descriptor, Chain& chain) {
  if (!features_.has_indirect) return "an indirect descriptor without the feature";
  const std::byte* table = nullptr;
  if (const char* wrong = locate_table(descriptor.address, descriptor.length, table)) return wrong;
  // One behind the other; of their flags only "writable" means anything (2.8.7).
  for (std::uint32_t at = 0; at < descriptor.length; at += kDescriptorBytes) {
    Descriptor element{};
    std::memcpy(&element, table + at, sizeof element);
    const bool is_writable = (element.flags & kWrite) != 0;
    if (const char* wrong = chain.add(memory_, Paddr{element.address}, element.length, is_writable))
      return wrong;
  }
  return nullptr;
}

void PackedRing::put_back(const Chain& chain) {
  state_.taken -= chain.slots;
  Position& at = state_.available;
  const bool is_around = at.index < chain.slots;
  at.index =
      static_cast<std::uint16_t>(is_around ? at.index + setup_.size - chain.slots : at.index - chain.slots);
  at.wrap = at.wrap != is_around;
}

void PackedRing::set_flags(std::uint16_t index, std::uint16_t flags) {
  store_release(descriptor(index) + kFlagsOffset, flags);
  memory_.dirty(Paddr{setup_.descriptors + std::uint64_t{index} * kDescriptorBytes}, kDescriptorBytes);
}

void PackedRing::stage(const Chain& chain, std::uint32_t written) {
  const Position at = state_.used;
  std::byte* const to = descriptor(at.index);
  std::memcpy(to + kLengthOffset, &written, sizeof written);
  std::memcpy(to + kIdOffset, &chain.id, sizeof chain.id);
  const unsigned flags = (at.wrap ? kAvailable | kUsed : 0u) | (written != 0 ? unsigned{kWrite} : 0u);
  if (state_.is_staged) {
    set_flags(at.index, static_cast<std::uint16_t>(flags));
  } else {
    // The driver looks at this one first, so it gets its flags last (2.8.9 "Multi-buffer requests").
    state_.is_staged = true;
    state_.staged = at;
    state_.staged_flags = static_cast<std::uint16_t>(flags);
  }
  advance(state_.used, chain.slots);
  state_.taken -= chain.slots;
  state_.unsignalled += chain.slots;
}

void PackedRing::publish() {
  if (!state_.is_staged) return;
  state_.is_staged = false;
  set_flags(state_.staged.index, state_.staged_flags);
}

void PackedRing::ask_for_notifications(bool is_wanted) {
  std::uint16_t flags = is_wanted ? kEnable : kDisable;
  if (is_wanted && features_.has_event_idx) {
    const Position next = state_.available;
    const auto position = static_cast<std::uint16_t>(next.index | (next.wrap ? kEventWrap : 0));
    store_release(device_area_ + kEventPositionOffset, position);
    flags = kAtDescriptor;
  }
  store_release(device_area_ + kEventFlagsOffset, flags);
  memory_.dirty(Paddr{setup_.device_area}, kEventBytes);
}

bool PackedRing::must_interrupt() {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const std::uint32_t moved = state_.unsignalled;
  state_.unsignalled = 0;
  if (moved == 0) return false;
  const std::uint16_t flags = load_acquire(driver_area_ + kEventFlagsOffset) & kEventFlagsMask;
  if (flags == kDisable) return false;
  if (flags != kAtDescriptor || !features_.has_event_idx) return true;
  // Whether the descriptor that the driver names is among those used since. With another wrap counter than
  // ours it is one round behind us (or, far enough, ahead).
  const std::uint16_t event = load_acquire(driver_area_ + kEventPositionOffset);
  const bool is_same_round = ((event & kEventWrap) != 0) == state_.used.wrap;
  const int at = (event & ~kEventWrap) - (is_same_round ? 0 : setup_.size);
  const int behind = state_.used.index - 1 - at;
  return behind >= 0 && static_cast<std::uint32_t>(behind) < moved;
}

void PackedRing::visit(Visitor& visitor) {
  const auto position = [&](const char* name, Position& at) {
    visitor.part(name, [&](Visitor& part) {
      part.field("index", at.index);
      part.field("wrap", at.wrap);
    });
    // What is loaded comes from outside.
    at.index = static_cast<std::uint16_t>(at.index % setup_.size);
  };
  position("available", state_.available);
  position("used", state_.used);
  visitor.field("taken", state_.taken, setup_.size);
  visitor.field("unsignalled", state_.unsignalled);
}

}  // namespace gstage::hw
