// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "softmmu/base/bits.h"

namespace gstage::riscv {

/// Which page tables: those of satp, of vsatp, or of hgatp.
enum class TableKind : std::uint8_t { kHs, kVs, kGuest };

/// What an address-translation cache finds an entry by ("Virtual Address Translation Process"): the address
/// space, the level, and the part of the address that has chosen the entry down to that level. Not by the
/// table's place: a cache does not know that the root was changed.
struct ShadowKey {
  static constexpr std::uint32_t kGlobal = 1u << 16;  ///< in place of the ASID: of global mappings

  std::uint64_t prefix = 0;  ///< address >> shift()
  std::uint32_t asid = 0;    ///< 0 for kGuest
  std::uint16_t vmid = 0;    ///< 0 for kHs
  TableKind kind = TableKind::kHs;
  std::uint8_t level = 0;

  bool operator==(const ShadowKey&) const = default;
  /// log2 of the bytes that an entry of the level translates.
  [[nodiscard]] unsigned shift() const { return 12 + 9 * level; }
};
/// The key of the entry that translates the address.
ShadowKey shadow_key(TableKind kind, std::uint16_t vmid, std::uint32_t asid, unsigned level,
                     std::uint64_t address);

/// One entry of page tables as a hart has read it. A legal implementation may hold it until a fence.
struct ShadowEntry {
  std::uint64_t value = 0;
  std::uint64_t slot = 0;        ///< supervisor physical address
  std::uint64_t changed_at = 0;  ///< number of the store that made memory differ; 0: none is known
  std::chrono::steady_clock::time_point since{};  ///< of that store
  bool is_reported = false;
  bool has_sinval = false;  ///< one covered it, but was not ordered after that store
  std::uint64_t stamp = 0;  ///< of HartShadow
};

/// What a fence drops; nothing means all.
struct FenceScope {
  TableKind kind = TableKind::kHs;
  std::optional<std::uint16_t> vmid{};
  std::optional<std::uint32_t> asid{};
  std::optional<std::uint64_t> address{};
  /// Stores that came later are not ordered by the fence (sinval.vma without a new sfence.w.inval).
  std::uint64_t last_store = ~std::uint64_t{0};
};

/// Everything that the address-translation caches of a hart may hold: each entry that its walks have read
/// since the last fence that covers it. It knows nothing of memory.
class HartShadow {
 public:
  /// What is held under the key, or null. Until the next call of `enter`.
  ShadowEntry* find(const ShadowKey& key);
  /// Holds the entry, in place of what was held.
  ShadowEntry& enter(const ShadowKey& key, std::uint64_t value, std::uint64_t slot);
  void erase(const ShadowKey& key) { entries_.erase(key); }
  /// Notes that memory differs from what is held since store number `store`.
  void mark_changed(const ShadowKey& key, ShadowEntry& entry, std::uint64_t store);
  /// Drops what the fence covers. Returns how many of these differed from memory.
  unsigned fence(const FenceScope& scope);
  /// Drops everything.
  void clear();
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Hash {
    std::size_t operator()(const ShadowKey& key) const {
      const std::uint64_t space = std::uint64_t{key.asid} << 24 | std::uint64_t{key.vmid} << 8 |
                                  static_cast<std::uint64_t>(key.kind) << 4 | key.level;
      return (key.prefix * 0x9e3779b97f4a7c15 ^ space) * 0xff51afd7ed558ccd >> 16;
    }
  };
  /// The last fences over what is held of one VMID's tables (or HS's) as a whole: older entries are void.
  struct Space {
    std::uint64_t fenced = 0;
    std::unordered_map<std::uint32_t, std::uint64_t> fenced_asids;  ///< all that occurred
  };
  static std::uint32_t space_of(TableKind kind, std::uint16_t vmid) {
    return static_cast<std::uint32_t>(kind) << 16 | vmid;
  }
  [[nodiscard]] bool is_alive(const ShadowKey& key, const ShadowEntry& entry) const;
  void fence_address(const FenceScope& scope, std::uint16_t vmid, Space& space);
  void drop_leaves(ShadowKey key, std::uint64_t address);
  void sweep();

  std::unordered_map<ShadowKey, ShadowEntry, Hash> entries_;
  std::unordered_map<std::uint32_t, Space> spaces_;
  std::vector<ShadowKey> changed_;
  std::uint64_t now_ = 1;  ///< counts fences
  std::size_t sweep_at_ = std::size_t{1} << 16;
  bool has_napot_ = false;
};

}  // namespace gstage::riscv
