// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "hw/core/irq_line.h"
#include "hw/core/register_table.h"
#include "hw/core/system_device.h"
#include "hw/virtio/virtio_core.h"

namespace gstage::hw {

/// One slot of the memory-mapped transport, version 2 (Virtio 1.3, 4.2). A slot without a device answers
/// device id 0.
class VirtioMmio final : public SystemDevice, public RegisterDevice<VirtioMmio>, private VirtioTransport {
 public:
  static constexpr const char* kName = "virtio-mmio";

  /// `bus_name` is what `bus=` names.
  VirtioMmio(VirtioParts parts, IrqLine irq, const std::string& bus_name = "virtio-mmio-bus");
  ~VirtioMmio() override { clear_buses(); }

  [[nodiscard]] const char* driver() const override { return "virtio-mmio"; }
  [[nodiscard]] std::string firmware_node() const override;
  void reset() override;
  bool mmio_read(std::uint64_t offset, unsigned size, std::uint64_t& value) override;
  bool mmio_write(std::uint64_t offset, unsigned size, std::uint64_t value) override;
  static std::span<const Register<VirtioMmio>> registers();
  void describe(FdtBuilder& fdt) const override;
  void visit(Visitor& visitor) override;
  void restored() override { core_.restored(); }
  VirtioCore& core() { return core_; }

 private:
  /// What selects the meaning of other registers.
  struct State {
    std::uint32_t device_features_select = 0;
    std::uint32_t driver_features_select = 0;
    std::uint32_t queue_select = 0;
  };

  bool interrupt(unsigned source) override;
  void set_line(bool is_high) override { irq_.set(is_high); }

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

  IrqLine irq_;
  State state_;
  VirtioCore core_;
};

}  // namespace gstage::hw
