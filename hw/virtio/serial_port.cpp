// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/serial_port.h"

namespace gstage::hw {

Status SerialBus::plug(std::unique_ptr<Device> device) {
  const auto& port = static_cast<const SerialPort&>(*device);
  // Port 0 is for consoles: drivers without the multiport feature know no other.
  unsigned number = port.number().value_or(port.options().is_console ? 0 : 1);
  while (!port.number().has_value() && console_.has_port(number)) ++number;
  if (number >= console_.max_ports() || console_.has_port(number))
    return error("port %u is taken or beyond max_ports; choose another nr=", number);
  console_.add_port(number, port.options());
  return Bus::plug(std::move(device));
}

}  // namespace gstage::hw
