// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "io/block/qcow2/decompress.h"
#include "io/block/qcow2/fair_lock.h"
#include "io/block/qcow2/mapping.h"
#include "io/block/qcow2/metadata_map.h"
#include "io/block/qcow2/qcow2.h"
#include "io/block/qcow2/refcounts.h"

namespace gstage::qcow2 {

/// The disk that an image holds.
///
/// What changes in tables stays in memory until a flush, or until it is much, and goes to the file in an
/// order that leaves the image whole wherever it is cut off (`commit`): data, refcounts, L2 tables, the L1
/// table, with a barrier before each that refers to what is written before; and only when nothing in the file
/// refers to a cluster any more it is counted as free, and used again.
class Disk final : public BlockBackend {
 public:
  Disk(Setup setup, const Header& header);
  ~Disk() override;
  /// Reads the tables that are always in memory, and makes the image ready to be written.
  Status start();

  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] bool is_read_only() const override { return setup_.is_read_only; }
  int read(std::uint64_t offset, std::span<std::byte> to) override;
  int read_at_once(std::uint64_t offset, std::span<std::byte> to) override;
  int write(std::uint64_t offset, std::span<const std::byte> from) override;
  int discard(std::uint64_t offset, std::uint64_t size) override;
  int write_zeroes(std::uint64_t offset, std::uint64_t size) override;
  int flush() override;

 private:
  /// Bytes one after the other of the disk that are so in the file, or read alike.
  struct Extent {
    Mapped mapped;
    std::uint64_t bytes = 0;
  };
  /// What a part of a write does within one cluster.
  struct Piece {
    std::uint64_t cluster = 0;
    std::uint64_t from = 0;  ///< in the cluster
    std::span<const std::byte> bytes;
  };
  enum class Emptying { kZeroes, kDiscard };

  Status prepare_for_writing();
  [[nodiscard]] int check_change(std::uint64_t offset, std::uint64_t size) const;
  [[nodiscard]] bool is_within(std::uint64_t offset, std::uint64_t size) const {
    return offset <= size_ && size <= size_ - offset;
  }
  /// Whether the backing file has bytes there.
  [[nodiscard]] bool is_backed(std::uint64_t cluster) const;
  [[nodiscard]] bool reads_as_zero(const Mapped& mapped, std::uint64_t cluster) const;

  // With the lock, shared or alone.
  bool peek(std::uint64_t offset, std::uint64_t most, Extent& to);
  int read_extent(const Extent& extent, std::uint64_t offset, std::span<std::byte> to);
  int read_backing(std::uint64_t offset, std::span<std::byte> to);
  int write_data(std::uint64_t host, std::span<const std::byte> from);

  // Without the lock.
  int load_table(std::uint64_t offset);
  int write_in_place(std::uint64_t offset, std::span<const std::byte> from, std::uint64_t& done);
  int empty_range(std::uint64_t offset, std::uint64_t size, Emptying how);
  int zero_part(std::uint64_t offset, std::uint64_t size);
  int empty_cluster(std::uint64_t cluster, Emptying how);

  // With the lock alone.
  int write_piece(const Piece& piece);
  int fill(const Allocation& to, const Mapped& old, const Piece& piece);
  int find_room(const Mapped& old, Allocation& to);
  int make_space();
  void free_later(const Mapped& mapped);
  int free_now();
  int commit();
  [[nodiscard]] bool has_uncommitted() const;

  const Setup setup_;
  Header header_;
  BlockFile& file_;
  const std::uint64_t size_;
  MetadataMap metadata_;
  Mapping mapping_;
  Refcounts refcounts_;
  Decompressor decompressor_;
  FairLock lock_;
  // Clusters that the tables in memory refer to once less than their counts say.
  std::vector<std::uint64_t> freed_data_;
  std::vector<std::uint64_t> freed_tables_;
};

}  // namespace gstage::qcow2
