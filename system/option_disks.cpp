// SPDX-License-Identifier: Apache-2.0
// Handlers of the options that name disks and their images.
#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "softmmu/base/format.h"
#include "softmmu/option_values.h"
#include "softmmu/property_rows.h"
#include "io/block/nbd/nbd.h"
#include "system/option_handlers.h"

namespace gstage {

namespace {

using Json = nlohmann::json;

constexpr PropertyRow kDriveProperties[] = {
    {"file", "FILE|nbd://HOST/EXPORT", "the image, or the disk of a server"},
    {"if", "virtio|none|pflash",
     "virtio (the default): a virtio-blk-pci unless a -device names it; pflash: flash"},
    {"id", "ID", "for devices to name"},
    {"format", "raw|qcow2", "the image's format (default: by its first bytes)"},
    {"driver", "raw|qcow2", "the same"},
    {"readonly", "on|off", "nothing is written"},
    {"read-only", "on|off", "the same"},
    {"auto-read-only", "on|off", "likewise, where the file cannot be written"},
    {"snapshot", "on|off", "what is written is thrown away"},
    {"media", "disk|cdrom", "cdrom: nothing is written"},
    {"cache", "MODE", "writeback (the default), none, writethrough, directsync or unsafe"},
    {"cache.writeback", "on|off", "off: each write is flushed"},
    {"cache.direct", "on|off", "past the host's cache (O_DIRECT)"},
    {"cache.no-flush", "on|off", "flushes do nothing: a host that dies takes data with it"},
    {"discard", "ignore|unmap", "unmap: what the guest discards goes back to the host"},
    {"detect-zeroes", "off|on|unmap", "writes of zeros are done as such; unmap: and take no space"},
    {"force-share", "on|off", "with readonly: whatever others do with the image"},
    {"werror", "report|ignore|enospc|stop", "of failed writes (default: enospc, a stop if the host is full)"},
    {"rerror", "report|ignore|stop", "likewise of failed reads (default: report)"},
    {"throttling.group", "ID", "whose limits these are, of several drives (default: the disk's own)"},
    {"aio", "threads|native|io_uring", "no effect"},
    {"unit", "N", "of if=pflash: the number of the flash bank, 0 or 1"},
    {"index", "N", "of if=pflash: the same; no effect otherwise"},
    missing_property("addr"),
    missing_property("backing"),
    missing_property("bus"),
    missing_property("copy-on-read"),
    missing_property("cyls"),
    missing_property("heads"),
    missing_property("locking"),
    missing_property("node-name"),
    missing_property("secs"),
    missing_property("serial"),
    missing_property("stats-account-failed"),
    missing_property("stats-account-invalid"),
    missing_property("trans"),
};
constexpr std::uint64_t kMostUnits = 1000;
/// What the image's node reads by itself, and the nodes under it.
constexpr std::array kNodePrefixes{"file.", "backing."};
constexpr std::array kNodeProperties{"auto-read-only", "cache.direct",  "cache.no-flush",
                                     "discard",        "detect-zeroes", "force-share"};

constexpr std::array kMissingInterfaces{"ide", "scsi", "sd", "mtd", "floppy", "xen"};
constexpr std::array kMissingFormats{"vmdk",      "vhdx", "vdi", "vpc",   "qed",  "qcow",
                                     "parallels", "luks", "dmg", "bochs", "cloop"};

/// `cache=`: what a mode stands for.
struct CacheMode {
  const char* name;
  bool is_writethrough;
  bool is_direct;
  bool skips_flush;
};
constexpr CacheMode kCacheModes[] = {
    {"writeback", false, false, false}, {"none", false, true, false},   {"writethrough", true, false, false},
    {"directsync", true, true, false},  {"unsafe", false, false, true},
};

template <std::size_t N>
bool is_one_of(const std::array<const char*, N>& names, const std::string& name) {
  return std::any_of(names.begin(), names.end(), [&](const char* one) { return name == one; });
}
template <std::size_t N>
bool begins_with_one_of(const std::array<const char*, N>& prefixes, const std::string& name) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const char* one) { return name.starts_with(one); });
}

