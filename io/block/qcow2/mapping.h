// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "softmmu/base/result.h"
#include "io/block/qcow2/metadata_map.h"
#include "io/block/qcow2/qcow2.h"
#include "io/block/qcow2/refcounts.h"
#include "io/block/qcow2/table_cache.h"

namespace gstage::qcow2 {

/// Bits of L1 and L2 entries (specification, "Cluster mapping").
inline constexpr std::uint64_t kOwn = std::uint64_t{1} << 63;  ///< the cluster's refcount is exactly one
inline constexpr std::uint64_t kIsCompressed = std::uint64_t{1} << 62;
inline constexpr std::uint64_t kReadsAsZero = 1;  ///< of version 3
inline constexpr std::uint64_t kOffsetBits = 0x00ff'ffff'ffff'fe00;

/// What an L2 entry says of a cluster of the disk.
struct Mapped {
  enum class Kind : std::uint8_t {
    kUnallocated,  ///< it reads as the backing file does
    kZero,         ///< `host` is kept for it, or 0
    kData,
    kCompressed,  ///< at `host` are `bytes` of compressed data at most
    kDamaged,     ///< the entry cannot be right
  };
  Kind kind = Kind::kUnallocated;
  bool is_own = false;  ///< may be written in place
  std::uint64_t host = 0;
  std::uint64_t bytes = 0;
};

/// Takes an L2 entry apart.
Mapped decode(const Header& header, std::uint64_t entry);

/// The L1 table and the L2 tables that are in memory. `peek` and `has_table` may be called by several threads
/// at once, everything else by one alone. Calls answer with an errno value, 0 is success.
class Mapping {
 public:
  /// `most_bytes` of tables are kept in memory.
  Mapping(BlockFile& file, const Header& header, MetadataMap& metadata, std::size_t most_bytes);

  /// Reads the L1 table. `name` is for messages.
  Status load(const std::string& name);
  /// The tables become metadata. False: they overlap each other or what is metadata already.
  bool mark_metadata();

  /// False: the cluster's L2 table has to be loaded first.
  bool peek(std::uint64_t cluster, Mapped& to);
  int load_table(std::uint64_t cluster);
  /// Whether there is an L2 table for the cluster at all.
  [[nodiscard]] bool has_table(std::uint64_t cluster) const { return l1_offset(cluster) != 0; }
  /// The cluster's L2 table, made or copied if need be, so that it may be changed. `freed` gets the cluster
  /// that is no longer referred to once the tables are written.
  int table_for_write(std::uint64_t cluster, Refcounts& refcounts, std::vector<std::uint64_t>& freed,
                      Table*& to);
  [[nodiscard]] std::uint64_t index_in_table(std::uint64_t cluster) const {
    return cluster % header_.l2_entries();
  }
  /// The table at that offset is gone.
  void forget(std::uint64_t offset) { tables_.drop(offset); }

  int write_tables() { return tables_.write_dirty(); }
  int write_l1();
  [[nodiscard]] bool has_dirty_tables() const { return tables_.has_dirty(); }
  [[nodiscard]] bool is_l1_dirty() const { return dirty_from_ != dirty_to_; }
  [[nodiscard]] bool is_crowded() const { return tables_.is_crowded(); }

 private:
  [[nodiscard]] std::uint64_t l1_offset(std::uint64_t cluster) const {
    return l1_[cluster / header_.l2_entries()] & kOffsetBits;
  }
  void set_l1(std::uint64_t index, std::uint64_t entry);

  BlockFile& file_;
  const Header& header_;
  MetadataMap& metadata_;
  TableCache tables_;
  std::vector<std::uint64_t> l1_;
  std::size_t dirty_from_ = 0;  ///< entries of the L1 table that the file has not
  std::size_t dirty_to_ = 0;
};

}  // namespace gstage::qcow2
