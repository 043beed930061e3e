// SPDX-License-Identifier: Apache-2.0
#include "hw/riscv/virt_devices.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "softmmu/base/format.h"
#include "hw/core/properties.h"
#include "hw/virtio/blk.h"
#include "hw/virtio/rng.h"

namespace gstage::hw {
namespace {

constexpr const char* kBusPrefix = "virtio-mmio-bus.";
/// Devices that command lines of today name and that are not there yet.
constexpr const char* kMissing[] = {
    "virtio-net-device",
    "virtio-net-pci",
    "virtio-blk-pci",
    "virtio-rng-pci",
    "virtio-serial-pci",
    "virtio-9p-device",
    "virtio-9p-pci",
    "virtio-gpu-device",
    "virtio-gpu-pci",
    "virtio-scsi-device",
    "virtio-scsi-pci",
    "virtio-iommu-pci",
    "virtio-balloon-pci",
    "virtio-input-device",
    "virtio-keyboard-device",
    "virtio-keyboard-pci",
    "virtio-mouse-device",
    "virtio-tablet-device",
    "virtio-balloon-device",
    "virtio-vga",
    "vhost-vsock-device",
    "vhost-vsock-pci",
    "vhost-user-fs-device",
    "scsi-hd",
    "e1000",
    "e1000e",
    "rtl8139",
    "nvme",
    "ahci",
    "qemu-xhci",
    "nec-usb-xhci",
    "usb-kbd",
    "usb-mouse",
    "usb-tablet",
    "usb-storage",
    "guest-loader",
    "riscv-iommu-pci",
    "pcie-root-port",
    "pci-bridge",
    "ramfb",
    "edu",
    "ivshmem-plain",
    "pci-testdev",
    "i82801b11-bridge",
};
constexpr unsigned kMaxBlkQueue = 1024;

}  // namespace

const VirtDevices::Driver VirtDevices::kDrivers[] = {
    {"virtio-blk-device", "disk: drive=ID[,serial=TEXT][,bus=]", &VirtDevices::make_blk},
    {"virtio-rng-device", "random numbers: [rng=ID][,bus=]", &VirtDevices::make_rng},
    {"virtio-serial-device", "bus of console ports: [max_ports=N][,bus=]", &VirtDevices::make_serial},
    {"virtconsole", "console port: chardev=ID[,name=TEXT][,nr=N]", &VirtDevices::make_console_port},
    {"virtserialport", "port without console: chardev=ID[,name=TEXT][,nr=N]", &VirtDevices::make_serial_port},
    {"loader", "file in memory: file=FILE[,addr=N][,force-raw=on][,cpu-num=N], or addr=N,data=N,data-len=N",
     &VirtDevices::make_loader},
};

std::string VirtDevices::help() {
  std::string text = "Devices (-device NAME,PROP=VALUE...):\n";
  for (const Driver& driver : kDrivers) text += format("  %-22s%s\n", driver.name, driver.description);
  return text;
}

Result<VirtioSlots> VirtDevices::make() {
  for (const DeviceOptions& object : options_.objects) {
    if (object.driver != "rng-random" && object.driver != "rng-builtin")
      return error("-object %s is not supported yet: there is rng-random", object.driver.c_str());
    if (object.find("id") == nullptr) return error("-object %s needs an id=", object.driver.c_str());
  }
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
  for (const Driver& driver : kDrivers)
    if (device.driver == driver.name) return (this->*driver.make)(device);
  for (const char* missing : kMissing)
    if (device.driver == missing) return error("-device %s is not supported yet", missing);
  return error("-device %s: there is no such device; gstage -device help lists them", device.driver.c_str());
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
  PropertyReader properties("-device", device);
  const std::string drive = properties.text("drive");
  const std::string bus = properties.text("bus");
  VirtioBlkOptions options;
  options.serial = properties.text("serial");
  options.is_write_cache = properties.text("write-cache") == "auto" || properties.flag("write-cache", true);
  options.can_discard = properties.flag("discard", true);
  options.can_write_zeroes = properties.flag("write-zeroes", true);
  options.queue_size =
      static_cast<std::uint16_t>(properties.number("queue-size", options.queue_size, kMaxBlkQueue));
  for (const char* name : {"id", "bootindex", "config-wce", "event_idx", "indirect_desc", "num-queues"})
    properties.ignore(name);
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
  PropertyReader properties("-device", device);
  const std::string rng = properties.text("rng");
  const std::string bus = properties.text("bus");
  for (const char* name : {"id", "max-bytes", "period"}) properties.ignore(name);
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
  PropertyReader object_properties("-object", *object);
  object_properties.ignore("id");
  const bool has_file = object->driver == "rng-random";
  const std::string path = has_file ? object_properties.text("filename", "/dev/urandom") : "";
  if (Status status = object_properties.finish(); !status.ok()) return status;
  if (!has_file) return plug(device.driver.c_str(), bus, std::make_unique<VirtioRng>(EntropySource()));
  auto source = EntropySource::open(path);
  if (!source.ok()) return source.error();
  return plug(device.driver.c_str(), bus, std::make_unique<VirtioRng>(std::move(*source)));
}

Status VirtDevices::make_serial(const DeviceOptions& device) {
  PropertyReader properties("-device", device);
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
  PropertyReader properties("-device", device);
  const std::string chardev = properties.text("chardev");
  const std::string bus = properties.text("bus");
  const std::string name = properties.text("name");
  const bool has_number = properties.is_given("nr");
  auto number = static_cast<unsigned>(properties.number("nr", 0, VirtioConsole::kMaxPorts - 1));
  properties.ignore("id");
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
