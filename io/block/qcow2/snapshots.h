// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "softmmu/base/result.h"
#include "io/block/qcow2/qcow2.h"

namespace gstage::qcow2 {

/// Where the L1 table of a snapshot inside the image is.
struct SnapshotTable {
  std::uint64_t l1_offset = 0;
  std::uint32_t l1_entries = 0;
};

/// The snapshots inside an image.
struct Snapshots {
  std::vector<SnapshotTable> tables;
  std::uint64_t bytes = 0;  ///< of their directory, which begins at Header::snapshots_offset
};

/// Reads where they are; refuses what cannot be right. `name` is the image's, for messages.
Result<Snapshots> read_snapshots(BlockFile& file, const Header& header, const std::string& name);

}  // namespace gstage::qcow2
