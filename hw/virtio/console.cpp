// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/console.h"

#include <algorithm>
#include <cstring>

#include "softmmu/base/check.h"
#include "softmmu/base/format.h"
#include "softmmu/base/log.h"
#include "hw/core/visitor.h"
#include "hw/virtio/serial_port.h"
#include "hw/virtio/virtio_core.h"

namespace gstage::hw {
namespace {

enum Feature : std::uint64_t { kMultiport = 1u << 1, kEmergencyWrite = 1u << 2 };
enum Event : std::uint16_t {
  kDeviceReady = 0,
  kPortAdd = 1,
  kPortReady = 3,
  kConsolePort = 4,
  kPortOpen = 6,
  kPortName = 7,
};
enum ControlQueue : unsigned { kControlReceive = 2, kControlTransmit = 3 };
constexpr std::uint16_t kQueueSize = 128;
/// Input kept for a guest that has no buffer ready.
constexpr std::size_t kInputBytes = 4096;
constexpr std::size_t kMaxControls = 1024;
constexpr std::size_t kMaxControlBytes = 4096;

/// Virtio 1.3, 5.3.4.
struct Config {
  std::uint16_t cols;
  std::uint16_t rows;
  std::uint32_t max_nr_ports;
  std::uint32_t emerg_wr;
};
constexpr std::uint32_t kEmergencyOffset = offsetof(Config, emerg_wr);

}  // namespace

VirtioConsole::VirtioConsole(unsigned max_ports, const std::string& bus_name)
    : max_ports_(max_ports), ports_(max_ports) {
  add_bus(std::make_unique<SerialBus>(bus_name, *this));
  CHECK(max_ports >= 1 && max_ports <= kMaxPorts);
  chains_.resize(queues());
}

VirtioConsole::~VirtioConsole() {
  for (const auto& port : ports_)
    if (port != nullptr && port->options.chardev != nullptr) port->options.chardev->attach(nullptr, nullptr);
}

void VirtioConsole::add_port(unsigned number, PortOptions options) {
  CHECK(number < max_ports_ && !has_port(number));
  ports_[number] = std::make_unique<Port>(std::move(options));
  const auto& chardev = ports_[number]->options.chardev;
  if (chardev == nullptr) return;
  chardev->attach([this, number](std::span<const std::uint8_t> bytes) { receive(number, bytes); },
                  [this, number] { return can_receive(number); });
}

std::uint64_t VirtioConsole::features() const {
  return kEmergencyWrite | (max_ports_ > 1 ? std::uint64_t{kMultiport} : 0);
}

unsigned VirtioConsole::queues() const { return max_ports_ > 1 ? 2 * (max_ports_ + 1) : 2; }

std::uint16_t VirtioConsole::max_queue_size(unsigned index) const {
  return index < queues() ? kQueueSize : 0;
}

void VirtioConsole::read_config(std::uint32_t offset, std::span<std::uint8_t> to) {
  read_config_struct(Config{0, 0, max_ports_, 0}, offset, to);
}

void VirtioConsole::write_config(std::uint32_t offset, std::span<const std::uint8_t> from) {
  if (offset != kEmergencyOffset) {
    log_line(Log::kGuestErrors, "virtio-console: configuration byte %u cannot be written", offset);
    return;
  }
  if (has_port(0)) ports_[0]->output.put(from.first(1));
}

bool VirtioConsole::is_multiport() { return (core().features() & kMultiport) != 0; }

unsigned VirtioConsole::receive_queue(unsigned port) { return port == 0 ? 0 : 2 * (port + 1); }

VirtioConsole::Port* VirtioConsole::port_of_queue(unsigned index) {
  const unsigned number = index < 2 ? 0 : index / 2 - 1;
  return has_port(number) ? ports_[number].get() : nullptr;
}

std::size_t VirtioConsole::can_receive(unsigned number) {
  const std::lock_guard lock(mutex_);
  Port& port = *ports_[number];
  const bool is_open = core().is_live(receive_queue(number)) && (port.is_guest_open || !is_multiport());
  const std::size_t room = is_open ? kInputBytes - std::min(kInputBytes, port.input.size()) : 0;
  port.is_input_held = room == 0;
  return room;
}

void VirtioConsole::receive(unsigned number, std::span<const std::uint8_t> bytes) {
  {
    const std::lock_guard lock(mutex_);
    Port& port = *ports_[number];
    port.input.insert(port.input.end(), bytes.begin(), bytes.end());
  }
  core().wake(receive_queue(number));
}

void VirtioConsole::resume_input(Port& port) {
  {
    const std::lock_guard lock(mutex_);
    if (!port.is_input_held || !port.input.empty()) return;
    port.is_input_held = false;
  }
  port.options.chardev->resume_input();
}

Served VirtioConsole::serve(unsigned index) {
  if (index == kControlReceive) return deliver_control(index);
  if (index == kControlTransmit) return take_control(index);
  return index % 2 == 1 ? transmit(index) : deliver_input(index);
}

bool VirtioConsole::next(unsigned index, bool must_be_writable) {
  Chain& chain = chains_[index];
  if (!core().pop(index, chain)) return false;
  if ((must_be_writable ? chain.readable : chain.writable).empty()) return true;
  core().fail(index, "a buffer of the wrong direction");
  return false;
}

Served VirtioConsole::deliver_input(unsigned index) {
  Port* const port = port_of_queue(index);
  if (port == nullptr) return Served::kLater;
  const Chain& chain = chains_[index];
  const auto has_input = [&] {
    const std::lock_guard lock(mutex_);
    return !port->input.empty();
  };
  Served result = Served::kLater;
  while (has_input() && result == Served::kLater) {
    if (next(index, true)) {
      const std::lock_guard lock(mutex_);
      const std::size_t size = copy_to(core().memory(), chain.writable, port->input);
      port->input.erase(port->input.begin(), port->input.begin() + static_cast<std::ptrdiff_t>(size));
      core().queue(index).push(chain, static_cast<std::uint32_t>(size));
    } else {
      result = Served::kAll;
    }
  }
  core().notify_used(index);
  resume_input(*port);
  return result;
}

Served VirtioConsole::transmit(unsigned index) {
  Port* const port = port_of_queue(index);
  while (next(index, false)) {
    for (const BufferElement& element : chains_[index].readable)
      if (port != nullptr)
        port->output.put({reinterpret_cast<const std::uint8_t*>(element.host), element.size});
    core().queue(index).push(chains_[index], 0);
  }
  core().notify_used(index);
  return Served::kAll;
}

void VirtioConsole::reset() {
  const std::lock_guard lock(mutex_);
  control_.clear();
  for (const auto& port : ports_) {
    if (port == nullptr) continue;
    port->is_guest_open = false;
    port->input.clear();
  }
}

Served VirtioConsole::take_control(unsigned index) {
  while (next(index, false)) {
    Control message{};
    if (copy_from(chains_[index].readable, {reinterpret_cast<std::uint8_t*>(&message), sizeof message}) ==
        sizeof message)
      handle_control(message);
    else
      log_line(Log::kGuestErrors, "virtio-console: a control message is too short");
    core().queue(index).push(chains_[index], 0);
  }
  core().notify_used(index);
  return Served::kAll;
}

void VirtioConsole::handle_control(const Control& message) {
  if (message.event == kDeviceReady) {
    for (unsigned number = 0; number < max_ports_ && message.value == 1; ++number)
      if (has_port(number)) send_control({number, kPortAdd, 1});
    return;
  }
  if (!has_port(message.id)) {
    log_line(Log::kGuestErrors, "virtio-console: control message for port %u, which does not exist",
             message.id);
    return;
  }
  Port& port = *ports_[message.id];
  if (message.event == kPortReady && message.value == 1) {
    if (port.options.is_console) send_control({message.id, kConsolePort, 1});
    if (!port.options.name.empty()) send_control({message.id, kPortName, 1}, port.options.name);
    send_control({message.id, kPortOpen, 1});
  } else if (message.event == kPortOpen) {
    {
      const std::lock_guard lock(mutex_);
      port.is_guest_open = message.value != 0;
    }
    resume_input(port);
  }
}

void VirtioConsole::send_control(Control message, const std::string& text) {
  std::vector<std::uint8_t> bytes(sizeof message + text.size());
  std::memcpy(bytes.data(), &message, sizeof message);
  std::memcpy(bytes.data() + sizeof message, text.data(), text.size());
  {
    const std::lock_guard lock(mutex_);
    // A driver that only ever sends would make the list grow.
    if (control_.size() >= kMaxControls)
      return log_line(Log::kGuestErrors, "virtio-console: the driver takes no control messages");
    control_.push_back(std::move(bytes));
  }
  core().wake(kControlReceive);
}

Served VirtioConsole::deliver_control(unsigned index) {
  Served result = Served::kLater;
  const auto has_message = [&] {
    const std::lock_guard lock(mutex_);
    return !control_.empty();
  };
  while (has_message() && result == Served::kLater) {
    if (next(index, true)) {
      const std::lock_guard lock(mutex_);
      const std::size_t written = copy_to(core().memory(), chains_[index].writable, control_.front());
      if (written < control_.front().size())
        log_line(Log::kGuestErrors, "virtio-console: a buffer for control messages is too small");
      control_.pop_front();
      core().queue(index).push(chains_[index], static_cast<std::uint32_t>(written));
    } else {
      result = Served::kAll;
    }
  }
  core().notify_used(index);
  return result;
}

void VirtioConsole::restored() {
  for (const auto& port : ports_) {
    if (port == nullptr || port->options.chardev == nullptr) continue;
    // The back end may have been told that there is no room.
    port->is_input_held = true;
    resume_input(*port);
  }
}

void VirtioConsole::visit(Visitor& visitor) {
  const std::lock_guard lock(mutex_);
  for (unsigned number = 0; number < max_ports_; ++number) {
    if (!has_port(number)) continue;
    Port& port = *ports_[number];
    visitor.part(format("port%u", number), [&](Visitor& part) {
      part.list("input", port.input, kInputBytes);
      part.field("is_guest_open", port.is_guest_open);
    });
  }
  std::uint32_t count = static_cast<std::uint32_t>(control_.size());
  visitor.field("messages", count);
  control_.resize(std::min<std::size_t>(count, kMaxControls));
  for (unsigned i = 0; i < control_.size(); ++i)
    visitor.list(format("message%u", i).c_str(), control_[i], kMaxControlBytes);
}

}  // namespace gstage::hw
