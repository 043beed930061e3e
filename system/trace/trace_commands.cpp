// SPDX-License-Identifier: Apache-2.0
// The monitor's commands about traces.
#include "system/monitor/commands.h"
#include "system/trace/exit_profile.h"

namespace gstage {

namespace {

constexpr const char* kOff = "exits are not counted: start with -trace exits";

CommandResult exits_text(CommandContext& context, const Json&) {
  const ExitProfile* const exits = context.subjects.exits;
  if (exits == nullptr) return error("%s", kOff);
  return Json(exits->describe());
}

CommandResult exits_data(CommandContext& context, const Json&) {
  const ExitProfile* const exits = context.subjects.exits;
  if (exits == nullptr) return error("%s", kOff);
  return Json::parse(exits->describe_as_json(), nullptr, false);
}

constexpr Command kCommands[] = {
    {.hmp = "info exits",
     .alias = "vmexits",
     .run = exits_text,
     .text = text_of_string,
     .help = "why guests left so far, where and for how long (-trace exits)"},
    {.qmp = "x-query-exits", .run = exits_data, .help = "the same as data, as docs/exits.md says"},
};

}  // namespace

std::span<const Command> trace_commands() { return kCommands; }

}  // namespace gstage
