// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>
#include <span>

#include "hw/virtio/queue.h"

namespace gstage::hw {

/// What a transport offers to its device. All of it but `mutex` wants the lock held.
class VirtioBus {
 public:
  virtual ~VirtioBus() = default;
  /// The device's one lock.
  virtual std::mutex& mutex() = 0;
  virtual AddressSpace& memory() = 0;
  virtual Queue& queue(unsigned index) = 0;
  /// The driver is up, the queue is set up, and nothing is broken.
  [[nodiscard]] virtual bool is_live(unsigned index) = 0;
  /// The features that driver and device agreed on.
  [[nodiscard]] virtual std::uint64_t features() const = 0;
  /// Tells the driver of pushed buffers, if it wants to know.
  virtual void notify_used(unsigned index) = 0;
  /// Tells the driver that the configuration changed.
  virtual void notify_config() = 0;
  /// The driver made no sense: logs it and sets DEVICE_NEEDS_RESET.
  virtual void fail(unsigned index, const char* why) = 0;
};

/// A virtio device without its transport. Every function is called with the bus's lock held, except where it
/// says otherwise.
class VirtioDevice {
 public:
  virtual ~VirtioDevice() = default;

  /// Virtio 1.3, chapter 5.
  [[nodiscard]] virtual std::uint32_t id() const = 0;
  /// The device's own feature bits; the transport adds those of queues and transport.
  [[nodiscard]] virtual std::uint64_t features() const = 0;
  /// The largest size of a queue; 0: there is no such queue.
  [[nodiscard]] virtual std::uint16_t max_queue_size(unsigned index) const = 0;
  /// Reads the configuration; bytes beyond its end are zero.
  virtual void read_config(std::uint32_t offset, std::span<std::uint8_t> to) = 0;
  virtual void write_config(std::uint32_t /*offset*/, std::span<const std::uint8_t> /*from*/) {}

  /// Connects to the transport, once, without the lock. Workers may start.
  virtual void attach(VirtioBus& bus) { bus_ = &bus; }
  /// The driver and the device agree on the features; none of the queues is in use yet.
  virtual void negotiated() {}
  /// The driver is up (DRIVER_OK).
  virtual void started() {}
  /// There are buffers in a live queue.
  virtual void notified(unsigned index) = 0;
  /// The queue is not live any more; returns once nothing of it is in use. `lock` may be released meanwhile.
  virtual void quiesce(unsigned /*index*/, std::unique_lock<std::mutex>& /*lock*/) {}
  /// To the state at power-on. All queues are quiet.
  virtual void reset() {}
  /// Follows each access of the guest, without the lock: the place to call those who may call back.
  virtual void unlocked() {}

 protected:
  VirtioBus& bus() { return *bus_; }

 private:
  VirtioBus* bus_ = nullptr;
};

/// Copies the part of a configuration structure that an access covers.
template <class Config>
void read_config_struct(const Config& config, std::uint32_t offset, std::span<std::uint8_t> to) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&config);
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = offset + i < sizeof config ? bytes[offset + i] : 0;
}

}  // namespace gstage::hw
