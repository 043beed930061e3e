// SPDX-License-Identifier: Apache-2.0
// Commands about debuggers.
#include "system/gdb/service.h"
#include "system/monitor/commands.h"

namespace gstage {

namespace {

/// The port of QEMU's habit, and ours.
constexpr const char* kUsualPlace = "tcp::1234";

CommandResult gdbserver(CommandContext& context, const Json& arguments) {
  gdb::Service* const debuggers = context.subjects.debuggers;
  if (debuggers == nullptr) return error("There are no harts to debug.");
  const std::string device = arguments.value("device", kUsualPlace);
  if (const Status status = debuggers->serve(device); !status.ok()) return status.error();
  const std::string place = debuggers->place();
  return Json(place.empty() ? "gdb can connect nowhere now" : "gdb can connect to " + place);
}

std::string text_of_line(const Json& result) { return result.get<std::string>() + "\n"; }

constexpr CommandArgument kGdbserver[] = {
    {"device", ArgumentType::kString, true, "tcp:[HOST]:PORT, unix:PATH or none (default: tcp::1234)"}};

constexpr Command kCommands[] = {
    {.hmp = "gdbserver",
     .arguments = kGdbserver,
     .run = gdbserver,
     .text = text_of_line,
     .help = "where gdb can connect from now on"},
};

}  // namespace

std::span<const Command> gdb_commands() { return kCommands; }

}  // namespace gstage
