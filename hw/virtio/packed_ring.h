// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hw/virtio/ring.h"

namespace gstage::hw {

/// A packed virtqueue (Virtio 1.3, 2.8): one ring of descriptors that both sides write, and a structure each
/// that says what events the other side is to send.
class PackedRing final : public Ring {
 public:
  static constexpr unsigned kMaxSize = 1 << 15;

  PackedRing(AddressSpace& memory, const QueueSetup& setup, RingFeatures features)
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
    std::uint16_t id;
    std::uint16_t flags;
  };
  /// A place in the ring, and the wrap counter of who is there.
  struct Position {
    std::uint16_t index = 0;
    bool wrap = true;
  };
  struct State {
    Position available;             ///< of the next buffer to take
    Position used;                  ///< where the next used buffer is written
    std::uint32_t taken = 0;        ///< descriptors of buffers that are not used yet
    std::uint32_t unsignalled = 0;  ///< descriptors that were used since the driver was told
    Position staged;                ///< the first buffer that is staged
    std::uint16_t staged_flags = 0;
    bool is_staged = false;
  };

  [[nodiscard]] std::byte* descriptor(std::uint16_t index) const {
    return descriptors_ + std::size_t{index} * kDescriptorBytes;
  }
  [[nodiscard]] bool is_available(Position at) const;
  /// `count` is at most the queue's size.
  void advance(Position& position, unsigned count) const;
  const char* add_table(const Descriptor& descriptor, Chain& chain);
  void set_flags(std::uint16_t index, std::uint16_t flags);

  std::byte* descriptors_ = nullptr;
  const std::byte* driver_area_ = nullptr;
  std::byte* device_area_ = nullptr;
  State state_;
};

}  // namespace gstage::hw
