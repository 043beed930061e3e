// SPDX-License-Identifier: Apache-2.0
#include "softmmu/option_handlers.h"

#include <algorithm>
#include <array>

#include "softmmu/base/format.h"
#include "softmmu/base/log.h"
#include "softmmu/option_values.h"

namespace gstage {

namespace {

using HelpText = std::string (*)();
HelpText cpu_help_text = nullptr;
HelpText device_help_text = nullptr;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kLeastRam = 16 * kMiB;
constexpr std::uint64_t kMostRam = std::uint64_t{1} << 42;
constexpr std::uint64_t kMostHarts = 512;

bool is_help(const std::string& text) { return text == "help" || text == "?"; }

/// Stores plain text.
Status keep(std::string& to, const std::string& text) {
  to = text;
  return Ok{};
}

Status set(bool& to, bool value) {
  to = value;
  return Ok{};
}

Error unknown_property(const char* option, const Property& property, const char* known) {
  return error("%s: unknown property '%s': known are %s", option, property.name.c_str(), known);
}

/// "-accel jit" and "-machine accel=jit".
Status set_accel(MachineOptions& machine, const std::string& name) {
  for (const char* const jit : {"jit", "tcg"})
    if (name == jit) {
      machine.accel = Accel::kJit;
      return Ok{};
    }
  if (name == "interp") {
    machine.accel = Accel::kInterp;
    return Ok{};
  }
  return error("-accel: unknown accelerator '%s': use jit (tcg is the same) or interp", name.c_str());
}

std::string machine_names() {
  std::string names;
  for (const MachineType& type : machine_types()) names += std::string(names.empty() ? "" : ", ") + type.name;
  return names;
}

std::string machines_help() {
  std::string text = "Boards (-machine NAME):\n";
  for (const MachineType& type : machine_types()) text += format("  %-20s %s\n", type.name, type.description);
  return text;
}

}  // namespace

void register_cpu_help(HelpText text) { cpu_help_text = text; }
void register_device_help(HelpText text) { device_help_text = text; }

Status OptionHandlers::machine(Options& options, const std::string& argument) {
  if (is_help(argument)) return keep(options.output, machines_help());
  auto properties = parse_properties("-machine", argument, "type");
  if (!properties) return properties.error();
  for (Property& property : *properties) {
    if (property.name == "type") {
      options.machine.machine.driver = property.value;
    } else if (property.name == "accel") {
      if (const Status status = set_accel(options.machine, property.value); !status.ok()) return status;
    } else {
      options.machine.machine.properties.push_back(std::move(property));
    }
  }
  const auto& types = machine_types();
  const std::string& name = options.machine.machine.driver;
  if (std::none_of(types.begin(), types.end(), [&](const MachineType& type) { return name == type.name; }))
    return error("-machine: unknown board '%s': there is %s", name.c_str(), machine_names().c_str());
  return Ok{};
}

Status OptionHandlers::cpu(Options& options, const std::string& argument) {
  if (is_help(argument)) return keep(options.output, cpu_help_text != nullptr ? cpu_help_text() : "rv64\n");
  auto cpu = parse_device("-cpu", argument, "model");
  if (!cpu) return cpu.error();
  options.machine.cpu = std::move(*cpu);
  return Ok{};
}

Status OptionHandlers::smp(Options& options, const std::string& argument) {
  auto properties = parse_properties("-smp", argument, "cpus");
  if (!properties) return properties.error();
  std::uint64_t cpus = 0;
  std::uint64_t most = 0;
  std::uint64_t topology = 1;
  for (const Property& property : *properties) {
    const bool is_level =
        property.name == "sockets" || property.name == "cores" || property.name == "threads";
    if (!is_level && property.name != "cpus" && property.name != "maxcpus")
      return unknown_property("-smp", property, "cpus, maxcpus, sockets, cores, threads");
    const auto number = parse_number("-smp", property.value, 1, kMostHarts);
    if (!number) return number.error();
    auto value = number;
    if (is_level) topology *= *value;
    if (property.name == "cpus") cpus = *value;
    if (property.name == "maxcpus") most = *value;
  }
  if (cpus == 0) cpus = topology;
  if (topology != 1 && topology != cpus)
    return error("-smp: sockets, cores and threads make %llu harts, not %llu: their product must be cpus",
                 static_cast<unsigned long long>(topology), static_cast<unsigned long long>(cpus));
  if (cpus > kMostHarts)
    return error("-smp: %llu is out of range: use 1 to 512", static_cast<unsigned long long>(cpus));
  if (most != 0 && most != cpus) return error("-smp: maxcpus= other than cpus is not supported yet");
  options.machine.harts = static_cast<unsigned>(cpus);
  return Ok{};
}

Status OptionHandlers::memory(Options& options, const std::string& argument) {
  auto properties = parse_properties("-m", argument, "size");
  if (!properties) return properties.error();
  for (const Property& property : *properties) {
    if (property.name == "slots" || property.name == "maxmem")
      return error("-m: %s= is not supported yet", property.name.c_str());
    if (property.name != "size") return unknown_property("-m", property, "size");
    auto bytes = parse_size("-m", property.value, kMiB);
    if (!bytes) return bytes.error();
    if (*bytes < kLeastRam)
      return error("-m: %llu MiB is too small: use 16M to 4T (a number alone counts MiB)",
                   static_cast<unsigned long long>(*bytes / kMiB));
    if (*bytes > kMostRam)
      return error("-m: '%s' is out of range: use 16M to 4T (a number alone counts MiB)",
                   property.value.c_str());
    options.machine.ram_bytes = (*bytes + kPageMask) & ~kPageMask;
  }
  return Ok{};
}

namespace {

Status set_regions(MachineOptions& machine, const std::string& value) {
  static constexpr std::pair<const char*, Regions> kValues[] = {
      {"on", Regions::kOn}, {"off", Regions::kOff}, {"eager", Regions::kEager}};
  for (const auto& [name, regions] : kValues) {
    if (value != name) continue;
    machine.regions = regions;
    return Ok{};
  }
  return error("-accel: regions=%s: use on, off or eager", value.c_str());
}

}  // namespace

Status OptionHandlers::accel(Options& options, const std::string& argument) {
  if (is_help(argument))
    return keep(options.output,
                "Accelerators:\n  jit     dynamic translation to host code (also: tcg)\n"
                "  interp  interpretation of the same intermediate code\n");
  auto accel = parse_device("-accel", argument, "accel");
  if (!accel) return accel.error();
  if (const Status status = set_accel(options.machine, accel->driver); !status.ok()) return status;
  for (const Property& property : accel->properties) {
    if (property.name == "tb-size") {
      auto mib = parse_number("-accel tb-size", property.value, 1, 2048);
      if (!mib) return mib.error();
      options.machine.translation_buffer_bytes = *mib * kMiB;
    } else if (property.name == "thread") {
      if (property.value == "single")
        return error("-accel: thread=single is not supported yet: leave it out");
      if (property.value != "multi") return error("-accel: thread=%s: use multi", property.value.c_str());
    } else if (property.name == "regions") {
      if (const Status status = set_regions(options.machine, property.value); !status.ok()) return status;
    } else {
      return unknown_property("-accel", property, "tb-size, thread, regions");
    }
  }
  return Ok{};
}

Status OptionHandlers::bios(Options& options, const std::string& a) { return keep(options.machine.bios, a); }
Status OptionHandlers::kernel(Options& options, const std::string& a) {
  return keep(options.machine.kernel, a);
}
Status OptionHandlers::initrd(Options& options, const std::string& a) {
  return keep(options.machine.initrd, a);
}
Status OptionHandlers::append(Options& options, const std::string& a) {
  return keep(options.machine.append, a);
}
Status OptionHandlers::dtb(Options& options, const std::string& a) { return keep(options.machine.dtb, a); }

Status OptionHandlers::device(Options& options, const std::string& argument) {
  if (is_help(argument))
    return keep(options.output, device_help_text != nullptr ? device_help_text() : "No devices are known.\n");
  auto device = parse_device("-device", argument, "driver");
  if (!device) return device.error();
  options.machine.devices.push_back(std::move(*device));
  return Ok{};
}

Status OptionHandlers::object(Options& options, const std::string& argument) {
  if (is_help(argument)) return keep(options.output, "Objects (-object NAME,id=ID):\n  rng-random\n");
  auto object = parse_device("-object", argument, "qom-type");
  if (!object) return object.error();
  if (object->driver != "rng-random")
    return error("-object %s is not supported yet: there is rng-random", object->driver.c_str());
  if (object->find("id") == nullptr) return error("-object: rng-random has no id: add id=NAME");
  options.machine.objects.push_back(std::move(*object));
  return Ok{};
}

Status OptionHandlers::global(Options&, const std::string& argument) {
  // Many scripts say this because the old default was the legacy interface; here there is no other.
  if (argument == "virtio-mmio.force-legacy=false" || argument == "virtio-mmio.force-legacy=off") return Ok{};
  return error("-global %s is not supported yet", argument.c_str());
}

Status OptionHandlers::rtc(Options&, const std::string& argument) {
  auto properties = parse_properties("-rtc", argument, "");
  if (!properties) return properties.error();
  for (const Property& property : *properties) {
    const bool is_ours = (property.name == "base" && property.value == "utc") ||
                         (property.name == "clock" && property.value == "host");
    if (!is_ours)
      return error("-rtc: %s=%s is not supported yet: use base=utc,clock=host", property.name.c_str(),
                   property.value.c_str());
  }
  return Ok{};
}

Status OptionHandlers::snapshot(Options& options, const std::string&) {
  return set(options.is_snapshot, true);
}
Status OptionHandlers::nodefaults(Options& options, const std::string&) {
  return set(options.has_defaults, false);
}
Status OptionHandlers::start_paused(Options& options, const std::string&) {
  return set(options.run.starts_paused, true);
}
Status OptionHandlers::no_reboot(Options& options, const std::string&) {
  return set(options.run.can_reboot, false);
}
Status OptionHandlers::no_shutdown(Options& options, const std::string&) {
  return set(options.run.can_shutdown, false);
}
Status OptionHandlers::ignored(Options&, const std::string&) { return Ok{}; }
Status OptionHandlers::accepted(Options&, const std::string&) { return Ok{}; }

Status OptionHandlers::log_items(Options& options, const std::string& argument) {
  if (is_help(argument)) return keep(options.output, log_help());
  options.log_items += (options.log_items.empty() ? "" : ",") + argument;
  return Ok{};
}

Status OptionHandlers::log_file(Options& options, const std::string& a) { return keep(options.log_file, a); }
Status OptionHandlers::help(Options& options, const std::string&) {
  return keep(options.output, options_help());
}
Status OptionHandlers::version(Options& options, const std::string&) {
  return keep(options.output, "gstage version " GSTAGE_VERSION "\n");
}

}  // namespace gstage
