// SPDX-License-Identifier: Apache-2.0
#include "system/option_handlers.h"

#include <algorithm>
#include <iterator>

#include "softmmu/base/format.h"
#include "softmmu/base/log.h"
#include "softmmu/option_values.h"
#include "softmmu/property_rows.h"
#include "io/block/throttle.h"
#include "io/memory_backend.h"
#include "target/riscv/extensions.h"
#include "hw/core/driver.h"
#include "hw/riscv/boards.h"

namespace gstage {

namespace {

constexpr std::uint64_t kMostHarts = 512;

/// Stores plain text.
Status keep(std::string& to, const std::string& text) {
  to = text;
  return Ok{};
}

Status set(bool& to, bool value) {
  to = value;
  return Ok{};
}

Status keep(std::string& to, Result<std::string> text) {
  return text.ok() ? keep(to, *text) : Status(text.error());
}

/// The board's row, or null.
const MachineType* find_board(const std::string& name) {
  for (const MachineType& type : hw::machine_types())
    if (name == type.name) return &type;
  return nullptr;
}

/// Properties that all boards have: parts of other options.
constexpr PropertyRow kMachineProperties[] = {
    {"accel", "NAME[:NAME...]", "as -accel; the first that is there"},
    {"kernel", "FILE", "as -kernel"},
    {"initrd", "FILE", "as -initrd"},
    {"append", "TEXT", "as -append"},
    {"dtb", "FILE", "as -dtb"},
    {"firmware", "default|none|FILE", "as -bios"},
    {"memory-backend", "ID", "the -object memory-backend-... that is RAM"},
};
constexpr struct {
  const char* name;
  std::string MachineOptions::*member;
} kMachineTexts[] = {
    {"kernel", &MachineOptions::kernel}, {"initrd", &MachineOptions::initrd},
    {"append", &MachineOptions::append}, {"dtb", &MachineOptions::dtb},
    {"firmware", &MachineOptions::bios}, {"memory-backend", &MachineOptions::memory_backend}};

/// Whether the property is one of all boards'; then it is set.
Result<bool> set_machine_property(Options& options, const Property& property) {
  if (property.name == "type") {
    options.machine.machine.driver = property.value;
    return true;
  }
  if (property.name == "accel") {
    const Status status = choose_accel(options, property.value);
    if (!status.ok()) return status.error();
    return true;
  }
  for (const auto& [name, member] : kMachineTexts) {
    if (property.name != name) continue;
    options.machine.*member = property.value;
    return true;
  }
  return false;
}

std::string machine_properties_help(const MachineType& board) {
  std::vector<PropertyRow> rows(std::begin(kMachineProperties), std::end(kMachineProperties));
  rows.insert(rows.end(), board.properties.begin(), board.properties.end());
  return properties_help(format("Properties of %s (-machine %s,NAME=VALUE...):", board.name, board.name),
                         rows);
}

constexpr PropertyRow kSmpProperties[] = {
    {"cpus", "N", "number of harts, 1 to 512"},
    {"maxcpus", "N", "the same number"},
    {"sockets", "N", "with cores and threads: their product is the number of harts"},
    {"cores", "N", "likewise"},
    {"threads", "N", "likewise"},
    missing_property("books"),
    missing_property("clusters"),
    missing_property("dies"),
    missing_property("drawers"),
    missing_property("modules"),
};
/// What -object makes.
struct ObjectRow {
  const char* name;
  const char* help;
  PropertyRows properties;
};
constexpr PropertyRow kRngRandomProperties[] = {
    {"id", "ID", "for devices to name"}, {"filename", "FILE", "where it reads (default: /dev/urandom)"}};
constexpr PropertyRow kRngBuiltinProperties[] = {{"id", "ID", "for devices to name"}};
constexpr PropertyRow kFilterDumpProperties[] = {
    {"id", "ID", "its name"},
    {"netdev", "ID", "the network whose frames are written"},
    {"file", "FILE", "where they go, in the format of pcap"},
    {"maxlen", "N", "bytes that are kept of each frame (default: 65536)"},
    ignored_property("status"),
    missing_property("insert"),
    missing_property("position"),
    missing_property("queue"),
};
constexpr PropertyRow kSecretProperties[] = {
    {"id", "ID", "its name"},   ignored_property("data"),  ignored_property("file"),
    ignored_property("format"), ignored_property("keyid"), ignored_property("iv"),
};
const ObjectRow kObjects[] = {
    {"filter-dump", "frames of a network into a file", kFilterDumpProperties},
    {"rng-builtin", "random numbers of the emulator itself", kRngBuiltinProperties},
    {"rng-random", "random numbers from a file", kRngRandomProperties},
    {"secret", "a key for what is encrypted; accepted: nothing is", kSecretProperties},
    {"throttle-group", "limits that disks share", throttle_object_properties()},
};

std::vector<ObjectRow> all_objects() {
  std::vector<ObjectRow> all(std::begin(kObjects), std::end(kObjects));
  for (const MemoryBackendKind& kind : memory_backend_kinds())
    all.push_back({kind.name, kind.help, kind.properties});
  std::sort(all.begin(), all.end(),
            [](const ObjectRow& a, const ObjectRow& b) { return std::string_view(a.name) < b.name; });
  return all;
}

std::string objects_help() {
  std::string text = "Objects (-object NAME,id=ID[,PROP=VALUE...]):\n";
  for (const ObjectRow& row : all_objects()) text += format("  %-22s%s\n", row.name, row.help);
  return text;
}

std::string object_names() {
  std::string names;
  for (const ObjectRow& row : all_objects()) names += std::string(names.empty() ? "" : ", ") + row.name;
  return names;
}

std::string machine_names() {
  std::string names;
  for (const MachineType& type : hw::machine_types())
    names += std::string(names.empty() ? "" : ", ") + type.name;
  return names;
}

std::string machines_help() {
  std::string text = "Boards (-machine NAME):\n";
  for (const MachineType& type : hw::machine_types())
    text += format("  %-20s %s\n", type.name, type.description);
  return text;
}

}  // namespace

Status OptionHandlers::machine(Options& options, const std::string& argument) {
  if (is_help(argument)) return keep(options.output, machines_help());
  auto properties = parse_properties("-machine", argument, "type");
  if (!properties) return properties.error();
  for (Property& property : *properties) {
    auto is_done = set_machine_property(options, property);
    if (!is_done) return is_done.error();
    if (!*is_done) options.machine.machine.properties.push_back(std::move(property));
  }
  const std::string& name = options.machine.machine.driver;
  const MachineType* const board = find_board(name);
  if (board == nullptr)
    return error("-machine: unknown board '%s': there is %s", name.c_str(), machine_names().c_str());
  if (asks_for_help(options.machine.machine.properties))
    return keep(options.output, machine_properties_help(*board));
  return Ok{};
}

Status OptionHandlers::cpu(Options& options, const std::string& argument) {
  if (is_help(argument)) return keep(options.output, riscv::cpu_help(""));
  auto cpu = parse_device("-cpu", argument, "model");
  if (!cpu) return cpu.error();
  if (asks_for_help(cpu->properties)) return keep(options.output, riscv::cpu_help(cpu->driver));
  options.machine.cpu = std::move(*cpu);
  return Ok{};
}

Status OptionHandlers::smp(Options& options, const std::string& argument) {
  if (is_help(argument)) return keep(options.output, properties_help("Properties of -smp:", kSmpProperties));
  auto properties = parse_properties("-smp", argument, "cpus");
  if (!properties) return properties.error();
  static constexpr std::pair<const char*, unsigned Topology::*> kLevels[] = {
      {"sockets", &Topology::sockets}, {"cores", &Topology::cores}, {"threads", &Topology::threads}};
  std::uint64_t cpus = 0;
  std::uint64_t most = 0;
  std::uint64_t topology = 1;
  for (const Property& property : *properties) {
    // Levels that are not there count one each.
    const PropertyRow* const row = find_property(kSmpProperties, property.name);
    if (row != nullptr && row->use == PropertyUse::kMissing && property.value == "1") continue;
    if (Status status = check_property("-smp", kSmpProperties, property); !status.ok()) return status;
    const bool is_level = property.name != "cpus" && property.name != "maxcpus";
    const auto number = parse_number("-smp", property.value, 1, kMostHarts);
    if (!number) return number.error();
    auto value = number;
    if (is_level) topology *= *value;
    for (const auto& [name, level] : kLevels)
      if (property.name == name) options.topology.*level = static_cast<unsigned>(*value);
    if (property.name == "cpus") cpus = *value;
    if (property.name == "maxcpus") most = *value;
  }
  if (cpus == 0) cpus = topology;
  if (topology != 1 && topology != cpus)
    return error("-smp: sockets, cores and threads make %llu harts, not %llu: their product must be cpus",
                 static_cast<unsigned long long>(topology), static_cast<unsigned long long>(cpus));
  if (cpus > kMostHarts)
    return error("-smp: %llu is out of range: use 1 to 512", static_cast<unsigned long long>(cpus));
  if (most != 0 && most != cpus) return error("-smp: maxcpus= other than cpus is not supported yet");
  options.machine.harts = static_cast<unsigned>(cpus);
  return Ok{};
}

Status OptionHandlers::bios(Options& options, const std::string& a) { return keep(options.machine.bios, a); }
Status OptionHandlers::kernel(Options& options, const std::string& a) {
  return keep(options.machine.kernel, a);
}
Status OptionHandlers::initrd(Options& options, const std::string& a) {
  return keep(options.machine.initrd, a);
}
Status OptionHandlers::append(Options& options, const std::string& a) {
  return keep(options.machine.append, a);
}
Status OptionHandlers::dtb(Options& options, const std::string& a) { return keep(options.machine.dtb, a); }

Status OptionHandlers::device(Options& options, const std::string& argument) {
  if (is_help(argument)) return keep(options.output, hw::drivers_help(""));
  auto device = parse_device("-device", argument, "driver");
  if (!device) return device.error();
  if (asks_for_help(device->properties)) return keep(options.output, hw::drivers_help(device->driver));
  options.machine.devices.push_back(std::move(*device));
  return Ok{};
}

Status OptionHandlers::object(Options& options, const std::string& argument) {
  if (is_help(argument)) return keep(options.output, objects_help());
  auto object = parse_device("-object", argument, "qom-type");
  if (!object) return object.error();
  const std::vector<ObjectRow> rows = all_objects();
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const ObjectRow& r) { return object->driver == r.name; });
  if (row == rows.end())
    return error("-object %s is not supported yet: there are %s", object->driver.c_str(),
                 object_names().c_str());
  const std::string what = std::string("-object ") + row->name;
  if (asks_for_help(object->properties))
    return keep(options.output, properties_help("Properties of " + what + ":", row->properties));
  // Where limits still have the names that they had at first.
  if (object->driver == "throttle-group")
    for (Property& property : object->properties)
      if (property.name.starts_with("x-")) property.name.replace(0, 2, "limits.");
  for (const Property& property : object->properties)
    if (Status status = check_property(what, row->properties, property); !status.ok()) return status;
  if (object->find("id") == nullptr) return error("%s has no id: add id=NAME", what.c_str());
  options.machine.objects.push_back(std::move(*object));
  return Ok{};
}