/// A drive that is being read: what its node reads is put together first.
struct DriveReader {
  DriveOptions drive;
  std::vector<Property> node;
  bool is_writethrough = false;
  bool has_unit = false;  ///< by unit=, not by index=

  Status read(const Property& property);
  Result<DriveOptions> finish();

 private:
  [[nodiscard]] const Property* find(const char* name) const;
  Status finish_bottom();
  Status read_interface(const std::string& name);
  Status read_format(const std::string& name);
  Status read_cache(const std::string& mode);
  Status read_switch(const Property& property);
  Status read_word(const Property& property);
  Status read_failure(const Property& property);
  Result<bool> read_limit(const Property& property);
};

Status DriveReader::read_interface(const std::string& name) {
  if (is_one_of(kMissingInterfaces, name))
    return error("-drive: if=%s is not supported yet: use if=virtio, if=pflash or if=none", name.c_str());
  if (name != "virtio" && name != "none" && name != "pflash")
    return error("-drive: unknown interface '%s': use if=virtio, if=pflash or if=none", name.c_str());
  drive.interface = name;
  return Ok{};
}

Status DriveReader::read_format(const std::string& name) {
  if (is_one_of(kMissingFormats, name))
    return error(
        "-drive: format=%s is not supported yet: use qcow2 or raw (qemu-img convert -O qcow2 makes one)",
        name.c_str());
  if (name != "raw" && name != "qcow2")
    return error("-drive: unknown format '%s': use format=raw or format=qcow2", name.c_str());
  drive.format = name;
  return Ok{};
}

Status DriveReader::read_cache(const std::string& mode) {
  for (const CacheMode& row : kCacheModes) {
    if (mode != row.name) continue;
    is_writethrough = row.is_writethrough;
    node.push_back({"cache.direct", row.is_direct ? "on" : "off"});
    node.push_back({"cache.no-flush", row.skips_flush ? "on" : "off"});
    return Ok{};
  }
  return error("-drive: unknown cache=%s: use writeback, none, writethrough, directsync or unsafe",
               mode.c_str());
}

Status DriveReader::read_switch(const Property& property) {
  auto is_on = parse_switch("-drive", property);
  if (!is_on) return is_on.error();
  if (property.name == "snapshot")
    drive.is_snapshot = *is_on;
  else if (property.name == "cache.writeback")
    is_writethrough = !*is_on;
  else
    drive.is_read_only = *is_on;
  return Ok{};
}

Status DriveReader::read_failure(const Property& property) {
  const bool is_read = property.name == "rerror";
  FailureAction& action = is_read ? drive.failures.on_read : drive.failures.on_write;
  if (!PropertyCodec<FailureAction>::parse(property.value, {}, action))
    return error("-drive: unknown %s=%s: use report, ignore, %sstop", property.name.c_str(),
                 property.value.c_str(), is_read ? "" : "enospc or ");
  return is_read ? check_read_action("-drive", action) : Status(Ok{});
}

/// Words of which there are few.
Status DriveReader::read_word(const Property& property) {
  struct Accepted {
    const char* name;
    const char* value;
  };
  constexpr Accepted kAccepted[] = {
      {"media", "disk"}, {"media", "cdrom"}, {"aio", "threads"}, {"aio", "native"}, {"aio", "io_uring"}};
  for (const Accepted& row : kAccepted) {
    if (property.name != row.name || property.value != row.value) continue;
    if (property.value == "cdrom") drive.is_read_only = true;
    return Ok{};
  }
  return error("-drive: %s=%s is not supported yet: leave it out", property.name.c_str(),
               property.value.c_str());
}

/// False: it is none.
Result<bool> DriveReader::read_limit(const Property& property) {
  auto is_limit = set_throttle_limit("-drive", ThrottleNames::kDrive, property, drive.limits);
  if (is_limit.ok() && !*is_limit)
    is_limit = set_throttle_limit("-drive", ThrottleNames::kOld, property, drive.limits);
  return is_limit;
}

