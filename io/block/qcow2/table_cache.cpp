// SPDX-License-Identifier: Apache-2.0
#include "io/block/qcow2/table_cache.h"

#include <algorithm>
#include <cerrno>
#include <span>

namespace gstage::qcow2 {

namespace {

/// Never fewer, however large they are.
constexpr std::size_t kLeastTables = 8;
/// Nor more, however small.
constexpr std::size_t kMostTables = 1024;
/// What is written is rounded to that, so that the host need not read first.
constexpr std::size_t kWriteUnit = 512;

}  // namespace

TableCache::TableCache(BlockFile& file, std::size_t table_bytes, std::size_t most_bytes)
    : file_(file),
      table_bytes_(table_bytes),
      most_tables_(std::clamp(most_bytes / table_bytes, kLeastTables, kMostTables)) {}

Table* TableCache::find(std::uint64_t offset) {
  const auto found = tables_.find(offset);
  if (found == tables_.end()) return nullptr;
  found->second->last_use.store(clock_.fetch_add(1, std::memory_order_relaxed), std::memory_order_relaxed);
  return found->second.get();
}

std::unique_ptr<Table> TableCache::make_table(std::uint64_t offset) {
  auto table = std::make_unique<Table>();
  table->offset = offset;
  table->bytes.resize(table_bytes_);
  table->dirty_tables = &dirty_tables_;
  return table;
}

Table& TableCache::insert(std::uint64_t offset, std::unique_ptr<Table> table) {
  make_room();
  Table& inserted = *table;
  tables_[offset] = std::move(table);
  inserted.last_use.store(clock_.fetch_add(1, std::memory_order_relaxed), std::memory_order_relaxed);
  return inserted;
}

int TableCache::load(std::uint64_t offset, Table*& to) {
  to = find(offset);
  if (to != nullptr) return 0;
  // A table that is not in the file is none, whatever points there.
  if (offset >= file_.size()) return EIO;
  auto table = make_table(offset);
  if (const int failure = file_.read(offset, table->bytes); failure != 0) return failure;
  to = &insert(offset, std::move(table));
  return 0;
}

Table& TableCache::add(std::uint64_t offset) {
  drop(offset);
  auto table = make_table(offset);
  table->set_dirty(0, table_bytes_);
  return insert(offset, std::move(table));
}

void TableCache::drop(std::uint64_t offset) {
  const auto found = tables_.find(offset);
  if (found == tables_.end()) return;
  if (found->second->is_dirty()) --dirty_tables_;
  tables_.erase(found);
}

int TableCache::write_dirty() {
  int first_failure = 0;
  for (auto& [offset, table] : tables_) {
    if (!table->is_dirty()) continue;
    const std::size_t from = table->dirty_from / kWriteUnit * kWriteUnit;
    const std::size_t to =
        std::min(table_bytes_, (table->dirty_to + kWriteUnit - 1) / kWriteUnit * kWriteUnit);
    const int failure = file_.write(offset + from, std::span(table->bytes).subspan(from, to - from));
    if (failure == 0) {
      table->dirty_from = table->dirty_to = 0;
      --dirty_tables_;
    } else if (first_failure == 0) {
      first_failure = failure;
    }
  }
  return first_failure;
}

void TableCache::make_room() {
  while (tables_.size() >= most_tables_) {
    auto oldest = tables_.end();
    for (auto at = tables_.begin(); at != tables_.end(); ++at)
      if (!at->second->is_dirty() &&
          (oldest == tables_.end() || at->second->last_use < oldest->second->last_use))
        oldest = at;
    if (oldest == tables_.end()) return;
    tables_.erase(oldest);
  }
}

}  // namespace gstage::qcow2