Status OptionHandlers::global(Options& options, const std::string& argument) {
  if (is_help(argument))
    return keep(
        options.output,
        "-global DRIVER.PROP=VALUE, or driver=DRIVER,property=PROP,value=VALUE: what all devices of the\n"
        "driver have unless they say otherwise. -device DRIVER,help lists the properties.\n"
        "virtio-mmio.force-legacy=false is taken as well: there is no legacy interface.\n");
  // Many scripts say this because the old default was the legacy interface; here there is no other.
  if (argument == "virtio-mmio.force-legacy=false" || argument == "virtio-mmio.force-legacy=off") return Ok{};
  // Both forms: DRIVER.PROP=VALUE, and driver=DRIVER,property=PROP,value=VALUE.
  const std::size_t dot = argument.find('.');
  const std::size_t equals = argument.find('=');
  DeviceOptions global;
  Property property;
  if (dot != std::string::npos && equals != std::string::npos && dot < equals) {
    global.driver = argument.substr(0, dot);
    property = {argument.substr(dot + 1, equals - dot - 1), argument.substr(equals + 1)};
  } else {
    auto parts = parse_properties("-global", argument, "");
    if (!parts) return parts.error();
    const DeviceOptions given{"", *parts};
    const std::string* const words[] = {given.find("driver"), given.find("property"), given.find("value")};
    if (std::find(std::begin(words), std::end(words), nullptr) != std::end(words))
      return error("-global %s: say DRIVER.PROP=VALUE, or driver=DRIVER,property=PROP,value=VALUE",
                   argument.c_str());
    global.driver = *words[0];
    property = {*words[1], *words[2]};
  }
  if (global.driver == "virtio-mmio")
    return error("-global %s: the legacy interface is not there; leave it out", argument.c_str());
  if (Status status = hw::check_global(global.driver, property); !status.ok()) return status;
  global.properties.push_back(std::move(property));
  options.machine.globals.push_back(std::move(global));
  return Ok{};
}

