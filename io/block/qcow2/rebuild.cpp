// SPDX-License-Identifier: Apache-2.0
#include "io/block/qcow2/rebuild.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "io/block/qcow2/big_endian.h"
#include "io/block/qcow2/mapping.h"
#include "io/block/qcow2/refcounts.h"
#include "io/block/qcow2/snapshots.h"

namespace gstage::qcow2 {

namespace {

/// 4 TiB of file with clusters of 64 KiB; the counts take 256 MiB then.
constexpr std::uint64_t kMostClusters = std::uint64_t{1} << 26;
constexpr std::uint64_t kMostTableBytes = 8 << 20;
/// Clusters behind the end of the file that tables may point to.
constexpr std::uint64_t kMostBeyond = 65536;

/// Fields of the header (specification, "Header").
constexpr std::uint64_t kTableField = 48;
constexpr std::uint64_t kIncompatibleField = 72;

class Rebuilder {
 public:
  Rebuilder(BlockFile& file, Header& header, std::string name)
      : file_(file), header_(header), name_(std::move(name)) {}

  Status run();

 private:
  Status count_all();
  Status count_table(std::uint64_t offset, std::uint32_t entries, bool is_active);
  Status count_l2(std::uint64_t offset, bool is_active);
  Status count(std::uint64_t offset, std::uint64_t bytes);
  Status keep_old_counts();
  Status take_back_ownership();
  Status write_counts();
  Status read_entries(std::uint64_t offset, std::uint64_t entries, std::vector<std::uint64_t>& to);
  [[nodiscard]] Error failed(int reason) const {
    return error("cannot mend the refcounts of '%s': %s", name_.c_str(), std::strerror(reason));
  }
  [[nodiscard]] Error damaged(const char* what) const {
    return error(
        "'%s' was not closed and cannot be mended: %s; try qemu-img check -r all, or open it read-only",
        name_.c_str(), what);
  }

