// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "hw/virtio/chain.h"
#include "hw/virtio/ring.h"

namespace gstage::hw {

/// The device's side of one virtqueue. What makes no sense is reported once as "broken", and from then on the
/// queue is not touched until its reset. All of it wants the queue's lock.
class Queue {
 public:
  enum class Next : std::uint8_t { kEmpty, kChain, kBroken };

  /// Begins to use the rings. Null, or what is wrong with the setup. `features` are those that driver and
  /// device agreed on.
  const char* start(AddressSpace& memory, const QueueSetup& setup, std::uint64_t features);
  /// Back to the state after reset.
  void stop();
  [[nodiscard]] bool is_started() const { return ring_ != nullptr; }

  /// Takes the next buffer. After `kBroken` `why()` says what was wrong.
  Next pop(Chain& chain);
  /// Undoes the last pop.
  void unpop(const Chain& chain);
  /// Returns a buffer into which the device wrote `written` bytes.
  void push(const Chain& chain, std::uint32_t written);
  /// As `push`, but the driver sees it with the next `publish` or `push`: for what takes several buffers.
  void stage(const Chain& chain, std::uint32_t written);
  void publish();

  /// From now on the driver need not tell of buffers that it offers.
  void disable_notifications();
  /// From now on it must. True when there is a buffer now: the driver may not have seen this in time.
  bool enable_notifications();
  /// Whether the driver wants an interrupt for what was pushed since the last call.
  bool must_interrupt();
  [[nodiscard]] const char* why() const { return why_; }
  /// Of a started queue.
  void visit(Visitor& visitor) { ring_->visit(visitor); }

 private:
  Next broken(const char* why);

  std::unique_ptr<Ring> ring_;
  const char* why_ = nullptr;
};

}  // namespace gstage::hw