Status DriveReader::read(const Property& property) {
  const std::string& name = property.name;
  auto is_limit = read_limit(property);
  if (!is_limit.ok()) return is_limit.error();
  if (*is_limit) return Ok{};
  if (name == "file") {
    drive.file = property.value;
  } else if (name == "id") {
    drive.id = property.value;
  } else if (name == "if") {
    return read_interface(property.value);
  } else if (name == "format" || name == "driver") {
    return read_format(property.value);
  } else if (name == "werror" || name == "rerror") {
    return read_failure(property);
  } else if (name == "cache") {
    return read_cache(property.value);
  } else if (name == "readonly" || name == "read-only" || name == "snapshot" || name == "cache.writeback") {
    return read_switch(property);
  } else if (name == "unit" || name == "index") {
    auto number = parse_number("-drive: " + name + "=", property.value, 0, kMostUnits);
    if (!number.ok()) return number.error();
    drive.unit = static_cast<unsigned>(*number);
    has_unit = has_unit || name == "unit";
  } else if (is_one_of(kNodeProperties, name) || begins_with_one_of(kNodePrefixes, name)) {
    node.push_back(property);
  } else if (name == "throttling.group" || name == "group") {
    drive.throttle_group = property.value;
  } else if (Status status = check_property("-drive", kDriveProperties, property); !status.ok()) {
    return status;
  } else {
    return read_word(property);
  }
  return Ok{};
}

const Property* DriveReader::find(const char* name) const {
  const auto found =
      std::find_if(node.begin(), node.end(), [&](const Property& p) { return p.name == name; });
  return found == node.end() ? nullptr : &*found;
}

/// What lies at the bottom: a file, or the disk of a server.
Status DriveReader::finish_bottom() {
  const Property* const driver = find("file.driver");
  const bool is_server = driver != nullptr && driver->value == "nbd";
  if (driver != nullptr && !is_server && driver->value != "file" && driver->value != "host_device")
    return error("-drive: file.driver=%s is not supported yet: use file.driver=file or nbd",
                 driver->value.c_str());
  if (is_server && drive.file.empty()) return Ok{};
  if (const Property* const file = find("file.filename"); drive.file.empty() && file != nullptr)
    drive.file = file->value;
  if (drive.file.empty()) return error("-drive: no image is named: add file=FILE");
  if (driver == nullptr && nbd::is_server_name(drive.file)) {
    auto server = nbd::parse_server_name("-drive", drive.file);
    if (!server.ok()) return server.error();
    const bool is_unix = !server->path.empty();
    node.push_back({"file.driver", "nbd"});
    node.push_back(is_unix ? Property{"file.server.path", server->path}
                           : Property{"file.server.host", server->host});
    if (!is_unix) node.push_back({"file.server.port", std::to_string(server->port)});
    node.push_back({"file.export", server->export_name});
    return Ok{};
  }
  if (driver == nullptr) node.push_back({"file.driver", "file"});
  if (find("file.filename") == nullptr) node.push_back({"file.filename", drive.file});
  return Ok{};
}

Result<DriveOptions> DriveReader::finish() {
  const bool has_backing =
      std::any_of(node.begin(), node.end(), [](const Property& p) { return p.name.starts_with("backing."); });
  if (Status bottom = finish_bottom(); !bottom.ok()) return bottom.error();
  if (has_unit && drive.interface != "pflash")
    return error("-drive: unit= is supported with if=pflash alone so far: leave it out");
  if (drive.interface == "none" && drive.id.empty())
    return error("-drive: if=none needs an id for -device to name: add id=NAME");
  if (Status status = check_throttle_limits("-drive", drive.limits); !status.ok()) return status.error();
  // The reader wants to know of which kind the node is; only qcow2 can have more nodes under it.
  if (drive.format.empty() && has_backing) drive.format = "qcow2";
  std::vector<Property> all{{"driver", drive.format.empty() ? "raw" : drive.format}};
  all.insert(all.end(), node.begin(), node.end());
  // The drive's own read-only goes for the node.
  if (drive.is_read_only) all.push_back({"read-only", "on"});
  auto options = read_block_options("-drive", all);
  if (!options.ok()) return options.error();
  drive.node = std::move(*options);
  drive.node.is_writethrough = is_writethrough;
  if (drive.file.empty()) drive.file = server_of(drive.node.file.front()).text();
  return drive;
}

