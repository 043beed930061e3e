// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "hw/core/device.h"
#include "hw/virtio/console.h"

namespace gstage::hw {

/// A port on the bus of a virtio-serial device: `virtconsole` or `virtserialport`.
class SerialPort final : public Device {
 public:
  /// Without a number it gets the first free one.
  SerialPort(VirtioConsole::PortOptions options, std::optional<unsigned> number)
      : options_(std::move(options)), number_(number) {}

  [[nodiscard]] const char* driver() const override {
    return options_.is_console ? "virtconsole" : "virtserialport";
  }
  [[nodiscard]] const VirtioConsole::PortOptions& options() const { return options_; }
  [[nodiscard]] std::optional<unsigned> number() const { return number_; }

 private:
  const VirtioConsole::PortOptions options_;
  const std::optional<unsigned> number_;
};

/// The bus of the ports.
class SerialBus final : public Bus {
 public:
  static constexpr const char* kKind = "virtio-serial-bus";

  /// `console` is the bus's owner.
  SerialBus(std::string name, VirtioConsole& console) : Bus(kKind, std::move(name)), console_(console) {}
  /// A SerialPort. Refused where its number is taken or too large.
  Status plug(std::unique_ptr<Device> device) override;

 private:
  VirtioConsole& console_;
};

}  // namespace gstage::hw
