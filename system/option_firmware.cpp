// SPDX-License-Identifier: Apache-2.0
// Handlers of the options about what firmware does and finds.
#include "softmmu/option_values.h"
#include "softmmu/property_rows.h"
#include "hw/misc/fw_cfg.h"
#include "system/option_handlers.h"
#include "system/option_properties.h"

namespace gstage {

namespace {

constexpr std::uint64_t kMostMs = 0xffff;

constexpr PropertyRow kBootProperties[] = {
    {"order", "LETTERS", "no effect: bootindex= of devices says what is tried first"},
    {"menu", "on|off", "firmware is to show its menu"},
    {"splash-time", "MS", "how long it waits at the menu, 0 to 65535"},
    {"reboot-timeout", "MS", "when it begins anew after nothing could be booted, 0 to 65535 (-1: never)"},
    {"strict", "on|off", "to boot from nothing else than devices that have bootindex="},
    ignored_property("once"),
    ignored_property("splash"),
};

constexpr PropertyRow kFwCfgProperties[] = {
    {"name", "NAME", "what the guest finds it by, as opt/org.example/what"},
    {"file", "FILE", "its contents"},
    {"string", "TEXT", "its contents, without a NUL"},
    missing_property("gen_id"),
};

Status read_boot(FirmwareOptions& to, const Property& property) {
  const std::string option = "-boot " + property.name;
  if (property.name == "menu" || property.name == "strict") {
    auto is_on = parse_switch("-boot", property);
    if (!is_on) return is_on.error();
    (property.name == "menu" ? to.has_menu : to.is_strict) = *is_on;
  } else if (property.name == "splash-time") {
    auto ms = parse_number(option, property.value, 0, kMostMs);
    if (!ms) return ms.error();
    to.menu_ms = static_cast<std::uint16_t>(*ms);
  } else if (property.name == "reboot-timeout") {
    to.retry_ms = FirmwareOptions{}.retry_ms;
    if (property.value == "-1") return Ok{};
    auto ms = parse_number(option, property.value, 0, kMostMs);
    if (!ms) return ms.error();
    to.retry_ms = static_cast<std::uint32_t>(*ms);
  }
  return Ok{};
}

/// An error unless the file has a name and contents.
Status check_file(const FirmwareOptions::File& file, bool has_path, bool has_text) {
  if (file.name.empty()) return error("-fw_cfg has no name: add name=opt/NAME");
  if (file.name.size() > hw::FwCfg::kMaxFileName)
    return error("-fw_cfg: the name '%s' is longer than %zu characters", file.name.c_str(),
                 hw::FwCfg::kMaxFileName);
  if (has_path == has_text)
    return error("-fw_cfg name=%s: give it file= or string=, one of them", file.name.c_str());
  if (has_path && file.path.empty())
    return error("-fw_cfg name=%s: its file= is empty: name a file", file.name.c_str());
  return Ok{};
}

}  // namespace

Status FirmwareHandlers::firmware_folder(Options& options, const std::string& argument) {
  if (is_help(argument)) {
    for (const std::string& folder : options.machine.firmware_folders) options.output += folder + "\n";
    for (const char* const folder : MachineOptions::kFirmwareFolders)
      options.output += std::string(folder) + "\n";
    return Ok{};
  }
  options.machine.firmware_folders.push_back(argument);
  return Ok{};
}

Status FirmwareHandlers::boot(Options& options, const std::string& argument) {
  const auto read = [&](const Property& property) { return read_boot(options.machine.firmware, property); };
  return for_each_property(options, "-boot", kBootProperties, argument, "order", read);
}

Status FirmwareHandlers::fw_cfg(Options& options, const std::string& argument) {
  FirmwareOptions::File file;
  bool has_path = false;
  bool has_text = false;
  const auto read = [&](const Property& property) -> Status {
    if (property.name == "name") file.name = property.value;
    if (property.name == "file") file.path = property.value;
    if (property.name == "string") file.text = property.value;
    has_path = has_path || property.name == "file";
    has_text = has_text || property.name == "string";
    return Ok{};
  };
  if (Status status = for_each_property(options, "-fw_cfg", kFwCfgProperties, argument, "name", read);
      !status.ok())
    return status;
  if (!options.output.empty()) return Ok{};
  if (Status status = check_file(file, has_path, has_text); !status.ok()) return status;
  options.machine.firmware.files.push_back(std::move(file));
  return Ok{};
}

}  // namespace gstage
