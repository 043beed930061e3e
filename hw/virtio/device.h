// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "hw/core/device.h"
#include "hw/virtio/features.h"

namespace gstage::hw {

class VirtioCore;

/// How a worker leaves a queue.
enum class Served : std::uint8_t {
  kAll,    ///< nothing is left in it: the driver is to tell of the next buffer
  kLater,  ///< what is left waits for the device, which wakes the queue (VirtioCore::wake)
};

/// What a virtio device does, without its queues' rules and its transport. Of its own locks none is held when
/// it calls the core.
class VirtioDevice : public Device {
 public:
  /// Virtio 1.3, chapter 5.
  [[nodiscard]] virtual std::uint32_t virtio_id() const = 0;
  /// The device's own feature bits; the core adds those of queues and transport.
  [[nodiscard]] virtual std::uint64_t features() const = 0;
  /// Those of queues and transport that are offered besides. Before the device is plugged.
  void set_ring_features(std::uint64_t features) { ring_features_ = features; }
  [[nodiscard]] std::uint64_t ring_features() const { return ring_features_; }
  /// The largest size of a queue; 0: there is no such queue, and none behind it.
  [[nodiscard]] virtual std::uint16_t max_queue_size(unsigned index) const = 0;

  /// Connects to the core, once. The device's callbacks may begin.
  virtual void attach(VirtioCore& core) { core_ = &core; }

  // From a hart, with the device's registers locked:

  /// Reads the configuration; bytes beyond its end are zero.
  virtual void read_config(std::uint32_t offset, std::span<std::uint8_t> to) = 0;
  virtual void write_config(std::uint32_t /*offset*/, std::span<const std::uint8_t> /*from*/) {}
  /// The driver and the device agree on the features; none of the queues is in use yet.
  virtual void negotiated() {}
  /// The driver is up (DRIVER_OK). All queues that are in use are served next.
  virtual void started() {}
  /// To the state at power-on. No queue is in use.
  void reset() override {}

  // From any thread:

  /// Wakes a thread of the device's own that serves the queue by VirtioCore::serve_queue; false: a worker is
  /// to serve it.
  virtual bool wake_own(unsigned /*index*/) { return false; }

  /// While it is on, somebody waits for the lock of a queue: what is under way is not to take longer than the
  /// host needs. One call with false follows each with true.
  virtual void hurry(bool /*is_on*/) {}

  // From a worker, with the queue's lock held, which other queues do not share:

  /// Does what takes no waiting for the host, on the thread of a hart. True: nothing is left, and the driver
  /// is to tell of the next buffer.
  virtual bool serve_at_once(unsigned /*index*/) { return false; }
  /// Whether that is worth a try. Any thread, without the lock.
  [[nodiscard]] virtual bool can_serve_at_once(unsigned /*index*/) const { return false; }
  /// Takes buffers of a live queue, until there are none or the queue is not live any more.
  virtual Served serve(unsigned index) = 0;

 protected:
  VirtioCore& core() { return *core_; }

 private:
  VirtioCore* core_ = nullptr;
  std::uint64_t ring_features_ = kDefaultFeatures;
};

/// Copies the part of a configuration structure that an access covers.
template <class Config>
void read_config_struct(const Config& config, std::uint32_t offset, std::span<std::uint8_t> to) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&config);
  for (std::size_t i = 0; i < to.size(); ++i) {
    const std::size_t at = std::size_t{offset} + i;
    to[i] = at < sizeof config ? bytes[at] : 0;
  }
}

}  // namespace gstage::hw
