// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

#include "hw/virtio/virtio_mmio.h"
#include "hw/virtio/virtio_pci.h"

#include "tests/unit/hw_fakes.h"
#include "tests/unit/hw_virtio_rings.h"

namespace gstage::hw {

/// What a driver needs of a transport.
class DriverTransport {
 public:
  virtual ~DriverTransport() = default;
  virtual VirtioCore& core() = 0;
  virtual Device& device() = 0;
  virtual void reset() = 0;
  virtual std::uint32_t status() = 0;
  virtual void set_status(std::uint32_t value) = 0;
  virtual std::uint64_t device_features() = 0;
  virtual void set_driver_features(std::uint64_t features) = 0;
  virtual unsigned max_queue_size(unsigned queue) = 0;
  virtual void enable_queue(unsigned queue, const DriverRing& ring) = 0;
  virtual bool is_enabled(unsigned queue) = 0;
  virtual void reset_queue(unsigned queue) = 0;
  virtual void notify(unsigned queue) = 0;
  virtual std::uint64_t config(unsigned offset, unsigned size) = 0;
  virtual void set_config(unsigned offset, unsigned size, std::uint64_t value) = 0;
  virtual std::uint32_t generation() = 0;
  /// Takes what interrupts told: whether `queue` has used buffers (where one wire tells for all: some queue).
  virtual bool take_used_interrupt(unsigned queue) = 0;
  virtual bool take_config_interrupt() = 0;

 protected:
  static std::uint64_t area(const DriverRing& ring, unsigned which) {
    const std::uint64_t areas[] = {ring.descriptors(), ring.driver_area(), ring.device_area()};
    return areas[which];
  }
};

class MmioDriver final : public DriverTransport {
 public:
  explicit MmioDriver(VirtioParts parts)
      : slot_(std::move(parts), IrqLine([this](bool level) { irq_ = level; })) {}

  VirtioCore& core() override { return slot_.core(); }
  Device& device() override { return slot_; }
  void reset() override { slot_.reset(); }
  std::uint32_t status() override { return static_cast<std::uint32_t>(get(slot_, 0x70)); }
  void set_status(std::uint32_t value) override { set(slot_, 0x70, value); }
  std::uint64_t device_features() override {
    std::uint64_t features = 0;
    for (const unsigned half : {0u, 1u}) {
      set(slot_, 0x14, half);
      features |= get(slot_, 0x10) << (half * 32);
    }
    return features;
  }
  void set_driver_features(std::uint64_t features) override {
    for (const unsigned half : {0u, 1u}) {
      set(slot_, 0x24, half);
      set(slot_, 0x20, features >> (half * 32) & 0xffffffff);
    }
  }
  unsigned max_queue_size(unsigned queue) override {
    set(slot_, 0x30, queue);
    return static_cast<unsigned>(get(slot_, 0x34));
  }
  void enable_queue(unsigned queue, const DriverRing& ring) override {
    set(slot_, 0x30, queue);
    set(slot_, 0x38, DriverRing::kSize);
    for (unsigned i = 0; i < 3; ++i) {
      set(slot_, 0x80 + i * 0x10, area(ring, i) & 0xffffffff);
      set(slot_, 0x84 + i * 0x10, area(ring, i) >> 32);
    }
    set(slot_, 0x44, 1);
  }
  bool is_enabled(unsigned queue) override {
    set(slot_, 0x30, queue);
    return get(slot_, 0x44) != 0;
  }
  void reset_queue(unsigned queue) override {
    set(slot_, 0x30, queue);
    set(slot_, 0xc0, 1);
    EXPECT_EQ(get(slot_, 0xc0), 0u);
  }
  void notify(unsigned queue) override { set(slot_, 0x50, queue); }
  std::uint64_t config(unsigned offset, unsigned size) override { return get(slot_, 0x100 + offset, size); }
  void set_config(unsigned offset, unsigned size, std::uint64_t value) override {
    set(slot_, 0x100 + offset, value, size);
  }
  std::uint32_t generation() override { return static_cast<std::uint32_t>(get(slot_, 0xfc)); }
  bool take_used_interrupt(unsigned) override { return take(1); }
  bool take_config_interrupt() override { return take(2); }

 private:
  bool take(std::uint32_t cause) {
    const std::uint64_t causes = get(slot_, 0x60);
    EXPECT_EQ(irq_, causes != 0);
    set(slot_, 0x64, cause);
    return (causes & cause) != 0;
  }
  std::atomic<bool> irq_{false};
  VirtioMmio slot_;
};

/// Keeps the messages that a function sends.
class FakeMsis final : public MsiSink {
 public:
  void send(std::uint64_t address, std::uint32_t data) override {
    const std::lock_guard lock(mutex_);
    ++counts_[{address, data}];
  }
  /// How often it was sent since the last call.
  unsigned take(std::uint64_t address, std::uint32_t data) {
    const std::lock_guard lock(mutex_);
    return std::exchange(counts_[{address, data}], 0u);
  }

 private:
  std::mutex mutex_;
  std::map<std::pair<std::uint64_t, std::uint32_t>, unsigned> counts_;
};

class PciDriver final : public DriverTransport {
 public:
  static constexpr std::uint64_t kMessageBase = 0x2800'0000;
  enum Page : unsigned { kCommon = 0, kIsr = 0x1000, kDevice = 0x2000, kNotify = 0x3000 };

