// SPDX-License-Identifier: Apache-2.0
// -sanitize and -vary: what is wrong with the guest's software, and what it takes for granted.
#include "softmmu/base/log.h"
#include "softmmu/option_values.h"
#include "softmmu/property_rows.h"
#include "system/option_handlers.h"

namespace gstage {

namespace {

using riscv::FenceCheck;
using riscv::SanitizeOptions;

constexpr PropertyRow kProperties[] = {
    {"fences", "exact|adversarial",
     "uses of translations that the page tables no longer say; adversarial: harts go on with them"},
    {"icache", "on|off",
     "instructions that are executed though they were stored since the hart's last fence.i"},
    {"grace", "MS", "for so long a hart may use what another one has just changed (default 50)"},
};

Status set_fences(SanitizeOptions& sanitize, const std::string& mode) {
  if (mode == "on" || mode == "exact")
    sanitize.fences = FenceCheck::kExact;
  else if (mode == "adversarial")
    sanitize.fences = FenceCheck::kAdversarial;
  else if (mode == "off")
    sanitize.fences = FenceCheck::kOff;
  else
    return error("-sanitize: fences=%s: use exact, adversarial or off", mode.c_str());
  return Ok{};
}

Status set_check(SanitizeOptions& sanitize, const Property& property) {
  if (Status status = check_property("-sanitize", kProperties, property); !status.ok()) return status;
  if (property.name == "fences") return set_fences(sanitize, property.value);
  if (property.name == "icache") {
    auto is_on = parse_switch("-sanitize", property);
    if (is_on) sanitize.has_icache = *is_on;
    return is_on ? Status(Ok{}) : Status(is_on.error());
  }
  constexpr std::uint64_t kMostMs = 60'000;
  auto ms = parse_number("-sanitize grace", property.value, 0, kMostMs);
  if (!ms) return ms.error();
  sanitize.grace_ms = static_cast<unsigned>(*ms);
  return Ok{};
}

constexpr PropertyRow kVariations[] = {
    {"seed", "N", "chooses all that is not named"},
    {"htinst", "transformed|zero|mixed", "what traps write to htinst and mtinst"},
    {"htval", "gpa|zero|mixed", "what guest-page faults write to htval and mtval2 (needs -cpu shtvala=off)"},
    {"vmidlen", "BITS", "how many bits of a VMID there are, 0 to 14"},
    {"asidlen", "BITS", "how many bits of an ASID there are, 0 to 16"},
    {"spurious", "PERCENT", "of all wfi that do not wait"},
    {"tlb", "N", "translations are dropped after about so many misses; 0: never"},
    {"sc-fails", "PERCENT", "of all reservations that are lost, 0 to 90"},
};

Status set_number(const Property& property, unsigned most, std::optional<unsigned>& to) {
  auto number = parse_number("-vary " + property.name, property.value, 0, most);
  if (!number) return number.error();
  to = static_cast<unsigned>(*number);
  return Ok{};
}

Status set_informs(const Property& property, const char* always, std::optional<riscv::Informs>& to) {
  using riscv::Informs;
  if (property.value == always)
    to = Informs::kAlways;
  else if (property.value == "zero")
    to = Informs::kNever;
  else if (property.value == "mixed")
    to = Informs::kSometimes;
  else
    return error("-vary: %s=%s: use %s, zero or mixed", property.name.c_str(), property.value.c_str(),
                 always);
  return Ok{};
}

Status set_variation(riscv::VaryOptions& vary, const Property& property) {
  constexpr unsigned kMostMisses = 1'000'000;
  if (Status status = check_property("-vary", kVariations, property); !status.ok()) return status;
  if (property.name == "htinst") return set_informs(property, "transformed", vary.htinst);
  if (property.name == "htval") return set_informs(property, "gpa", vary.htval);
  if (property.name == "vmidlen") return set_number(property, 14, vary.vmidlen);
  if (property.name == "asidlen") return set_number(property, 16, vary.asidlen);
  if (property.name == "spurious") return set_number(property, 100, vary.spurious);
  if (property.name == "tlb") return set_number(property, kMostMisses, vary.tlb);
  if (property.name == "sc-fails") return set_number(property, 90, vary.sc_fails);
  auto seed = parse_number("-vary seed", property.value, 0, ~std::uint64_t{0});
  if (!seed) return seed.error();
  vary.seed = *seed;
  return Ok{};
}

/// What both options say goes to the log.
void show_log(Options& options) { options.log_items += options.log_items.empty() ? "sanitize" : ",sanitize"; }

}  // namespace

Status OptionHandlers::vary(Options& options, const std::string& argument) {
  if (is_help(argument)) {
    options.output =
        properties_help("What the specification leaves open (-vary seed=N[,PROP=VALUE...]):", kVariations);
    return Ok{};
  }
  auto properties = parse_properties("-vary", argument, "seed");
  if (!properties) return properties.error();
  for (const Property& property : *properties)
    if (Status status = set_variation(options.machine.vary, property); !status.ok()) return status;
  show_log(options);
  return Ok{};
}

Status OptionHandlers::sanitize(Options& options, const std::string& argument) {
  if (is_help(argument)) {
    options.output =
        properties_help("Checks of the guest's software (-sanitize CHECK[=MODE][,...]):", kProperties);
    return Ok{};
  }
  auto checks = parse_properties("-sanitize", argument, "");
  if (!checks) return checks.error();
  for (const Property& check : *checks)
    if (Status status = set_check(options.machine.sanitize, check); !status.ok()) return status;
  show_log(options);
  return Ok{};
}

}  // namespace gstage