  BlockFile& file_;
  Header& header_;
  const std::string name_;
  std::uint64_t file_clusters_ = 0;
  std::vector<std::uint32_t> counts_;
  std::vector<std::uint64_t> l1_;  ///< the active one
};

Status Rebuilder::run() {
  file_clusters_ = header_.clusters_of(file_.size());
  if (file_clusters_ > kMostClusters) return damaged("it is too large");
  counts_.resize(file_clusters_);
  for (const auto step : {&Rebuilder::count_all, &Rebuilder::keep_old_counts, &Rebuilder::take_back_ownership,
                          &Rebuilder::write_counts})
    if (Status status = (this->*step)(); !status.ok()) return status;
  return Ok{};
}

Status Rebuilder::count(std::uint64_t offset, std::uint64_t bytes) {
  if (bytes == 0) return Ok{};
  const std::uint64_t first = offset >> header_.cluster_bits;
  const std::uint64_t last = (offset + bytes - 1) >> header_.cluster_bits;
  for (std::uint64_t cluster = first; cluster <= last; ++cluster) {
    // A cluster that is kept for later may lie there, not more.
    if (cluster >= file_clusters_ + kMostBeyond)
      return damaged("its tables point far beyond the end of the file");
    if (cluster >= counts_.size()) counts_.resize(cluster + 1);
    ++counts_[cluster];
  }
  return Ok{};
}

Status Rebuilder::read_entries(std::uint64_t offset, std::uint64_t entries, std::vector<std::uint64_t>& to) {
  std::vector<std::byte> bytes(entries * 8);
  if (const int failure = file_.read(offset, bytes); failure != 0) return failed(failure);
  to.resize(entries);
  for (std::size_t i = 0; i < entries; ++i) to[i] = load_be<std::uint64_t>(bytes.data() + i * 8);
  return Ok{};
}

// All but the refcounts themselves, which are made anew.
Status Rebuilder::count_all() {
  auto snapshots = read_snapshots(file_, header_, name_);
  if (!snapshots.ok()) return snapshots.error();
  if (Status status = count(0, 1); !status.ok()) return status;
  if (Status status = count(header_.snapshots_offset, snapshots->bytes); !status.ok()) return status;
  if (Status status = count_table(header_.l1_offset, header_.l1_entries, true); !status.ok()) return status;
  for (const SnapshotTable& table : snapshots->tables)
    if (Status status = count_table(table.l1_offset, table.l1_entries, false); !status.ok()) return status;
  return Ok{};
}

Status Rebuilder::count_table(std::uint64_t offset, std::uint32_t entries, bool is_active) {
  std::vector<std::uint64_t> l1;
  if (Status status = read_entries(offset, entries, l1); !status.ok()) return status;
  if (Status status = count(offset, l1.size() * 8); !status.ok()) return status;
  for (const std::uint64_t entry : l1)
    if ((entry & kOffsetBits) != 0)
      if (Status status = count_l2(entry & kOffsetBits, is_active); !status.ok()) return status;
  if (is_active) l1_ = std::move(l1);
  return Ok{};
}

Status Rebuilder::count_l2(std::uint64_t offset, bool is_active) {
  std::vector<std::uint64_t> l2;
  if (offset % header_.cluster_size() != 0 || offset >= file_.size())
    return damaged(is_active ? "its L1 table points to no table" : "a snapshot's table points to no table");
  if (Status status = read_entries(offset, header_.l2_entries(), l2); !status.ok()) return status;
  if (Status status = count(offset, header_.cluster_size()); !status.ok()) return status;
  for (const std::uint64_t entry : l2) {
    const Mapped mapped = decode(header_, entry);
    if (mapped.kind == Mapped::Kind::kDamaged) return damaged("an L2 table points to no cluster");
    const bool is_compressed = mapped.kind == Mapped::Kind::kCompressed;
    const std::uint64_t bytes = is_compressed ? mapped.bytes : header_.cluster_size();
    if (mapped.host != 0)
      if (Status status = count(mapped.host, bytes); !status.ok()) return status;
  }
  return Ok{};
}

// Bitmaps and the like: what other programs keep in clusters that no table here knows stays theirs.
Status Rebuilder::keep_old_counts() {
  if (!header_.has_foreign_clusters) return Ok{};
  std::vector<std::uint64_t> table;
  const std::uint64_t entries = (std::uint64_t{header_.refcount_table_clusters} << header_.cluster_bits) / 8;
  if (Status status = read_entries(header_.refcount_table_offset, entries, table); !status.ok())
    return status;
  std::vector<std::byte> block(header_.cluster_size());
  for (std::size_t t = 0; t < table.size() && t * header_.block_entries() < counts_.size(); ++t) {
    if (table[t] == 0) continue;
    if (const int failure = file_.read(table[t], block); failure != 0) return failed(failure);
    const std::uint64_t first = t * header_.block_entries();
    const std::uint64_t end = std::min<std::uint64_t>(counts_.size() - first, header_.block_entries());
    for (std::uint64_t i = 0; i < end; ++i)
      if (counts_[first + i] == 0 && load_count(block.data(), header_.refcount_order, i) != 0)
        counts_[first + i] = 1;
  }
  return Ok{};
}

// An entry that says its cluster's count is one, where it is not.
Status Rebuilder::take_back_ownership() {
  const auto is_wrong = [&](std::uint64_t entry) {
    return (entry & kOwn) != 0 && (entry & kIsCompressed) == 0 &&
           counts_[(entry & kOffsetBits) >> header_.cluster_bits] > 1;
  };
  const auto write_entry = [&](std::uint64_t table, std::uint64_t index, std::uint64_t entry) {
    std::byte bytes[8];
    store_be(bytes, entry & ~kOwn);
    return file_.write(table + index * 8, bytes);
  };
  for (std::size_t i = 0; i < l1_.size(); ++i) {
    const std::uint64_t offset = l1_[i] & kOffsetBits;
    if (offset == 0) continue;
    if (is_wrong(l1_[i]))
      if (const int failure = write_entry(header_.l1_offset, i, l1_[i]); failure != 0) return failed(failure);
    std::vector<std::uint64_t> l2;
    if (Status status = read_entries(offset, header_.l2_entries(), l2); !status.ok()) return status;
    for (std::size_t j = 0; j < l2.size(); ++j)
      if (is_wrong(l2[j]))
        if (const int failure = write_entry(offset, j, l2[j]); failure != 0) return failed(failure);
  }
  return Ok{};
}

// Behind everything, so that nothing that is referred to now is overwritten before the header says otherwise.
Status Rebuilder::write_counts() {
  const std::uint64_t start = std::max<std::uint64_t>(counts_.size(), header_.clusters_of(file_.size()));
  const std::uint64_t per_block = header_.block_entries();
  std::uint64_t blocks = 0;
  std::uint64_t table_clusters = 0;
  for (bool fits = false; !fits;) {
    const std::uint64_t all = start + blocks + table_clusters;
    const std::uint64_t need = (all + per_block - 1) / per_block;
    const std::uint64_t need_table = header_.clusters_of((need + 1) * 8);
    fits = need <= blocks && need_table <= table_clusters;
    blocks = std::max(blocks, need);
    table_clusters = std::max(table_clusters, need_table);
  }
  if (table_clusters << header_.cluster_bits > kMostTableBytes) return damaged("its clusters are too small");
  counts_.resize(start);
  counts_.resize(start + blocks + table_clusters, 1);
  const unsigned bits = 1u << header_.refcount_order;
  const std::uint64_t most =
      bits >= 32 ? std::numeric_limits<std::uint32_t>::max() : (std::uint64_t{1} << bits) - 1;
  std::vector<std::byte> block(header_.cluster_size());
  std::vector<std::byte> table(table_clusters << header_.cluster_bits);
  for (std::uint64_t b = 0; b < blocks; ++b) {
    std::fill(block.begin(), block.end(), std::byte{0});
    for (std::uint64_t i = 0; i < per_block && b * per_block + i < counts_.size(); ++i) {
      if (counts_[b * per_block + i] > most)
        return damaged("a cluster is referred to more often than can be counted");
      store_count(block.data(), header_.refcount_order, i, counts_[b * per_block + i]);
    }
    const std::uint64_t offset = (start + b) << header_.cluster_bits;
    if (const int failure = file_.write(offset, block); failure != 0) return failed(failure);
    store_be(table.data() + b * 8, offset);
  }
  header_.refcount_table_offset = (start + blocks) << header_.cluster_bits;
  header_.refcount_table_clusters = static_cast<std::uint32_t>(table_clusters);
  header_.incompatible &= ~std::uint64_t{kDirty};
  std::byte fields[12];
  store_be(fields, header_.refcount_table_offset);
  store_be(fields + 8, header_.refcount_table_clusters);
  std::byte features[8];
  store_be(features, header_.incompatible);
  int failure = file_.write(header_.refcount_table_offset, table);
  if (failure == 0) failure = file_.sync();
  if (failure == 0) failure = file_.write(kTableField, fields);
  if (failure == 0) failure = file_.sync();
  if (failure == 0) failure = file_.write(kIncompatibleField, features);
  if (failure == 0) failure = file_.sync();
  return failure == 0 ? Status(Ok{}) : Status(failed(failure));
}

}  // namespace

Status rebuild_refcounts(BlockFile& file, Header& header, const std::string& name) {
  return Rebuilder(file, header, name).run();
}

}  // namespace gstage::qcow2
