// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/sanitize/shadow.h"

#include <utility>

#include "target/riscv/mmu/pte.h"

namespace gstage::riscv {

namespace {

constexpr unsigned kLevels = 5;

/// What a fence that names an address covers: leaves, and what may be taken for one that is not valid.
bool is_pointer(std::uint64_t entry) { return (entry & pte::V::kMask) != 0 && !pte::is_leaf(entry); }

bool translates(const ShadowKey& key, std::uint64_t value, std::uint64_t address) {
  const bool is_napot = (value & pte::V::kMask) != 0 && pte::N::get(value) != 0 && key.level == 0;
  const unsigned shift = is_napot ? pte::kNapotShift : key.shift();
  return address >> shift == key.prefix << key.shift() >> shift;
}

bool is_covered(const ShadowKey& key, const ShadowEntry& entry, const FenceScope& scope) {
  if (key.kind != scope.kind || (scope.vmid && key.vmid != *scope.vmid)) return false;
  if (scope.asid && key.asid != *scope.asid) return false;
  return !scope.address || (!is_pointer(entry.value) && translates(key, entry.value, *scope.address));
}

}  // namespace

ShadowKey shadow_key(TableKind kind, std::uint16_t vmid, std::uint32_t asid, unsigned level,
                     std::uint64_t address) {
  ShadowKey key;
  key.kind = kind;
  key.vmid = kind == TableKind::kHs ? 0 : vmid;
  key.asid = kind == TableKind::kGuest ? 0 : asid;
  key.level = static_cast<std::uint8_t>(level);
  key.prefix = address >> key.shift();
  return key;
}

bool HartShadow::is_alive(const ShadowKey& key, const ShadowEntry& entry) const {
  const auto space = spaces_.find(space_of(key.kind, key.vmid));
  if (space == spaces_.end()) return false;
  if (entry.stamp <= space->second.fenced) return false;
  const auto asid = space->second.fenced_asids.find(key.asid);
  return asid == space->second.fenced_asids.end() || entry.stamp > asid->second;
}

ShadowEntry* HartShadow::find(const ShadowKey& key) {
  const auto it = entries_.find(key);
  if (it == entries_.end()) return nullptr;
  if (is_alive(key, it->second)) return &it->second;
  entries_.erase(it);
  return nullptr;
}

ShadowEntry& HartShadow::enter(const ShadowKey& key, std::uint64_t value, std::uint64_t slot) {
  if (entries_.size() >= sweep_at_) sweep();
  spaces_[space_of(key.kind, key.vmid)].fenced_asids.try_emplace(key.asid, 0);
  if ((value & pte::V::kMask) != 0 && pte::N::get(value) != 0) has_napot_ = true;
  ShadowEntry& entry = entries_[key];
  entry = {};
  entry.value = value;
  entry.slot = slot;
  entry.stamp = now_;
  return entry;
}

void HartShadow::mark_changed(const ShadowKey& key, ShadowEntry& entry, std::uint64_t store) {
  if (entry.changed_at == 0) changed_.push_back(key);
  entry.changed_at = store;
  entry.since = std::chrono::steady_clock::now();
}

void HartShadow::sweep() {
  std::erase_if(entries_, [&](const auto& item) { return !is_alive(item.first, item.second); });
  sweep_at_ = 2 * entries_.size() + (std::size_t{1} << 16);
}

/// Drops the leaves of one address space that translate the address.
void HartShadow::drop_leaves(ShadowKey key, std::uint64_t address) {
  for (unsigned level = 0; level < kLevels; ++level) {
    key.level = static_cast<std::uint8_t>(level);
    key.prefix = address >> key.shift();
    const auto it = entries_.find(key);
    if (it != entries_.end() && !is_pointer(it->second.value)) entries_.erase(it);
  }
  if (!has_napot_) return;
  key.level = 0;
  constexpr std::uint64_t kPages = std::uint64_t{1} << (pte::kNapotShift - 12);
  const std::uint64_t first = address >> pte::kNapotShift << (pte::kNapotShift - 12);
  for (key.prefix = first; key.prefix < first + kPages; ++key.prefix) {
    const auto it = entries_.find(key);
    if (it != entries_.end() && pte::N::get(it->second.value) != 0) entries_.erase(it);
  }
}

void HartShadow::fence_address(const FenceScope& scope, std::uint16_t vmid, Space& space) {
  for (const auto& [asid, fenced] : space.fenced_asids) {
    if (scope.asid && asid != *scope.asid) continue;
    ShadowKey key;
    key.kind = scope.kind;
    key.vmid = vmid;
    key.asid = asid;
    drop_leaves(key, *scope.address);
  }
}

unsigned HartShadow::fence(const FenceScope& scope) {
  unsigned dropped = 0;
  std::vector<ShadowKey> still_changed;
  std::vector<std::pair<ShadowKey, ShadowEntry>> survivors;
  for (const ShadowKey& key : changed_) {
    ShadowEntry* const entry = find(key);
    if (entry == nullptr || entry->changed_at == 0) continue;  // read anew meanwhile
    if (!is_covered(key, *entry, scope)) {
      still_changed.push_back(key);
    } else if (entry->changed_at > scope.last_store) {
      still_changed.push_back(key);
      entry->has_sinval = true;
      survivors.emplace_back(key, *entry);
    } else {
      ++dropped;
      entry->changed_at = 0;  // it may be listed twice
    }
  }
  for (auto& [id, space] : spaces_) {
    const auto vmid = static_cast<std::uint16_t>(id);
    if (id >> 16 != static_cast<std::uint32_t>(scope.kind) || (scope.vmid && vmid != *scope.vmid)) continue;
    if (scope.address)
      fence_address(scope, vmid, space);
    else
      (scope.asid ? space.fenced_asids[*scope.asid] : space.fenced) = now_;
  }
  ++now_;
  for (auto& [key, entry] : survivors) {
    entry.stamp = now_;
    entries_[key] = entry;
  }
  changed_ = std::move(still_changed);
  return dropped;
}

void HartShadow::clear() {
  entries_.clear();
  changed_.clear();
}

}  // namespace gstage::riscv
