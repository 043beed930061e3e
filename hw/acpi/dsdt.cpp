// SPDX-License-Identifier: Apache-2.0
#include "softmmu/base/format.h"
#include "hw/acpi/resources.h"
#include "hw/acpi/table.h"
#include "hw/acpi/tables.h"

namespace gstage::hw::acpi {
namespace {

using namespace aml;  // the descriptions are ASL

constexpr unsigned kPciPins = 4;
constexpr unsigned kPciSlots = 32;

/// `_CCA`: the device's DMA sees what harts have in their caches, and they what it wrote.
Term is_coherent() { return name("_CCA", integer(1)); }

Term hart(unsigned number) {
  return device(format("C%03X", number), {
                                             name("_HID", text("ACPI0007")),
                                             name("_UID", integer(number)),
                                         });
}

/// RISC-V BRS, rules AML_080 and AML_100.
Term wire_controller(const WireController& wires) {
  const bool is_plic = wires.kind == WireController::Kind::kPlic;
  return device("IC00",
                {
                    name("_HID", text(is_plic ? "RSCV0001" : "RSCV0002")),
                    name("_UID", integer(0)),
                    name("_GSB", integer(0)),
                    name("_CRS", resources({fixed_memory(wires.registers.base, wires.registers.size)})),
                });
}

/// RISC-V BRS, rule AML_090; the properties are those of `_DSD` (UEFI Forum, "Device Properties UUID").
Term uart(const WiredDevice& place, std::uint32_t clock_hz) {
  return device("COM0", {
                            name("_HID", text("RSCV0003")),
                            name("_UID", integer(0)),
                            name("_CRS", resources({fixed_memory(place.registers.base, place.registers.size),
                                                    wire(place.gsi)})),
                            name("_DSD", package({
                                             uuid("daffd814-6eba-4d8c-8a91-bc9bbf4aa301"),
                                             package({package({text("clock-frequency"), integer(clock_hz)})}),
                                         })),
                        });
}

Term fw_cfg(const Range& registers) {
  constexpr std::uint64_t kPresentEnabledWorking = 0xb;  // and not shown to people
  return device("FWCF", {
                            name("_HID", text("QEMU0002")),
                            name("_STA", integer(kPresentEnabledWorking)),
                            is_coherent(),
                            name("_CRS", resources({fixed_memory(registers.base, registers.size)})),
                        });
}

/// Virtio 1.3, section 4.2.1.
Term virtio(const WiredDevice& slot, unsigned number) {
  return device(
      format("VR%02X", number),
      {
          name("_HID", text("LNRO0005")),
          name("_UID", integer(number)),
          is_coherent(),
          name("_CRS", resources({fixed_memory(slot.registers.base, slot.registers.size), wire(slot.gsi)})),
      });
}

std::string link_name(unsigned number) { return format("LNK%c", static_cast<char>('A' + number)); }

/// What a pin's wire leads to. A bare number in `_PRT` would be an active-low interrupt (ACPI 6.6, section
/// 6.2.14), so that links say how the wires are; there is nothing to choose.
Term pci_link(unsigned number, std::uint32_t gsi) {
  const Term wires = resources({shared_wire(gsi)});
  return device(link_name(number), {
                                       name("_HID", eisa_id("PNP0C0F")),
                                       name("_UID", integer(number)),
                                       name("_PRS", wires),
                                       name("_CRS", wires),
                                       method("_SRS", 1, {}),
                                       method("_DIS", 0, {}),
                                   });
}

/// `_PRT`: each pin of each slot of the root bus.
Term pci_routes() {
  constexpr std::uint64_t kAllFunctions = 0xffff;
  Terms routes;
  for (std::uint64_t slot = 0; slot < kPciSlots; ++slot)
    for (unsigned pin = 0; pin < kPciPins; ++pin)
      routes.push_back(package({
          integer(slot << 16 | kAllFunctions),
          integer(pin),
          reference(link_name((static_cast<unsigned>(slot) + pin) % kPciPins)),
          integer(0),
      }));
  return name("_PRT", package(routes));
}

/// `_OSC` (PCI Firmware Specification, section 4.5): what the operating system asks for it gets, but for
/// conventional hot plug, which is not there.
Term pci_osc() {
  enum Control : std::uint64_t {
    kExpressHotPlug = 1,
    kPowerEvents = 4,
    kErrors = 8,
    kExpressCapability = 16
  };
  constexpr std::uint64_t kGranted = kExpressHotPlug | kPowerEvents | kErrors | kExpressCapability;
  enum Answer : std::uint64_t { kUnknownUuid = 4, kUnknownRevision = 8, kMasked = 16 };
  const Term status = reference("CDW1");
  const Term control = reference("CDW3");
  const auto answer = [&status](std::uint64_t bit) { return store_or(status, integer(bit), status); };
  return method("_OSC", 4,
                {
                    create_dword_field(argument(3), 0, "CDW1"),
                    if_(equal(argument(0), uuid("33db4d5b-1ff7-401c-9657-7441c03dd766")),
                        {
                            create_dword_field(argument(3), 8, "CDW3"),
                            store_and(control, integer(kGranted), local(0)),
                            if_(not_equal(argument(1), integer(1)), {answer(kUnknownRevision)}),
                            if_(not_equal(control, local(0)), {answer(kMasked)}),
                            store(local(0), control),
                        }),
                    else_({answer(kUnknownUuid)}),
                    return_(argument(3)),
                });
}

Term pci_bridge(const PciBridge& pci) {
  constexpr unsigned kBusShift = 20;
  const auto buses = static_cast<unsigned>(pci.ecam.size >> kBusShift);
  return device("PCI0",
                {
                    name("_HID", eisa_id("PNP0A08")),
                    name("_CID", eisa_id("PNP0A03")),
                    name("_SEG", integer(0)),
                    name("_BBN", integer(0)),
                    name("_UID", integer(0)),
                    is_coherent(),
                    name("_CBA", integer(pci.ecam.base)),
                    name("_CRS", resources({
                                     bus_window(buses),
                                     memory32_window(pci.memory32.base, pci.memory32.size),
                                     io_window(pci.io.base, pci.io.size),
                                     memory64_window(pci.memory64.base, pci.memory64.size),
                                 })),
                    pci_routes(),
                    pci_osc(),
                    // Configuration space is nobody else's (PCI Firmware Specification, section 4.1.2).
                    device("RES0",
                           {
                               name("_HID", eisa_id("PNP0C02")),
                               name("_CRS", resources({reserved_memory(pci.ecam.base, pci.ecam.size)})),
                           }),
                });
}

}  // namespace

Bytes make_dsdt(const Description& board) {
  constexpr unsigned kWithLongIntegers = 2;
  Terms objects;
  for (unsigned number = 0; number < board.harts.count; ++number) objects.push_back(hart(number));
  objects.push_back(wire_controller(board.wires));
  objects.push_back(fw_cfg(board.fw_cfg));
  objects.push_back(uart(board.uart, board.uart_clock_hz));
  for (std::size_t slot = 0; slot < board.virtio_slots.size(); ++slot)
    objects.push_back(virtio(board.virtio_slots[slot], static_cast<unsigned>(slot)));
  for (unsigned pin = 0; pin < kPciPins; ++pin) objects.push_back(pci_link(pin, board.pci.first_gsi + pin));
  objects.push_back(pci_bridge(board.pci));
  return make_table("DSDT", kWithLongIntegers, scope("\\_SB", objects).code);
}

}  // namespace gstage::hw::acpi
