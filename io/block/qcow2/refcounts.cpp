// SPDX-License-Identifier: Apache-2.0
#include "io/block/qcow2/refcounts.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "softmmu/base/log.h"

namespace gstage::qcow2 {

namespace {

constexpr std::uint64_t kMostTableBytes = 8 << 20;
/// L1 and L2 entries have room for offsets below this one.
constexpr std::uint64_t kOffsetEnd = std::uint64_t{1} << 56;

/// Of the header (specification, "Header").
constexpr std::uint64_t kTableField = 48;

}  // namespace

std::uint64_t load_count(const std::byte* block, unsigned order, std::uint64_t index) {
  switch (order) {
    case 3: return static_cast<std::uint64_t>(block[index]);
    case 4: return load_be<std::uint16_t>(block + index * 2);
    case 5: return load_be<std::uint32_t>(block + index * 4);
    case 6: return load_be<std::uint64_t>(block + index * 8);
    default: {
      // Several in a byte, the first in its least significant bits.
      const std::uint64_t bit = index << order;
      const unsigned mask = (1u << (1u << order)) - 1;
      return static_cast<unsigned>(block[bit / 8]) >> bit % 8 & mask;
    }
  }
}

void store_count(std::byte* block, unsigned order, std::uint64_t index, std::uint64_t value) {
  switch (order) {
    case 3: block[index] = static_cast<std::byte>(value); break;
    case 4: store_be(block + index * 2, static_cast<std::uint16_t>(value)); break;
    case 5: store_be(block + index * 4, static_cast<std::uint32_t>(value)); break;
    case 6: store_be(block + index * 8, value); break;
    default: {
      const std::uint64_t bit = index << order;
      const unsigned mask = (1u << (1u << order)) - 1;
      const unsigned others = static_cast<unsigned>(block[bit / 8]) & ~(mask << bit % 8);
      block[bit / 8] = static_cast<std::byte>(others | static_cast<unsigned>(value) << bit % 8);
    }
  }
}

Refcounts::Refcounts(BlockFile& file, const Header& header, MetadataMap& metadata, std::size_t most_bytes)
    : file_(file), header_(header), metadata_(metadata), blocks_(file, header.cluster_size(), most_bytes) {}

Status Refcounts::load(const std::string& name) {
  const auto damaged = [&](const char* what) {
    return error("'%s' is damaged: %s; qemu-img check says more", name.c_str(), what);
  };
  table_offset_ = header_.refcount_table_offset;
  std::vector<std::byte> bytes(std::size_t{header_.refcount_table_clusters} << header_.cluster_bits);
  if (const int failure = file_.read(table_offset_, bytes); failure != 0)
    return error("cannot read '%s': %s", name.c_str(), std::strerror(failure));
  if (!metadata_.add(table_offset_ >> header_.cluster_bits, header_.refcount_table_clusters))
    return damaged("its refcount table overlaps other tables");
  table_.resize(bytes.size() / 8);
  for (std::size_t i = 0; i < table_.size(); ++i) {
    table_[i] = load_be<std::uint64_t>(bytes.data() + i * 8);
    if (table_[i] == 0) continue;
    if (table_[i] % header_.cluster_size() != 0 || table_[i] >= kOffsetEnd)
      return damaged("its refcount table points to no cluster");
    if (!metadata_.add(table_[i] >> header_.cluster_bits))
      return damaged("its refcount blocks overlap other tables");
  }
  end_ = header_.clusters_of(file_.size());
  return Ok{};
}

void Refcounts::take(Table& block, std::uint64_t cluster) {
  const std::uint64_t index = cluster % header_.block_entries();
  store_count(block.bytes.data(), header_.refcount_order, index, 1);
  const std::size_t byte = (index << header_.refcount_order) / 8;
  block.set_dirty(byte, byte + std::max<std::size_t>(1, (std::size_t{1} << header_.refcount_order) / 8));
  end_ = std::max(end_, cluster + 1);
}

int Refcounts::allocate(Allocation& to) {
  const std::uint64_t per_block = header_.block_entries();
  for (;;) {
    const std::uint64_t index = next_ / per_block;
    if (next_ >= kOffsetEnd >> header_.cluster_bits) return ENOSPC;
    if (index >= table_.size()) {
      if (const int failure = grow_table(index); failure != 0) return failure;
      continue;
    }
    if (table_[index] == 0) {
      if (const int failure = add_block(index); failure != 0) return failure;
      continue;
    }
    Table* block = nullptr;
    if (const int failure = blocks_.load(table_[index], block); failure != 0) return failure;
    const std::byte* const bytes = block->bytes.data();
    std::uint64_t i = next_ % per_block;
    while (i < per_block && load_count(bytes, header_.refcount_order, i) != 0) ++i;
    next_ = index * per_block + i;
    if (i == per_block) continue;
    if (metadata_.contains(next_)) {
      log_line(Log::kGuestErrors, "qcow2: a cluster that holds tables is counted as free");
      return EIO;
    }
    to = {next_, next_ >= end_};
    take(*block, next_++);
    return 0;
  }
}

// The block's first cluster is its own: nothing there is in use.
int Refcounts::add_block(std::uint64_t index) {
  const std::uint64_t cluster = index * header_.block_entries();
  if (!metadata_.add(cluster)) return EIO;
  take(blocks_.add(cluster << header_.cluster_bits), cluster);
  set_table_entry(index, cluster << header_.cluster_bits);
  return 0;
}

void Refcounts::set_table_entry(std::uint64_t index, std::uint64_t offset) {
  table_[index] = offset;
  dirty_from_ = is_table_dirty() ? std::min<std::size_t>(dirty_from_, index) : index;
  dirty_to_ = std::max<std::size_t>(dirty_to_, index + 1);
}

// A larger table goes where the old one's reach ends, behind the blocks for that region.
int Refcounts::grow_table(std::uint64_t index) {
  if (const int failure = write(); failure != 0) return failure;
  const std::uint64_t per_block = header_.block_entries();
  const std::uint64_t start = index * per_block;
  const std::uint64_t bytes = std::min<std::uint64_t>(
      std::max<std::uint64_t>(index + 64, table_.size() * 3 / 2) * 8, kMostTableBytes);
  const std::uint64_t table_clusters = header_.clusters_of(bytes);
  std::uint64_t blocks = 1;
  while (blocks * per_block < blocks + table_clusters) ++blocks;
  std::vector<std::uint64_t> table = table_;
  table.resize((table_clusters << header_.cluster_bits) / 8);
  if (index + blocks > table.size()) return ENOSPC;
  if (start + blocks + table_clusters > kOffsetEnd >> header_.cluster_bits) return ENOSPC;
  for (std::uint64_t i = 0; i < blocks + table_clusters; ++i)
    if (metadata_.contains(start + i)) return EIO;
  for (std::uint64_t b = 0; b < blocks; ++b) {
    table[index + b] = (start + b) << header_.cluster_bits;
    Table& block = blocks_.add(table[index + b]);
    const std::uint64_t end = std::min(start + (b + 1) * per_block, start + blocks + table_clusters);
    for (std::uint64_t c = start + b * per_block; c < end; ++c) take(block, c);
  }
  const int failure = install_table(std::move(table), start + blocks);
  for (std::uint64_t b = 0; b < blocks; ++b)
    if (failure != 0)
      blocks_.drop((start + b) << header_.cluster_bits);
    else
      metadata_.add(start + b);
  if (failure == 0) next_ = std::max(next_, start + blocks + table_clusters);
  return failure;
}

int Refcounts::install_table(std::vector<std::uint64_t> table, std::uint64_t first_cluster) {
  std::vector<std::byte> bytes(table.size() * 8);
  for (std::size_t i = 0; i < table.size(); ++i) store_be(bytes.data() + i * 8, table[i]);
  const std::uint64_t offset = first_cluster << header_.cluster_bits;
  const std::uint64_t clusters = header_.clusters_of(bytes.size());
  std::byte fields[12];
  store_be(fields, offset);
  store_be(fields + 8, static_cast<std::uint32_t>(clusters));
  // Nothing points to a table before it is in the file, and nothing of the old one goes before that.
  if (const int failure = blocks_.write_dirty(); failure != 0) return failure;
  if (const int failure = file_.write(offset, bytes); failure != 0) return failure;
  if (const int failure = file_.sync(); failure != 0) return failure;
  if (const int failure = file_.write(kTableField, fields); failure != 0) return failure;
  if (const int failure = file_.sync(); failure != 0) return failure;
  const std::uint64_t old_first = table_offset_ >> header_.cluster_bits;
  const std::uint64_t old_clusters = header_.clusters_of(table_.size() * 8);
  table_ = std::move(table);
  table_offset_ = offset;
  metadata_.remove(old_first, old_clusters);
  metadata_.add(first_cluster, clusters);
  for (std::uint64_t i = 0; i < old_clusters; ++i)
    if (const int failure = release(old_first + i); failure != 0) return failure;
  return 0;
}

int Refcounts::release(std::uint64_t cluster, bool* is_free) {
  const std::uint64_t index = cluster / header_.block_entries();
  const std::uint64_t entry = cluster % header_.block_entries();
  if (index >= table_.size() || table_[index] == 0) return 0;
  Table* block = nullptr;
  if (const int failure = blocks_.load(table_[index], block); failure != 0) return failure;
  const std::uint64_t count = load_count(block->bytes.data(), header_.refcount_order, entry);
  if (count == 0) return 0;
  store_count(block->bytes.data(), header_.refcount_order, entry, count - 1);
  const std::size_t byte = (entry << header_.refcount_order) / 8;
  block->set_dirty(byte, byte + std::max<std::size_t>(1, (std::size_t{1} << header_.refcount_order) / 8));
  if (count == 1) next_ = std::min(next_, cluster);
  if (is_free != nullptr) *is_free = count == 1;
  return 0;
}

int Refcounts::write() {
  if (const int failure = blocks_.write_dirty(); failure != 0) return failure;
  if (!is_table_dirty()) return 0;
  if (const int failure = file_.sync(); failure != 0) return failure;
  std::vector<std::byte> bytes((dirty_to_ - dirty_from_) * 8);
  for (std::size_t i = 0; i < bytes.size() / 8; ++i) store_be(bytes.data() + i * 8, table_[dirty_from_ + i]);
  if (const int failure = file_.write(table_offset_ + dirty_from_ * 8, bytes); failure != 0) return failure;
  dirty_from_ = dirty_to_ = 0;
  return 0;
}

}  // namespace gstage::qcow2
