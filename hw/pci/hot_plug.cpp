// SPDX-License-Identifier: Apache-2.0
#include "hw/pci/hot_plug.h"

#include <cstring>

#include "hw/pci/pci_host.h"

namespace gstage::hw {

namespace {

constexpr char kRootPort[] = "pcie-root-port";

/// The id and the network of a device, if it has both.
void note_network(const DeviceOptions& device, std::map<std::string, std::string>& networks) {
  const std::string* const id = device.find("id");
  const std::string* const network = device.find("netdev");
  if (id != nullptr && network != nullptr) networks[*id] = *network;
}

/// The port that the bus is behind, or null.
PcieRootPort* port_above(const Bus* bus) {
  if (bus == nullptr || std::strcmp(bus->kind(), PciBus::kKind) != 0) return nullptr;
  PciFunction* const above = static_cast<const PciBus*>(bus)->above();
  const bool is_port = above != nullptr && std::strcmp(above->driver(), kRootPort) == 0;
  return is_port ? static_cast<PcieRootPort*>(above) : nullptr;
}

}  // namespace

PciHotPlug::PciHotPlug(PciHost& host, Device& root, DeviceWorld& world,
                       std::span<const DeviceOptions> devices)
    : host_(host), root_(root), world_(world) {
  for (const DeviceOptions& device : devices) note_network(device, networks_);
  host_.set_hot_plug(this);
}

PciHotPlug::~PciHotPlug() = default;

bool PciHotPlug::has_slots() const {
  bool has_one = false;
  for_each_device(root_, [&](Device& device) {
    if (std::strcmp(device.driver(), kRootPort) == 0)
      has_one = has_one || static_cast<PcieRootPort&>(device).has_hot_plug();
  });
  return has_one;
}

PcieRootPort* PciHotPlug::port_of(const std::string& bus) const {
  PcieRootPort* found = nullptr;
  for_each_device(root_, [&](Device& device) {
    for (const auto& below : device.buses())
      if (below->name() == bus)
        if (PcieRootPort* const port = port_above(below.get())) found = port;
  });
  return found;
}

Status PciHotPlug::add(const DeviceOptions& given) {
  const char* const name = given.driver.c_str();
  const Driver* const driver = find_driver(given.driver);
  if (driver == nullptr || !driver->create || driver->bus == nullptr)
    return error("'%s' is not a valid device model name", name);
  if (std::strcmp(driver->bus, PciBus::kKind) != 0 || given.driver.find("bridge") != std::string::npos ||
      given.driver == kRootPort)
    return error("%s does not support hotplugging: only functions of PCI do, in a pcie-root-port", name);
  const std::string* const bus = given.find("bus");
  PcieRootPort* const port = bus == nullptr ? nullptr : port_of(*bus);
  if (port == nullptr || !port->has_hot_plug())
    return error("Bus '%s' does not support hotplugging: name a pcie-root-port by bus=",
                 bus == nullptr ? "pcie.0" : bus->c_str());
  if (!port->secondary()->devices().empty())
    return error("the slot of %s is taken already; choose another bus", bus->c_str());
  if (Status status = add_device(root_, world_, given); !status.ok()) return status;
  note_network(given, networks_);
  host_.insert_card(*port);
  return Ok{};
}

Result<PcieRootPort*> PciHotPlug::slot_of(Device& device) const {
  PcieRootPort* const port = port_above(device.bus());
  if (port != nullptr && port->has_hot_plug() && static_cast<PciFunction&>(device).secondary() == nullptr)
    return port;
  return error("Bus '%s' does not support hotplugging: only what is in a pcie-root-port can go",
               device.bus() == nullptr ? "none" : device.bus()->name().c_str());
}

bool PciHotPlug::ask(PcieRootPort& port) { return host_.ask_for_card(port); }

void PciHotPlug::on_free(std::function<void(PcieRootPort& port)> listener) {
  host_.on_free_card(std::move(listener));
}

std::vector<PciHotPlug::Removed> PciHotPlug::remove(PcieRootPort& port) {
  std::vector<Removed> gone;
  for (const auto& device : port.secondary()->devices()) {
    gone.push_back({device->id(), device->path()});
    const auto network = networks_.find(device->id());
    if (network == networks_.end()) continue;
    world_.back_ends.release_network(network->second);
    networks_.erase(network);
  }
  host_.remove_card(port);
  return gone;
}

PciHotPlug* find_hot_plug(Device& root) {
  PciHotPlug* found = nullptr;
  for_each_device(root, [&](Device& device) {
    if (std::strcmp(device.driver(), "gpex-pcihost") == 0) found = static_cast<PciHost&>(device).hot_plug();
  });
  return found;
}

}  // namespace gstage::hw
