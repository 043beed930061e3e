// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "softmmu/base/result.h"
#include "io/block/qcow2/metadata_map.h"
#include "io/block/qcow2/qcow2.h"
#include "io/block/qcow2/table_cache.h"

namespace gstage::qcow2 {

/// Numbers of a refcount block, of any width (specification, "Host cluster management").
std::uint64_t load_count(const std::byte* block, unsigned order, std::uint64_t index);
/// Likewise. `value` fits.
void store_count(std::byte* block, unsigned order, std::uint64_t index, std::uint64_t value);

/// A cluster of the file that somebody has now.
struct Allocation {
  std::uint64_t cluster = 0;  ///< its number
  bool is_clean = false;      ///< it reads as zeros
};

/// The counts of who refers to which cluster of the file. What is allocated or released here reaches the file
/// by `write`. Calls answer with an errno value, 0 is success; one thread at a time.
class Refcounts {
 public:
  /// `most_bytes` of blocks are kept in memory.
  Refcounts(BlockFile& file, const Header& header, MetadataMap& metadata, std::size_t most_bytes);

  /// Reads the table, whose clusters and blocks become metadata. `name` is for messages.
  Status load(const std::string& name);
  /// A free cluster, which has the count 1 from now on. ENOSPC: there is none. EIO: the counts are wrong.
  int allocate(Allocation& to);
  /// One reference less. `is_free` tells whether it was the last one; it is left alone where the counts are
  /// wrong.
  int release(std::uint64_t cluster, bool* is_free = nullptr);
  /// Blocks, and then the table's entries for new ones.
  int write();
  [[nodiscard]] bool has_dirty() const { return blocks_.has_dirty() || is_table_dirty(); }
  [[nodiscard]] bool is_crowded() const { return blocks_.is_crowded(); }
  /// The first cluster behind all that were ever allocated.
  [[nodiscard]] std::uint64_t end() const { return end_; }

 private:
  int add_block(std::uint64_t index);
  int grow_table(std::uint64_t index);
  int install_table(std::vector<std::uint64_t> table, std::uint64_t first_cluster);
  void take(Table& block, std::uint64_t cluster);
  [[nodiscard]] bool is_table_dirty() const { return dirty_from_ != dirty_to_; }
  void set_table_entry(std::uint64_t index, std::uint64_t offset);

  BlockFile& file_;
  const Header& header_;
  MetadataMap& metadata_;
  TableCache blocks_;
  std::vector<std::uint64_t> table_;  ///< offsets of the blocks, 0: none
  std::uint64_t table_offset_ = 0;
  std::size_t dirty_from_ = 0;  ///< entries of the table that the file has not
  std::size_t dirty_to_ = 0;
  std::uint64_t next_ = 0;  ///< no cluster before it is free
  std::uint64_t end_ = 0;
};

}  // namespace gstage::qcow2
