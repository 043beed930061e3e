// SPDX-License-Identifier: Apache-2.0
// Commands about the harts.
#include "softmmu/base/format.h"
#include "system/monitor/commands.h"
#include "system/monitor/hart_registers.h"
#include "system/monitor/tlb_flushes.h"

namespace gstage {

namespace {

CommandResult info_registers(CommandContext& context, const Json& arguments) {
  if (const auto group = arguments.find("group"); group != arguments.end()) {
    const auto named = describe_register_group(context.machine, group->get<std::string>());
    if (!named)
      return error("there is no group '%s' of registers: there are %s", group->get<std::string>().c_str(),
                   register_groups().c_str());
    return Json(*named);
  }
  std::string text;
  for (const Cpu* const cpu : context.machine.cpus()) text += cpu->describe();
  return Json(text);
}

CommandResult info_tlb_flushes(CommandContext& context, const Json&) {
  return Json(describe_tlb_flushes(context.machine));
}

constexpr CommandArgument kRegisterArguments[] = {
    {"group", ArgumentType::kString, true, "general, float, csr, hypervisor, vs, aia, pmp, counters, …"}};

/// A line of a table with a column for each hart, and their sum.
template <class CountOf>
std::string count_line(const char* name, std::span<Cpu* const> cpus, CountOf&& count_of) {
  std::string text = format("%-24s", name);
  unsigned long long sum = 0;
  for (Cpu* const cpu : cpus) {
    const unsigned long long n = count_of(cpu->tlb());
    sum += n;
    text += format(" %9llu", n);
  }
  return text + format(" %9llu\n", sum);
}

constexpr Command kCommands[] = {
    {.hmp = "info registers",
     .arguments = kRegisterArguments,
     .run = info_registers,
     .text = text_of_string,
     .help = "registers of all harts: the usual ones, or a group with the fields spelt out",
     .needs_stopped_harts = true},
    {.hmp = "info tlb-flushes",
     .run = info_tlb_flushes,
     .text = text_of_string,
     .help = "TLB flushes by reason, misses, growth"},
};

}  // namespace

std::span<const Command> hart_commands() { return kCommands; }

std::string describe_tlb_flushes(Machine& machine) {
  const auto cpus = machine.cpus();
  std::string text = format("%-24s", "TLB flushes");
  for (const Cpu* const cpu : cpus) text += format(" %9s", format("hart%u", cpu->index()).c_str());
  text += "       all\n";
  for (unsigned i = 0; i < static_cast<unsigned>(TlbFlush::kCount); ++i) {
    const auto reason = static_cast<TlbFlush>(i);
    text += count_line(tlb_flush_name(reason), cpus, [&](const Tlb& tlb) { return tlb.flushes(reason); });
  }
  text += "TLB and jumps\n";
  for (unsigned i = 0; i < static_cast<unsigned>(TlbEvent::kCount); ++i) {
    const auto event = static_cast<TlbEvent>(i);
    text += count_line(tlb_event_name(event), cpus, [&](const Tlb& tlb) { return tlb.events(event); });
  }
  return text;
}

}  // namespace gstage
