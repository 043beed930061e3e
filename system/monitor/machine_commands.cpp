// SPDX-License-Identifier: Apache-2.0
// Commands about the machine as a whole.
#include "system/monitor/commands.h"

namespace gstage {

namespace {

CommandResult quit(CommandContext& context, const Json&) {
  context.subjects.is_asked_by_host = true;
  context.run_state.control().request(MachineRequest::kQuit);
  return nothing();
}

CommandResult system_reset(CommandContext& context, const Json&) {
  context.subjects.is_asked_by_host = true;
  context.run_state.control().request(MachineRequest::kReset);
  return nothing();
}

CommandResult system_powerdown(CommandContext&, const Json&) {
  return error("The machine has no power button: power it off from within, or use quit.");
}

CommandResult inject_nmi(CommandContext& context, const Json&) {
  if (context.machine.send_nmi()) return nothing();
  return error("The harts take no non-maskable interrupts: start with -cpu rv64,smrnmi=on.");
}

CommandResult stop(CommandContext& context, const Json&) {
  context.run_state.pause();
  return nothing();
}

CommandResult cont(CommandContext& context, const Json&) {
  context.run_state.resume();
  return nothing();
}

CommandResult query_status(CommandContext& context, const Json&) {
  const bool is_paused = context.run_state.is_paused();
  // Whoever paused it may have told nobody.
  const bool is_told = (context.subjects.status != "running") == is_paused;
  const std::string status = is_told ? context.subjects.status : is_paused ? "paused" : "running";
  return Json{{"running", !is_paused}, {"status", status}};
}

std::string status_text(const Json& result) {
  return "VM status: " + result["status"].get<std::string>() + "\n";
}

CommandResult query_name(CommandContext& context, const Json&) {
  Json result = nothing();
  if (!context.subjects.name.empty()) result["name"] = context.subjects.name;
  return result;
}

std::string name_text(const Json& result) {
  return result.contains("name") ? result["name"].get<std::string>() + "\n" : "";
}

CommandResult query_uuid(CommandContext& context, const Json&) {
  return Json{{"UUID", context.subjects.uuid}};
}

std::string uuid_text(const Json& result) { return result["UUID"].get<std::string>() + "\n"; }

CommandResult query_sanitizer(CommandContext& context, const Json&) {
  const std::string summary = context.machine.sanitizer_summary();
  if (summary.empty()) return error("Nothing is checked: start with -sanitize.");
  return Json(summary);
}

constexpr Command kCommands[] = {
    {.qmp = "quit", .hmp = "quit", .alias = "q", .run = quit, .help = "end the emulator"},
    {.qmp = "system_reset", .hmp = "system_reset", .run = system_reset, .help = "reset the machine"},
    {.qmp = "system_powerdown",
     .hmp = "system_powerdown",
     .run = system_powerdown,
     .help = "press the power button"},
    {.qmp = "inject-nmi", .hmp = "nmi", .run = inject_nmi, .help = "send hart 0 a non-maskable interrupt"},
    {.qmp = "stop", .hmp = "stop", .alias = "s", .run = stop, .help = "stop all harts and the clock"},
    {.qmp = "cont", .hmp = "cont", .alias = "c", .run = cont, .help = "go on after stop or -S"},
    {.qmp = "query-name",
     .hmp = "info name",
     .run = query_name,
     .text = name_text,
     .help = "the machine's name"},
    {.qmp = "query-uuid",
     .hmp = "info uuid",
     .run = query_uuid,
     .text = uuid_text,
     .help = "the machine's UUID"},
    {.qmp = "query-status",
     .hmp = "info status",
     .run = query_status,
     .text = status_text,
     .help = "whether the machine runs"},
    {.qmp = "x-query-sanitizer",
     .hmp = "info sanitizer",
     .run = query_sanitizer,
     .text = text_of_string,
     .help = "what -sanitize has counted"},
};

}  // namespace

std::span<const Command> machine_commands() { return kCommands; }

}  // namespace gstage
