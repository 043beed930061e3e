// SPDX-License-Identifier: Apache-2.0
#include "io/block/options.h"

#include <algorithm>

#include "softmmu/base/format.h"
#include "softmmu/property_rows.h"

namespace gstage {

namespace {

using B = BlockOptions;

/// A driver and what it has besides the properties that all have.
struct DriverRow {
  const char* name;
  const char* help;
  PropertyRows properties;
  bool has_file;
  bool has_backing;
};

constexpr PropertyRow kCommonProperties[] = {
    property<&B::driver>("driver", "file|raw|qcow2", "what the node is"),
    property<&B::node_name>("node-name", "NAME", "for devices and other nodes to name"),
    property<&B::is_read_only>("read-only", "nothing is written"),
    property<&B::is_auto_read_only>("auto-read-only", "likewise, where the file cannot be written"),
    property<&B::is_direct>("cache.direct", "past the host's cache (O_DIRECT)"),
    property<&B::skips_flush>("cache.no-flush", "flushes do nothing: a host that dies takes data with it"),
    property<&B::discard>("discard", "unmap: what the guest discards goes back to the host"),
    property<&B::detect_zeroes>("detect-zeroes",
                                "writes of zeros are done as such; unmap: and take no space"),
    property<&B::shares_by_force>("force-share", "with read-only: whatever others do with the image"),
};
constexpr PropertyRow kFileProperties[] = {
    property<&B::filename>("filename", "FILE", "a regular file or block device"),
    property<&B::locking>("locking",
                          "others are told that the image is in use (auto: where that is possible)"),
    ignored_property("aio"),
    ignored_property("aio-max-batch"),
    ignored_property("drop-cache"),
    ignored_property("x-check-cache-dropped"),
    missing_property("pr-manager"),
};
constexpr PropertyRow kRawProperties[] = {
    property<&B::offset>("offset", "where in the file the disk begins, bytes"),
    property<&B::size>("size", "bytes, 0: up to the end"),
};
constexpr PropertyRow kQcow2Properties[] = {
    ignored_property("cache-clean-interval"),
    ignored_property("cache-size"),
    ignored_property("discard-no-unref"),
    ignored_property("l2-cache-entry-size"),
    ignored_property("l2-cache-size"),
    ignored_property("lazy-refcounts"),
    ignored_property("overlap-check"),
    ignored_property("pass-discard-other"),
    ignored_property("pass-discard-request"),
    ignored_property("pass-discard-snapshot"),
    ignored_property("refcount-cache-size"),
    missing_property("data-file"),
    missing_property("encrypt"),
};
constexpr PropertyRow kNbdProperties[] = {
    property<&B::server_type>("server.type", "inet|unix", "how the server is reached"),
    property<&B::server_host>("server.host", "HOST", "of inet"),
    property<&B::server_port>("server.port", "N", "of inet (default 10809)", {1, 0xffff}),
    property<&B::server_path>("server.path", "PATH", "of unix"),
    property<&B::server_host>("host", "HOST", "server.host in short"),
    property<&B::server_port>("port", "N", "server.port in short", {1, 0xffff}),
    property<&B::server_path>("path", "PATH", "server.path in short"),
    property<&B::export_name>("export", "NAME", "which of its disks (default: that without a name)"),
    property<&B::reconnect_delay>("reconnect-delay", "S", "so long requests wait for a server that is gone",
                                  {0, 86400}),
    property<&B::open_timeout>("open-timeout", "S", "for the server to answer (default 10)", {1, 3600}),
    missing_property("tls-creds"),
    missing_property("tls-hostname"),
    missing_property("x-dirty-bitmap"),
};
constexpr PropertyRow kThrottleProperties[] = {
    property<&B::throttle_group>("throttle-group", "ID", "an -object throttle-group"),
};
constexpr DriverRow kDrivers[] = {
    {"file", "a file of the host", kFileProperties, false, false},
    {"host_device", "a block device of the host", kFileProperties, false, false},
    {"raw", "a disk's bytes as they are", kRawProperties, true, false},
    {"qcow2", "an image that grows, with backing files", kQcow2Properties, true, true},
    {"nbd", "a disk of a server, by the network block device protocol", kNbdProperties, false, false},
    {"throttle", "what is under it, within limits", kThrottleProperties, true, false},
};
constexpr const char* kMissingDrivers[] = {"blkdebug",
                                           "blklogwrites",
                                           "blkverify",
                                           "bochs",
                                           "cloop",
                                           "compress",
                                           "copy-before-write",
                                           "copy-on-read",
                                           "curl",
                                           "dmg",
                                           "ftp",
                                           "ftps",
                                           "gluster",
                                           "host_cdrom",
                                           "http",
                                           "https",
                                           "io_uring",
                                           "iscsi",
                                           "luks",
                                           "nfs",
                                           "null-aio",
                                           "null-co",
                                           "nvme",
                                           "nvme-io_uring",
                                           "parallels",
                                           "preallocate",
                                           "qcow",
                                           "qed",
                                           "quorum",
                                           "rbd",
                                           "replication",
                                           "snapshot-access",
                                           "ssh",
                                           "vdi",
                                           "vhdx",
                                           "virtio-blk-vfio-pci",
                                           "virtio-blk-vhost-user",
                                           "virtio-blk-vhost-vdpa",
                                           "vmdk",
                                           "vpc",
                                           "vvfat"};

/// All that a node of the driver can have.
std::vector<PropertyRow> rows_of(const DriverRow& driver) {
  std::vector<PropertyRow> rows(std::begin(kCommonProperties), std::end(kCommonProperties));
  rows.insert(rows.end(), driver.properties.begin(), driver.properties.end());
  return rows;
}

Result<const DriverRow*> find_driver(const std::string& what, const std::string& name) {
  for (const DriverRow& row : kDrivers)
    if (name == row.name) return &row;
  if (name.empty())
    return error("%s: no driver is named: add driver=file, nbd, raw, qcow2 or throttle", what.c_str());
  const bool is_known = std::any_of(std::begin(kMissingDrivers), std::end(kMissingDrivers),
                                    [&](const char* missing) { return name == missing; });
  return error("%s: %s driver=%s%s: there are file, host_device, nbd, raw, qcow2 and throttle", what.c_str(),
               is_known ? "the" : "there is no", name.c_str(), is_known ? " is not supported yet" : "");
}

/// A file of the host, or a disk of a server: what lies at the bottom.
Status check_bottom(const std::string& what, const BlockOptions& options) {
  if (options.driver != "nbd") {
    if (!options.filename.empty()) return Ok{};
    return error("%s: driver=%s needs filename=FILE", what.c_str(), options.driver.c_str());
  }
  const bool is_unix =
      options.server_type == "unix" || (options.server_type.empty() && !options.server_path.empty());
  if (!options.server_type.empty() && options.server_type != "unix" && options.server_type != "inet")
    return error("%s: unknown server.type=%s: use inet or unix", what.c_str(), options.server_type.c_str());
  if (is_unix ? options.server_path.empty() : options.server_host.empty())
    return error(
        "%s: driver=nbd needs its server: add server.type=inet,server.host=HOST, or "
        "server.type=unix,server.path=PATH",
        what.c_str());
  if (is_unix ? !options.server_host.empty() : !options.server_path.empty())
    return error("%s: a server has a path or a host: leave out one of them", what.c_str());
  return Ok{};
}

/// The properties of one node, and those of the nodes in place under it without their prefix.
struct Sorted {
  DeviceOptions own;
  std::vector<Property> file;
  std::vector<Property> backing;
  std::string file_node;
  const std::string* backing_node = nullptr;
};

Sorted sort(const std::vector<Property>& properties) {
  Sorted sorted;
  for (const Property& given : properties) {
    if (given.name.starts_with("file."))
      sorted.file.push_back({given.name.substr(5), given.value});
    else if (given.name.starts_with("backing."))
      sorted.backing.push_back({given.name.substr(8), given.value});
    else if (given.name == "file")
      sorted.file_node = given.value;
    else if (given.name == "backing")
      sorted.backing_node = &given.value;
    else
      sorted.own.properties.push_back(given);
  }
  return sorted;
}

Status read_children(const std::string& what, const DriverRow& driver, const Sorted& sorted,
                     BlockOptions& to) {
  const bool has_file = !sorted.file.empty() || !sorted.file_node.empty();
  const bool has_backing = !sorted.backing.empty() || sorted.backing_node != nullptr;
  if (has_file && !driver.has_file)
    return error("%s: driver=%s has no file=: nothing lies under it", what.c_str(), driver.name);
  if (has_backing && !driver.has_backing)
    return error("%s: driver=%s has no backing=: use driver=qcow2", what.c_str(), driver.name);
  if (!sorted.file.empty() && !sorted.file_node.empty())
    return error("%s: file= names a node and file.* describes one: leave out one of them", what.c_str());
  if (!sorted.backing.empty() && sorted.backing_node != nullptr)
    return error("%s: backing= names a node and backing.* describes one: leave out one of them",
                 what.c_str());
  if (driver.has_file && !has_file)
    return error("%s: driver=%s needs its file: add file=NODE, or file.driver=file,file.filename=FILE",
                 what.c_str(), driver.name);
  to.file_node = sorted.file_node;
  if (sorted.backing_node != nullptr) to.backing_node = *sorted.backing_node;
  to.has_no_backing = sorted.backing_node != nullptr && sorted.backing_node->empty();
  if (!sorted.file.empty()) {
    auto file = read_block_options(what + ": file", sorted.file);
    if (!file.ok()) return file.error();
    to.file.push_back(std::move(*file));
  }
  if (!sorted.backing.empty()) {
    auto backing = read_block_options(what + ": backing", sorted.backing);
    if (!backing.ok()) return backing.error();
    to.backing.push_back(std::move(*backing));
  }
  return Ok{};
}

}  // namespace

bool PropertyCodec<DiscardUse>::parse(const std::string& text, const PropertyRow&, DiscardUse& to) {
  if (text == "ignore" || text == "off")
    to = DiscardUse::kIgnore;
  else if (text == "unmap" || text == "on")
    to = DiscardUse::kUnmap;
  else
    return false;
  return true;
}

std::string PropertyCodec<DiscardUse>::show(DiscardUse value) {
  return value == DiscardUse::kUnmap ? "unmap" : "ignore";
}

bool PropertyCodec<DetectZeroes>::parse(const std::string& text, const PropertyRow&, DetectZeroes& to) {
  if (text == "off")
    to = DetectZeroes::kOff;
  else if (text == "on")
    to = DetectZeroes::kOn;
  else if (text == "unmap")
    to = DetectZeroes::kUnmap;
  else
    return false;
  return true;
}

std::string PropertyCodec<DetectZeroes>::show(DetectZeroes value) {
  return value == DetectZeroes::kOff ? "off" : value == DetectZeroes::kOn ? "on" : "unmap";
}

Result<BlockOptions> read_block_options(const std::string& what, const std::vector<Property>& properties) {
  // A chain of nodes in place is as deep as the names of its properties are long.
  constexpr std::size_t kMostNested = 1000;
  if (std::any_of(properties.begin(), properties.end(),
                  [](const Property& given) { return given.name.size() > kMostNested; }))
    return error("%s: nodes lie in each other too deep: give them names", what.c_str());
  const Sorted sorted = sort(properties);
  const std::string* const name = sorted.own.find("driver");
  auto driver = find_driver(what, name == nullptr ? "" : *name);
  if (!driver.ok()) return driver.error();
  BlockOptions options;
  const std::vector<PropertyRow> rows = rows_of(**driver);
  for (const Property& property : sorted.own.properties)
    if (Status known = check_property(what, rows, property); !known.ok()) return known.error();
  const Status status = read_properties(what, rows, sorted.own, options);
  if (!status.ok()) return status.error();
  if (!(*driver)->has_file)
    if (Status bottom = check_bottom(what, options); !bottom.ok()) return bottom.error();
  if (options.driver == "throttle" && options.throttle_group.empty())
    return error("%s: driver=throttle needs throttle-group=ID, an -object throttle-group", what.c_str());
  if (options.shares_by_force && !options.is_read_only)
    return error("%s: force-share=on is for reading alone: add read-only=on", what.c_str());
  if (Status children = read_children(what, **driver, sorted, options); !children.ok())
    return children.error();
  return options;
}

nbd::Server server_of(const BlockOptions& options) {
  return {options.server_path, options.server_host, options.server_port, options.export_name};
}

bool has_no_file(const std::string& driver) {
  return std::any_of(std::begin(kDrivers), std::end(kDrivers),
                     [&](const DriverRow& row) { return driver == row.name && !row.has_file; });
}

std::string block_options_help() {
  std::string text = properties_help("Properties of every node:", kCommonProperties);
  for (const DriverRow& driver : kDrivers) {
    text += properties_help(format("Of driver=%s, %s:", driver.name, driver.help), driver.properties);
    if (driver.has_file)
      text += "  file=NODE                   the node under it; file.PROP=VALUE: one in place\n";
    if (driver.has_backing)
      text +=
          "  backing=NODE                what it lies over; backing.PROP=VALUE: one in place; empty: "
          "nothing\n";
  }
  return text;
}

}  // namespace gstage
