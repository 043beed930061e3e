// SPDX-License-Identifier: Apache-2.0
// Devices and networks that come and go while the machine runs.
#include "hw/pci/hot_plug.h"
#include "system/monitor/commands.h"
#include "system/networks.h"
#include "system/qmp/card_events.h"

namespace gstage {

namespace {

std::string text_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "on" : "off";
  return value.dump(-1, ' ', true, Json::error_handler_t::replace);
}

/// The members as the properties of an option; `word` names the member that is its first word.
DeviceOptions options_of(const Json& arguments, const char* word) {
  DeviceOptions options;
  for (const auto& [name, value] : arguments.items()) {
    if (name == word)
      options.driver = text_of(value);
    else
      options.properties.push_back({name, text_of(value)});
  }
  return options;
}

CommandResult device_add(CommandContext& context, const Json& arguments) {
  hw::PciHotPlug* const hot_plug = hw::find_hot_plug(context.machine.devices());
  if (hot_plug == nullptr) return error("this machine has no PCI: use -M virt");
  return hot_plug->add(options_of(arguments, "driver"));
}

/// By id or, as clients may say it, by path.
hw::Device* find_device(CommandContext& context, const std::string& name) {
  const std::size_t slash = name.rfind('/');
  const std::string id = slash == std::string::npos ? name : name.substr(slash + 1);
  hw::Device* found = nullptr;
  hw::for_each_device(context.machine.devices(), [&](hw::Device& device) {
    if (!id.empty() && device.id() == id) found = &device;
  });
  return found;
}

CommandResult device_del(CommandContext& context, const Json& arguments) {
  const std::string name = arguments["id"].get<std::string>();
  hw::Device* const device = find_device(context, name);
  if (device == nullptr) return CommandError{"DeviceNotFound", "Device '" + name + "' not found"};
  hw::PciHotPlug* const hot_plug = hw::find_hot_plug(context.machine.devices());
  if (hot_plug == nullptr) return error("this machine has no PCI: use -M virt");
  auto port = hot_plug->slot_of(*device);
  if (!port.ok()) return port.error();
  if (hot_plug->ask(**port)) tell_removed(context.subjects.events, hot_plug->remove(**port));
  return nothing();
}

CommandResult netdev_add(CommandContext& context, const Json& arguments) {
  if (context.subjects.options == nullptr) return error("this machine takes no networks");
  return add_network(*context.subjects.options, options_of(arguments, "type"));
}

CommandResult netdev_del(CommandContext& context, const Json& arguments) {
  const std::string id = arguments["id"].get<std::string>();
  Options* const options = context.subjects.options;
  if (options == nullptr || options->machine.networks.count(id) == 0)
    return CommandError{"DeviceNotFound", "Device '" + id + "' not found"};
  const auto network = options->machine.networks.find(id);
  // A device that has it holds it as well.
  if (network->second.use_count() > 1)
    return error("the network '%s' has a device: delete that first, by device_del", id.c_str());
  options->machine.networks.erase(network);
  return nothing();
}

constexpr CommandArgument kAddArguments[] = {
    {"driver", ArgumentType::kProperties, false, "as -device has it, with bus=ID of a pcie-root-port"}};
constexpr CommandArgument kNetdevArguments[] = {
    {"type", ArgumentType::kProperties, false, "as -netdev has it"}};
constexpr CommandArgument kIdArguments[] = {{"id", ArgumentType::kString, false, "of the device"}};
constexpr CommandArgument kNetdevIdArguments[] = {{"id", ArgumentType::kString, false, "of the network"}};

constexpr Command kCommands[] = {
    {.qmp = "device_add",
     .hmp = "device_add",
     .arguments = kAddArguments,
     .run = device_add,
     .help = "put a PCI function into a slot",
     .needs_stopped_harts = true},
    {.qmp = "device_del",
     .hmp = "device_del",
     .arguments = kIdArguments,
     .run = device_del,
     .help = "ask the guest to let a device go",
     .needs_stopped_harts = true},
    {.qmp = "netdev_add",
     .hmp = "netdev_add",
     .arguments = kNetdevArguments,
     .run = netdev_add,
     .help = "open a network for a device to come"},
    {.qmp = "netdev_del",
     .hmp = "netdev_del",
     .arguments = kNetdevIdArguments,
     .run = netdev_del,
     .help = "close a network that no device has"},
};

}  // namespace

std::span<const Command> plug_commands() { return kCommands; }

}  // namespace gstage