  PciDriver(VirtioParts parts, bool has_messages)
      : memory_(parts.memory), function_(std::move(parts)), has_messages_(has_messages) {
    std::array<IrqLine, PciIntxWires::kCount> lines;
    for (IrqLine& line : lines) line = IrqLine([this](bool level) { pin_ = level; });
    wires_ = std::make_unique<PciIntxWires>(lines);
    function_.intx().connect(*wires_, 0);
    function_.master().connect(memory_, msis_);
    prepare();
  }

  VirtioCore& core() override { return function_.core(); }
  Device& device() override { return function_; }
  void reset() override {
    function_.reset();
    prepare();
  }
  std::uint32_t status() override { return static_cast<std::uint32_t>(get(function_, 0x14, 1)); }
  void set_status(std::uint32_t value) override {
    set(function_, 0x14, value, 1);
    if (value == 3) map_vectors();
  }
  std::uint64_t device_features() override {
    std::uint64_t features = 0;
    for (const unsigned half : {0u, 1u}) {
      set(function_, 0x00, half);
      features |= get(function_, 0x04) << (half * 32);
    }
    return features;
  }
  void set_driver_features(std::uint64_t features) override {
    for (const unsigned half : {0u, 1u}) {
      set(function_, 0x08, half);
      set(function_, 0x0c, features >> (half * 32) & 0xffffffff);
      EXPECT_EQ(get(function_, 0x0c), features >> (half * 32) & 0xffffffff);
    }
  }
  unsigned max_queue_size(unsigned queue) override {
    set(function_, 0x16, queue, 2);
    return static_cast<unsigned>(get(function_, 0x18, 2));
  }
  void enable_queue(unsigned queue, const DriverRing& ring) override {
    set(function_, 0x16, queue, 2);
    set(function_, 0x18, DriverRing::kSize, 2);
    for (unsigned i = 0; i < 3; ++i) {
      set(function_, 0x20 + i * 8, area(ring, i) & 0xffffffff);
      set(function_, 0x24 + i * 8, area(ring, i) >> 32);
      EXPECT_EQ(get(function_, 0x20 + i * 8) | get(function_, 0x24 + i * 8) << 32, area(ring, i));
    }
    set(function_, 0x1c, 1, 2);
  }
  bool is_enabled(unsigned queue) override {
    set(function_, 0x16, queue, 2);
    return get(function_, 0x1c, 2) != 0;
  }
  void reset_queue(unsigned queue) override {
    set(function_, 0x16, queue, 2);
    set(function_, 0x3a, 1, 2);
    EXPECT_EQ(get(function_, 0x3a, 2), 0u);
  }
  void notify(unsigned queue) override {
    set(function_, 0x16, queue, 2);
    set(function_, kNotify + get(function_, 0x1e, 2) * 4, queue, 2);
  }
  std::uint64_t config(unsigned offset, unsigned size) override {
    return get(function_, kDevice + offset, size);
  }
  void set_config(unsigned offset, unsigned size, std::uint64_t value) override {
    set(function_, kDevice + offset, value, size);
  }
  std::uint32_t generation() override { return static_cast<std::uint32_t>(get(function_, 0x15, 1)); }
  bool take_used_interrupt(unsigned queue) override {
    return has_messages_ ? take_message(queue + 1) : take_cause(1);
  }
  bool take_config_interrupt() override { return has_messages_ ? take_message(0) : take_cause(2); }

  VirtioPci& function() { return function_; }
  bool pin() const { return pin_; }
  bool take_message(unsigned vector) { return msis_.take(kMessageBase, vector) != 0; }
  unsigned capability(std::uint8_t id, unsigned nth = 0) {
    unsigned at = function_.config_read(0x34, 1);
    while (at != 0 && (function_.config_read(at, 1) != id || nth-- != 0))
      at = function_.config_read(at + 1, 1);
    return at;
  }
  /// Bus mastering and, if so, MSI-X with vector N as message N; the host bridge does the first.
  void prepare() {
    function_.enable_master(true);
    function_.config_write(0x04, 2, 6);
    if (!has_messages_) return;
    PciMsix& msix = *function_.msix();
    for (unsigned vector = 0; vector < msix.vectors(); ++vector) {
      set(msix, vector * 16 + 0, kMessageBase);
      set(msix, vector * 16 + 4, 0);
      set(msix, vector * 16 + 8, vector);
      set(msix, vector * 16 + 12, 0);
    }
    function_.config_write(capability(0x11) + 2, 2, 0x8000);
  }

 private:
  void map_vectors() {
    set(function_, 0x10, 0, 2);
    for (unsigned queue = 0; queue < get(function_, 0x12, 2); ++queue) {
      set(function_, 0x16, queue, 2);
      set(function_, 0x1a, queue + 1, 2);
      EXPECT_EQ(get(function_, 0x1a, 2), queue + 1);
    }
  }
  /// Reading the register clears it, so what was not asked for is kept.
  bool take_cause(std::uint32_t cause) {
    const bool was_high = pin_;
    const auto causes = static_cast<std::uint32_t>(get(function_, kIsr, 1));
    EXPECT_EQ(was_high, causes != 0);
    EXPECT_FALSE(pin_);
    causes_ |= causes;
    const bool is_there = (causes_ & cause) != 0;
    causes_ &= ~cause;
    return is_there;
  }

  AddressSpace& memory_;
  FakeMsis msis_;
  std::atomic<bool> pin_{false};
  std::uint32_t causes_ = 0;
  std::unique_ptr<PciIntxWires> wires_;
  VirtioPci function_;
  const bool has_messages_;
};

}  // namespace gstage::hw
