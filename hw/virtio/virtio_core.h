// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "hw/core/worker_pool.h"
#include "hw/virtio/device.h"
#include "hw/virtio/features.h"
#include "hw/virtio/queue.h"

namespace gstage::hw {

/// What a device's core wants of its transport. Any thread.
class VirtioTransport {
 public:
  /// In place of a queue's number: the configuration changed.
  static constexpr unsigned kConfigSource = ~0u;

  virtual ~VirtioTransport() = default;
  /// Something happened to `source`, which the driver is to learn. True when a message told it; false when
  /// its cause waits in a register, and the wire says so. One call of this and `set_line` at a time.
  virtual bool interrupt(unsigned source) = 0;
  /// Whether causes wait in the register.
  virtual void set_line(bool is_high) = 0;
  /// Whether the device may access memory.
  [[nodiscard]] virtual bool is_bus_master() const { return true; }
};

/// What a virtio device is made of.
struct VirtioParts {
  AddressSpace& memory;                    ///< for the queues; outlives the device
  WorkerPool& workers;                     ///< likewise
  std::unique_ptr<VirtioDevice> device{};  ///< null: the slot is empty, as long as nothing is plugged
};

/// What virtio devices have in common (Virtio 1.3, chapters 2 and 3): status, features, queues,
/// notifications, causes of interrupts. The transport turns registers into calls, the device serves the
/// queues.
///
/// A transport has one lock for its registers and holds it where this says "locked". Each queue has a lock of
/// its own, which a worker holds while the device serves the queue. Locks are taken in the order registers,
/// queue, device's own, interrupt; so a reset waits for the workers, and no worker ever waits for a register.
class VirtioCore {
 public:
  static constexpr unsigned kMaxQueues = 1024;

  /// Within `transport`, which is there for as long. Without a device.
  VirtioCore(AddressSpace& memory, WorkerPool& workers, VirtioTransport& transport)
      : memory_(memory), workers_(workers), transport_(transport) {}
  ~VirtioCore();

  // For the bus between the two (virtio_bus.h):

  /// The device is there from now on, and until `unplug` and a little longer. Before the machine runs.
  void plug(VirtioDevice& device);
  /// No queue is served any more. The device may still call, until it is destroyed.
  void unplug();

  // For the transport, locked:

  /// 0: no device.
  [[nodiscard]] std::uint32_t device_id() const { return device_ == nullptr ? 0 : device_->virtio_id(); }
  [[nodiscard]] std::uint64_t offered_features() const;
  /// `word` selects 32 bits.
  void set_driver_features(std::uint32_t word, std::uint32_t value);
  [[nodiscard]] std::uint32_t status() const;
  /// 0 resets.
  void set_status(std::uint32_t value);
  void reset();
  [[nodiscard]] unsigned queue_count() const { return static_cast<unsigned>(queues_.size()); }
  /// 0: there is no such queue.
  [[nodiscard]] std::uint16_t max_queue_size(std::uint32_t index) const;
  [[nodiscard]] const QueueSetup& setup(std::uint32_t index) const;
  [[nodiscard]] bool is_enabled(std::uint32_t index) const;
  /// These change a queue that exists and is not enabled; else the guest's error is logged.
  void set_queue_size(std::uint32_t index, std::uint64_t size);
  void set_area(std::uint32_t index, std::uint64_t QueueSetup::*area, unsigned half, std::uint32_t value);
  void enable_queue(std::uint32_t index);
  /// Returns once nothing of the queue is in use. Its setup is gone.
  void disable_queue(std::uint32_t index);
  /// The same by VIRTIO_F_RING_RESET.
  void reset_queue(std::uint32_t index);
  /// `size` is at most 8 bytes.
  [[nodiscard]] std::uint64_t read_config(std::uint32_t offset, unsigned size);
  void write_config(std::uint32_t offset, unsigned size, std::uint64_t value);
  [[nodiscard]] std::uint32_t config_generation() const { return config_generation_.load(); }

  // For the transport, any thread, without a lock:

  /// The driver offered buffers.
  void notify(std::uint32_t index);
  enum Cause : std::uint32_t { kUsedBuffer = 1, kConfigChange = 2 };
  [[nodiscard]] std::uint32_t causes() const { return causes_.load(); }
  /// The driver has seen these; returns which waited.
  std::uint32_t acknowledge(std::uint32_t causes);
  /// The way of interrupts or the access to memory changed: the wire is set anew, and what waited goes on.
  void refresh();

  // For the transport, while no hart runs:

  /// Waits for the workers first.
  void visit(Visitor& visitor);
  void restored();

  // For the device, any thread:

  AddressSpace& memory() { return memory_; }
  /// The features that driver and device agreed on.
  [[nodiscard]] std::uint64_t features() const { return driver_features_.load(std::memory_order_acquire); }
  /// The driver is up, the queue is set up, and nothing is broken.
  [[nodiscard]] bool is_live(unsigned index) const;
  /// It is live, and its device may access memory. Who asks with the queue's lock held may go on until he
  /// lets go of it: whoever takes the bus away waits for that (PciFunction::master_changed).
  [[nodiscard]] bool is_served(unsigned index) const;
  /// A worker serves the queue soon, if it is live.
  void wake(unsigned index);
  /// Tells the driver that the configuration changed.
  void notify_config();
  /// The driver made no sense: logs it and sets DEVICE_NEEDS_RESET.
  void fail(unsigned index, const char* why);

  // For a device that serves queues on threads of its own:

  /// Serves a queue as a worker does, on the caller's thread.
  void serve_queue(unsigned index);
  /// The queue's lock, to use it outside of `VirtioDevice::serve`.
  std::mutex& queue_mutex(unsigned index) { return queues_[index]->mutex; }

  // For the device that serves the queue:

  Queue& queue(unsigned index) { return queues_[index]->queue; }
  /// Takes the next buffer of a live queue; false when there is none. One that makes no sense is a `fail`.
  bool pop(unsigned index, Chain& chain);
  /// Tells the driver of pushed buffers, if it wants to know.
  void notify_used(unsigned index);

 private:
  struct QueueSlot final : WorkerTask {
    QueueSlot(VirtioCore& c, unsigned i, std::uint16_t max_size) : core(c), index(i), setup{max_size} {}
    void run() override { core.serve_queue(index); }
    /// On the thread of the hart that notifies, if the device wants that. False: a worker is to do it.
    bool serve_at_once();
    void visit(Visitor& visitor);

    VirtioCore& core;
    const unsigned index;
    QueueSetup setup;                     ///< with the registers' lock
    std::atomic<bool> is_enabled{false};  ///< written with both locks or when it ends
    std::mutex mutex;                     ///< guards the queue
    Queue queue;
  };

  /// The queue while it may be configured, else null (logged).
  QueueSlot* configurable(std::uint32_t index);
  void raise(Cause cause, unsigned source);

  AddressSpace& memory_;
  WorkerPool& workers_;
  VirtioTransport& transport_;
  std::uint32_t status_ = 0;  ///< what the driver wrote
  std::atomic<std::uint64_t> driver_features_{0};
  std::atomic<bool> is_up_{false};      ///< DRIVER_OK
  std::atomic<bool> is_broken_{false};  ///< DEVICE_NEEDS_RESET
  std::atomic<std::uint32_t> config_generation_{0};
  std::mutex interrupt_mutex_;
  std::atomic<std::uint32_t> causes_{0};  ///< written with interrupt_mutex_
  std::vector<std::unique_ptr<QueueSlot>> queues_;
  VirtioDevice* device_ = nullptr;
};

}  // namespace gstage::hw