/// A server that went is connected to anew.
void tell_sandbox(const BlockOptions& node, SandboxOptions& sandbox) {
  if (node.driver == "nbd") {
    sandbox.networks.add(SandboxUser::kConnect);
    if (node.server_path.empty()) sandbox.tcp_ports.push_back(node.server_port);
  }
  for (const BlockOptions& below : node.file) tell_sandbox(below, sandbox);
  for (const BlockOptions& below : node.backing) tell_sandbox(below, sandbox);
}

/// Objects in objects become names with dots.
Status flatten(const Json& object, const std::string& prefix, std::vector<Property>& to) {
  for (const auto& [name, value] : object.items()) {
    const std::string full = prefix + name;
    if (value.is_object()) {
      if (Status status = flatten(value, full + ".", to); !status.ok()) return status;
    } else if (value.is_boolean()) {
      to.push_back({full, value.get<bool>() ? "on" : "off"});
    } else if (value.is_string()) {
      to.push_back({full, value.get<std::string>()});
    } else if (value.is_number_unsigned()) {
      to.push_back({full, std::to_string(value.get<std::uint64_t>())});
    } else if (value.is_null()) {
      to.push_back({full, ""});
    } else {
      return error("-blockdev: \"%s\" is neither text, number, switch nor object", full.c_str());
    }
  }
  return Ok{};
}

Result<std::vector<Property>> parse_json(const std::string& text) {
  // So deep an object has names longer than any node's; and whoever takes it apart calls itself.
  constexpr std::size_t kMostBraces = 400;
  if (static_cast<std::size_t>(std::count(text.begin(), text.end(), '{')) > kMostBraces)
    return error("-blockdev: nodes lie in each other too deep: give them names");
  const Json object = Json::parse(text, nullptr, false);
  if (!object.is_object())
    return error("-blockdev: what begins with { has to be a JSON object: {\"driver\": \"file\", ...}");
  std::vector<Property> properties;
  if (Status status = flatten(object, "", properties); !status.ok()) return status.error();
  return properties;
}

/// A disk of which nothing but the file is said.
Status add_disk(Options& options, const std::string& file, bool is_read_only) {
  DriveReader reader;
  reader.drive.file = file;
  reader.drive.is_read_only = is_read_only;
  auto drive = reader.finish();
  if (!drive.ok()) return drive.error();
  tell_sandbox(drive->node, options.sandbox);
  options.machine.drives.push_back(std::move(*drive));
  return Ok{};
}

}  // namespace

Status DiskHandlers::drive(Options& options, const std::string& argument) {
  if (is_help(argument)) {
    options.output = properties_help("Properties of -drive:", kDriveProperties) +
                     properties_help("Limits of -drive:", throttle_drive_properties());
    return Ok{};
  }
  auto properties = parse_properties("-drive", argument, "");
  if (!properties) return properties.error();
  DriveReader reader;
  for (const Property& property : *properties)
    if (Status status = reader.read(property); !status.ok()) return status;
  auto drive = reader.finish();
  if (!drive.ok()) return drive.error();
  tell_sandbox(drive->node, options.sandbox);
  options.machine.drives.push_back(std::move(*drive));
  return Ok{};
}

Result<BlockOptions> parse_blockdev(const std::string& argument) {
  auto properties =
      argument.starts_with("{") ? parse_json(argument) : parse_properties("-blockdev", argument, "driver");
  if (!properties.ok()) return properties.error();
  return read_block_options("-blockdev", *properties);
}

Status DiskHandlers::blockdev(Options& options, const std::string& argument) {
  if (is_help(argument)) {
    options.output = block_options_help();
    return Ok{};
  }
  auto node = parse_blockdev(argument);
  if (!node.ok()) return node.error();
  tell_sandbox(*node, options.sandbox);
  options.machine.blockdevs.push_back(std::move(*node));
  return Ok{};
}

Status DiskHandlers::disk(Options& options, const std::string& file) {
  return add_disk(options, file, false);
}
Status DiskHandlers::cdrom(Options& options, const std::string& file) {
  return add_disk(options, file, true);
}

Status DiskHandlers::snapshot(Options& options, const std::string&) {
  options.is_snapshot = true;
  return Ok{};
}

}  // namespace gstage
