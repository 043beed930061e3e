// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "softmmu/base/result.h"
#include "io/block/block.h"
#include "io/block/file.h"

namespace gstage::qcow2 {

// The format is specified by the QEMU project's docs/interop/qcow2.txt; "specification" means that one.

/// Bits of `Header::incompatible`: who does not know one must not touch the image.
enum Incompatible : std::uint64_t {
  kDirty = 1,    ///< refcounts may be wrong
  kCorrupt = 2,  ///< anything may be
  kCompression = 8,
};

/// The header of an image, checked for form.
struct Header {
  std::uint32_t version = 0;    ///< 2 or 3
  unsigned cluster_bits = 0;    ///< 9 to 21
  std::uint64_t size = 0;       ///< of the disk, bytes
  std::uint64_t l1_offset = 0;  ///< of the active L1 table
  std::uint32_t l1_entries = 0;
  std::uint64_t refcount_table_offset = 0;
  std::uint32_t refcount_table_clusters = 0;
  std::uint32_t snapshot_count = 0;
  std::uint64_t snapshots_offset = 0;
  std::uint64_t incompatible = 0;
  std::uint64_t autoclear = 0;
  unsigned refcount_order = 4;        ///< log2 of a count's width in bits, 0 to 6
  std::uint8_t compression = 0;       ///< 0: deflate, 1: zstd
  bool has_foreign_clusters = false;  ///< clusters that only other programs know: bitmaps
  std::string backing_name;           ///< empty: none
  std::string backing_format;         ///< empty: the image does not say

  [[nodiscard]] std::uint64_t cluster_size() const { return std::uint64_t{1} << cluster_bits; }
  [[nodiscard]] std::uint64_t l2_entries() const { return cluster_size() / 8; }
  /// How many clusters a refcount block is about.
  [[nodiscard]] std::uint64_t block_entries() const { return cluster_size() * 8 >> refcount_order; }
  [[nodiscard]] std::uint64_t clusters_of(std::uint64_t bytes) const {
    return (bytes >> cluster_bits) + ((bytes & (cluster_size() - 1)) != 0 ? 1 : 0);
  }
};

/// Reads and checks the header; `name` is the image's, for messages. Refuses what is not supported.
Result<Header> read_header(BlockFile& file, const std::string& name);

/// What an image is opened with.
struct Setup {
  std::string name;  ///< for messages
  std::shared_ptr<BlockFile> file;
  std::shared_ptr<BlockBackend> backing;  ///< null: none
  bool is_read_only = false;
  bool can_unmap = false;  ///< a discard frees clusters
  /// So many L2 tables stay in memory, and half as much of refcounts; the default is enough for 256 GiB of
  /// disk with clusters of 64 KiB.
  std::size_t table_bytes = 32 << 20;
};

/// Opens the disk. Refuses an image whose tables cannot be right; mends the refcounts of one that was not
/// closed.
Result<std::shared_ptr<BlockBackend>> open(Setup setup, const Header& header);

}  // namespace gstage::qcow2
