// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "softmmu/base/result.h"
#include "softmmu/property.h"
#include "softmmu/typed_property.h"
#include "io/block/nbd/nbd.h"

namespace gstage {

/// `discard=`: what becomes of what a guest discards.
enum class DiscardUse : std::uint8_t { kIgnore, kUnmap };
/// `detect-zeroes=`: what becomes of writes of zeros.
enum class DetectZeroes : std::uint8_t { kOff, kOn, kUnmap };

template <>
struct PropertyCodec<DiscardUse> {
  static constexpr const char* kForm = "ignore|unmap";
  static bool parse(const std::string& text, const PropertyRow& row, DiscardUse& to);
  static std::string show(DiscardUse value);
};
template <>
struct PropertyCodec<DetectZeroes> {
  static constexpr const char* kForm = "off|on|unmap";
  static bool parse(const std::string& text, const PropertyRow& row, DetectZeroes& to);
  static std::string show(DetectZeroes value);
};

/// A node of the graph of images, as `-blockdev` says it: a driver, its properties, and the nodes under it,
/// by name or in place.
struct BlockOptions {
  std::string driver;     ///< file, raw, qcow2, ...; empty, of a drive: by the first bytes
  std::string node_name;  ///< empty: nobody can name it
  std::string filename;   ///< of file
  bool is_read_only = false;
  bool is_auto_read_only = false;  ///< read-only where the file cannot be written
  bool is_direct = false;          ///< cache.direct: past the host's cache
  bool skips_flush = false;        ///< cache.no-flush
  bool is_writethrough = false;    ///< cache.writeback=off, of a drive
  DiscardUse discard = DiscardUse::kIgnore;
  DetectZeroes detect_zeroes = DetectZeroes::kOff;
  OnOffAuto locking = OnOffAuto::kAuto;
  bool shares_by_force = false;  ///< force-share: read whatever others do with the image
  std::uint64_t offset = 0;      ///< of raw: where the disk begins
  std::uint64_t size = 0;        ///< of raw: bytes, 0: up to the end
  std::string throttle_group;    ///< of throttle
  // Of nbd: a path, or a host and its port.
  std::string server_type;  ///< "inet", "unix", or nothing
  std::string server_path;
  std::string server_host;
  std::uint16_t server_port = 10809;
  std::string export_name;
  unsigned reconnect_delay = 0;  ///< s
  unsigned open_timeout = 10;    ///< s
  std::string file_node;         ///< the name of the node under a format
  std::string backing_node;
  bool has_no_backing = false;        ///< backing=null: whatever the image says
  std::vector<BlockOptions> file;     ///< one or none, in place
  std::vector<BlockOptions> backing;  ///< likewise
};

/// Reads the properties of one node: those of nodes in place have a prefix ("file.filename"). `what` is for
/// messages: "-blockdev".
Result<BlockOptions> read_block_options(const std::string& what, const std::vector<Property>& properties);

/// What a node of nbd says of its server.
nbd::Server server_of(const BlockOptions& options);
/// Whether nothing lies under a node of the driver: it is a file or a server's disk itself.
bool has_no_file(const std::string& driver);

/// What `-blockdev help` prints.
std::string block_options_help();

}  // namespace gstage
