// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "hw/core/register_table.h"
#include "hw/pci/pci_function.h"
#include "hw/virtio/virtio_core.h"

namespace gstage::hw {

/// The PCI transport (Virtio 1.3, 4.1) of a modern device: its structures are pages of BAR 4, MSI-X is BAR 1,
/// as the board that this follows has them. There is no legacy interface.
class VirtioPci final : public PciFunction, public RegisterDevice<VirtioPci>, private VirtioTransport {
 public:
  static constexpr const char* kName = "virtio-pci";
  /// As many as suit the device: mostly one for each queue and one for the configuration.
  static constexpr unsigned kDefaultVectors = ~0u;

  /// `parts.device` is not null. `vectors` of MSI-X, at most PciMsix::kMaxVectors or kDefaultVectors; with 0
  /// there is the pin alone.
  explicit VirtioPci(VirtioParts parts, unsigned vectors = kDefaultVectors);
  ~VirtioPci() override { clear_buses(); }

  [[nodiscard]] const char* driver() const override;
  void visit(Visitor& visitor) override;
  void restored() override;
  /// BAR 4.
  bool mmio_read(std::uint64_t offset, unsigned size, std::uint64_t& value) override;
  bool mmio_write(std::uint64_t offset, unsigned size, std::uint64_t value) override;
  /// Of the common configuration.
  static std::span<const Register<VirtioPci>> registers();
  VirtioCore& core() { return core_; }

 private:
  /// What selects the meaning of other registers, and where interrupts go.
  struct State {
    std::uint32_t features_select[2] = {};  ///< of the device's, of the driver's
    std::uint16_t queue_select = 0;
  };
  using Vector = std::atomic<std::uint16_t>;

  bool interrupt(unsigned source) override;
  void set_line(bool is_high) override;
  [[nodiscard]] bool is_bus_master() const override;
  void reset_function() override;
  void master_changed(bool is_enabled) override;
  void config_reading(unsigned offset, unsigned size) override;
  void config_written(unsigned offset, unsigned size) override;

  /// Whether the access touches the data of the window that configuration space has into BAR 4, and the
  /// window is within it.
  bool is_window_access(unsigned offset, unsigned size);
  [[nodiscard]] bool has_messages() { return msix() != nullptr && msix()->is_enabled(); }
  [[nodiscard]] std::uint16_t valid_vector(std::uint64_t vector);

  // Of the device's features and of the driver's:
  std::uint64_t read_features_select(Access access) { return state_.features_select[access.index]; }
  void write_features_select(Access, std::uint64_t);
  std::uint64_t read_features(Access);
  void write_features(Access, std::uint64_t);
  std::uint64_t read_config_vector(Access) { return config_vector_; }
  void write_config_vector(Access, std::uint64_t);
  std::uint64_t read_queue_count(Access) { return core_.queue_count(); }
  std::uint64_t read_status(Access) { return core_.status(); }
  void write_status(Access, std::uint64_t);
  std::uint64_t read_config_generation(Access) { return core_.config_generation(); }
  std::uint64_t read_queue_select(Access) { return state_.queue_select; }
  void write_queue_select(Access, std::uint64_t);
  std::uint64_t read_queue_size(Access) { return core_.setup(state_.queue_select).size; }
  void write_queue_size(Access, std::uint64_t);
  std::uint64_t read_queue_vector(Access);
  void write_queue_vector(Access, std::uint64_t);
  std::uint64_t read_queue_enable(Access) { return core_.is_enabled(state_.queue_select) ? 1 : 0; }
  void write_queue_enable(Access, std::uint64_t);
  std::uint64_t read_area(Access);
  void write_area(Access, std::uint64_t);
  std::uint64_t read_zero(Access) { return 0; }
  void write_queue_reset(Access, std::uint64_t);
  void forget_vectors();

  State state_;
  unsigned window_at_ = 0;  ///< the capability with the window into BAR 4
  Vector config_vector_;
  std::vector<Vector> queue_vectors_;
  VirtioCore core_;
};

}  // namespace gstage::hw
