// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "hw/core/irq_line.h"
#include "hw/core/register_table.h"
#include "hw/core/system_device.h"
#include "hw/virtio/device.h"

namespace gstage::hw {

/// One slot of the memory-mapped transport, version 2 (Virtio 1.3, 4.2). A slot without a device answers
/// device id 0.
class VirtioMmio final : public SystemDevice, public RegisterDevice<VirtioMmio>, public VirtioBus {
 public:
  static constexpr const char* kName = "virtio-mmio";
  static constexpr unsigned kMaxQueues = 64;

  /// `memory` is for the queues and outlives the slot. `device` may be null.
  VirtioMmio(AddressSpace& memory, IrqLine irq, std::unique_ptr<VirtioDevice> device);
  ~VirtioMmio() override;

  [[nodiscard]] const char* driver() const override { return "virtio-mmio"; }
  void reset() override;
  bool mmio_read(std::uint64_t offset, unsigned size, std::uint64_t& value) override;
  bool mmio_write(std::uint64_t offset, unsigned size, std::uint64_t value) override;
  static std::span<const Register<VirtioMmio>> registers();
  void describe(FdtBuilder& fdt) const override;

  std::mutex& mutex() override { return mutex_; }
  AddressSpace& memory() override { return memory_; }
  Queue& queue(unsigned index) override { return queues_[index]; }
  [[nodiscard]] bool is_live(unsigned index) override;
  [[nodiscard]] std::uint64_t features() const override { return state_.driver_features; }
  void notify_used(unsigned index) override;
  void notify_config() override;
  void fail(unsigned index, const char* why) override;

 private:
  struct State {
    std::uint32_t device_features_select = 0;
    std::uint32_t driver_features_select = 0;
    std::uint64_t driver_features = 0;
    std::uint32_t queue_select = 0;
    std::uint32_t interrupt_status = 0;
    std::uint32_t status = 0;
    std::uint32_t shm_select = 0;
    std::uint32_t config_generation = 0;
  };

  std::uint64_t read_identity(Access);
  std::uint64_t read_device_features(Access);
  void write_device_features_select(Access, std::uint64_t);
  void write_driver_features(Access, std::uint64_t);
  void write_driver_features_select(Access, std::uint64_t);
  void write_queue_select(Access, std::uint64_t);
  std::uint64_t read_queue_size_max(Access);
  void write_queue_size(Access, std::uint64_t);
  std::uint64_t read_queue_ready(Access);
  void write_queue_ready(Access, std::uint64_t);
  void write_queue_notify(Access, std::uint64_t);
  std::uint64_t read_interrupt_status(Access);
  void write_interrupt_ack(Access, std::uint64_t);
  std::uint64_t read_status(Access);
  void write_status(Access, std::uint64_t);
  void write_descriptors(Access, std::uint64_t);
  void write_driver_area(Access, std::uint64_t);
  void write_device_area(Access, std::uint64_t);
  void write_shm_select(Access, std::uint64_t);
  std::uint64_t read_shm(Access);
  std::uint64_t read_queue_reset(Access);
  void write_queue_reset(Access, std::uint64_t);
  std::uint64_t read_config_generation(Access);

  [[nodiscard]] std::uint64_t offered_features() const;
  /// The selected queue while it may be configured, else null (logged).
  Queue* configurable_queue();
  [[nodiscard]] bool has_queue(std::uint32_t index) const;
  void set_area(std::uint64_t Queue::Setup::*area, unsigned half, std::uint64_t value);
  void raise(std::uint32_t cause);
  void stop_queue(unsigned index, std::unique_lock<std::mutex>& lock);
  void reset_locked(std::unique_lock<std::mutex>& lock);
  void access_config(std::uint32_t offset, unsigned size, std::uint64_t* read_value,
                     std::uint64_t write_value);

  AddressSpace& memory_;
  IrqLine irq_;
  State state_;
  std::array<Queue, kMaxQueues> queues_;
  std::unique_lock<std::mutex>* access_lock_ = nullptr;  ///< of the access under way
  std::unique_ptr<VirtioDevice> device_;                 ///< last, so that its worker ends first
};

}  // namespace gstage::hw
