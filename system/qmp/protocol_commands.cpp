// SPDX-License-Identifier: Apache-2.0
// What QMP says of itself, and the way from it to the human monitor.
#include "system/monitor/commands.h"
#include "system/monitor/hmp.h"
#include "system/qmp/qmp_version.h"
#include "system/qmp/schema.h"

namespace gstage {

namespace {

CommandResult query_version(CommandContext&, const Json&) { return qmp_version(); }

std::string version_text(const Json& result) { return result["package"].get<std::string>() + "\n"; }

CommandResult query_commands(CommandContext&, const Json&) {
  Json names = Json::array();
  names.push_back(Json{{"name", "qmp_capabilities"}});
  find_command([&](const Command& command) {
    if (command.qmp != nullptr) names.push_back(Json{{"name", command.qmp}});
    return false;
  });
  return names;
}

CommandResult query_events(CommandContext&, const Json&) {
  Json names = Json::array();
  for (const char* const name : event_names()) names.push_back(Json{{"name", name}});
  return names;
}

CommandResult query_qmp_schema(CommandContext&, const Json&) { return qmp_schema(); }

/// Each line runs in a session of its own: what it chooses (the hart) is forgotten behind it.
CommandResult human_monitor_command(CommandContext& context, const Json& arguments) {
  CommandContext session = context;
  if (const auto hart = arguments.find("cpu-index"); hart != arguments.end()) {
    const auto index = hart->get<std::int64_t>();
    if (index < 0 || static_cast<std::uint64_t>(index) >= context.machine.cpus().size())
      return error("Parameter 'cpu-index' expects a CPU number");
    session.hart = static_cast<unsigned>(index);
  }
  std::string text;
  for (const char c : execute_hmp(session, arguments["command-line"].get<std::string>()))
    text += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return Json(text);
}

constexpr CommandArgument kHumanArguments[] = {
    {"command-line", ArgumentType::kString, false, "a line as the human monitor takes it"},
    {"cpu-index", ArgumentType::kInteger, true, "the current hart"}};

constexpr Command kCommands[] = {
    {.qmp = "query-version",
     .hmp = "info version",
     .run = query_version,
     .text = version_text,
     .help = "the version"},
    {.qmp = "query-commands", .run = query_commands, .help = "QMP's commands"},
    {.qmp = "query-events", .run = query_events, .help = "QMP's events"},
    {.qmp = "query-qmp-schema", .run = query_qmp_schema, .help = "commands and events with their types"},
    {.qmp = "human-monitor-command",
     .arguments = kHumanArguments,
     .run = human_monitor_command,
     .help = "a command of the human monitor, and its text"},
};

}  // namespace

std::span<const Command> protocol_commands() { return kCommands; }

}  // namespace gstage
