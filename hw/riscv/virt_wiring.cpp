// SPDX-License-Identifier: Apache-2.0
#include "hw/riscv/virt_wiring.h"

namespace gstage::hw {

VirtWiring::VirtWiring(unsigned hart_count, const VirtInterrupts& choice)
    : interrupts(choice), harts(hart_count) {
  std::uint32_t last = harts.last();
  if (interrupts.has_imsic()) {
    imsic_m = ++last;
    imsic_s = ++last;
  }
  if (interrupts.has_aplic()) aplic_m = ++last;
  irqs = ++last;
  test = ++last;
}

NodePlace VirtWiring::place(Part part, unsigned index) const {
  const VirtPart& row = virt_part(part);
  NodePlace place;
  place.base = row.base + index * row.size;
  place.size = row.size;
  place.irq = row.irq == 0 ? 0 : row.irq + index;
  place.irqs = irqs;
  place.has_irq_type = interrupts.has_aplic();
  place.cpu_irqs = harts.cpu_irqs;
  return place;
}

}  // namespace gstage::hw
