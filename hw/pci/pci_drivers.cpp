// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "softmmu/base/format.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_properties.h"

namespace gstage {

bool PropertyCodec<hw::PciSlot>::parse(const std::string& text, const PropertyRow&, hw::PciSlot& to) {
  return hw::PciSlot::parse(text, to);
}

std::string PropertyCodec<hw::PciSlot>::show(hw::PciSlot value) {
  return value.is_any() ? "the first free slot" : format("%x.%x", value.device(), value.function());
}

}  // namespace gstage

namespace gstage::hw {
namespace {

constexpr PropertyRow kPciProperties[] = {
    property<&PciAddress::slot>("addr", "slot and function, hexadecimal"),
    property<&PciAddress::is_multifunction>("multifunction", "the slot has functions besides 0"),
    ignored_property("rombar"),
    missing_property("acpi-index"),
    missing_property("failover_pair_id"),
    missing_property("romfile"),
    missing_property("romsize"),
    missing_property("sriov-pf"),
    missing_property("x-max-bounce-buffer-size"),
    missing_property("x-pci-express-writeable-slt-bug"),
    missing_property("x-pcie-ari-nextfn-1"),
    missing_property("x-pcie-err-unc-mask"),
    missing_property("x-pcie-ext-tag"),
    missing_property("x-pcie-lnksta-dllla"),
};

/// Windows are as large as the guest makes them.
constexpr PropertyRow kReserveProperties[] = {
    missing_property("bus-reserve"),    missing_property("io-reserve"),     missing_property("mem-reserve"),
    missing_property("pref32-reserve"), missing_property("pref64-reserve"),
};

constexpr unsigned kMostSlots = 0x1fff;  ///< 13 bits
constexpr PropertyRow kRootPortProperties[] = {
    property<&PcieRootPort::Slot::port>("port", "the number that its link shows"),
    property<&PcieRootPort::Slot::number>("slot", "the number of its slot, for people", {0, kMostSlots}),
    property<&PcieRootPort::Slot::has_hot_plug>("hotplug", "what is in the slot can come and go"),
    ignored_property("chassis"),
    missing_property("aer_log_max"),
    missing_property("power_controller_present"),
    missing_property("x-do-not-expose-native-hotplug-cap"),
    missing_property("x-speed"),
    missing_property("x-width"),
};
constexpr PropertyRow kBridgeProperties[] = {
    ignored_property("chassis_nr"),
    ignored_property("msi"),
    ignored_property("shpc"),
};

/// The name of the bus behind the bridge: its id.
std::string bus_behind(const DeviceRequest& request) {
  const std::string* const id = request.given.find("id");
  return id != nullptr ? *id : format("pci.%u", ++request.world.unnamed_buses["pci"]);
}

Result<std::unique_ptr<Device>> placed(const DeviceRequest& request, std::unique_ptr<PciFunction> function) {
  if (Status status = read_pci_properties(request, *function); !status.ok()) return status.error();
  return std::unique_ptr<Device>(std::move(function));
}

Result<std::unique_ptr<Device>> create_root_port(const DeviceRequest& request) {
  PcieRootPort::Slot given;
  if (Status status = read_properties(request.what, kRootPortProperties, request.given, given); !status.ok())
    return status.error();
  return placed(request, std::make_unique<PcieRootPort>(bus_behind(request), given));
}

template <class Bridge>
Result<std::unique_ptr<Device>> create_bridge(const DeviceRequest& request) {
  return placed(request, std::make_unique<Bridge>(bus_behind(request)));
}

}  // namespace

PropertyRows pci_properties() { return kPciProperties; }

Status read_pci_properties(const DeviceRequest& request, PciFunction& function) {
  PciAddress address;
  const Status status = read_properties(request.what, kPciProperties, request.given, address);
  if (status.ok()) function.set_address(address);
  return status;
}

std::vector<Driver> pci_bridge_drivers() {
  return {
      {"pcie-root-port",
       "PCI Express port: a slot",
       PciBus::kKind,
       {kPciProperties, kRootPortProperties, kReserveProperties},
       create_root_port},
      {"pcie-pci-bridge",
       "bridge from PCI Express to a conventional bus",
       PciBus::kKind,
       {kPciProperties, kBridgeProperties},
       create_bridge<PciePciBridge>},
      {"pci-bridge",
       "bridge between conventional buses",
       PciBus::kKind,
       {kPciProperties, kBridgeProperties, kReserveProperties},
       create_bridge<ConventionalBridge>},
  };
}

}  // namespace gstage::hw
