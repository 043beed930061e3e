// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "softmmu/base/result.h"
#include "io/block/block.h"
#include "io/block/file.h"
#include "io/block/options.h"

namespace gstage {

/// An open node.
struct BlockNode {
  std::shared_ptr<BlockBackend> disk;
  std::shared_ptr<BlockFile> file;  ///< what a format can lie on; null of formats
  std::string path;                 ///< of the file at the bottom
  bool is_read_only = false;
  std::string driver{};  ///< "raw", "qcow2", ...
};

/// What is known of a node or drive.
struct BlockInfo {
  std::string name;    ///< of the node, or the drive's id
  std::string driver;  ///< also where it was found by the first bytes
  std::string path;    ///< of the file at the bottom
  std::uint64_t size = 0;
  bool is_read_only = false;
};

/// The nodes of images that the command line names, and who has them: one writer, or readers alone.
class BlockGraph {
 public:
  /// Makes a group of disks with limits. Refuses a name that is taken.
  Status add_throttle_group(const std::string& name, const ThrottleLimits& limits);
  /// The group, or null.
  [[nodiscard]] std::shared_ptr<ThrottleGroup> throttle_group(const std::string& name) const;
  /// That of a drive's disk, or null.
  [[nodiscard]] std::shared_ptr<ThrottleGroup> drive_group(const std::string& id) const;
  /// Opens a node of `-blockdev`; those that it names are there already.
  Status add(const BlockOptions& options);
  /// Opens the image of a drive. One that has limits and names no group has one of its own, of the name `id`.
  Result<std::shared_ptr<BlockBackend>> open_drive(const DriveOptions& options);
  [[nodiscard]] bool has(const std::string& name) const { return nodes_.count(name) != 0; }
  /// The node for a user that may write, or one for whom reading is enough: it is in use as long as what the
  /// answer has exists. `what` is for messages.
  Result<BlockNode> use(const std::string& what, const std::string& name, bool reads_alone);
  /// Closes a node that nobody uses.
  Status remove(const std::string& name);
  /// The nodes of `-blockdev`, by name.
  [[nodiscard]] std::vector<BlockInfo> nodes() const;
  /// Drives that are open, in their order.
  [[nodiscard]] const std::vector<BlockInfo>& drives() const { return drives_; }

 private:
  struct Entry {
    BlockNode node;
    unsigned users = 0;
    bool has_writer = false;
  };
  struct Use;
  Result<BlockNode> open_image(const DriveOptions& options);

  std::map<std::string, std::shared_ptr<Entry>> nodes_;
  std::vector<BlockInfo> drives_;
  std::map<std::string, std::shared_ptr<ThrottleGroup>> throttle_groups_;
  std::map<std::string, std::shared_ptr<ThrottleGroup>> drive_groups_;  ///< of drives, by id
};

}  // namespace gstage
