// SPDX-License-Identifier: Apache-2.0
// Commands about devices and what lies where on the bus.
#include "softmmu/base/format.h"
#include "hw/core/device.h"
#include "hw/virtio/balloon.h"
#include "system/monitor/commands.h"

namespace gstage {

namespace {

using Long = unsigned long long;

CommandError no_balloon() {
  return {"DeviceNotActive", "There is no balloon: start with -device virtio-balloon-pci."};
}

CommandResult balloon(CommandContext& context, const Json& arguments) {
  hw::VirtioBalloon* const device = hw::find_balloon(context.machine.devices());
  if (device == nullptr) return no_balloon();
  constexpr std::uint64_t kMebi = 1 << 20;
  const auto bytes = arguments["value"].get<std::uint64_t>();
  if (bytes < kMebi || bytes > device->memory_bytes())
    return error("balloon: %llu bytes are out of range: write 1 to %llu MiB", Long{bytes},
                 Long{device->memory_bytes() / kMebi});
  device->set_target(bytes);
  return nothing();
}

CommandResult query_balloon(CommandContext& context, const Json&) {
  hw::VirtioBalloon* const device = hw::find_balloon(context.machine.devices());
  if (device == nullptr) return no_balloon();
  Json statistics = Json::object();
  for (const auto& figure : device->statistics()) statistics[figure.name] = figure.value;
  return Json{{"actual", device->guest_bytes()},
              {"returned", device->returned_bytes()},
              {"statistics", std::move(statistics)}};
}

std::string balloon_text(const Json& result) {
  std::string text = format("balloon: actual=%llu\n", Long{result["actual"].get<std::uint64_t>() >> 20});
  text +=
      format("returned to the host so far: %llu MiB\n", Long{result["returned"].get<std::uint64_t>() >> 20});
  for (const auto& [name, value] : result["statistics"].items())
    text += format("%s=%llu\n", name.c_str(), Long{value.get<std::uint64_t>()});
  return text;
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

CommandResult info_qtree(CommandContext& context, const Json&) {
  return Json(describe_buses(context.machine.devices(), ""));
}

CommandResult info_mtree(CommandContext& context, const Json&) {
  std::string text;
  for (const BusRange& range : context.machine.memory().ranges()) {
    const char* const kind = !range.is_memory() ? "i/o" : range.is_writable ? "ram" : "rom";
    text += format("  %016llx-%016llx %s %s\n", Long{range.base.value},
                   Long{range.base.value + range.size - 1}, kind, range.name.c_str());
  }
  return Json(text);
}

constexpr CommandArgument kBalloonArguments[] = {
    {"value", ArgumentType::kSize, false, "what the guest is to have"}};

constexpr Command kCommands[] = {
    {.qmp = "balloon",
     .hmp = "balloon",
     .arguments = kBalloonArguments,
     .run = balloon,
     .help = "ask the guest to make do with so much memory"},
    {.qmp = "query-balloon",
     .hmp = "info balloon",
     .run = query_balloon,
     .text = balloon_text,
     .help = "what the guest has of its memory, and what it says of it"},
    {.hmp = "info mtree", .run = info_mtree, .text = text_of_string, .help = "what lies where on the bus"},
    {.hmp = "info qtree", .run = info_qtree, .text = text_of_string, .help = "all devices and their buses"},
};

}  // namespace

std::span<const Command> device_commands() { return kCommands; }

}  // namespace gstage
