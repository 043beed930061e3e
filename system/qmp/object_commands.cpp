// SPDX-License-Identifier: Apache-2.0
// Types of devices with their properties, and the devices of this machine as paths, as clients look for them.
#include <cstring>

#include "io/memory_backend.h"
#include "hw/core/device.h"
#include "hw/core/driver.h"
#include "hw/riscv/boards.h"
#include "system/monitor/commands.h"

namespace gstage {

namespace {

constexpr char kMachineSuffix[] = "-machine";
constexpr char kMemoryBackend[] = "memory-backend";

CommandResult qom_list_types(CommandContext&, const Json& arguments) {
  const auto asked = arguments.find("implements");
  const std::string implemented = asked == arguments.end() ? "" : asked->get<std::string>();
  Json all = Json::array();
  if (implemented.empty() || implemented == "device")
    for (const hw::Driver& driver : hw::drivers())
      if (driver.create) all.push_back(Json{{"name", driver.name}, {"parent", "device"}});
  if (implemented.empty() || implemented == kMemoryBackend)
    for (const MemoryBackendKind& kind : memory_backend_kinds())
      all.push_back(Json{{"name", kind.name}, {"parent", kMemoryBackend}});
  // How clients find that the harts can run by translation.
  if (implemented.empty() || implemented == "accel")
    all.push_back(Json{{"name", "tcg-accel"}, {"parent", "accel"}});
  if (implemented.empty() || implemented == "machine")
    for (const MachineType& type : hw::machine_types())
      all.push_back(Json{{"name", std::string(type.name) + kMachineSuffix}, {"parent", "machine"}});
  return all;
}

void add_properties(Json& all, PropertyRows rows) {
  for (const PropertyRow& row : rows) {
    if (row.use == PropertyUse::kMissing) continue;
    const bool is_switch = std::strcmp(row.value, "on|off") == 0;
    all.push_back(Json{{"name", row.name}, {"type", is_switch ? "bool" : "str"}, {"description", row.help}});
  }
}

CommandResult device_list_properties(CommandContext&, const Json& arguments) {
  const std::string name = arguments["typename"].get<std::string>();
  const hw::Driver* const driver = hw::find_driver(name);
  if (driver == nullptr || !driver->create)
    return CommandError{"DeviceNotFound", "Device '" + name + "' not found"};
  Json all = Json::array();
  for (const PropertyRows rows : driver->properties) add_properties(all, rows);
  return all;
}

CommandResult qom_list_properties(CommandContext& context, const Json& arguments) {
  const std::string name = arguments["typename"].get<std::string>();
  for (const MachineType& type : hw::machine_types()) {
    if (std::string(type.name) + kMachineSuffix != name) continue;
    Json all = Json::array();
    add_properties(all, type.properties);
    return all;
  }
  // libvirt takes it for granted that all kinds exist, and ends with an error of its own where they do not.
  if (name.starts_with(std::string(kMemoryBackend) + "-")) {
    Json all = Json::array();
    if (const MemoryBackendKind* const kind = find_memory_backend(name))
      add_properties(all, kind->properties);
    return all;
  }
  return device_list_properties(context, arguments);
}

constexpr char kPeripheral[] = "/machine/peripheral";

Json child(const std::string& name, const std::string& type) {
  return Json{{"name", name}, {"type", "child<" + type + ">"}};
}

/// The device of that path, which is one with an id; or null.
hw::Device* find_device(CommandContext& context, const std::string& path) {
  hw::Device* found = nullptr;
  hw::for_each_device(context.machine.devices(), [&](hw::Device& device) {
    if (!device.id().empty() && path == std::string(kPeripheral) + "/" + device.id()) found = &device;
  });
  return found;
}

CommandError no_path(const std::string& path) {
  return {"DeviceNotFound", "Device '" + path + "' not found"};
}

CommandResult qom_list(CommandContext& context, const Json& arguments) {
  const std::string path = arguments["path"].get<std::string>();
  Json all = Json::array();
  if (path == "/") {
    all.push_back(child("machine", std::string(context.machine.devices().driver()) + kMachineSuffix));
  } else if (path == "/machine" || path == "/machine/") {
    all.push_back(child("peripheral", "container"));
  } else if (path == kPeripheral) {
    hw::for_each_device(context.machine.devices(), [&](hw::Device& device) {
      if (!device.id().empty()) all.push_back(child(device.id(), device.driver()));
    });
  } else if (find_device(context, path) != nullptr) {
    all.push_back(Json{{"name", "type"}, {"type", "string"}});
  } else {
    return no_path(path);
  }
  return all;
}

CommandResult qom_get(CommandContext& context, const Json& arguments) {
  const std::string path = arguments["path"].get<std::string>();
  const std::string property = arguments["property"].get<std::string>();
  const hw::Device* const device = find_device(context, path);
  if (device == nullptr) return no_path(path);
  if (property == "type") return Json(device->driver());
  return error("Property '%s.%s' not found", device->driver(), property.c_str());
}

constexpr CommandArgument kTypeArguments[] = {
    {"implements", ArgumentType::kString, true, "\"device\" or \"machine\""},
    {"abstract", ArgumentType::kBool, true, "no effect"}};
constexpr CommandArgument kNameArguments[] = {{"typename", ArgumentType::kString, false, "of the type"}};
constexpr CommandArgument kPathArguments[] = {{"path", ArgumentType::kString, false, "of a device"}};
constexpr CommandArgument kGetArguments[] = {{"path", ArgumentType::kString, false, "of a device"},
                                             {"property", ArgumentType::kString, false, "its name"}};

constexpr Command kCommands[] = {
    {.qmp = "qom-list-types", .arguments = kTypeArguments, .run = qom_list_types, .help = "types of devices"},
    {.qmp = "device-list-properties",
     .arguments = kNameArguments,
     .run = device_list_properties,
     .help = "properties of a type of devices"},
    {.qmp = "qom-list-properties",
     .arguments = kNameArguments,
     .run = qom_list_properties,
     .help = "properties of a type of devices or a board"},
    {.qmp = "qom-list", .arguments = kPathArguments, .run = qom_list, .help = "what is at a path"},
    {.qmp = "qom-get", .arguments = kGetArguments, .run = qom_get, .help = "a property of a device"},
};

}  // namespace

std::span<const Command> object_commands() { return kCommands; }

}  // namespace gstage
