// SPDX-License-Identifier: Apache-2.0
#include "hw/core/driver.h"

#include <algorithm>
#include <cstring>

#include "softmmu/base/format.h"
#include "hw/core/boot_order.h"

namespace gstage::hw {

namespace {

constexpr PropertyRow kCommonProperties[] = {
    {"id", "ID", "the device's name"},
    {"bus", "BUS", "the bus that it is put on (default: the first that has room)"},
};

/// The rows of a driver as one table.
std::vector<PropertyRow> rows_of(const Driver& driver) {
  std::vector<PropertyRow> all;
  for (const PropertyRows rows : driver.properties) all.insert(all.end(), rows.begin(), rows.end());
  for (const PropertyRow& row : kCommonProperties)
    if ((driver.bus != nullptr || std::strcmp(row.name, "bus") != 0) &&
        find_property(all, row.name) == nullptr)
      all.push_back(row);
  return all;
}

/// Calls `visit(bus)` for every bus of the tree, parents first, until it answers true.
bool find_bus(const Device& root, const std::function<bool(Bus&)>& visit) {
  for (const auto& bus : root.buses()) {
    if (visit(*bus)) return true;
    for (const auto& device : bus->devices())
      if (find_bus(*device, visit)) return true;
  }
  return false;
}

Result<Bus*> choose_bus(Device& root, const Driver& driver, const std::string& what,
                        const std::string& name) {
  Bus* found = nullptr;
  bool has_kind = false;
  std::string names;
  find_bus(root, [&](Bus& bus) {
    if (std::strcmp(bus.kind(), driver.bus) != 0) return false;
    has_kind = true;
    names += (names.empty() ? "" : ", ") + bus.name();
    if (name.empty() ? bus.has_room() : bus.name() == name) found = &bus;
    return found != nullptr;
  });
  if (found != nullptr && found->has_room()) return found;
  if (found != nullptr)
    return error("%s: %s is taken already; choose another bus", what.c_str(), name.c_str());
  if (!has_kind)
    return error("%s: there is no %s for it; put a -device that has one before it", what.c_str(), driver.bus);
  if (name.empty())
    return error("%s: all buses for it are full (%s); remove a device", what.c_str(), names.c_str());
  return error("%s: there is no bus '%s' for it; there are %s", what.c_str(), name.c_str(), names.c_str());
}

/// The defaults of its driver come first: the last value of a property counts.
DeviceOptions with_globals(std::span<const DeviceOptions> globals, const DeviceOptions& asked) {
  DeviceOptions all{asked.driver, {}};
  for (const DeviceOptions& global : globals)
    if (global.driver == asked.driver)
      all.properties.insert(all.properties.end(), global.properties.begin(), global.properties.end());
  all.properties.insert(all.properties.end(), asked.properties.begin(), asked.properties.end());
  return all;
}

bool has_id(Device& root, const std::string& id) {
  bool is_taken = false;
  for_each_device(root, [&](Device& device) { is_taken = is_taken || device.id() == id; });
  return is_taken;
}

}  // namespace

std::string DeviceWorld::bus_name(const DeviceOptions& given, const char* kind) {
  const std::string* const id = given.find("id");
  return id != nullptr ? *id + ".0" : format("%s.%u", kind, unnamed_buses[kind]++);
}

const Driver* find_driver(const std::string& name) {
  const auto all = drivers();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Driver& driver) { return driver.name == name; });
  return found == all.end() ? nullptr : &*found;
}

namespace {

Result<const Driver*> known_driver(const std::string& name) {
  const Driver* const driver = find_driver(name);
  if (driver == nullptr)
    return error("-device %s: there is no such device; gstage -device help lists them", name.c_str());
  if (driver->refusal != nullptr) return error("-device %s: %s", name.c_str(), driver->refusal);
  if (!driver->create) return error("-device %s is not supported yet", name.c_str());
  return driver;
}

}  // namespace

Result<std::string> drivers_help(const std::string& name) {
  if (name.empty()) {
    std::string text = "Devices (-device NAME[,PROP=VALUE...]; -device NAME,help lists the properties):\n";
    for (const Driver& driver : drivers())
      if (driver.create) text += format("  %-36s%s\n", driver.name.c_str(), driver.description);
    return text;
  }
  auto driver = known_driver(name);
  if (!driver.ok()) return driver.error();
  return properties_help(format("Properties of %s, %s (-device %s,NAME=VALUE...):", name.c_str(),
                                (*driver)->description, name.c_str()),
                         rows_of(**driver));
}

Status check_global(const std::string& driver, const Property& property) {
  const Driver* const row = find_driver(driver);
  if (row == nullptr || !row->create)
    return error("-global %s.%s: there is no such driver; gstage -device help lists them", driver.c_str(),
                 property.name.c_str());
  return check_property("-global " + driver, rows_of(*row), property);
}

Status add_device(Device& root, DeviceWorld& world, const DeviceOptions& asked) {
  auto driver = known_driver(asked.driver);
  if (!driver.ok()) return driver.error();
  const DeviceOptions given = with_globals(world.globals, asked);
  const DeviceRequest request{given, world, "-device " + given.driver};
  const auto rows = rows_of(**driver);
  for (const Property& property : given.properties)
    if (Status status = check_property(request.what, rows, property); !status.ok()) return status;
  const std::string* const id = given.find("id");
  if (id != nullptr && has_id(root, *id))
    return error("%s: another device has the id '%s'; choose another one", request.what.c_str(), id->c_str());
  if ((*driver)->bus == nullptr) return Ok{};
  const std::string* const bus_name = given.find("bus");
  auto bus = choose_bus(root, **driver, request.what, bus_name == nullptr ? "" : *bus_name);
  if (!bus.ok()) return bus.error();
  auto device = (*driver)->create(request);
  if (!device.ok()) return device.error();
  if (id != nullptr) (*device)->set_id(*id);
  if (Status placed = set_boot_index(request.what, root, given, **device); !placed.ok()) return placed;
  const Status status = (*bus)->plug(std::move(*device));
  return status.ok() ? Status(Ok{}) : error("%s: %s", request.what.c_str(), status.error().message.c_str());
}

}  // namespace gstage::hw
