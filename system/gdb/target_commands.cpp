// SPDX-License-Identifier: Apache-2.0
// What gdb's "monitor" knows besides the commands of the human monitor.
#include <algorithm>
#include <array>

#include "softmmu/base/format.h"
#include "softmmu/option_values.h"
#include "system/gdb/machine_target.h"

namespace gstage::gdb {

namespace {

struct CommandRow {
  const char* name;
  const char* arguments;
  std::string (*run)(MachineTarget& target, unsigned hart, const std::string& argument);
  const char* help;
};

std::string world(MachineTarget& target, unsigned hart, const std::string& argument) {
  Choices& choices = target.choices();
  if (argument.empty()) return "world: " + riscv::world_text(choices.world) + "\n";
  auto wanted = riscv::parse_world(argument);
  if (!wanted) return wanted.error().message + "\n";
  choices.world = *wanted;
  const auto view = target.view(hart);
  return "world: " + riscv::world_text(*wanted) + "\n" +
         (view.ok() ? "" : "now " + view.error().message + "\n");
}

std::string step(MachineTarget& target, unsigned, const std::string& argument) {
  riscv::StepMode& mode = target.choices().step;
  if (argument == "into")
    mode = riscv::StepMode::kIntoTraps;
  else if (argument == "over")
    mode = riscv::StepMode::kOverTraps;
  else if (!argument.empty())
    return "step takes into or over, not '" + argument + "'\n";
  return format("a step goes %s traps\n", mode == riscv::StepMode::kIntoTraps ? "into" : "over");
}

std::string mmio(MachineTarget& target, unsigned, const std::string& argument) {
  if (!argument.empty()) {
    auto is_on = parse_switch("mmio", {"mmio", argument});
    if (!is_on) return is_on.error().message + "\n";
    target.choices().has_devices = *is_on;
  }
  return format("devices are %s\n", target.choices().has_devices ? "read and written" : "left alone");
}

constexpr const char* kModes[] = {"u", "s", nullptr, "m"};

std::string filter_text(const riscv::WorldFilter& filter) {
  std::string text;
  if (filter.v) text += format(" v=%d", *filter.v ? 1 : 0);
  if (filter.vmid) text += format(" vmid=%u", *filter.vmid);
  if (filter.asid) text += format(" asid=%u", *filter.asid);
  if (filter.privilege) text += format(" priv=%s", kModes[*filter.privilege]);
  return text.empty() ? " none" : text;
}

Status set_field(riscv::WorldFilter& filter, const Property& property) {
  constexpr std::uint64_t kMostVmid = (1u << 14) - 1;
  constexpr std::uint64_t kMostAsid = (1u << 16) - 1;
  if (property.name == "priv") {
    for (std::uint8_t mode = 0; mode < std::size(kModes); ++mode)
      if (kModes[mode] != nullptr && property.value == kModes[mode])
        return filter.privilege = mode, Status(Ok{});
    return error("filter: priv is u, s or m, not '%s'", property.value.c_str());
  }
  const std::uint64_t most = property.name == "v" ? 1 : property.name == "vmid" ? kMostVmid : kMostAsid;
  if (property.name != "v" && property.name != "vmid" && property.name != "asid")
    return error("filter: there is no '%s': use v=0|1, vmid=N, asid=N, priv=u|s|m or none",
                 property.name.c_str());
  auto number = parse_number("filter " + property.name, property.value, 0, most);
  if (!number) return number.error();
  if (property.name == "v") filter.v = *number != 0;
  if (property.name == "vmid") filter.vmid = static_cast<unsigned>(*number);
  if (property.name == "asid") filter.asid = static_cast<unsigned>(*number);
  return Ok{};
}

std::string filter(MachineTarget& target, unsigned, const std::string& argument) {
  riscv::WorldFilter wanted;
  if (argument.empty()) return "filter:" + filter_text(target.choices().filter) + "\n";
  if (argument != "none") {
    auto properties = parse_properties("filter", argument, "");
    if (!properties) return properties.error().message + "\n";
    for (const Property& property : *properties)
      if (const Status status = set_field(wanted, property); !status.ok())
        return status.error().message + "\n";
  }
  target.choices().filter = wanted;
  return "filter:" + filter_text(wanted) + "\n";
}

constexpr std::array kCommands{
    CommandRow{"world", "[current|host|VMID|gva|gpa|phys]", world,
               "whose addresses memory and new breakpoints are about"},
    CommandRow{"filter", "[v=0|1][,vmid=N][,asid=N][,priv=u|s|m]|none", filter,
               "where new breakpoints and watchpoints stop"},
    CommandRow{"step", "[into|over]", step, "what a step does where the instruction traps"},
    CommandRow{"mmio", "[on|off]", mmio, "whether memory that gdb reads and writes may be a device's"},
};

std::string help() {
  std::string text = "Of gdb alone:\n";
  for (const CommandRow& row : kCommands)
    text += format("  %s %s\n        %s\n", row.name, row.arguments, row.help);
  return text;
}

}  // namespace

std::string MachineTarget::command(unsigned hart, const std::string& line) {
  const std::size_t begin = std::min(line.find_first_not_of(' '), line.size());
  const std::size_t end = std::min(line.find(' ', begin), line.size());
  const std::string name = line.substr(begin, end - begin);
  const std::size_t argument = std::min(line.find_first_not_of(' ', end), line.size());
  for (const CommandRow& row : kCommands)
    if (name == row.name) {
      ++choice_count_;
      return row.run(*this, hart, line.substr(argument));
    }
  const std::string answer = hmp_(hart, line);
  return name == "help" && argument == line.size() ? help() + "Of the monitor:\n" + answer : answer;
}

}  // namespace gstage::gdb
