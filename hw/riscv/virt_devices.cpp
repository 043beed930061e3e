// SPDX-License-Identifier: Apache-2.0
#include "hw/riscv/virt_devices.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>

#include "softmmu/base/format.h"
#include "hw/core/properties.h"
#include "hw/riscv/boot.h"
#include "hw/virtio/blk.h"
#include "hw/virtio/rng.h"

namespace gstage::hw {
namespace {

constexpr const char* kBusPrefix = "virtio-mmio-bus.";
/// Devices that command lines name and that are not there yet.
constexpr const char* kMissing[] = {
#define DEVICE(name) name,
#include "hw/riscv/missing_devices.inc"
#undef DEVICE
};
constexpr unsigned kMaxBlkQueue = 1024;

constexpr PropertyRow kBus{"bus", "BUS", "virtio-mmio-bus.0 to .7 (default: the highest that is free)"};
constexpr PropertyRow kId = ignored_property("id");
constexpr PropertyRow kEventIdx = ignored_property("event_idx");
constexpr PropertyRow kIndirect = ignored_property("indirect_desc");
constexpr PropertyRow kBlkProperties[] = {
    {"drive", "ID", "a -drive"},
    kBus,
    {"serial", "TEXT", "the disk's serial number, at most 20 characters"},
    {"write-cache", "on|off|auto", "the guest has to flush what it writes (default: on)"},
    {"discard", "on|off", "the guest may discard (default: on)"},
    {"write-zeroes", "on|off", "the guest may ask for zeroes (default: on)"},
    {"queue-size", "N", "entries, a power of two, 4 to 1024 (default: 256)"},
    kId,
    kEventIdx,
    kIndirect,
    ignored_property("bootindex"),
    ignored_property("config-wce"),
    ignored_property("num-queues"),
    missing_property("account-failed"),
    missing_property("account-invalid"),
    missing_property("any_layout"),
    missing_property("backend_defaults"),
    missing_property("cyls"),
    missing_property("discard_granularity"),
    missing_property("heads"),
    missing_property("in_order"),
    missing_property("iommu_platform"),
    missing_property("iothread"),
    missing_property("iothread-vq-mapping"),
    missing_property("lcyls"),
    missing_property("lheads"),
    missing_property("logical_block_size"),
    missing_property("lsecs"),
    missing_property("max-discard-sectors"),
    missing_property("max-write-zeroes-sectors"),
    missing_property("min_io_size"),
    missing_property("notify_on_empty"),
    missing_property("opt_io_size"),
    missing_property("packed"),
    missing_property("physical_block_size"),
    missing_property("queue_reset"),
    missing_property("report-discard-granularity"),
    missing_property("request-merging"),
    missing_property("rerror"),
    missing_property("secs"),
    missing_property("seg-max-adjust"),
    missing_property("share-rw"),
    missing_property("stats-intervals"),
    missing_property("use-disabled-flag"),
    missing_property("use-started"),
    missing_property("werror"),
    missing_property("x-disable-legacy-check"),
    missing_property("x-enable-wce-if-config-wce"),
};
constexpr PropertyRow kRngProperties[] = {
    {"rng", "ID", "a -object (default: the emulator's own)"},
    kBus,
    kId,
    kEventIdx,
    kIndirect,
    ignored_property("max-bytes"),
    ignored_property("period"),
    missing_property("any_layout"),
    missing_property("in_order"),
    missing_property("iommu_platform"),
    missing_property("notify_on_empty"),
    missing_property("packed"),
    missing_property("queue_reset"),
    missing_property("use-disabled-flag"),
    missing_property("use-started"),
    missing_property("x-disable-legacy-check"),
};
constexpr PropertyRow kSerialProperties[] = {
    {"id", "ID", "its ports name the bus ID.0"},
    {"max_ports", "N", "1 to 31 (default: 31)"},
    kBus,
    kEventIdx,
    kIndirect,
    missing_property("any_layout"),
    missing_property("in_order"),
    missing_property("iommu_platform"),
    missing_property("notify_on_empty"),
    missing_property("packed"),
    missing_property("queue_reset"),
    missing_property("use-disabled-flag"),
    missing_property("use-started"),
    missing_property("x-disable-legacy-check"),
};
constexpr PropertyRow kPortProperties[] = {
    {"chardev", "ID", "a -chardev"},
    {"name", "TEXT", "the port's name in the guest"},
    {"nr", "N", "the port's number"},
    {"bus", "ID.0", "the virtio-serial-device it belongs to"},
    kId,
};

Error unknown_driver(const std::string& name) {
  if (std::find(std::begin(kMissing), std::end(kMissing), name) != std::end(kMissing))
    return error("-device %s is not supported yet", name.c_str());
  return error("-device %s: there is no such device; gstage -device help lists them", name.c_str());
}

}  // namespace

const VirtDevices::Driver VirtDevices::kDrivers[] = {
    {"virtio-blk-device", "disk", kBlkProperties, &VirtDevices::make_blk},
    {"virtio-rng-device", "random numbers", kRngProperties, &VirtDevices::make_rng},
    {"virtio-serial-device", "bus of console ports", kSerialProperties, &VirtDevices::make_serial},
    {"virtconsole", "console port", kPortProperties, &VirtDevices::make_console_port},
    {"virtserialport", "port without console", kPortProperties, &VirtDevices::make_serial_port},
    {"loader", "file or number in memory", kLoaderProperties, &VirtDevices::make_loader},
};

const VirtDevices::Driver* VirtDevices::find_driver(const std::string& name) {
  for (const Driver& driver : kDrivers)
    if (name == driver.name) return &driver;
  return nullptr;
}

Result<std::string> VirtDevices::help(const std::string& name) {
  if (const Driver* const driver = find_driver(name); driver != nullptr)
    return properties_help(format("Properties of %s, %s (-device %s,NAME=VALUE...):", driver->name,
                                  driver->description, driver->name),
                           driver->properties);
  if (!name.empty()) return unknown_driver(name);
  std::string text = "Devices (-device NAME[,PROP=VALUE...]; -device NAME,help lists the properties):\n";
  for (const Driver& driver : kDrivers) text += format("  %-22s%s\n", driver.name, driver.description);
  return text;
}

Result<VirtioSlots> VirtDevices::make() {
  if (Status status = open_drives(); !status.ok()) return status.error();
  for (const DeviceOptions& device : options_.devices)
    if (Status status = make_device(device); !status.ok()) return status.error();
  for (const std::string& id : virtio_drives_) {
    DeviceOptions implied{"virtio-blk-device", {{"drive", id}}};
    if (Status status = make_blk(implied); !status.ok()) return status.error();
  }
  return std::move(slots_);
}

Status VirtDevices::open_drives() {
  for (const DriveOptions& drive : options_.drives) {
    if (drive.interface != "virtio" && drive.interface != "none")
      return error("-drive if=%s is not supported yet: say if=virtio, or if=none with a -device",
                   drive.interface.c_str());
    const std::string id = drive.id.empty() ? drive.interface + std::to_string(drives_.size()) : drive.id;
    if (drives_.count(id) != 0)
      return error("-drive: two drives have the id '%s'; give them different ones", id.c_str());
    auto backend = open_drive(drive);
    if (!backend.ok()) return backend.error();
    drives_[id] = *backend;
    if (drive.interface == "virtio") virtio_drives_.push_back(id);
  }
  return Ok{};
}

Status VirtDevices::make_device(const DeviceOptions& device) {
  const Driver* const driver = find_driver(device.driver);
  return driver == nullptr ? unknown_driver(device.driver) : (this->*driver->make)(device);
}

Status VirtDevices::plug(const char* driver, const std::string& bus, std::unique_ptr<VirtioDevice> device) {
  if (bus.empty()) {
    const auto free = std::find(slots_.rbegin(), slots_.rend(), nullptr);
    if (free == slots_.rend())
      return error("-device %s: all %u virtio slots are taken; remove a device", driver, kVirtioSlots);
    *free = std::move(device);
    return Ok{};
  }
  const bool has_prefix = bus.rfind(kBusPrefix, 0) == 0;
  auto number = parse_number(has_prefix ? bus.substr(std::strlen(kBusPrefix)) : "");
  if (!number.ok() || *number >= kVirtioSlots)
    return error("-device %s: there is no bus '%s'; the buses are %s0 to %s%u", driver, bus.c_str(),
                 kBusPrefix, kBusPrefix, kVirtioSlots - 1);
  if (slots_[*number] != nullptr)
    return error("-device %s: %s is taken already; choose another bus", driver, bus.c_str());
  slots_[*number] = std::move(device);
  return Ok{};
}

Status VirtDevices::make_blk(const DeviceOptions& device) {
  PropertyReader properties("-device", device, kBlkProperties);
  const std::string drive = properties.text("drive");
  const std::string bus = properties.text("bus");
  VirtioBlkOptions options;
  options.serial = properties.text("serial");
  options.is_write_cache = properties.text("write-cache") == "auto" || properties.flag("write-cache", true);
  options.can_discard = properties.flag("discard", true);
  options.can_write_zeroes = properties.flag("write-zeroes", true);
  options.queue_size =
      static_cast<std::uint16_t>(properties.number("queue-size", options.queue_size, kMaxBlkQueue));
  if (Status status = properties.finish(); !status.ok()) return status;
  if (drive.empty()) return error("-device %s needs drive=, the id of a -drive", device.driver.c_str());
  if (options.queue_size < 4 || !std::has_single_bit(options.queue_size))
    return error("-device %s: queue-size must be a power of two from 4 to %u", device.driver.c_str(),
                 kMaxBlkQueue);
  const auto found = drives_.find(drive);
  if (found == drives_.end())
    return error("-device %s: there is no drive '%s'; add -drive if=none,id=%s,file=FILE",
                 device.driver.c_str(), drive.c_str(), drive.c_str());
  if (found->second == nullptr)
    return error(
        "-device %s: the drive '%s' has a device already; use a second -drive (a drive with if=virtio "
        "has one by itself: say if=none)",
        device.driver.c_str(), drive.c_str());
  auto blk = std::make_unique<VirtioBlk>(std::move(found->second), options);
  found->second = nullptr;
  return plug(device.driver.c_str(), bus, std::move(blk));
}

Status VirtDevices::make_rng(const DeviceOptions& device) {
  PropertyReader properties("-device", device, kRngProperties);
  const std::string rng = properties.text("rng");
  const std::string bus = properties.text("bus");
  if (Status status = properties.finish(); !status.ok()) return status;
  if (rng.empty()) return plug(device.driver.c_str(), bus, std::make_unique<VirtioRng>(EntropySource()));
  const auto object =
      std::find_if(options_.objects.begin(), options_.objects.end(), [&](const auto& candidate) {
        const std::string* id = candidate.find("id");
        return id != nullptr && *id == rng;
      });
  if (object == options_.objects.end())
    return error("-device %s: there is no object '%s'; add -object rng-random,id=%s", device.driver.c_str(),
                 rng.c_str(), rng.c_str());
  if (object->driver == "rng-builtin")
    return plug(device.driver.c_str(), bus, std::make_unique<VirtioRng>(EntropySource()));
  const std::string* const path = object->find("filename");
  auto source = EntropySource::open(path == nullptr ? "/dev/urandom" : *path);
  if (!source.ok()) return source.error();
  return plug(device.driver.c_str(), bus, std::make_unique<VirtioRng>(std::move(*source)));
}

Status VirtDevices::make_serial(const DeviceOptions& device) {
  PropertyReader properties("-device", device, kSerialProperties);
  const std::string id = properties.text("id", format("virtio-serial%zu", serial_buses_.size()));
  const std::string bus = properties.text("bus");
  const auto ports = static_cast<unsigned>(
      properties.number("max_ports", VirtioConsole::kMaxPorts, VirtioConsole::kMaxPorts));
  if (Status status = properties.finish(); !status.ok()) return status;
  if (ports == 0) return error("-device %s: max_ports must be at least 1", device.driver.c_str());
  auto console = std::make_unique<VirtioConsole>(ports);
  const bool is_named = properties.is_given("id");
  serial_buses_.push_back(
      {is_named ? id + ".0" : format("virtio-serial-bus.%zu", serial_buses_.size()), console.get()});
  return plug(device.driver.c_str(), bus, std::move(console));
}

Status VirtDevices::make_console_port(const DeviceOptions& device) { return make_port(device, true); }
Status VirtDevices::make_serial_port(const DeviceOptions& device) { return make_port(device, false); }

Status VirtDevices::make_port(const DeviceOptions& device, bool is_console) {
  PropertyReader properties("-device", device, kPortProperties);
  const std::string chardev = properties.text("chardev");
  const std::string bus = properties.text("bus");
  const std::string name = properties.text("name");
  const bool has_number = properties.is_given("nr");
  auto number = static_cast<unsigned>(properties.number("nr", 0, VirtioConsole::kMaxPorts - 1));
  if (Status status = properties.finish(); !status.ok()) return status;
  const auto found =
      std::find_if(serial_buses_.begin(), serial_buses_.end(),
                   [&](const SerialBus& candidate) { return bus.empty() || candidate.name == bus; });
  if (found == serial_buses_.end())
    return error("-device %s: there is no %s; put -device virtio-serial-device before it",
                 device.driver.c_str(), bus.empty() ? "virtio-serial bus" : bus.c_str());
  VirtioConsole& console = *found->console;
  // Port 0 is for consoles: drivers without the multiport feature know no other.
  if (!has_number) number = is_console ? 0 : 1;
  while (!has_number && console.has_port(number)) ++number;
  if (number >= console.max_ports() || console.has_port(number))
    return error("-device %s: port %u is taken or beyond max_ports; choose another nr=",
                 device.driver.c_str(), number);
  std::shared_ptr<Chardev> backend;
  if (!chardev.empty()) {
    const auto backend_found = options_.chardevs.find(chardev);
    if (backend_found == options_.chardevs.end())
      return error("-device %s: there is no chardev '%s'; add -chardev KIND,id=%s", device.driver.c_str(),
                   chardev.c_str(), chardev.c_str());
    backend = backend_found->second;
  }
  console.add_port(number, {backend, name, is_console});
  return Ok{};
}

/// The loader's files are no devices: hw/riscv/boot.cpp sees to them.
Status VirtDevices::make_loader(const DeviceOptions&) { return Ok{}; }

}  // namespace gstage::hw