Status OptionHandlers::nodefaults(Options& options, const std::string&) {
  return set(options.has_defaults, false);
}
Status OptionHandlers::start_paused(Options& options, const std::string&) {
  return set(options.run.starts_paused, true);
}
Status OptionHandlers::no_reboot(Options& options, const std::string&) {
  return set(options.run.can_reboot, false);
}
Status OptionHandlers::no_shutdown(Options& options, const std::string&) {
  return set(options.run.can_shutdown, false);
}
Status OptionHandlers::ignored(Options&, const std::string&) { return Ok{}; }
Status OptionHandlers::accepted(Options&, const std::string&) { return Ok{}; }
Status OptionHandlers::no_acpi(Options& options, const std::string&) { return machine(options, "acpi=off"); }

Status OptionHandlers::log_items(Options& options, const std::string& argument) {
  if (is_help(argument)) return keep(options.output, log_help());
  options.log_items += (options.log_items.empty() ? "" : ",") + argument;
  return Ok{};
}

Status OptionHandlers::log_file(Options& options, const std::string& a) { return keep(options.log_file, a); }
Status OptionHandlers::help(Options& options, const std::string&) {
  return keep(options.output, options_help());
}
Status OptionHandlers::version(Options& options, const std::string&) {
  // Scripts take the number behind these words, and some look for this one.
  constexpr const char* kQemu = "QEMU emulator version 10.0.2 (gstage " GSTAGE_VERSION ")\n";
  return keep(options.output, options.program == kQemuName ? kQemu : "gstage version " GSTAGE_VERSION "\n");
}

}  // namespace gstage
