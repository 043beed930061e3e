// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "softmmu/typed_property.h"
#include "hw/core/driver.h"
#include "hw/pci/pci_bus.h"

namespace gstage {

/// `addr=`: "5", "1f.7".
template <>
struct PropertyCodec<hw::PciSlot> {
  static constexpr const char* kForm = "DEV[.FN]";
  static bool parse(const std::string& text, const PropertyRow& row, hw::PciSlot& to);
  static std::string show(hw::PciSlot value);
};

}  // namespace gstage

namespace gstage::hw {

/// The properties that every PCI device has: the first rows of its driver.
PropertyRows pci_properties();
/// Sets where the function asks to be put.
Status read_pci_properties(const DeviceRequest& request, PciFunction& function);

/// Ports and bridges.
std::vector<Driver> pci_bridge_drivers();

}  // namespace gstage::hw
