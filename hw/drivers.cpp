// SPDX-License-Identifier: Apache-2.0
// The one table of drivers.
#include "hw/net/drivers.h"

#include <iterator>

#include "hw/core/driver.h"
#include "hw/misc/pci_testdev.h"
#include "hw/nvme/nvme.h"
#include "hw/pci/pci_properties.h"
#include "hw/riscv/boot.h"
#include "hw/scsi/drivers.h"
#include "hw/virtio/kinds/kind.h"

namespace gstage::hw {
namespace {

/// Drivers that command lines name and that are not there yet.
constexpr const char* kMissing[] = {
#define DEVICE(name) name,
#include "hw/missing_drivers.inc"
#undef DEVICE
};

void append(std::vector<Driver>& to, std::vector<Driver> rows) {
  to.insert(to.end(), std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end()));
}

/// Files in memory are no devices, but they are asked for as such: hw/riscv/boot.cpp sees to them.
Driver loader(const char* name, const char* description, PropertyRows properties) {
  return {name, description, nullptr, {properties}, [](const DeviceRequest&) {
            return Result<std::unique_ptr<Device>>(std::unique_ptr<Device>());
          }};
}

std::vector<Driver> make_table() {
  std::vector<Driver> all;
  for (const VirtioKind* const kind : virtio_kinds()) append(all, virtio_drivers(*kind));
  append(all, serial_port_drivers());
  append(all, scsi_unit_drivers());
  append(all, network_card_drivers());
  append(all, pci_bridge_drivers());
  all.push_back(nvme_driver());
  all.push_back(pci_test_driver());
  all.push_back(loader("loader", "file or number in memory", kLoaderProperties));
  all.push_back(loader("guest-loader", "file in memory for a hypervisor", kGuestLoaderProperties));
  for (const char* const name : kMissing) all.push_back({name});
  return all;
}

}  // namespace

std::span<const Driver> drivers() {
  static const std::vector<Driver> all = make_table();
  return all;
}

}  // namespace gstage::hw
