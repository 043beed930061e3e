// SPDX-License-Identifier: Apache-2.0
#include "hw/core/system_device.h"

#include <utility>

namespace gstage::hw {

void describe_irq(FdtBuilder& fdt, const NodePlace& place) {
  constexpr std::uint32_t kLevelHigh = 4;
  if (place.has_irq_type)
    fdt.cells("interrupts", {place.irq, kLevelHigh});
  else
    fdt.cell("interrupts", place.irq);
  fdt.cell("interrupt-parent", place.irqs);
}

DeviceGroup::DeviceGroup(const char* driver, Describe describe)
    : driver_(driver),
      describe_(std::move(describe)),
      members_(add_bus(std::make_unique<Bus>("System", driver))) {}

}  // namespace gstage::hw
