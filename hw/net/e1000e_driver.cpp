// SPDX-License-Identifier: Apache-2.0
#include "softmmu/typed_property.h"
#include "hw/core/boot_order.h"
#include "hw/net/drivers.h"
#include "hw/net/e1000e.h"
#include "hw/pci/pci_properties.h"

namespace gstage::hw {
namespace {

struct CardProperties {
  std::string netdev;
  MacAddress mac{};
};
constexpr PropertyRow kProperties[] = {
    property<&CardProperties::netdev>("netdev", "ID", "a -netdev (none: the link is down)"),
    property<&CardProperties::mac>("mac", "its address"),
    boot_index_property(),
    missing_property("disable_vnet_hdr"),
    missing_property("init-vet"),
    missing_property("migrate-timadj"),
    missing_property("subsys"),
    missing_property("subsys_ven"),
};

Result<std::unique_ptr<Device>> create(const DeviceRequest& request) {
  CardProperties given;
  if (Status status = read_properties(request.what, kProperties, request.given, given); !status.ok())
    return status.error();
  auto network = request.world.back_ends.take_network(request.what, given.netdev);
  if (!network.ok()) return network.error();
  const MacAddress mac = given.mac == MacAddress{} ? request.world.back_ends.macs().next() : given.mac;
  auto card = std::make_unique<E1000e>(std::move(*network), mac);
  if (Status status = read_pci_properties(request, *card); !status.ok()) return status.error();
  return std::unique_ptr<Device>(std::move(card));
}

}  // namespace

std::vector<Driver> network_card_drivers() {
  return {{"e1000e", "Intel's 82574L network card", PciBus::kKind, {pci_properties(), kProperties}, create}};
}

}  // namespace gstage::hw
