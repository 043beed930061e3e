// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hw/virtio/ring.h"

namespace gstage::hw {

/// A split virtqueue (Virtio 1.3, 2.7): a table of descriptors, a ring of what is available, one of what is
/// used.
class SplitRing final : public Ring {
 public:
  SplitRing(AddressSpace& memory, const QueueSetup& setup, RingFeatures features)
      : Ring(memory, setup, features) {}

  const char* start() override;
  [[nodiscard]] bool has_next() const override;
  const char* take(Chain& chain) override;
  void put_back(const Chain& chain) override;
  void stage(const Chain& chain, std::uint32_t written) override;
  void publish() override;
  void ask_for_notifications(bool is_wanted) override;
  bool must_interrupt() override;
  void visit(Visitor& visitor) override;

 private:
  struct Descriptor {
    std::uint64_t address;
    std::uint32_t length;
    std::uint16_t flags;
    std::uint16_t next;
  };
  struct Table {
    const std::byte* host;
    std::uint32_t count;
  };
  /// Positions in the rings; they count modulo 65536.
  struct State {
    std::uint16_t next_available = 0;
    std::uint16_t next_used = 0;       ///< of the next buffer that is staged
    std::uint16_t signalled_used = 0;  ///< up to here the driver was told
    std::uint16_t asked = 0;           ///< the event index: the buffer that the driver is to tell of
  };

  /// Adds what the descriptors from `index` on describe.
  const char* walk(Table table, std::uint16_t index, bool is_indirect, Chain& chain);
  void set_used(unsigned offset, const void* from, unsigned size);
  [[nodiscard]] std::uint16_t available(unsigned offset) const { return load_acquire(driver_area_ + offset); }

  const std::byte* descriptors_ = nullptr;
  const std::byte* driver_area_ = nullptr;
  std::byte* device_area_ = nullptr;
  State state_;
};

}  // namespace gstage::hw
