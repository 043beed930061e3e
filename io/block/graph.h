// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>

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
};

/// The nodes of images that the command line names, and who has them: one writer, or readers alone.
class BlockGraph {
 public:
  /// Opens a node of `-blockdev`; those that it names are there already.
  Status add(const BlockOptions& options);
  /// Opens the image of a drive.
  Result<std::shared_ptr<BlockBackend>> open_drive(const DriveOptions& options);
  [[nodiscard]] bool has(const std::string& name) const { return nodes_.count(name) != 0; }
  /// The node for a user that may write, or one for whom reading is enough. `what` is for messages.
  Result<BlockNode> use(const std::string& what, const std::string& name, bool reads_alone);

 private:
  struct Entry {
    BlockNode node;
    unsigned users = 0;
    bool has_writer = false;
  };
  std::map<std::string, Entry> nodes_;
};

}  // namespace gstage
