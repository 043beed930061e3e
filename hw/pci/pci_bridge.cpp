// SPDX-License-Identifier: Apache-2.0
#include "hw/pci/pci_bridge.h"

#include "hw/pci/pci_registers.h"

namespace gstage::hw {
namespace {

using namespace pci;

constexpr std::uint16_t kRedHat = 0x1b36;
constexpr std::uint32_t kBridgeClass = 0x060400;

/// The header behind the registers that all functions have (PCI-to-PCI Bridge Architecture 1.2, section 3.2):
/// 16-bit I/O addresses and 64-bit prefetchable ones are passed on. At reset all windows are closed: their
/// ends are the wrong way round.
constexpr PciConfigRow kBridgeHeader[] = {
    {kHeaderType, 1, "header type", 1},
    {0x18, 1, "primary bus", 0, 0xff},
    {kSecondaryBus, 1, "secondary bus", 0, 0xff},
    {kSubordinateBus, 1, "subordinate bus", 0, 0xff},
    {kIoBase, 1, "I/O base", 0xf0, 0xf0},
    {kIoLimit, 1, "I/O limit", 0, 0xf0},
    {0x1e, 2, "secondary status", 0, 0, kStatusErrors},
    {kMemoryBase, 2, "memory base", 0xfff0, 0xfff0},
    {kMemoryLimit, 2, "memory limit", 0, 0xfff0},
    {kPrefetchBase, 2, "prefetchable base", 0xfff1, 0xfff0},
    {kPrefetchLimit, 2, "prefetchable limit", 1, 0xfff0},
    {kPrefetchBaseHigh, 4, "prefetchable base, high", 0, ~0u},
    {kPrefetchLimitHigh, 4, "prefetchable limit, high", 0, ~0u},
    // Parity and SERR#, which never happen, and the reset.
    {kBridgeControl, 2, "bridge control", 0, 3 | kBridgeSecondaryReset},
};

/// Of a root port's PCI Express capability, at its end.
constexpr PciConfigRow kRootRegisters[] = {
    {0x1c, 2, "root control", 0, 0x001f},
    {0x20, 4, "root status", 0, 0, 1 << 16},
};

}  // namespace

PciBridge::PciBridge(const PciIds& ids, PciBus::Kind below, std::string bus)
    : PciFunction(ids),
      secondary_(static_cast<PciBus&>(add_bus(std::make_unique<PciBus>(below, std::move(bus), this)))) {
  space().add_rows(kBridgeHeader);
}

void PciBridge::config_written(unsigned, unsigned) {
  const bool was_in_reset = is_in_reset_;
  is_in_reset_ = (space().read(kBridgeControl, 2) & kBridgeSecondaryReset) != 0;
  if (is_in_reset_ && !was_in_reset) secondary_.reset();
}

void PciBridge::restored() {
  is_in_reset_ = (space().read(kBridgeControl, 2) & kBridgeSecondaryReset) != 0;
  PciFunction::restored();
}

PcieRootPort::PcieRootPort(std::string bus, std::uint8_t port)
    : PciBridge({kRedHat, 0x000c, kBridgeClass}, PciBus::Kind::kLink, std::move(bus)) {
  constexpr unsigned kLinkCapabilities = 0xc;
  constexpr unsigned kPortShift = 24;
  const unsigned express = add_express(PciExpressType::kRootPort);
  space().add_rows(kRootRegisters, express);
  const std::uint32_t link = space().read(express + kLinkCapabilities, 4);
  space().set_fixed(express + kLinkCapabilities, 4, link | std::uint32_t{port} << kPortShift);
  add_msix(0, 1);
  // Two reserved bytes, vendor, subsystem.
  constexpr std::uint8_t kSubsystem[] = {0, 0, kRedHat & 0xff, kRedHat >> 8, 0, 0};
  add_capability(kCapBridgeSubsystem, kSubsystem);
  use_pin();
}

PciePciBridge::PciePciBridge(std::string bus)
    : PciBridge({kRedHat, 0x000e, kBridgeClass}, PciBus::Kind::kConventional, std::move(bus)) {
  add_express(PciExpressType::kToPciBridge);
  add_power();
}

ConventionalBridge::ConventionalBridge(std::string bus)
    : PciBridge({kRedHat, 0x0001, kBridgeClass}, PciBus::Kind::kConventional, std::move(bus)) {}

}  // namespace gstage::hw
