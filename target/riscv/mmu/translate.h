// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

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
  Allowed allowed = 0;  ///< what a later access of this page may do without another walk
  bool is_cacheable = false;
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
};

/// The G-stage's translations of a hart, for the walks of the VS-stage and its results.
class GStageCache {
 public:
  static constexpr unsigned kSize = 1024;
  GStageEntry& slot(std::uint64_t gpa) { return entries_[(gpa >> kPageShift) & (kSize - 1)]; }
  void enter(const GStageEntry& entry) {
    slot(entry.gpa_page) = entry;
    has_superpages_ |= entry.shift > kPageShift;
  }
  void clear();
  /// Drops what a fence names; nothing means all.
  void drop(const std::uint64_t* gpa, const std::uint64_t* vmid);

 private:
  GStageEntry entries_[kSize];
  bool has_superpages_ = false;  ///< some entry is a part of a larger leaf
};

/// Everything of a hart's MMU that generated code does not reach.
struct MmuState {
  Tlb tlb;
  GStageCache g_stage;
  Regime data{};
  Regime fetch{};
  TlbContext* data_context = nullptr;
  TlbContext* fetch_context = nullptr;
  TlbContext* side_context = nullptr;  ///< what `side_context` gave last
};

/// The context of another regime than the current ones, which count as just used and are not recycled for it.
TlbContext& side_context(Hart& hart, const TlbKey& key);

/// Translates, checks permissions of both stages and PMP for `size` bytes (which do not cross a page), and
/// sets A and D where the regime does.
Translation translate(Hart& hart, const Regime& regime, Vaddr vaddr, unsigned size, Access access);

}  // namespace gstage::riscv
