// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "softmmu/base/bits.h"
#include "softmmu/base/types.h"
#include "softmmu/mem/tlb.h"
#include "target/riscv/hart.h"
#include "target/riscv/mmu/pmp.h"
#include "target/riscv/mmu/regime.h"

namespace gstage::riscv {

/// How a translation failed; with the access it gives cause, tval, htval and tinst.
enum class FaultKind : std::uint8_t {
  kNone,
  kPage,       ///< first stage
  kGuestPage,  ///< G-stage
  kAccess      ///< PMP or no memory where a page table should be
};

/// The outcome of translating one address.
struct Translation {
  FaultKind fault = FaultKind::kNone;
  // Of a guest-page fault:
  bool is_implicit = false;        ///< caused by the VS-stage walk, not by the access itself
  bool is_implicit_write = false;  ///< … by its setting of A or D
  std::uint64_t gpa = 0;           ///< also of a success: what the first stage yields
  // Of a success:
  Paddr paddr;
  Allowed allowed = 0;            ///< what a later access of this page may do without another walk
  bool is_cacheable = false;      ///< PMP says the same of the whole 4 KiB page
  std::uint16_t fetch_limit = 0;  ///< of a fetch: the page offset up to which no other check is needed
  TlbOrigin origin;

  [[nodiscard]] bool ok() const { return fault == FaultKind::kNone; }
};

/// One cached leaf of a G-stage.
struct GStageEntry {
  std::uint64_t gpa_page = ~std::uint64_t{0};
  std::uint64_t hgatp = 0;
  std::uint64_t paddr_page = 0;
  std::uint8_t pte = 0;    ///< low 8 bits of the leaf: V R W X U G A D
  std::uint8_t shift = 0;  ///< log2 of the leaf's page size
  std::uint32_t epoch = 0;
};

/// The G-stage's translations of a hart, for the walks of the VS-stage and its results: pages of 4 KiB, which
/// may be parts of larger leaves. A fence that names an address ends the epoch of the larger leaf's bucket,
/// so that it need not look for the parts.
class GStageCache {
 public:
  /// What holds the page now, or null.
  [[nodiscard]] const GStageEntry* find(std::uint64_t gpa, std::uint64_t hgatp) const {
    const GStageEntry& e = entries_[slot(gpa)];
    const bool is_it = e.gpa_page == Gpa{gpa}.page().value && e.hgatp == hgatp;
    return is_it && e.epoch == epochs_[bucket(gpa, e.shift)] ? &e : nullptr;
  }
  void enter(const GStageEntry& entry) {
    GStageEntry& e = entries_[slot(entry.gpa_page)];
    e = entry;
    e.epoch = epochs_[bucket(entry.gpa_page, entry.shift)];
    shifts_ |= std::uint64_t{1} << entry.shift;
  }
  void clear();
  /// Drops what a fence names; nothing means all.
  void drop(const std::uint64_t* gpa, const std::uint64_t* vmid);

 private:
  static constexpr unsigned kSize = 1024;
  static constexpr unsigned kBucketBits = 6;
  static unsigned slot(std::uint64_t gpa) { return (gpa >> kPageShift) & (kSize - 1); }
  static unsigned bucket(std::uint64_t gpa, unsigned shift) { return hash_bits(gpa >> shift, kBucketBits); }
  void drop_address(std::uint64_t gpa);

  GStageEntry entries_[kSize];
  std::uint32_t epochs_[1u << kBucketBits] = {};
  std::uint64_t shifts_ = 0;  ///< sizes (log2) of the leaves that were entered, as bits
};

/// Where the first stage's tables of the last level are: walks begin there. Entries that lead to tables may
/// be kept until a fence ("Supervisor Memory-Management Fence Instruction").
class LeafTables {
 public:
  static constexpr unsigned kShift = kPageShift + 9;  ///< of the address range that one table translates

  /// The table's address in the stage's output space, or null.
  [[nodiscard]] const std::uint64_t* find(std::uint64_t vaddr, const Regime& regime) const {
    const Entry& e = entries_[slot(vaddr)];
    const bool is_it = e.range == vaddr >> kShift && e.satp == regime.satp && e.hgatp == regime.hgatp &&
                       e.epoch == epoch_ && e.is_virtual == regime.v();
    return is_it ? &e.table : nullptr;
  }
  void enter(std::uint64_t vaddr, const Regime& regime, std::uint64_t table) {
    entries_[slot(vaddr)] = {vaddr >> kShift, regime.satp, regime.hgatp, table, epoch_, regime.v()};
  }
  void clear() { ++epoch_; }
  /// Drops at least what is for this address, of all regimes.
  void drop(std::uint64_t vaddr) { entries_[slot(vaddr)].epoch = 0; }

 private:
  struct Entry {
    std::uint64_t range = 0;
    std::uint64_t satp = 0;
    std::uint64_t hgatp = 0;
    std::uint64_t table = 0;
    std::uint64_t epoch = 0;  ///< 0: none
    bool is_virtual = false;
  };
  static constexpr unsigned kSize = 512;
  static unsigned slot(std::uint64_t vaddr) { return (vaddr >> kShift) & (kSize - 1); }

  Entry entries_[kSize];
  std::uint64_t epoch_ = 1;
};

/// Everything of a hart's MMU that generated code does not reach.
struct MmuState {
  Tlb tlb;
  GStageCache g_stage;
  LeafTables leaf_tables;
  Regime data{};
  Regime fetch{};
  TlbContext* data_context = nullptr;
  TlbContext* fetch_context = nullptr;
  /// Of HLV and HSV, and of HLVX; null until one asks after update_regimes.
  TlbContext* hyp_contexts[2] = {};
  Regime hyp[2] = {};
  /// The contexts that were current lately, by use and by the lower flags of their regime. Each may be
  /// another regime's by now.
  static constexpr std::uint64_t kLower = 15;  ///< privilege, V and SUM
  TlbContext* lately_data[kLower + 1] = {};
  TlbContext* lately_fetch[kLower + 1] = {};
  TlbContext* lately_hyp[2] = {};
};

/// Translates, checks permissions of both stages and PMP for `size` bytes (which do not cross a page), and
/// sets A and D where the regime does.
Translation translate(Hart& hart, const Regime& regime, Vaddr vaddr, unsigned size, AccessType access);

}  // namespace gstage::riscv
