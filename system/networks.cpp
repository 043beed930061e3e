// SPDX-License-Identifier: Apache-2.0
#include "system/networks.h"

#include <algorithm>

#include "softmmu/base/format.h"
#include "softmmu/option_values.h"
#include "io/net/dump.h"
#include "system/option_handlers.h"

namespace gstage {

namespace {

/// Properties of the device that -nic and -net nic make.
constexpr PropertyRow kNicProperties[] = {
    {"model", "DRIVER", "the device, as -device names it (default: virtio-net-pci)"},
    {"mac", "ADDRESS", "its address, 52:54:00:12:34:56"},
    {"macaddr", "ADDRESS", "the same"},
    {"netdev", "ID", "of -net nic: a -netdev"},
    {"id", "ID", "for the monitor"},
    {"name", "ID", "the same"},
    ignored_property("vectors"),
    missing_property("addr"),
};

bool is_of_nic(const Property& property) {
  return property.name != "id" && find_property(kNicProperties, property.name) != nullptr;
}

std::string driver_of(const std::string& model) {
  return model.empty() || model == "virtio" ? "virtio-net-pci" : model;
}

Status check_properties(const std::string& option, const NetdevKind& kind, const DeviceOptions& netdev) {
  for (const Property& property : netdev.properties)
    if (Status status = check_property(option + " " + kind.name, kind.properties, property); !status.ok())
      return status;
  return Ok{};
}

/// Puts the part of a -nic that is about the device into `device`, and leaves the rest in `netdev`.
void split_nic(const DeviceOptions& nic, DeviceOptions& netdev, DeviceOptions& device) {
  netdev.driver = nic.driver;
  std::string model;
  for (const Property& property : nic.properties) {
    if (property.name == "model") {
      model = property.value;
    } else if (property.name == "mac" || property.name == "macaddr") {
      device.properties.push_back({"mac", property.value});
    } else if (is_of_nic(property)) {
      if (property.name == "netdev") device.properties.push_back(property);
    } else {
      netdev.properties.push_back(property);
    }
  }
  device.driver = driver_of(model);
}

Status add_nic(Options& options, const DeviceOptions& nic, std::vector<DeviceOptions>& devices) {
  DeviceOptions netdev;
  DeviceOptions device;
  split_nic(nic, netdev, device);
  auto kind = find_netdev_kind("-nic", netdev.driver);
  if (!kind) return kind.error();
  std::string id = netdev.find("id") == nullptr ? "" : *netdev.find("id");
  if (id.empty()) id = format("nic%zu", devices.size()), netdev.properties.push_back({"id", id});
  if (Status status = check_properties("-nic", **kind, netdev); !status.ok()) return status;
  device.properties.push_back({"netdev", id});
  options.netdevs.push_back(std::move(netdev));
  devices.push_back(std::move(device));
  return Ok{};
}

Status add_net(Options& options, const DeviceOptions& net, std::vector<DeviceOptions>& devices,
               std::vector<std::string>& networks) {
  if (net.driver == "nic") {
    for (const Property& property : net.properties)
      if (Status status = check_property("-net nic", kNicProperties, property); !status.ok()) return status;
    DeviceOptions ignored;
    devices.emplace_back();
    split_nic(net, ignored, devices.back());
    return Ok{};
  }
  auto kind = find_netdev_kind("-net", net.driver);
  if (!kind) return kind.error();
  DeviceOptions netdev = net;
  const std::string id = format("net%zu", networks.size());
  std::erase_if(netdev.properties, [](const Property& p) { return p.name == "id" || p.name == "name"; });
  netdev.properties.push_back({"id", id});
  if (Status status = check_properties("-net", **kind, netdev); !status.ok()) return status;
  options.netdevs.push_back(std::move(netdev));
  networks.push_back(id);
  return Ok{};
}

/// All that -net names is on hub 0: `networks` become the ports that are left for the cards.
void join_by_hub(Options& options, std::vector<std::string>& networks, std::size_t cards) {
  for (std::size_t i = 0; i < networks.size(); ++i)
    options.netdevs.push_back(
        {"hubport", {{"hubid", "0"}, {"netdev", networks[i]}, {"id", format("hub0net%zu", i)}}});
  networks.clear();
  for (std::size_t i = 0; i < cards; ++i) {
    networks.push_back(format("hub0port%zu", i));
    options.netdevs.push_back({"hubport", {{"hubid", "0"}, {"id", networks.back()}}});
  }
}

}  // namespace

Status expand_nics(Options& options) {
  std::vector<DeviceOptions> nics;
  for (const DeviceOptions& nic : options.nics)
    if (const Status status = add_nic(options, nic, nics); !status.ok()) return status;
  std::vector<DeviceOptions> devices;
  std::vector<std::string> networks;
  for (const DeviceOptions& net : options.nets)
    if (const Status status = add_net(options, net, devices, networks); !status.ok()) return status;
  const auto has_none = [](const DeviceOptions& device) { return device.find("netdev") == nullptr; };
  const auto free = std::count_if(devices.begin(), devices.end(), has_none);
  const bool has_hub = networks.size() > 1 || (networks.size() == 1 && free > 1);
  if (has_hub) join_by_hub(options, networks, static_cast<std::size_t>(free));
  std::size_t next = 0;
  for (DeviceOptions& device : devices)
    if (has_none(device) && next < networks.size()) device.properties.push_back({"netdev", networks[next++]});
  nics.insert(nics.end(), devices.begin(), devices.end());
  // Before what -device adds, as on the reference board.
  options.machine.devices.insert(options.machine.devices.begin(), nics.begin(), nics.end());
  return Ok{};
}

namespace {

/// `-object filter-dump`: after all networks, and before a device has any.
Status add_dumps(const Options& options, const Networks& all) {
  for (const DeviceOptions& object : options.machine.objects) {
    if (object.driver != "filter-dump") continue;
    const std::string what = "-object filter-dump,id=" + *object.find("id");
    const auto found = all.find(netdev_text(object, "netdev"));
    if (found == all.end())
      return error("%s: there is no network '%s': name a -netdev by netdev=", what.c_str(),
                   netdev_text(object, "netdev").c_str());
    std::uint32_t most = NetDump::kDefaultBytes;
    if (const std::string text = netdev_text(object, "maxlen"); !text.empty()) {
      auto number = parse_number(what + ": maxlen", text, 1, NetDump::kDefaultBytes);
      if (!number) return number.error();
      most = static_cast<std::uint32_t>(*number);
    }
    auto dump = NetDump::open(netdev_text(object, "file"), most);
    if (!dump) return dump.error();
    found->second->add_observer(*dump);
  }
  return Ok{};
}

}  // namespace

namespace {

/// Opens one, and says in `options.sandbox` what it needs.
Status open_network(Options& options, const DeviceOptions& netdev) {
  auto kind = find_netdev_kind("-netdev", netdev.driver);
  if (!kind) return kind.error();
  const std::string& id = *netdev.find("id");
  if (options.machine.networks.count(id) != 0)
    return error("-netdev: the id '%s' is given twice: choose another", id.c_str());
  auto backend = (*kind)->open(netdev, options.machine.networks);
  if (!backend) return backend.error();
  options.machine.networks[id] = *backend;
  return (*kind)->needs == nullptr ? Status(Ok{}) : (*kind)->needs(netdev, options.sandbox);
}

/// Of -netdev, parsed.
Status check_netdev(const DeviceOptions& netdev) {
  auto kind = find_netdev_kind("-netdev", netdev.driver);
  if (!kind) return kind.error();
  if (Status status = check_properties("-netdev", **kind, netdev); !status.ok()) return status;
  const std::string* const id = netdev.find("id");
  if (id == nullptr || id->empty()) return error("-netdev: %s has no id: add id=NAME", netdev.driver.c_str());
  return Ok{};
}

}  // namespace

Status add_network(Options& options, const DeviceOptions& netdev) {
  if (Status status = check_netdev(netdev); !status.ok()) return status;
  if (Status status = open_network(options, netdev); !status.ok()) return status;
  NetBackend& network = *options.machine.networks[*netdev.find("id")];
  for (unsigned i = 0; i < network.queues(); ++i) network.queue(i).loop().wake();
  return Ok{};
}

Status open_networks(Options& options) {
  Networks all;
  for (const DeviceOptions& netdev : options.netdevs) {
    if (Status status = open_network(options, netdev); !status.ok()) return status;
    all[*netdev.find("id")] = options.machine.networks[*netdev.find("id")];
  }
  return add_dumps(options, all);
}

Status NetworkHandlers::netdev(Options& options, const std::string& argument) {
  if (is_help(argument)) {
    options.output = netdevs_help();
    return Ok{};
  }
  auto netdev = parse_device("-netdev", argument, "type");
  if (!netdev) return netdev.error();
  auto kind = find_netdev_kind("-netdev", netdev->driver);
  if (!kind) return kind.error();
  if (asks_for_help(netdev->properties)) {
    options.output = properties_help(format("Properties of -netdev %s:", (*kind)->name), (*kind)->properties);
    return Ok{};
  }
  if (Status status = check_netdev(*netdev); !status.ok()) return status;
  options.netdevs.push_back(std::move(*netdev));
  return Ok{};
}

Status NetworkHandlers::nic(Options& options, const std::string& argument) {
  if (argument == "none") return Ok{};
  if (is_help(argument)) {
    options.output =
        properties_help("Properties of -nic, besides those of -netdev:", kNicProperties) + netdevs_help();
    return Ok{};
  }
  auto nic = parse_device("-nic", argument, "type");
  if (!nic) return nic.error();
  options.nics.push_back(std::move(*nic));
  return Ok{};
}

Status NetworkHandlers::net(Options& options, const std::string& argument) {
  if (argument == "none") return Ok{};
  if (is_help(argument)) {
    options.output = properties_help("Properties of -net nic:", kNicProperties) + netdevs_help();
    return Ok{};
  }
  auto net = parse_device("-net", argument, "type");
  if (!net) return net.error();
  options.nets.push_back(std::move(*net));
  return Ok{};
}

}  // namespace gstage
