// SPDX-License-Identifier: Apache-2.0
// What the program can do, and what this machine was started with.
#include <algorithm>

#include <unistd.h>

#include "softmmu/base/format.h"
#include "target/riscv/cpu_models.h"
#include "hw/riscv/boards.h"
#include "system/monitor/commands.h"
#include "system/options.h"

namespace gstage {

namespace {

/// What clients call the type of a hart's model.
std::string cpu_type(const std::string& model) { return model + "-riscv-cpu"; }

/// The model that the machine was started with.
std::string cpu_model(const CommandContext& context) {
  const Options* const options = context.subjects.options;
  return options != nullptr ? options->machine.cpu.driver : "rv64";
}

CommandResult query_target(CommandContext&, const Json&) { return Json{{"arch", "riscv64"}}; }

CommandResult query_machines(CommandContext&, const Json&) {
  constexpr unsigned kMostHarts = 512;
  const std::string standard = MachineOptions{}.machine.driver;
  Json all = Json::array();
  for (const MachineType& type : hw::machine_types()) {
    const bool has_harts = std::string_view(type.name) != "none";
    const bool has_acpi =
        std::any_of(type.properties.begin(), type.properties.end(),
                    [](const PropertyRow& row) { return std::string_view(row.name) == "acpi"; });
    Json row{{"name", type.name},          {"cpu-max", has_harts ? kMostHarts : 1},
             {"hotpluggable-cpus", false}, {"numa-mem-supported", has_harts},
             {"deprecated", false},        {"acpi", has_acpi}};
    if (standard == type.name) row["is-default"] = true;
    if (has_harts) row["default-cpu-type"] = cpu_type("rv64");
    all.push_back(std::move(row));
  }
  return all;
}

CommandResult query_cpu_definitions(CommandContext&, const Json&) {
  Json all = Json::array();
  for (const std::string& name : riscv::cpu_model_names())
    all.push_back(
        Json{{"name", name}, {"typename", cpu_type(name)}, {"static", false}, {"deprecated", false}});
  return all;
}

CommandResult query_command_line_options(CommandContext&, const Json& arguments) {
  const auto asked = arguments.find("option");
  Json all = Json::array();
  for (const std::string& word : option_words())
    if (asked == arguments.end() || *asked == word)
      all.push_back(Json{{"option", word}, {"parameters", Json::array()}});
  if (all.empty()) return error("invalid option name: %s", asked->get<std::string>().c_str());
  return all;
}

std::string hart_path(unsigned index) { return format("/machine/unattached/device[%u]", index); }

/// One thread runs each hart, but which is not told: the process's number stands for it.
CommandResult query_cpus_fast(CommandContext& context, const Json&) {
  Json all = Json::array();
  for (const Cpu* const cpu : context.machine.cpus())
    all.push_back(Json{{"cpu-index", cpu->index()},
                       {"qom-path", hart_path(cpu->index())},
                       {"thread-id", static_cast<int>(getpid())},
                       {"props", Json{{"core-id", cpu->index()}}},
                       {"target", "riscv64"}});
  return all;
}

std::string cpus_text(const Json& result) {
  std::string text;
  for (const Json& cpu : result) text += format("hart %llu\n", cpu["cpu-index"].get<unsigned long long>());
  return text;
}

CommandResult query_hotpluggable_cpus(CommandContext& context, const Json&) {
  Json all = Json::array();
  for (const Cpu* const cpu : context.machine.cpus())
    all.push_back(Json{{"type", cpu_type(cpu_model(context))},
                       {"vcpus-count", 1},
                       {"props", Json{{"core-id", cpu->index()}}},
                       {"qom-path", hart_path(cpu->index())}});
  std::reverse(all.begin(), all.end());
  return all;
}

CommandResult query_memory_size_summary(CommandContext& context, const Json&) {
  const bool has_memory = !context.machine.memory().ranges().empty() && context.subjects.options != nullptr;
  return Json{{"base-memory", has_memory ? context.subjects.options->machine.ram_bytes : 0},
              {"plugged-memory", 0}};
}

constexpr CommandArgument kOptionArguments[] = {
    {"option", ArgumentType::kString, true, "one option, without the dash"}};

constexpr Command kCommands[] = {
    {.qmp = "query-target", .run = query_target, .help = "the architecture of the harts"},
    {.qmp = "query-machines", .run = query_machines, .help = "the boards"},
    {.qmp = "query-cpu-definitions", .run = query_cpu_definitions, .help = "the models of harts"},
    {.qmp = "query-command-line-options",
     .arguments = kOptionArguments,
     .run = query_command_line_options,
     .help = "the options of the command line"},
    {.qmp = "query-cpus-fast",
     .hmp = "info cpus",
     .run = query_cpus_fast,
     .text = cpus_text,
     .help = "the harts"},
    {.qmp = "query-hotpluggable-cpus",
     .run = query_hotpluggable_cpus,
     .help = "the places of harts, which are all taken"},
    {.qmp = "query-memory-size-summary",
     .run = query_memory_size_summary,
     .help = "how much memory the machine has"},
};

}  // namespace

std::span<const Command> program_commands() { return kCommands; }

}  // namespace gstage
