// SPDX-License-Identifier: Apache-2.0
// Handlers of the options that name disks and character back ends.
#include <array>

#include "softmmu/option_handlers.h"
#include "softmmu/option_values.h"

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

constexpr std::array kMissingDriveProperties{"aio",
                                             "bus",
                                             "cache",
                                             "copy-on-read",
                                             "detect-zeroes",
                                             "discard",
                                             "index",
                                             "locking",
                                             "media",
                                             "rerror",
                                             "serial",
                                             "unit",
                                             "werror",
                                             "addr",
                                             "bps",
                                             "iops",
                                             "backing.file.filename"};

constexpr std::array kMissingInterfaces{"ide", "scsi", "sd", "mtd", "floppy", "pflash", "xen"};

Status drive_other(const Property& property) {
  for (const AcceptedProperty& row : kAcceptedDriveProperties)
    if (property.name == row.name && property.value == row.value) return Ok{};
  for (const char* const missing : kMissingDriveProperties)
    if (property.name == missing)
      return error("-drive: %s=%s is not supported yet: leave it out", missing, property.value.c_str());
  return error("-drive: unknown property '%s': known are file, if, id, format, readonly, snapshot",
               property.name.c_str());
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

/// A -chardev in the short form of make_chardev.
Result<std::string> chardev_spec(const DeviceOptions& chardev) {
  bool is_mux = false;
  bool has_signals = true;
  std::string path;
  for (const Property& property : chardev.properties) {
    if (property.name == "id") continue;
    if (property.name == "path") {
      path = property.value;
    } else if (property.name == "mux" || property.name == "signal") {
      auto is_on = parse_switch("-chardev", property);
      if (!is_on) return is_on.error();
      (property.name == "mux" ? is_mux : has_signals) = *is_on;
    } else {
      return error("-chardev: %s= is not supported yet: known are id, mux, path, signal",
                   property.name.c_str());
    }
  }
  std::string spec = chardev.driver;
  if (spec == "file") {
    if (path.empty()) return error("-chardev: file has no path: add path=FILE");
    spec += ":" + path;
  } else if (spec == "stdio" && !has_signals && !is_mux) {
    spec += ",signal=off";
  }
  return (is_mux ? "mon:" : "") + spec;
}

}  // namespace

Status OptionHandlers::drive(Options& options, const std::string& argument) {
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

Status OptionHandlers::chardev(Options& options, const std::string& argument) {
  auto chardev = parse_device("-chardev", argument, "backend");
  if (!chardev) return chardev.error();
  const std::string* const id = chardev->find("id");
  if (id == nullptr || id->empty())
    return error("-chardev: %s has no id: add id=NAME", chardev->driver.c_str());
  auto spec = chardev_spec(*chardev);
  if (!spec) return spec.error();
  options.chardevs.push_back(ChardevOptions{*id, *spec});
  return Ok{};
}

Status OptionHandlers::serial(Options& options, const std::string& argument) {
  options.serials.push_back(argument);
  return Ok{};
}

Status OptionHandlers::monitor(Options& options, const std::string& argument) {
  options.monitors.push_back(argument);
  return Ok{};
}

Status OptionHandlers::mon(Options& options, const std::string& argument) {
  auto properties = parse_properties("-mon", argument, "chardev");
  if (!properties) return properties.error();
  std::string id;
  for (const Property& property : *properties) {
    if (property.name == "chardev")
      id = property.value;
    else if (property.name != "mode" || property.value != "readline")
      return error("-mon: %s=%s is not supported yet: use mode=readline", property.name.c_str(),
                   property.value.c_str());
  }
  if (id.empty()) return error("-mon: no character back end is named: add chardev=ID");
  options.monitors.push_back("chardev:" + id);
  return Ok{};
}

Status OptionHandlers::display(Options& options, const std::string& argument) {
  options.has_display = true;
  if (argument != "none")
    return error("-display %s is not supported yet: use -display none", argument.c_str());
  return Ok{};
}

Status OptionHandlers::nographic(Options& options, const std::string&) {
  options.is_nographic = true;
  return Ok{};
}

Status OptionHandlers::none_only(Options&, const std::string& argument) {
  if (argument == "none") return Ok{};
  return error("'%s' is not supported yet here: use none, or leave the option out", argument.c_str());
}

}  // namespace gstage
