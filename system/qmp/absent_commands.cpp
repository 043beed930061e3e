// SPDX-License-Identifier: Apache-2.0
// Queries of clients for what this machine never has: they get the answer that says so.
#include "softmmu/base/format.h"
#include "system/monitor/commands.h"

namespace gstage {

namespace {

CommandResult no_list(CommandContext&, const Json&) { return Json::array(); }
CommandResult no_members(CommandContext&, const Json&) { return nothing(); }
CommandResult not_enabled(CommandContext&, const Json&) { return Json{{"enabled", false}}; }
CommandResult no_kvm(CommandContext&, const Json&) { return Json{{"enabled", false}, {"present", false}}; }
CommandResult no_spice(CommandContext&, const Json&) {
  return Json{{"enabled", false}, {"migrated", false}, {"mouse-mode", "client"}};
}

/// The one that clients ask for before anything else: that they be told when a migration's status changes.
constexpr const char* kEvents = "events";

CommandResult migrate_capabilities(CommandContext&, const Json&) {
  return Json::array({{{"capability", kEvents}, {"state", true}}});
}

CommandResult migrate_set_capabilities(CommandContext&, const Json& arguments) {
  const Json& wanted = arguments["capabilities"];
  if (!wanted.is_array()) return error("Invalid parameter type for 'capabilities', expected: array");
  for (const Json& row : wanted) {
    const bool is_row = row.is_object() && row.contains("capability") && row["capability"].is_string() &&
                        row.contains("state") && row["state"].is_boolean();
    if (!is_row) return error("Invalid parameter type for 'capabilities', expected: {capability, state}");
    const auto name = row["capability"].get<std::string>();
    if (name != kEvents && row["state"].get<bool>())
      return error("there is no migration yet, so it cannot have '%s'", printable(name).c_str());
  }
  return nothing();
}

constexpr CommandArgument kCapabilities[] = {
    {"capabilities", ArgumentType::kAny, false, "a list of {capability, state}"}};

constexpr Command kCommands[] = {
    {.qmp = "query-kvm", .run = no_kvm, .help = "whether the host's KVM runs the harts: it does not"},
    {.qmp = "query-iothreads", .run = no_list, .help = "I/O threads that were asked for: none"},
    {.qmp = "query-mice", .run = no_list, .help = "mice: none"},
    {.qmp = "query-vnc", .run = not_enabled, .help = "the VNC server: there is none"},
    {.qmp = "query-spice", .run = no_spice, .help = "the SPICE server: there is none"},
    {.qmp = "query-memory-devices", .run = no_list, .help = "pluggable memory: none"},
    {.qmp = "query-tpm", .run = no_list, .help = "TPM devices: none"},
    {.qmp = "query-tpm-models", .run = no_list, .help = "kinds of TPM devices: none"},
    {.qmp = "query-tpm-types", .run = no_list, .help = "TPM back ends: none"},
    {.qmp = "query-block-jobs", .run = no_list, .help = "jobs on disks: none"},
    {.qmp = "query-jobs", .run = no_list, .help = "jobs: none"},
    {.qmp = "query-migrate", .run = no_members, .help = "migration: there is none"},
    {.qmp = "query-migrate-capabilities",
     .run = migrate_capabilities,
     .help = "what migration can do: tell of its events, once there is one"},
    {.qmp = "migrate-set-capabilities",
     .arguments = kCapabilities,
     .run = migrate_set_capabilities,
     .help = "what migration is to do; there is none yet"},
    {.qmp = "query-migrate-parameters", .run = no_members, .help = "what migration is set to: nothing"},
};

}  // namespace

std::span<const Command> absent_commands() { return kCommands; }

}  // namespace gstage
