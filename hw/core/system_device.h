// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "hw/core/device.h"

namespace gstage::hw {

/// Where a device of a board is and how it is wired, as its FDT node says it: addresses and wiring are the
/// board's.
struct NodePlace {
  std::uint64_t base = 0;
  std::uint64_t size = 0;
  unsigned irq = 0;                           ///< 0: none
  std::uint32_t irqs = 0;                     ///< phandle of the interrupt controller
  bool has_irq_type = false;                  ///< the controller's interrupt specifiers have a second cell
  std::uint32_t phandle = 0;                  ///< of the node itself; 0: none
  std::span<const std::uint32_t> cpu_irqs{};  ///< phandle of each hart's interrupt controller; the board's
};

/// The properties `interrupts` and `interrupt-parent` of a device with one level-triggered wire.
void describe_irq(FdtBuilder& fdt, const NodePlace& place);

/// A device at a fixed place of a board.
class SystemDevice : public Device {
 public:
  [[nodiscard]] const NodePlace& place() const { return place_; }
  /// Once, when the board puts it there.
  void set_place(const NodePlace& place) { place_ = place; }

 private:
  NodePlace place_;
};

/// Devices that are one node of the device tree: a bus, or a chip of several.
class DeviceGroup final : public SystemDevice {
 public:
  /// Writes the node.
  using Describe = std::function<void(FdtBuilder& fdt, const NodePlace& place, const Bus& members)>;

  /// `driver` lives as long as the group.
  DeviceGroup(const char* driver, Describe describe);
  [[nodiscard]] const char* driver() const override { return driver_; }
  void describe(FdtBuilder& fdt) const override { describe_(fdt, place(), members_); }
  [[nodiscard]] Bus& members() { return members_; }

 private:
  const char* const driver_;
  const Describe describe_;
  Bus& members_;
};

}  // namespace gstage::hw
