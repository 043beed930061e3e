// SPDX-License-Identifier: Apache-2.0
#include "softmmu/typed_property.h"
#include "hw/virtio/kinds/kind.h"
#include "hw/virtio/serial_port.h"

namespace gstage::hw {
namespace {

struct SerialProperties {
  unsigned max_ports = VirtioConsole::kMaxPorts;
};

constexpr PropertyRow kProperties[] = {
    property<&SerialProperties::max_ports>("max_ports", "how many ports it can have",
                                           {1, VirtioConsole::kMaxPorts}),
};

Result<std::unique_ptr<VirtioDevice>> create(const DeviceRequest& request) {
  SerialProperties given;
  if (Status status = read_properties(request.what, kProperties, request.given, given); !status.ok())
    return status.error();
  return std::unique_ptr<VirtioDevice>(std::make_unique<VirtioConsole>(
      given.max_ports, request.world.bus_name(request.given, SerialBus::kKind)));
}

struct PortProperties {
  std::string chardev;
  std::string name;
  unsigned number = VirtioConsole::kMaxPorts;  ///< none is chosen
};

constexpr PropertyRow kPortProperties[] = {
    property<&PortProperties::chardev>("chardev", "ID", "a -chardev"),
    property<&PortProperties::name>("name", "the port's name in the guest"),
    property<&PortProperties::number>("nr", "the port's number", {0, VirtioConsole::kMaxPorts - 1}),
};

Result<std::unique_ptr<Device>> create_port(const DeviceRequest& request, bool is_console) {
  PortProperties given;
  if (Status status = read_properties(request.what, kPortProperties, request.given, given); !status.ok())
    return status.error();
  auto chardev = request.world.back_ends.chardev(request.what, given.chardev);
  if (!chardev.ok()) return chardev.error();
  std::optional<unsigned> number;
  if (given.number != VirtioConsole::kMaxPorts) number = given.number;
  return std::unique_ptr<Device>(
      std::make_unique<SerialPort>(VirtioConsole::PortOptions{*chardev, given.name, is_console}, number));
}

}  // namespace

const VirtioKind kVirtioSerialKind{"virtio-serial", "bus of console ports", kProperties, create};

std::vector<Driver> serial_port_drivers() {
  const auto row = [](const char* name, const char* description, bool is_console) {
    return Driver{
        name, description, SerialBus::kKind, {kPortProperties}, [is_console](const DeviceRequest& request) {
          return create_port(request, is_console);
        }};
  };
  return {row("virtconsole", "console port", true), row("virtserialport", "port without console", false)};
}

}  // namespace gstage::hw
