// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "softmmu/base/result.h"
#include "io/chardev.h"

namespace gstage::gdb {

/// Where debuggers come: a socket that listens, or a character back end. On the event loop's thread.
class Endpoint {
 public:
  struct Events {
    std::function<void()> connected;
    std::function<void(std::span<const std::uint8_t>)> received;
    std::function<void()> disconnected;
  };
  virtual ~Endpoint() = default;
  /// From now on debuggers are let in.
  virtual void start(Events events) = 0;
  /// Writes all bytes; whoever does not take them is disconnected.
  virtual void send(std::string_view bytes) = 0;
  /// "tcp:127.0.0.1:1234".
  [[nodiscard]] virtual std::string describe() const = 0;
};

/// A device of -gdb, taken apart.
struct Device {
  enum class Kind : std::uint8_t { kNone, kTcp, kUnix, kChardev };
  Kind kind = Kind::kNone;
  std::string host;  ///< kTcp; empty: loopback
  std::string port;
  std::string path;     ///< kUnix
  std::string chardev;  ///< kChardev: "stdio" or "chardev:ID"
};
/// "tcp:HOST:PORT", "tcp::PORT", "unix:PATH", "stdio", "chardev:ID", "none"; what QEMU's users write behind
/// that (",server=on,wait=off") is so anyway. `what` begins a message.
Result<Device> parse_device(const std::string& what, const std::string& text);

/// A socket that listens, on loopback unless the device names another address, or for its owner alone. One
/// debugger at a time: others are told so. Opens it at once.
Result<std::unique_ptr<Endpoint>> listen_for_debuggers(const Device& device);
/// On a back end somebody is there from the start.
std::unique_ptr<Endpoint> make_chardev_endpoint(std::shared_ptr<Chardev> chardev);

}  // namespace gstage::gdb
