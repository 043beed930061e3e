// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "hw/core/system_device.h"
#include "hw/riscv/fdt_harts.h"
#include "hw/riscv/virt_interrupts.h"
#include "hw/riscv/virt_map.h"

namespace gstage::hw {

/// What the virt board's devices are wired to: every phandle of its device tree, and the places of its parts.
struct VirtWiring {
  VirtWiring(unsigned harts, const VirtInterrupts& choice);

  /// Where the part is, the `index`th of its kind.
  [[nodiscard]] NodePlace place(Part part, unsigned index = 0) const;

  const VirtInterrupts interrupts;
  const HartPhandles harts;
  std::uint32_t imsic_m = 0;
  std::uint32_t imsic_s = 0;
  std::uint32_t aplic_m = 0;
  std::uint32_t irqs = 0;  ///< what devices are wired to: the PLIC, or the APLIC of supervisor level
  std::uint32_t test = 0;
};

}  // namespace gstage::hw
