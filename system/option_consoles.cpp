// SPDX-License-Identifier: Apache-2.0
// Handlers of the options that name disks, and of those that have nothing to choose from.
#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "softmmu/base/format.h"
#include "softmmu/option_values.h"
#include "softmmu/property_rows.h"
#include "system/option_handlers.h"

namespace gstage {

namespace {

/// Properties of -drive that mean what happens anyway, with the values for which that is so.
struct AcceptedProperty {
  const char* name;
  const char* value;
};
constexpr std::array kAcceptedDriveProperties{
    AcceptedProperty{"media", "disk"},  AcceptedProperty{"cache", "writeback"},
    AcceptedProperty{"aio", "threads"}, AcceptedProperty{"discard", "unmap"},
    AcceptedProperty{"discard", "on"},  AcceptedProperty{"detect-zeroes", "off"},
};

constexpr PropertyRow kDriveProperties[] = {
    {"file", "FILE", "the image"},
    {"if", "virtio|none", "virtio (the default): a virtio-blk-pci unless a -device names it; none: nothing"},
    {"id", "ID", "for devices to name"},
    {"format", "raw", "the image's format"},
    {"readonly", "on|off", "nothing is written"},
    {"read-only", "on|off", "the same"},
    {"snapshot", "on|off", "what is written is thrown away"},
    {"media", "disk", "no effect"},
    {"cache", "writeback", "no effect"},
    {"aio", "threads", "no effect"},
    {"discard", "unmap|on", "no effect"},
    {"detect-zeroes", "off", "no effect"},
    missing_property("addr"),
    missing_property("auto-read-only"),
    missing_property("backing"),
    missing_property("bps"),
    missing_property("bus"),
    missing_property("copy-on-read"),
    missing_property("cyls"),
    missing_property("driver"),
    missing_property("force-share"),
    missing_property("group"),
    missing_property("heads"),
    missing_property("index"),
    missing_property("iops"),
    missing_property("locking"),
    missing_property("node-name"),
    missing_property("rerror"),
    missing_property("secs"),
    missing_property("serial"),
    missing_property("stats-account-failed"),
    missing_property("stats-account-invalid"),
    missing_property("trans"),
    missing_property("unit"),
    missing_property("werror"),
};
/// Properties of what a property names ("file.driver") and of limits ("throttling.bps-total"), missing all.
constexpr std::array kMissingDrivePrefixes{"file.", "backing.", "throttling.", "bps_", "iops_", "cache."};

constexpr std::array kMissingInterfaces{"ide", "scsi", "sd", "mtd", "floppy", "pflash", "xen"};

Status drive_other(const Property& property) {
  for (const AcceptedProperty& row : kAcceptedDriveProperties)
    if (property.name == row.name && property.value == row.value) return Ok{};
  const bool has_missing_prefix =
      std::any_of(kMissingDrivePrefixes.begin(), kMissingDrivePrefixes.end(),
                  [&](const char* prefix) { return property.name.starts_with(prefix); });
  const PropertyRow* const row = find_property(kDriveProperties, property.name);
  if (row == nullptr && !has_missing_prefix) return check_property("-drive", kDriveProperties, property);
  return error("-drive: %s=%s is not supported yet: leave it out", property.name.c_str(),
               property.value.c_str());
}

Status drive_interface(DriveOptions& drive, const std::string& name) {
  for (const char* const missing : kMissingInterfaces)
    if (name == missing)
      return error("-drive: if=%s is not supported yet: use if=virtio or if=none", missing);
  if (name != "virtio" && name != "none")
    return error("-drive: unknown interface '%s': use if=virtio or if=none", name.c_str());
  drive.interface = name;
  return Ok{};
}

Status drive_property(DriveOptions& drive, const Property& property) {
  const bool is_switch =
      property.name == "readonly" || property.name == "read-only" || property.name == "snapshot";
  if (is_switch) {
    auto is_on = parse_switch("-drive", property);
    if (!is_on) return is_on.error();
    (property.name == "snapshot" ? drive.is_snapshot : drive.is_read_only) = *is_on;
    return Ok{};
  }
  if (property.name == "if") return drive_interface(drive, property.value);
  if (property.name == "file") {
    drive.file = property.value;
  } else if (property.name == "id") {
    drive.id = property.value;
  } else if (property.name == "format") {
    if (property.value != "raw")
      return error(
          "-drive: format=%s is not supported yet: use format=raw (qemu-img convert -O raw makes one)",
          property.value.c_str());
    drive.format = property.value;
  } else {
    return drive_other(property);
  }
  return Ok{};
}

/// An option that has nothing to choose from.
Status none_only(Options& options, const char* option, const std::string& argument) {
  if (argument == "none") return Ok{};
  if (is_help(argument)) {
    options.output = format("%s takes:\n  none\n", option);
    return Ok{};
  }
  return error("%s %s is not supported yet: use %s none, or leave it out", option, argument.c_str(), option);
}

}  // namespace

Status OptionHandlers::drive(Options& options, const std::string& argument) {
  if (is_help(argument)) {
    options.output = properties_help("Properties of -drive:", kDriveProperties);
    return Ok{};
  }
  auto properties = parse_properties("-drive", argument, "");
  if (!properties) return properties.error();
  DriveOptions drive;
  for (const Property& property : *properties)
    if (const Status status = drive_property(drive, property); !status.ok()) return status;
  if (drive.file.empty()) return error("-drive: no image is named: add file=FILE");
  if (drive.interface == "none" && drive.id.empty())
    return error("-drive: if=none needs an id for -device to name: add id=NAME");
  options.machine.drives.push_back(std::move(drive));
  return Ok{};
}

Status OptionHandlers::display(Options& options, const std::string& argument) {
  options.has_display = true;
  return none_only(options, "-display", argument);
}

Status OptionHandlers::nographic(Options& options, const std::string&) {
  options.is_nographic = true;
  return Ok{};
}

Status NoneHandlers::vga(Options& options, const std::string& a) { return none_only(options, "-vga", a); }
/// "none,id=ID", "driver=none,id=ID" or {"driver": "none", "id": "ID"}.
Status NoneHandlers::audio_device(Options& options, const std::string& argument) {
  if (const auto members = nlohmann::json::parse(argument, nullptr, false); members.is_object()) {
    const auto driver = members.find("driver");
    return none_only(options, "-audiodev",
                     driver != members.end() && driver->is_string() ? driver->get<std::string>() : argument);
  }
  const std::string first = argument.substr(0, argument.find(','));
  return none_only(options, "-audiodev", first == "driver=none" ? "none" : first);
}
Status NoneHandlers::parallel(Options& options, const std::string& a) {
  return none_only(options, "-parallel", a);
}

}  // namespace gstage
