// SPDX-License-Identifier: Apache-2.0
#include "hw/core/device.h"

namespace gstage::hw {

void describe_irq(FdtBuilder& fdt, const NodePlace& place) {
  constexpr std::uint32_t kLevelHigh = 4;
  if (place.has_irq_type)
    fdt.cells("interrupts", {place.irq, kLevelHigh});
  else
    fdt.cell("interrupts", place.irq);
  fdt.cell("interrupt-parent", place.irqs);
}

}  // namespace gstage::hw
