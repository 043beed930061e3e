// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "hw/pci/pci_host.h"

namespace gstage::hw {
namespace {

/// The first cell of a PCI address (IEEE 1275, PCI bus binding).
enum : std::uint32_t { kIoSpace = 0x0100'0000, kMemory32Space = 0x0200'0000, kMemory64Space = 0x0300'0000 };

std::uint32_t high(std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32); }
std::uint32_t low(std::uint64_t value) { return static_cast<std::uint32_t>(value); }

/// Which wire a pin of a slot is: one entry for each pin of four slots, after which it repeats.
std::vector<std::uint32_t> interrupt_map(const NodePlace& place) {
  constexpr unsigned kDeviceShift = 11;
  constexpr std::uint32_t kLevelHigh = 4;
  std::vector<std::uint32_t> map;
  for (unsigned device = 0; device < PciIntxWires::kCount; ++device) {
    for (unsigned pin = 0; pin < PciIntxWires::kCount; ++pin) {
      const std::uint32_t irq = place.irq + (device + pin) % PciIntxWires::kCount;
      map.insert(map.end(), {device << kDeviceShift, 0, 0, pin + 1, place.irqs, irq});
      if (place.has_irq_type) map.push_back(kLevelHigh);
    }
  }
  return map;
}

}  // namespace

void PciHost::describe(FdtBuilder& fdt, const PciNode& node) {
  const auto open = fdt.node("pci", node.place.base);
  fdt.cells("interrupt-map-mask", {0x1800, 0, 0, 7});
  fdt.cells("interrupt-map", interrupt_map(node.place));
  const std::uint64_t at_32 = node.memory32_base;
  const std::uint64_t at_64 = node.memory64_base;
  fdt.cells("ranges", {kIoSpace, 0, 0, high(node.io_base), low(node.io_base), 0, low(node.io_size),
                       kMemory32Space, high(at_32), low(at_32), high(at_32), low(at_32), 0,
                       low(node.memory32_size), kMemory64Space, high(at_64), low(at_64), high(at_64),
                       low(at_64), high(node.memory64_size), low(node.memory64_size)});
  fdt.wide_cells("reg", {node.place.base, node.place.size});
  if (node.msi_parent != 0) fdt.cell("msi-parent", node.msi_parent);
  fdt.empty("dma-coherent");
  fdt.cells("bus-range", {0, 0xff});
  fdt.cell("linux,pci-domain", 0);
  fdt.string("device_type", "pci");
  fdt.string("compatible", "pci-host-ecam-generic");
  fdt.cell("#size-cells", 2);
  fdt.cell("#interrupt-cells", 1);
  fdt.cell("#address-cells", 3);
}

}  // namespace gstage::hw
