// SPDX-License-Identifier: Apache-2.0
// Which accelerator runs guest code: -accel and -machine accel=. Both may name several, of which the first
// that is there runs: scripts say so for hosts that have more than this one.
#include <algorithm>
#include <array>
#include <iterator>

#include "softmmu/base/format.h"
#include "softmmu/option_values.h"
#include "softmmu/property_rows.h"
#include "system/option_handlers.h"

namespace gstage {

namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

struct AccelRow {
  const char* name;
  Accel accel;
  const char* help;
};
constexpr AccelRow kAccels[] = {
    {"jit", Accel::kJit, "dynamic translation to host code"},
    {"tcg", Accel::kJit, "the same"},
    {"interp", Accel::kInterp, "interpretation of the same intermediate code"},
};

constexpr const char* kMissingAccels[] = {"kvm",  "hvf",   "whpx", "nvmm", "xen",
                                          "mshv", "nitro", "hax",  "qtest"};

constexpr PropertyRow kProperties[] = {
    {"tb-size", "MIB", "room for translated code, 1 to 2048"},
    {"regions", "on|off|eager", "compile hot loops as a whole; eager: every loop, which is slow"},
    {"thread", "multi|single", "no effect: each hart has a thread of its own"},
    {"one-insn-per-tb", "off", "there are no blocks of one instruction"},
    {"split-wx", "on|off", "no effect: code is never writable where it is executable"},
    missing_property("device"),
    missing_property("dirty-ring-size"),
    missing_property("eager-split-size"),
    missing_property("igd-passthru"),
    missing_property("kernel-irqchip"),
    missing_property("kvm-shadow-mem"),
    missing_property("notify-vmexit"),
    missing_property("notify-window"),
};

const AccelRow* find_accel(const std::string& name) {
  const auto* const row = std::find_if(std::begin(kAccels), std::end(kAccels),
                                       [&](const AccelRow& candidate) { return name == candidate.name; });
  return row == std::end(kAccels) ? nullptr : row;
}

std::string accels_help() {
  std::string text = "Accelerators (-accel NAME[,PROP=VALUE...]):\n";
  for (const AccelRow& row : kAccels) text += format("  %-8s%s\n", row.name, row.help);
  return text;
}

Status set_regions(MachineOptions& machine, const std::string& value) {
  static constexpr std::pair<const char*, Regions> kValues[] = {
      {"on", Regions::kOn}, {"off", Regions::kOff}, {"eager", Regions::kEager}};
  for (const auto& [name, regions] : kValues) {
    if (value != name) continue;
    machine.engine.regions = regions;
    return Ok{};
  }
  return error("-accel: regions=%s: use on, off or eager", value.c_str());
}

Status set_property(MachineOptions& machine, const std::string& accel, const Property& property) {
  if (Status status = check_property("-accel " + accel, kProperties, property); !status.ok()) return status;
  if (property.name == "tb-size") {
    auto mib = parse_number("-accel tb-size", property.value, 1, 2048);
    if (!mib) return mib.error();
    machine.engine.buffer_bytes = *mib * kMiB;
    return Ok{};
  }
  if (property.name == "regions") return set_regions(machine, property.value);
  if (property.name == "thread") {
    if (property.value == "multi" || property.value == "single") return Ok{};
    return error("-accel: thread=%s: use multi or single", property.value.c_str());
  }
  auto is_on = parse_switch("-accel", property);
  if (!is_on) return is_on.error();
  if (*is_on && property.name == "one-insn-per-tb")
    return error("-accel: one-insn-per-tb=on is not supported yet: leave it out");
  return Ok{};
}

}  // namespace

Status choose_accel(Options& options, const std::string& names) {
  std::size_t at = 0;
  while (at <= names.size()) {
    const std::size_t colon = std::min(names.find(':', at), names.size());
    const std::string name = names.substr(at, colon - at);
    at = colon + 1;
    const AccelRow* const row = find_accel(name);
    if (row != nullptr) {
      if (!options.has_accel) options.machine.engine.accel = row->accel;
      options.has_accel = true;
    } else if (std::find(std::begin(kMissingAccels), std::end(kMissingAccels), name) !=
               std::end(kMissingAccels)) {
      options.missing_accel = name;
    } else {
      return error("-accel: unknown accelerator '%s': use tcg (jit is the same) or interp", name.c_str());
    }
  }
  return Ok{};
}

Status check_accel(const Options& options) {
  if (options.has_accel || options.missing_accel.empty()) return Ok{};
  return error("-accel: %s is not supported yet: use tcg (jit is the same) or interp",
               options.missing_accel.c_str());
}

Status OptionHandlers::accel(Options& options, const std::string& argument) {
  if (is_help(argument)) {
    options.output = accels_help();
    return Ok{};
  }
  auto accel = parse_device("-accel", argument, "accel");
  if (!accel) return accel.error();
  if (Status status = choose_accel(options, accel->driver); !status.ok()) return status;
  const AccelRow* const row = find_accel(accel->driver);
  // What does not run has properties of its own, which are nothing to us.
  if (row == nullptr || row->accel != options.machine.engine.accel) return Ok{};
  if (asks_for_help(accel->properties)) {
    options.output = properties_help(format("Properties of -accel %s:", row->name), kProperties);
    return Ok{};
  }
  for (const Property& property : accel->properties)
    if (Status status = set_property(options.machine, row->name, property); !status.ok()) return status;
  return Ok{};
}

}  // namespace gstage
