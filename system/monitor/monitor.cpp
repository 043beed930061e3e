// SPDX-License-Identifier: Apache-2.0
#include "system/monitor/monitor.h"

#include <algorithm>
#include <array>
#include <sstream>

#include "softmmu/base/format.h"
#include "softmmu/option_values.h"
#include "io/ringbuf.h"
#include "hw/core/device.h"
#include "hw/virtio/balloon.h"

namespace gstage {

/// The handlers; a struct so that the table below can be a plain one.
struct MonitorCommands {
  using Handler = void (*)(Monitor&);
  struct Row {
    const char* name;
    const char* alias;  ///< or null
    Handler handler;
    const char* help;
    const char* arguments = "";
  };

  static void help(Monitor& m);
  static void quit(Monitor& m) { m.run_state_.control().request(MachineRequest::kQuit); }
  static void system_reset(Monitor& m) { m.run_state_.control().request(MachineRequest::kReset); }
  static void system_powerdown(Monitor& m) {
    m.say("The machine has no power button: power it off from within, or use quit.\n");
  }
  static void nmi(Monitor& m) {
    if (!m.machine_.send_nmi())
      m.say("The harts take no non-maskable interrupts: start with -cpu rv64,smrnmi=on.\n");
  }
  static void stop(Monitor& m) { m.run_state_.pause(); }
  static void resume(Monitor& m) { m.run_state_.resume(); }
  static void info_status(Monitor& m) {
    m.say(m.run_state_.is_paused() ? "VM status: paused\n" : "VM status: running\n");
  }
  static void balloon(Monitor& m);
  static void info_balloon(Monitor& m);
  static void info_mtree(Monitor& m);
  static void info_qtree(Monitor& m);
  static void info_registers(Monitor& m);
  static void info_name(Monitor& m) { m.say(m.subjects_.name + (m.subjects_.name.empty() ? "" : "\n")); }
  static void info_uuid(Monitor& m) { m.say(m.subjects_.uuid + "\n"); }
  static void info_chardev(Monitor& m);
  static void ringbuf_read(Monitor& m);
  static void ringbuf_write(Monitor& m);
  static void info_tlb_flushes(Monitor& m) { m.say(describe_tlb_flushes(m.machine_)); }
};

namespace {

constexpr std::array kCommands{
    MonitorCommands::Row{"help", "?", MonitorCommands::help, "this list"},
    MonitorCommands::Row{"quit", "q", MonitorCommands::quit, "end the emulator"},
    MonitorCommands::Row{"system_reset", nullptr, MonitorCommands::system_reset, "reset the machine"},
    MonitorCommands::Row{"system_powerdown", nullptr, MonitorCommands::system_powerdown,
                         "press the power button"},
    MonitorCommands::Row{"nmi", nullptr, MonitorCommands::nmi, "send hart 0 a non-maskable interrupt"},
    MonitorCommands::Row{"stop", "s", MonitorCommands::stop, "stop all harts and the clock"},
    MonitorCommands::Row{"cont", "c", MonitorCommands::resume, "go on after stop or -S"},
    MonitorCommands::Row{"ringbuf_read", nullptr, MonitorCommands::ringbuf_read,
                         "take N bytes out of a -chardev ringbuf", "ID N"},
    MonitorCommands::Row{"ringbuf_write", nullptr, MonitorCommands::ringbuf_write,
                         "put a text into a -chardev ringbuf", "ID TEXT"},
    MonitorCommands::Row{"info chardev", nullptr, MonitorCommands::info_chardev,
                         "character back ends, and who is connected"},
    MonitorCommands::Row{"balloon", nullptr, MonitorCommands::balloon,
                         "ask the guest to make do with so much memory", "MIB"},
    MonitorCommands::Row{"info balloon", nullptr, MonitorCommands::info_balloon,
                         "what the guest has of its memory, and what it says of it"},
    MonitorCommands::Row{"info name", nullptr, MonitorCommands::info_name, "the machine's name"},
    MonitorCommands::Row{"info uuid", nullptr, MonitorCommands::info_uuid, "the machine's UUID"},
    MonitorCommands::Row{"info status", nullptr, MonitorCommands::info_status, "whether the machine runs"},
    MonitorCommands::Row{"info mtree", nullptr, MonitorCommands::info_mtree, "what lies where on the bus"},
    MonitorCommands::Row{"info qtree", nullptr, MonitorCommands::info_qtree, "all devices and their buses"},
    MonitorCommands::Row{"info registers", nullptr, MonitorCommands::info_registers,
                         "registers of all harts"},
    MonitorCommands::Row{"info tlb-flushes", nullptr, MonitorCommands::info_tlb_flushes,
                         "TLB flushes by reason"},
};

constexpr const char* kNoBalloon = "There is no balloon: start with -device virtio-balloon-pci.\n";

/// Words joined by single blanks.
std::string normalized(const std::string& line) {
  std::istringstream words(line);
  std::string word;
  std::string result;
  while (words >> word) result += (result.empty() ? "" : " ") + word;
  return result;
}

/// The buses of a device with what is on them, a line each, indented by depth.
std::string describe_buses(const hw::Device& device, const std::string& indent) {
  std::string text;
  for (const auto& bus : device.buses()) {
    text += indent + "bus: " + bus->name() + "\n" + indent + "  type " + bus->kind() + "\n";
    for (const auto& member : bus->devices()) {
      text += indent + format("  dev: %s, id \"%s\"\n", member->driver(), member->id().c_str());
      text += describe_buses(*member, indent + "    ");
    }
  }
  return text;
}

}  // namespace

void MonitorCommands::help(Monitor& m) {
  std::string text;
  for (const auto& row : kCommands) {
    const std::string name =
        std::string(row.name) + (row.alias != nullptr ? std::string("|") + row.alias : "");
    text += format("%-20s %s\n", (name + (*row.arguments != 0 ? " " : "") + row.arguments).c_str(), row.help);
  }
  m.say(text);
}

void MonitorCommands::balloon(Monitor& m) {
  hw::VirtioBalloon* const device = hw::find_balloon(m.machine_.devices());
  if (device == nullptr) return m.say(kNoBalloon);
  auto mib = parse_number("balloon", m.arguments_, 1, device->memory_bytes() >> 20);
  if (!mib.ok()) return m.say(mib.error().message + "\n");
  device->set_target(*mib << 20);
}

void MonitorCommands::info_balloon(Monitor& m) {
  hw::VirtioBalloon* const device = hw::find_balloon(m.machine_.devices());
  if (device == nullptr) return m.say(kNoBalloon);
  std::string text =
      format("balloon: actual=%llu\n", static_cast<unsigned long long>(device->guest_bytes() >> 20));
  text += format("returned to the host so far: %llu MiB\n",
                 static_cast<unsigned long long>(device->returned_bytes() >> 20));
  for (const auto& figure : device->statistics())
    text += format("%s=%llu\n", figure.name, static_cast<unsigned long long>(figure.value));
  m.say(text);
}

void MonitorCommands::info_mtree(Monitor& m) {
  std::string text;
  for (const BusRange& range : m.machine_.memory().ranges()) {
    const char* const kind = !range.is_memory() ? "i/o" : range.is_writable ? "ram" : "rom";
    text +=
        format("  %016llx-%016llx %s %s\n", static_cast<unsigned long long>(range.base.value),
               static_cast<unsigned long long>(range.base.value + range.size - 1), kind, range.name.c_str());
  }
  m.say(text);
}

void MonitorCommands::info_qtree(Monitor& m) { m.say(describe_buses(m.machine_.devices(), "")); }

void MonitorCommands::info_registers(Monitor& m) {
  std::string text;
  const bool is_done = m.run_state_.while_stopped([&] {
    for (const Cpu* const cpu : m.machine_.cpus()) text += cpu->describe();
  });
  m.say(is_done ? text : "A hart does not stop just now (its output is blocked?): try again.\n");
}

void MonitorCommands::info_chardev(Monitor& m) {
  std::string text;
  for (const auto& [label, chardev] : m.subjects_.chardevs)
    text += format("%s: filename=%s\n", label.c_str(), chardev->describe().c_str());
  m.say(text);
}

/// What is no text comes out as it does in messages, but for the ends of lines.
void MonitorCommands::ringbuf_read(Monitor& m) {
  Ringbuf* const ringbuf = m.take_ringbuf();
  if (ringbuf == nullptr) return;
  constexpr std::uint64_t kMost = 1 << 20;
  auto count = parse_number("ringbuf_read", m.arguments_, 1, kMost);
  if (!count.ok()) return m.say(count.error().message + "\n");
  std::istringstream lines(ringbuf->read(static_cast<std::size_t>(*count)));
  std::string text;
  for (std::string line; std::getline(lines, line);) text += printable(line) + "\n";
  m.say(text);
}

void MonitorCommands::ringbuf_write(Monitor& m) {
  if (Ringbuf* const ringbuf = m.take_ringbuf())
    ringbuf->write({reinterpret_cast<const std::uint8_t*>(m.arguments_.data()), m.arguments_.size()});
}

std::string describe_tlb_flushes(Machine& machine) {
  constexpr unsigned kReasons = static_cast<unsigned>(TlbFlush::kCount);
  const auto cpus = machine.cpus();
  std::string text = format("%-24s", "TLB flushes");
  for (const Cpu* const cpu : cpus) text += format(" %9s", format("hart%u", cpu->index()).c_str());
  text += "       all\n";
  for (unsigned reason = 0; reason < kReasons; ++reason) {
    text += format("%-24s", tlb_flush_name(static_cast<TlbFlush>(reason)));
    unsigned long long sum = 0;
    for (Cpu* const cpu : cpus) {
      const unsigned long long n = cpu->tlb().flushes(static_cast<TlbFlush>(reason));
      sum += n;
      text += format(" %9llu", n);
    }
    text += format(" %9llu\n", sum);
  }
  return text;
}

Monitor::Monitor(std::shared_ptr<Chardev> chardev, Machine& machine, RunState& run_state,
                 MonitorSubjects subjects)
    : chardev_(std::move(chardev)),
      machine_(machine),
      run_state_(run_state),
      subjects_(std::move(subjects)),
      editor_([this](const std::string& text) { say(text); },
              [this](const std::string& line) { execute(line); }) {
  chardev_->attach(
      [this](std::span<const std::uint8_t> bytes) {
        for (const std::uint8_t byte : bytes) editor_.feed(byte);
      },
      [] { return std::size_t{256}; });
  if (!chardev_->on_focus([this] { greet(); })) greet();
}

Monitor::~Monitor() {
  chardev_->on_focus(nullptr);
  chardev_->attach(nullptr, nullptr);
}

void Monitor::greet() {
  say(is_greeted_ ? "\n" : "\ngstage monitor: type 'help' for the commands\n");
  is_greeted_ = true;
  editor_.show_prompt();
}

void Monitor::say(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) out += '\r';
    out += text[i];
  }
  chardev_->write({reinterpret_cast<const std::uint8_t*>(out.data()), out.size()});
}

Ringbuf* Monitor::take_ringbuf() {
  const std::size_t end = std::min(arguments_.find(' '), arguments_.size());
  const std::string id = arguments_.substr(0, end);
  arguments_.erase(0, end + 1);
  for (const auto& [label, chardev] : subjects_.chardevs)
    if (label == id)
      if (Ringbuf* const ringbuf = chardev->ringbuf()) return ringbuf;
  say(format("There is no -chardev ringbuf,id=%s.\n", id.c_str()));
  return nullptr;
}

void Monitor::execute(const std::string& line) {
  const std::string command = normalized(line);
  for (const auto& row : kCommands) {
    const std::string name = row.name;
    const bool has_arguments = *row.arguments != '\0' && command.starts_with(name + " ");
    if (!has_arguments && command != name && (row.alias == nullptr || command != row.alias)) continue;
    arguments_ = has_arguments ? command.substr(name.size() + 1) : "";
    return row.handler(*this);
  }
  if (command == "info") {
    std::string text;
    for (const auto& row : kCommands)
      if (std::string_view(row.name).starts_with("info ")) text += format("%-20s %s\n", row.name, row.help);
    return say(text);
  }
  say("unknown command: '" + command + "' (try 'help')\n");
}

}  // namespace gstage
