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
      for (const std::uint32_t cell : {device << kDeviceShift, 0u, 0u, pin + 1, place.irqs, irq})
        map.push_back(cell);
      if (place.has_irq_type) map.push_back(kLevelHigh);
    }
  }
  return map;
}

}  // namespace

void PciHost::describe(FdtBuilder& fdt) const {
  const auto open = fdt.node("pci", place().base);
  fdt.cells("interrupt-map-mask", {0x1800, 0, 0, 7});
  fdt.cells("interrupt-map", interrupt_map(place()));
  std::vector<std::uint32_t> ranges;
  const auto add = [&ranges](std::uint32_t space, std::uint64_t at, const PciHostSetup::Window& window) {
    ranges.push_back(space);
    for (const std::uint64_t value : {at, window.base, window.size}) {
      ranges.push_back(high(value));
      ranges.push_back(low(value));
    }
  };
  add(kIoSpace, 0, setup_.io);
  add(kMemory32Space, setup_.memory32.base, setup_.memory32);
  add(kMemory64Space, setup_.memory64.base, setup_.memory64);
  fdt.cells("ranges", ranges);
  fdt.wide_cells("reg", {place().base, place().size});
  if (setup_.msi_parent != 0) fdt.cell("msi-parent", setup_.msi_parent);
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
