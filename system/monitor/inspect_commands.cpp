// SPDX-License-Identifier: Apache-2.0
// Commands that look into a hart's worlds: walks, page tables, memory, interrupts.
#include <algorithm>
#include <optional>

#include "softmmu/base/format.h"
#include "tcg/runtime/engine.h"
#include "target/riscv/cpu.h"
#include "target/riscv/inspect/dump.h"
#include "target/riscv/inspect/walk.h"
#include "target/riscv/inspect/why_irq.h"
#include "hw/core/device.h"
#include "hw/core/interrupt_explainer.h"
#include "system/monitor/commands.h"

namespace gstage {

namespace {

using riscv::AccessType;
using riscv::Hart;
using riscv::Regime;

constexpr std::size_t kMostRanges = 4096;
constexpr unsigned kWalkBytes = 8;

unsigned long long wide(std::uint64_t value) { return value; }

/// The hart that the argument "hart" names, else the session's current one.
Result<Hart*> hart_of(CommandContext& context, const Json& arguments) {
  const std::uint64_t number =
      arguments.contains("hart") ? arguments["hart"].get<std::uint64_t>() : context.hart;
  const auto cpus = context.machine.cpus();
  if (cpus.empty()) return error("the machine has no harts");
  if (number >= cpus.size())
    return error("there is no hart %llu: harts are 0 to %zu", wide(number), cpus.size() - 1);
  return &riscv::hart_of(cpus[number]->core());
}

std::string string_or(const Json& arguments, const char* name, const char* otherwise) {
  return arguments.contains(name) ? arguments[name].get<std::string>() : otherwise;
}

/// An address, which may have been written as a negative number.
std::uint64_t address_of(const Json& arguments) {
  const Json& value = arguments["address"];
  return value.is_number_unsigned() ? value.get<std::uint64_t>()
                                    : static_cast<std::uint64_t>(value.get<std::int64_t>());
}

std::optional<AccessType> parse_access(const std::string& text) {
  if (text == "r") return AccessType::kLoad;
  if (text == "w") return AccessType::kStore;
  if (text == "x") return AccessType::kFetch;
  return std::nullopt;
}

CommandResult walk(CommandContext& context, const Json& arguments) {
  std::string access_text = string_or(arguments, "access", "r");
  std::string world = string_or(arguments, "world", "current");
  std::optional<AccessType> access = parse_access(access_text);
  // "walk ADDR WORLD" leaves the access out.
  if (!access && !arguments.contains("world")) {
    world = access_text;
    access = AccessType::kLoad;
  }
  if (!access) return error("walk: '%s' is no access: use r, w or x", access_text.c_str());
  Result<Hart*> hart = hart_of(context, arguments);
  if (!hart.ok()) return hart.error();
  Result<Regime> regime = riscv::world_regime(**hart, world, *access);
  if (!regime.ok()) return regime.error();
  const std::uint64_t address = address_of(arguments);
  const std::uint64_t to_page_end = kPageSize - (address & kPageMask);
  const auto size = static_cast<unsigned>(std::min<std::uint64_t>(kWalkBytes, to_page_end));
  const bool is_fetch = *access == AccessType::kFetch;
  const Vaddr vaddr = is_fetch ? Vaddr{address} : regime->unmasked(Vaddr{address});
  return Json(riscv::describe_walk(riscv::walk(**hart, *regime, vaddr, is_fetch ? 2 : size, *access)));
}

/// In the world, or with `first_stage` by its first stage alone.
CommandResult look(CommandContext& context, const Json& arguments, const char* world, bool first_stage) {
  Result<Hart*> hart = hart_of(context, arguments);
  if (!hart.ok()) return hart.error();
  Result<Regime> regime = riscv::world_regime(**hart, world, AccessType::kLoad);
  if (!regime.ok()) return regime.error();
  const std::uint64_t address = address_of(arguments);
  const std::optional<std::uint64_t> found =
      riscv::look_through(**hart, *regime, Vaddr{address}, first_stage);
  if (!found) return error("0x%llx leads nowhere: walk tells why", wide(address));
  return Json(format("0x%llx -> 0x%llx\n", wide(address), wide(*found)));
}
CommandResult gva2gpa(CommandContext& context, const Json& arguments) {
  return look(context, arguments, "current", true);
}
CommandResult gpa2hpa(CommandContext& context, const Json& arguments) {
  return look(context, arguments, "gpa", false);
}

std::string ranges_text(const Hart& hart, const Regime& regime, bool is_guest_stage) {
  const std::uint64_t atp = is_guest_stage ? regime.hgatp : regime.satp;
  const char* const name = is_guest_stage ? "hgatp" : regime.v() ? "vsatp" : "satp";
  std::string text = format("%s: %s\n", name, riscv::mode_text(atp, is_guest_stage).c_str());
  if (riscv::levels_of(atp) == 0) return text;
  const auto ranges = riscv::mapped_ranges(hart, regime, is_guest_stage, kMostRanges);
  text += riscv::describe_ranges(ranges);
  if (ranges.size() > kMostRanges) text += format("... (more than %zu ranges)\n", kMostRanges);
  return text;
}

CommandResult info_mem(CommandContext& context, const Json& arguments) {
  Result<Hart*> hart = hart_of(context, arguments);
  if (!hart.ok()) return hart.error();
  const Regime& regime = (*hart)->mmu->data;
  std::string text = "as " + riscv::regime_text(regime) + "\n" + ranges_text(**hart, regime, false);
  if (regime.v()) text += ranges_text(**hart, regime, true);
  return Json(text);
}

CommandResult stage(CommandContext& context, const Json& arguments, bool is_guest_stage) {
  Result<Hart*> hart = hart_of(context, arguments);
  if (!hart.ok()) return hart.error();
  const bool has_vmid = arguments.contains("vmid");
  const std::string world = has_vmid ? std::to_string(arguments["vmid"].get<std::uint64_t>()) : "gva";
  Result<Regime> regime = riscv::world_regime(**hart, world, AccessType::kLoad);
  if (!regime.ok()) return regime.error();
  return Json("as " + riscv::regime_text(*regime) + "\n" + ranges_text(**hart, *regime, is_guest_stage));
}
CommandResult info_vsstage(CommandContext& context, const Json& arguments) {
  return stage(context, arguments, false);
}
CommandResult info_gstage(CommandContext& context, const Json& arguments) {
  return stage(context, arguments, true);
}

CommandResult info_tlb(CommandContext& context, const Json& arguments) {
  const bool has_pages = arguments.contains("all") && arguments["all"].get<bool>();
  std::string text;
  for (Cpu* const cpu : context.machine.cpus())
    text += format("hart %u:\n", cpu->index()) + riscv::describe_tlb(riscv::hart_of(cpu->core()), has_pages);
  return Json(text);
}

CommandResult info_irq(CommandContext& context, const Json&) {
  std::string text;
  for (Cpu* const cpu : context.machine.cpus())
    text += format("hart %u:\n", cpu->index()) + riscv::describe_interrupts(riscv::hart_of(cpu->core()));
  return Json(text);
}

CommandResult info_jit(CommandContext& context, const Json&) {
  if (context.machine.harts() == nullptr) return error("the machine has no harts");
  return Json(context.machine.harts()->engine().describe());
}

CommandResult info_csrs(CommandContext& context, const Json& arguments) {
  Result<Hart*> hart = hart_of(context, arguments);
  if (!hart.ok()) return hart.error();
  return Json(riscv::describe_csrs(**hart, arguments.contains("all") && arguments["all"].get<bool>()));
}

CommandResult why_irq(CommandContext& context, const Json& arguments) {
  std::string text;
  const auto cpus = context.machine.cpus();
  if (arguments.contains("hart")) {
    Result<Hart*> hart = hart_of(context, arguments);
    if (!hart.ok()) return hart.error();
  }
  for (Cpu* const cpu : cpus) {
    if (arguments.contains("hart") && arguments["hart"].get<std::uint64_t>() != cpu->index()) continue;
    std::vector<riscv::WiredSource> wired;
    hw::for_each_device(context.machine.devices(), [&](hw::Device& device) {
      if (device.explainer() != nullptr) device.explainer()->explain(cpu->index(), wired);
    });
    Hart& hart = riscv::hart_of(cpu->core());
    text += riscv::describe_why_irq(hart, riscv::why_irq(hart, wired));
  }
  return Json(text);
}

/// The bytes at an address of the world, or of the machine's memory without one. RAM and ROM alone.
riscv::ReadBytes reader(const Hart& hart, const std::optional<Regime>& regime) {
  return [&hart, regime](std::uint64_t address, void* to, unsigned size) {
    for (unsigned i = 0; i < size; ++i) {
      const std::optional<std::uint64_t> paddr =
          regime ? riscv::look_through(hart, *regime, Vaddr{address + i}) : address + i;
      const std::byte* const host = paddr ? hart.memory->host(Paddr{*paddr}) : nullptr;
      if (host == nullptr) return false;
      static_cast<std::byte*>(to)[i] = *host;
    }
    return true;
  };
}

CommandResult dump(CommandContext& context, const Json& arguments, bool is_physical) {
  Result<Hart*> hart = hart_of(context, arguments);
  if (!hart.ok()) return hart.error();
  riscv::DumpFormat how;
  if (arguments.contains("format")) {
    const Status status = riscv::parse_dump_format(arguments["format"].get<std::string>(), how);
    if (!status.ok()) return status;
  }
  std::optional<Regime> regime;
  if (!is_physical) {
    Result<Regime> named =
        riscv::world_regime(**hart, string_or(arguments, "world", "current"), AccessType::kLoad);
    if (!named.ok()) return named.error();
    regime = *named;
  }
  return Json(riscv::dump_memory(how, address_of(arguments), reader(**hart, regime)));
}
CommandResult examine(CommandContext& context, const Json& arguments) {
  return dump(context, arguments, false);
}
CommandResult examine_physical(CommandContext& context, const Json& arguments) {
  return dump(context, arguments, true);
}

constexpr CommandArgument kAddress{"address", ArgumentType::kInteger, false, "the address"};
constexpr CommandArgument kWalkArguments[] = {
    kAddress,
    {"access", ArgumentType::kString, true, "r (also without it), w or x"},
    {"world", ArgumentType::kString, true, "current, host, gva, gpa or a VMID"},
};
constexpr CommandArgument kAddressArguments[] = {kAddress};
constexpr CommandArgument kVmidArguments[] = {
    {"vmid", ArgumentType::kInteger, true, "of a guest that the hart ran lately"}};
constexpr CommandArgument kHartArguments[] = {{"hart", ArgumentType::kInteger, true, "the hart; else all"}};
constexpr CommandArgument kTlbArguments[] = {{"all", ArgumentType::kFlag, true, "their translations, too"}};
constexpr CommandArgument kCsrArguments[] = {
    {"all", ArgumentType::kFlag, true, "those that are zero, too"},
    {"hart", ArgumentType::kInteger, true, "the hart; else the current one"}};
constexpr CommandArgument kExamineArguments[] = {
    {"format", ArgumentType::kFormat, true, "count, x d u o c i or s, b h w or g"},
    kAddress,
    {"world", ArgumentType::kString, true, "current, host, gva, gpa or a VMID"},
};
constexpr CommandArgument kPhysicalArguments[] = {
    {"format", ArgumentType::kFormat, true, "count, x d u o c i or s, b h w or g"}, kAddress};

constexpr Command kCommands[] = {
    {.hmp = "walk",
     .arguments = kWalkArguments,
     .run = walk,
     .text = text_of_string,
     .help = "every step of a translation, both stages, and why it ends",
     .needs_stopped_harts = true},
    {.hmp = "why-irq",
     .arguments = kHartArguments,
     .run = why_irq,
     .text = text_of_string,
     .help = "each pending interrupt, and what keeps it from being taken",
     .needs_stopped_harts = true},
    {.hmp = "gva2gpa",
     .arguments = kAddressArguments,
     .run = gva2gpa,
     .text = text_of_string,
     .help = "where an address of the current world leads: in a guest its physical address",
     .needs_stopped_harts = true},
    {.hmp = "gpa2hpa",
     .arguments = kAddressArguments,
     .run = gpa2hpa,
     .text = text_of_string,
     .help = "where a guest physical address leads, by hgatp",
     .needs_stopped_harts = true},
    {.hmp = "info mem",
     .run = info_mem,
     .text = text_of_string,
     .help = "what the current page tables map, both stages",
     .needs_stopped_harts = true},
    {.hmp = "info vsstage",
     .arguments = kVmidArguments,
     .run = info_vsstage,
     .text = text_of_string,
     .help = "what vsatp maps, of the guest in the registers or of a VMID",
     .needs_stopped_harts = true},
    {.hmp = "info gstage",
     .arguments = kVmidArguments,
     .run = info_gstage,
     .text = text_of_string,
     .help = "what hgatp maps, of the guest in the registers or of a VMID",
     .needs_stopped_harts = true},
    {.hmp = "info tlb",
     .arguments = kTlbArguments,
     .run = info_tlb,
     .text = text_of_string,
     .help = "the contexts of the software TLB",
     .needs_stopped_harts = true},
    {.hmp = "info irq",
     .run = info_irq,
     .text = text_of_string,
     .help = "registers of interrupts, fields spelt out",
     .needs_stopped_harts = true},
    {.hmp = "info jit",
     .run = info_jit,
     .text = text_of_string,
     .help = "translated blocks, regions, the code buffer, flushes"},
    {.hmp = "info csrs",
     .arguments = kCsrArguments,
     .run = info_csrs,
     .text = text_of_string,
     .help = "CSRs of a hart, fields spelt out",
     .needs_stopped_harts = true},
    {.hmp = "x",
     .arguments = kExamineArguments,
     .run = examine,
     .text = text_of_string,
     .help = "memory at a virtual address",
     .needs_stopped_harts = true},
    {.hmp = "xp",
     .arguments = kPhysicalArguments,
     .run = examine_physical,
     .text = text_of_string,
     .help = "memory at a physical address",
     .needs_stopped_harts = true},
};

}  // namespace

std::span<const Command> inspect_commands() { return kCommands; }

}  // namespace gstage
