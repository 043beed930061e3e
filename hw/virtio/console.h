// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "io/chardev.h"
#include "hw/core/output_queue.h"
#include "hw/virtio/chain.h"
#include "hw/virtio/device.h"

namespace gstage::hw {

/// virtio-console (Virtio 1.3, 5.3) with the multiport feature: `virtio-serial-device` with its
/// `virtconsole` and `virtserialport` ports.
class VirtioConsole final : public VirtioDevice {
 public:
  static constexpr unsigned kMaxPorts = 31;

  /// What a port's `-device` says.
  struct PortOptions {
    std::shared_ptr<Chardev> chardev;
    std::string name;
    bool is_console = true;
  };

  /// `max_ports` from 1 to kMaxPorts; with one port the multiport feature is not offered.
  /// `bus_name` is what its ports' `bus=` names.
  explicit VirtioConsole(unsigned max_ports, const std::string& bus_name = "virtio-serial-bus.0");
  ~VirtioConsole() override;

  /// Adds a port while the machine is built. The number must be free and below max_ports.
  void add_port(unsigned number, PortOptions options);
  [[nodiscard]] bool has_port(unsigned number) const {
    return number < ports_.size() && ports_[number] != nullptr;
  }
  [[nodiscard]] unsigned max_ports() const { return max_ports_; }

  [[nodiscard]] const char* driver() const override { return "virtio-serial-device"; }
  [[nodiscard]] std::uint32_t virtio_id() const override { return 3; }
  [[nodiscard]] std::uint64_t features() const override;
  [[nodiscard]] std::uint16_t max_queue_size(unsigned index) const override;
  void read_config(std::uint32_t offset, std::span<std::uint8_t> to) override;
  void write_config(std::uint32_t offset, std::span<const std::uint8_t> from) override;
  void reset() override;
  Served serve(unsigned index) override;
  void visit(Visitor& visitor) override;
  void restored() override;

 private:
  struct Port {
    explicit Port(PortOptions o) : options(std::move(o)), output(options.chardev) {}
    PortOptions options;
    OutputQueue output;
    // With the console's lock:
    std::vector<std::uint8_t> input;  ///< came from the host, no buffer yet
    bool is_guest_open = false;
    bool is_input_held = false;  ///< the back end was told that there is no room
  };
  struct Control {
    std::uint32_t id;
    std::uint16_t event;
    std::uint16_t value;
  };

  [[nodiscard]] bool is_multiport();
  [[nodiscard]] unsigned queues() const;
  [[nodiscard]] static unsigned receive_queue(unsigned port);
  /// The port of a receive or transmit queue, or null.
  Port* port_of_queue(unsigned index);

  // From the event loop:
  std::size_t can_receive(unsigned number);
  void receive(unsigned number, std::span<const std::uint8_t> bytes);

  // From the worker of the queue:
  Served transmit(unsigned index);
  /// Hands waiting input to the guest's buffers.
  Served deliver_input(unsigned index);
  Served take_control(unsigned index);
  Served deliver_control(unsigned index);
  void handle_control(const Control& message);
  void send_control(Control message, const std::string& text = "");
  /// Takes input again if there is room; without the console's lock.
  void resume_input(Port& port);
  /// The next buffer of a queue; false when there is none or the queue is broken.
  bool next(unsigned index, bool must_be_writable);

  const unsigned max_ports_;
  std::vector<std::unique_ptr<Port>> ports_;
  std::vector<Chain> chains_;                      ///< one a queue, for who serves it
  std::mutex mutex_;                               ///< the console's lock
  std::deque<std::vector<std::uint8_t>> control_;  ///< messages that wait for a buffer
};

}  // namespace gstage::hw
