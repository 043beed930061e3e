// SPDX-License-Identifier: Apache-2.0
#include "tcg/runtime/code_index.h"

#include <cstdlib>
#include <cstring>

#include <sys/mman.h>

#include "softmmu/base/check.h"

namespace gstage::tcg {

namespace {

/// Zeroed memory, for one huge page where the host has them.
void* map_slots(std::size_t bytes) {
  // Twice as much as needed holds an aligned half; what is not touched costs nothing.
  void* const mapped =
      mmap(nullptr, 2 * bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(mapped != MAP_FAILED);
  const auto first = reinterpret_cast<std::uintptr_t>(mapped);
  const std::uintptr_t aligned = (first + bytes - 1) & ~(bytes - 1);
  const std::size_t before = aligned - first;
  if (before != 0) munmap(mapped, before);
  munmap(reinterpret_cast<void*>(aligned + bytes), bytes - before);
  madvise(reinterpret_cast<void*>(aligned), bytes, MADV_HUGEPAGE);
  return reinterpret_cast<void*>(aligned);
}

}  // namespace

CodeIndex::CodeIndex() : slots_(static_cast<Slot*>(map_slots(kBytes))) {}

CodeIndex::~CodeIndex() { munmap(static_cast<void*>(slots_), kBytes); }

void CodeIndex::enter(const BlockKey& key, const void* code) {
  const std::uint64_t tag = tag_of(key);
  Slot* const slot = tag == kNoTag ? nullptr : slot_of(tag);
  if (slot == nullptr) return;
  slot->code.store(code, std::memory_order_release);
  slot->tag.store(tag, std::memory_order_release);
}

void CodeIndex::remove(const BlockKey& key) {
  const std::uint64_t tag = tag_of(key);
  Slot* const slot = tag == kNoTag ? nullptr : slot_of(tag);
  // An empty slot has no code as it is.
  if (slot != nullptr) slot->code.store(nullptr, std::memory_order_release);
}

void CodeIndex::clear() { std::memset(static_cast<void*>(slots_), 0, kBytes); }

}  // namespace gstage::tcg
