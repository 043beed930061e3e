// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "hw/core/fdt_builder.h"

namespace gstage::hw {

/// What a device's FDT node needs to know of the board: addresses and wiring are the board's.
struct NodePlace {
  std::uint64_t base = 0;
  std::uint64_t size = 0;
  unsigned irq = 0;           ///< 0: none
  std::uint32_t irqs = 0;     ///< phandle of the interrupt controller
  bool has_irq_type = false;  ///< the controller's interrupt specifiers have a second cell
  std::uint32_t phandle = 0;  ///< of the node itself; 0: none
};

/// The properties `interrupts` and `interrupt-parent` of a device with one level-triggered wire.
void describe_irq(FdtBuilder& fdt, const NodePlace& place);

/// A device on a board.
class Device {
 public:
  virtual ~Device() = default;
  /// To the state at power-on. Harts are stopped; the device's own threads may run.
  virtual void reset() = 0;
};

}  // namespace gstage::hw
