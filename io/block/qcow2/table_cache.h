// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "io/block/file.h"
#include "io/block/qcow2/big_endian.h"

namespace gstage::qcow2 {

/// A table of one cluster in memory: an L2 table, a block of refcounts.
struct Table {
  std::uint64_t offset = 0;  ///< in the file
  std::vector<std::byte> bytes;
  // What the file does not have yet; nothing where the two are equal.
  std::size_t dirty_from = 0;
  std::size_t dirty_to = 0;
  std::size_t* dirty_tables = nullptr;  ///< of the cache: how many are dirty
  std::atomic<std::uint64_t> last_use{0};

  [[nodiscard]] bool is_dirty() const { return dirty_from != dirty_to; }
  void set_dirty(std::size_t from, std::size_t to) {
    if (!is_dirty()) ++*dirty_tables;
    dirty_from = is_dirty() ? std::min(dirty_from, from) : from;
    dirty_to = std::max(dirty_to, to);
  }
  [[nodiscard]] std::uint64_t entry(std::size_t index) const {
    return load_be<std::uint64_t>(bytes.data() + index * 8);
  }
  void set_entry(std::size_t index, std::uint64_t value) {
    store_be<std::uint64_t>(bytes.data() + index * 8, value);
    set_dirty(index * 8, index * 8 + 8);
  }
};

/// The tables of one kind that are in memory: as many as may be, and those that are dirty. One thread may
/// change it, or several may look (`find`).
class TableCache {
 public:
  TableCache(BlockFile& file, std::size_t table_bytes, std::size_t most_bytes);

  /// Null: not in memory.
  [[nodiscard]] Table* find(std::uint64_t offset);
  /// Reads it unless it is there. An errno value, 0 is success.
  int load(std::uint64_t offset, Table*& to);
  /// A new table of zeros, which the file has not; `to` replaces what is there of that offset.
  Table& add(std::uint64_t offset);
  /// What it is about is gone.
  void drop(std::uint64_t offset);
  /// Writes all that is dirty. An errno value; what could not be written stays dirty.
  int write_dirty();
  [[nodiscard]] bool has_dirty() const { return dirty_tables_ != 0; }
  /// So many tables are dirty that they should be written before more come.
  [[nodiscard]] bool is_crowded() const { return dirty_tables_ * 2 > most_tables_; }

 private:
  Table& insert(std::uint64_t offset, std::unique_ptr<Table> table);
  std::unique_ptr<Table> make_table(std::uint64_t offset);
  void make_room();

  BlockFile& file_;
  const std::size_t table_bytes_;
  const std::size_t most_tables_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Table>> tables_;
  std::size_t dirty_tables_ = 0;
  std::atomic<std::uint64_t> clock_{0};
};

}  // namespace gstage::qcow2
