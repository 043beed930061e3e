// SPDX-License-Identifier: Apache-2.0
// Handlers of the options that name disks and character back ends.
#include <algorithm>
#include <array>

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
    {"if", "virtio|none", "virtio (the default): a disk by itself; none: -device virtio-blk-device names it"},
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

/// What -chardev makes.
struct ChardevRow {
  const char* name;
  const char* help;
  PropertyRows properties;
};
constexpr PropertyRow kChardevProperties[] = {
    {"id", "ID", "for -serial, -mon and devices to name"},
    {"mux", "on|off", "several may use it; Ctrl-a c goes from one to the next"},
    missing_property("logappend"),
    missing_property("logfile"),
    missing_property("logtimestamp"),
};
constexpr PropertyRow kStdioProperties[] = {
    kChardevProperties[0], kChardevProperties[1], {"signal", "on|off", "off: Ctrl-c is the guest's"},
    kChardevProperties[2], kChardevProperties[3], kChardevProperties[4],
};
constexpr PropertyRow kFileProperties[] = {
    kChardevProperties[0],      kChardevProperties[1],          {"path", "FILE", "what is written"},
    missing_property("append"), missing_property("input-path"), kChardevProperties[2],
    kChardevProperties[3],      kChardevProperties[4],
};
constexpr PropertyRow kPtyProperties[] = {
    kChardevProperties[0], kChardevProperties[1], missing_property("path"),
    kChardevProperties[2], kChardevProperties[3], kChardevProperties[4],
};
constexpr ChardevRow kChardevs[] = {
    {"stdio", "the terminal", kStdioProperties},
    {"file", "output into a file", kFileProperties},
    {"pty", "a pseudo-terminal, whose name is printed", kPtyProperties},
    {"null", "takes everything, gives nothing", kChardevProperties},
};
constexpr std::array kMissingChardevs{
    "braille",  "console", "dbus", "gdb",          "hub",     "memory",  "msmouse", "mux",
    "parallel", "parport", "pipe", "qemu-vdagent", "ringbuf", "serial",  "socket",  "spiceport",
    "spicevmc", "testdev", "tty",  "udp",          "vc",      "wctablet"};

std::string chardevs_help() {
  std::string text = "Character back ends (-chardev KIND,id=ID[,PROP=VALUE...]):\n";
  for (const ChardevRow& row : kChardevs) text += format("  %-8s%s\n", row.name, row.help);
  return text;
}

Result<const ChardevRow*> chardev_row(const std::string& kind) {
  for (const ChardevRow& row : kChardevs)
    if (kind == row.name) return &row;
  if (std::find(kMissingChardevs.begin(), kMissingChardevs.end(), kind) != kMissingChardevs.end())
    return error("-chardev %s is not supported yet: use stdio, file, pty or null", kind.c_str());
  return error("-chardev: unknown back end '%s': use stdio, file, pty or null", kind.c_str());
}

/// A -chardev in the short form of make_chardev.
Result<std::string> chardev_spec(const DeviceOptions& chardev, const ChardevRow& row) {
  bool is_mux = false;
  bool has_signals = true;
  std::string path;
  for (const Property& property : chardev.properties) {
    const Status status = check_property(format("-chardev %s", row.name), row.properties, property);
    if (!status.ok()) return status.error();
    if (property.name == "path") path = property.value;
    if (property.name != "mux" && property.name != "signal") continue;
    auto is_on = parse_switch("-chardev", property);
    if (!is_on) return is_on.error();
    (property.name == "mux" ? is_mux : has_signals) = *is_on;
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

constexpr PropertyRow kMonProperties[] = {
    {"chardev", "ID", "a -chardev"},
    {"mode", "readline", "the monitor's language, the only one"},
    missing_property("pretty"),
};

/// What -serial and -monitor take.
constexpr char kBackends[] =
    "  stdio         the terminal\n  mon:stdio     the terminal, shared with the monitor\n"
    "  file:PATH     output into a file\n  pty           a pseudo-terminal, whose name is printed\n"
    "  null, none    nothing\n  chardev:ID    a -chardev\n";

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

Status OptionHandlers::chardev(Options& options, const std::string& argument) {
  if (is_help(argument)) {
    options.output = chardevs_help();
    return Ok{};
  }
  auto chardev = parse_device("-chardev", argument, "backend");
  if (!chardev) return chardev.error();
  auto row = chardev_row(chardev->driver);
  if (!row) return row.error();
  if (asks_for_help(chardev->properties)) {
    options.output = properties_help(format("Properties of -chardev %s:", (*row)->name), (*row)->properties);
    return Ok{};
  }
  const std::string* const id = chardev->find("id");
  if (id == nullptr || id->empty())
    return error("-chardev: %s has no id: add id=NAME", chardev->driver.c_str());
  auto spec = chardev_spec(*chardev, **row);
  if (!spec) return spec.error();
  options.chardevs.push_back(ChardevOptions{*id, *spec});
  return Ok{};
}

Status OptionHandlers::serial(Options& options, const std::string& argument) {
  if (is_help(argument)) options.output = format("Serial ports (-serial BACKEND):\n%s", kBackends);
  options.serials.push_back(argument);
  return Ok{};
}

Status OptionHandlers::monitor(Options& options, const std::string& argument) {
  if (is_help(argument)) options.output = format("Monitors (-monitor BACKEND):\n%s", kBackends);
  options.monitors.push_back(argument);
  return Ok{};
}

Status OptionHandlers::mon(Options& options, const std::string& argument) {
  if (is_help(argument)) {
    options.output = properties_help("Properties of -mon:", kMonProperties);
    return Ok{};
  }
  auto properties = parse_properties("-mon", argument, "chardev");
  if (!properties) return properties.error();
  std::string id;
  for (const Property& property : *properties) {
    if (Status status = check_property("-mon", kMonProperties, property); !status.ok()) return status;
    if (property.name == "chardev")
      id = property.value;
    else if (property.value != "readline")
      return error("-mon: %s=%s is not supported yet: use mode=readline", property.name.c_str(),
                   property.value.c_str());
  }
  if (id.empty()) return error("-mon: no character back end is named: add chardev=ID");
  options.monitors.push_back("chardev:" + id);
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
Status NoneHandlers::parallel(Options& options, const std::string& a) {
  return none_only(options, "-parallel", a);
}

}  // namespace gstage
