// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/mmu/translate.h"

#include <algorithm>
#include <bit>

#include "softmmu/base/bits.h"
#include "target/riscv/mmu/pte.h"
#include "target/riscv/pmu/pmu.h"
#include "target/riscv/sanitize/fences.h"

namespace gstage::riscv {

namespace {

/// The rules of one stage's walk.
struct Stage {
  std::uint64_t root;
  unsigned levels;
  unsigned root_extra_bits;  ///< 2 for the x4 modes, whose root has 16 KiB
  bool is_guest_stage;
  pte::Features features;
};

/// A leaf and where it stands.
struct Leaf {
  FaultKind fault = FaultKind::kNone;
  std::uint64_t entry = 0;
  std::uint64_t address = 0;  ///< translated
  unsigned shift = kPageShift;
  Paddr slot;                      ///< supervisor physical address of the entry
  std::uint64_t slot_address = 0;  ///< the entry's address in the stage's own output space (GPA or physical)
};

class Walker {
 public:
  Walker(Hart& hart, const Regime& regime, AccessType access)
      : hart_(hart), regime_(regime), access_(access) {}

  /// Both stages and PMP.
  Translation run(Vaddr vaddr, unsigned size) {
    vaddr_ = vaddr.value;
    std::uint64_t gpa = vaddr.value;
    Allowed allowed = kAllowAll;
    if (const unsigned levels = levels_of(regime_.satp); levels != 0) {
      const Stage stage{atp::Ppn::get(regime_.satp) << kPageShift,
                        levels,
                        0,
                        false,
                        {hart_.config->svnapot, regime_.has(Regime::kPbmte)}};
      const Leaf leaf = walk(stage, vaddr.value, access_);
      if (leaf.fault != FaultKind::kNone) return failed(leaf.fault, gpa);
      allowed = first_stage_permission(leaf.entry);
      gpa = leaf.address;
      result_.origin.page_shift = static_cast<std::uint8_t>(leaf.shift);
      result_.origin.is_global = pte::G::get(leaf.entry) != 0;
    }
    result_.gpa = gpa;
    std::uint64_t paddr = gpa;
    if (regime_.v()) {
      const Leaf leaf = guest_stage(gpa, access_);
      if (leaf.fault != FaultKind::kNone) return failed(leaf.fault, gpa);
      allowed &= guest_stage_permission(leaf.entry);
      paddr = leaf.address;
      result_.origin.gpa_shift = static_cast<std::uint8_t>(leaf.shift);
      result_.origin.page_shift =
          static_cast<std::uint8_t>(levels_of(regime_.satp) == 0 ? leaf.shift : result_.origin.page_shift);
    }
    result_.paddr = Paddr{paddr};
    result_.allowed = allowed;
    if (!(access_ == AccessType::kFetch ? is_fetch_permitted() : is_data_permitted(size)))
      return failed(FaultKind::kAccess, gpa);
    result_.origin.gpa_page = Gpa{gpa}.page().value;
    result_.origin.paddr_page = result_.paddr.page().value;
    return result_;
  }

 private:
  /// PMP's verdict on data, which narrows what later accesses may do.
  bool is_data_permitted(unsigned size) {
    const PmpVerdict verdict = pmp_check(hart_, result_.paddr, size, regime_.priv());
    // HLVX needs read permission of the physical memory as well as execute.
    const Allowed needed = regime_.has(Regime::kExecute)
                               ? allows(AccessType::kLoad) | allows(AccessType::kFetch)
                               : allows(access_);
    result_.allowed &= verdict.allowed;
    result_.is_cacheable = verdict.is_uniform && may_cache_;
    return (verdict.allowed & needed) == needed;
  }
  bool is_fetch_permitted() {
    const PmpFetch fetch = pmp_check_fetch(hart_, result_.paddr, regime_.priv());
    result_.is_cacheable = fetch.is_whole_page && may_cache_;
    result_.fetch_limit = fetch.is_whole_page && !may_cache_ ? std::uint16_t{kPageSize} : fetch.limit;
    return fetch.is_allowed;
  }
  Translation failed(FaultKind fault, std::uint64_t gpa) {
    result_.fault = fault;
    if (!result_.is_implicit) result_.gpa = gpa;
    return result_;
  }

  /// What the first stage's leaf allows without another walk: its permissions, less what would set A or D.
  [[nodiscard]] Allowed first_stage_permission(std::uint64_t e) const {
    const bool u = pte::U::get(e) != 0;
    const bool is_user = regime_.priv() == kUser;
    const bool data_ok = is_user ? u : !u || regime_.has(Regime::kSum);
    const bool fetch_ok = is_user == u;
    return permission(e, data_ok, fetch_ok, regime_.has(Regime::kMxr) || regime_.has(Regime::kVsMxr),
                      regime_.has(Regime::kExecute));
  }
  /// All accesses count as user accesses; vsstatus.MXR does not apply ("Two-Stage Address Translation").
  [[nodiscard]] Allowed guest_stage_permission(std::uint64_t e) const {
    const bool u = pte::U::get(e) != 0;
    return permission(e, u, u, regime_.has(Regime::kMxr), regime_.has(Regime::kExecute));
  }
  static Allowed permission(std::uint64_t e, bool data_ok, bool fetch_ok, bool mxr, bool needs_execute) {
    const bool r = pte::R::get(e) != 0;
    const bool x = pte::X::get(e) != 0;
    Allowed a = 0;
    // HLVX: executable is what counts, and MXR does not apply to it.
    if (data_ok && (needs_execute ? x : r || (mxr && x))) a |= allows(AccessType::kLoad);
    if (data_ok && pte::W::get(e) != 0 && pte::D::get(e) != 0) a |= allows(AccessType::kStore);
    if (fetch_ok && x) a |= allows(AccessType::kFetch);
    return a;
  }
  /// Whether the leaf permits the access; D is dealt with apart.
  [[nodiscard]] bool is_permitted(const Stage& stage, std::uint64_t e, AccessType access,
                                  bool is_table) const {
    const std::uint64_t with_d = e | pte::D::kMask;
    // Walks of the VS-stage are plain loads and stores of the G-stage: HLVX and MXR are of the access itself.
    if (is_table) {
      const bool u = pte::U::get(e) != 0;
      return (permission(with_d, u, u, false, false) & allows(access)) != 0;
    }
    const Allowed a = stage.is_guest_stage ? guest_stage_permission(with_d) : first_stage_permission(with_d);
    return (a & allows(access)) != 0;
  }

  /// The G-stage, by way of its cache. `is_table`: on behalf of the VS-stage's walk.
  Leaf guest_stage(std::uint64_t gpa, AccessType access, bool is_table = false) {
    Leaf leaf;
    const unsigned levels = levels_of(regime_.hgatp);
    if (levels == 0) {
      leaf.entry = 0xff;
      leaf.address = gpa;
      return leaf;
    }
    const Stage stage{atp::Ppn::get(regime_.hgatp) << kPageShift,
                      levels,
                      2,
                      true,
                      {hart_.config->svnapot, regime_.has(Regime::kGPbmte)}};
    const GStageEntry* const cached = hart_.mmu->g_stage.find(gpa, regime_.hgatp);
    if (cached != nullptr && is_permitted(stage, cached->pte, access, is_table) &&
        (access != AccessType::kStore || pte::D::get(cached->pte) != 0)) {
      leaf.entry = cached->pte;
      leaf.address = cached->paddr_page | (gpa & kPageMask);
      leaf.shift = cached->shift;
      return leaf;
    }
    leaf = walk(stage, gpa, access, is_table);
    if (leaf.fault == FaultKind::kNone)
      hart_.mmu->g_stage.enter({Gpa{gpa}.page().value, regime_.hgatp, leaf.address & ~kPageMask,
                                static_cast<std::uint8_t>(leaf.entry),
                                static_cast<std::uint8_t>(leaf.shift)});
    return leaf;
  }

  /// Where an entry of the stage's table lies: for the VS-stage its address is a guest physical one.
  bool locate(const Stage& stage, std::uint64_t address, AccessType access, Paddr& slot, FaultKind& fault) {
    slot = Paddr{address};
    if (!stage.is_guest_stage && regime_.v()) {
      const Leaf leaf = guest_stage(address, access, true);
      if (leaf.fault != FaultKind::kNone) {
        result_.is_implicit = leaf.fault == FaultKind::kGuestPage;
        result_.is_implicit_write = access == AccessType::kStore;
        result_.gpa = address;
        fault = leaf.fault;
        return false;
      }
      slot = Paddr{leaf.address};
    }
    // Implicit accesses are S-mode's as far as PMP is concerned.
    if ((pmp_check_table(hart_, slot) & allows(access)) == 0 || !is_table_memory(slot, access)) {
      fault = FaultKind::kAccess;
      return false;
    }
    return true;
  }

  [[nodiscard]] bool is_table_memory(Paddr slot, AccessType access) const {
    if (access == AccessType::kStore) return hart_.memory->dma(slot, pte::kBytes) != nullptr;
    return hart_.memory->host(slot) != nullptr;
  }

  /// The translation process of "Sv32", steps 1–9, for either stage.
  Leaf walk(const Stage& stage, std::uint64_t address, AccessType access, bool is_table = false) {
    const unsigned width = kPageShift + 9 * stage.levels;
    const FaultKind page_fault = stage.is_guest_stage ? FaultKind::kGuestPage : FaultKind::kPage;
    Leaf leaf;
    count_event(hart_, stage.is_guest_stage ? Event::kGuestStageWalk : Event::kPageWalk);
    const bool is_canonical =
        stage.is_guest_stage ? (address >> (width + 2)) == 0 : sign_extend(address, width) == address;
    if (!is_canonical) {
      leaf.fault = page_fault;
      return leaf;
    }
    std::uint64_t table = stage.root;
    unsigned levels = stage.levels;
    SanitizedWalk sanitized;
    LeafTables& leaf_tables = hart_.mmu->leaf_tables;
    if (const std::uint64_t* const known =
            stage.is_guest_stage ? nullptr : leaf_tables.find(address, regime_);
        known != nullptr) {
      table = *known;
      levels = 1;
    }
    for (unsigned level = levels; level-- > 0;) {
      const unsigned shift = kPageShift + 9 * level;
      const unsigned index_bits = 9 + (level + 1 == stage.levels ? stage.root_extra_bits : 0);
      const std::uint64_t index = (address >> shift) & ((1u << index_bits) - 1);
      leaf.slot_address = table + index * pte::kBytes;
      if (!locate(stage, leaf.slot_address, AccessType::kLoad, leaf.slot, leaf.fault)) return leaf;
      leaf.entry = hart_.fence_sanitizer == nullptr
                       ? read_entry(leaf.slot)
                       : read_sanitized(stage, leaf.slot, {level, address, access, is_table}, sanitized);
      if (!pte::is_valid(leaf.entry, stage.features)) break;
      if (pte::is_leaf(leaf.entry)) {
        leaf.shift = shift;
        leaf = finish(stage, leaf, address, access, is_table);
        return sanitized.split ? settle(stage, leaf, *sanitized.split) : leaf;
      }
      table = pte::Ppn::get(leaf.entry) << kPageShift;
      if (level == 1 && !stage.is_guest_stage) leaf_tables.enter(address, regime_, table);
    }
    leaf.fault = page_fault;
    return sanitized.split ? settle(stage, leaf, *sanitized.split) : leaf;
  }

  /// Steps 5–9: what the leaf allows, and its A and D.
  Leaf finish(const Stage& stage, Leaf leaf, std::uint64_t address, AccessType access, bool is_table) {
    const FaultKind page_fault = stage.is_guest_stage ? FaultKind::kGuestPage : FaultKind::kPage;
    const unsigned level_shift = leaf.shift;
    for (;;) {
      std::uint64_t base = pte::Ppn::get(leaf.entry) << kPageShift;
      leaf.shift = level_shift;
      const bool is_napot = pte::N::get(leaf.entry) != 0;
      if (is_napot) {
        leaf.shift = pte::kNapotShift;
        base &= ~(pte::NapotSize::kMask << (kPageShift - 10));
      }
      const std::uint64_t offset_mask = (std::uint64_t{1} << leaf.shift) - 1;
      const bool is_sound = pte::is_valid(leaf.entry, stage.features) && pte::is_leaf(leaf.entry) &&
                            (!is_napot || is_sound_napot(leaf.entry, level_shift)) &&
                            (base & offset_mask) == 0;
      if (!is_sound || !is_permitted(stage, leaf.entry, access, is_table)) {
        leaf.fault = page_fault;
        return leaf;
      }
      leaf.address = base | (address & offset_mask);
      const std::uint64_t needed = pte::A::kMask | (access == AccessType::kStore ? pte::D::kMask : 0);
      if ((leaf.entry & needed) == needed) return leaf;
      if (!(stage.is_guest_stage ? regime_.has(Regime::kGAdue) : regime_.has(Regime::kAdue))) {
        leaf.fault = page_fault;
        return leaf;
      }
      if (!locate(stage, leaf.slot_address, AccessType::kStore, leaf.slot, leaf.fault)) return leaf;
      if (update_entry(leaf.slot, leaf.entry, leaf.entry | needed)) {
        leaf.entry |= needed;
        return leaf;
      }
      leaf.entry = read_entry(leaf.slot);  // it changed under us: judge it anew
    }
  }

  /// "Svnapot": only at the last level, and only with the one size that is defined.
  static bool is_sound_napot(std::uint64_t e, unsigned level_shift) {
    return level_shift == kPageShift && pte::NapotSize::get(e) == pte::kNapot64K;
  }

  /// One step of a walk, as the sanitizer wants to know it.
  struct SanitizedStep {
    unsigned level;
    std::uint64_t address;
    AccessType access;
    bool is_table;
  };
  /// A superpage that is a table now: whether that makes a difference is known at the end of the walk.
  struct Split {
    WalkStep step;
    StepResult result;
    SanitizedStep at;
  };
  /// What one walk keeps for the sanitizer.
  struct SanitizedWalk {
    bool is_global = false;  ///< an entry had G set
    bool is_told = false;    ///< an entry was one that a fence should have ordered
    std::optional<Split> split;
  };

  /// The entry, unless the sanitizer has the hart go on with what it held.
  std::uint64_t read_sanitized(const Stage& stage, Paddr slot, const SanitizedStep& at, SanitizedWalk& walk) {
    const auto vmid = static_cast<std::uint16_t>(atp::Vmid::get(regime_.hgatp));
    const auto asid = static_cast<std::uint32_t>(atp::Asid::get(regime_.satp));
    const TableKind kind = stage.is_guest_stage ? TableKind::kGuest
                           : regime_.v()        ? TableKind::kVs
                                                : TableKind::kHs;
    const WalkStep step{shadow_key(kind, vmid, asid, at.level, at.address),
                        at.address,
                        slot,
                        walk.is_global,
                        walk.is_told,
                        stage.features};
    const StepResult result = hart_.fence_sanitizer->read(hart_, step);
    walk.is_global = walk.is_global || pte::G::get(result.value) != 0;
    if (!result.has_conflict || !is_decisive(stage, result, at)) return result.value;
    walk.is_told = true;
    const bool is_split = pte::is_leaf(result.held) && pte::is_valid(result.value, stage.features) &&
                          !pte::is_leaf(result.value);
    if (!is_split) return use_stale(step, result);
    walk.split = Split{step, result, at};
    return result.value;
  }
  std::uint64_t use_stale(const WalkStep& step, const StepResult& result) {
    const WalkUse use{access_,       vaddr_,
                      regime_.v(),   regime_.priv(),
                      step.key.vmid, static_cast<std::uint32_t>(atp::Asid::get(regime_.satp))};
    return hart_.fence_sanitizer->use(hart_, step, use, result, may_cache_);
  }

  /// The end of a walk through the table that was a superpage: the same place is no difference.
  Leaf settle(const Stage& stage, const Leaf& found, const Split& split) {
    const SanitizedStep& at = split.at;
    Leaf held;
    held.entry = split.result.held;
    held.shift = split.step.key.shift();
    const std::uint64_t offset_mask = (std::uint64_t{1} << held.shift) - 1;
    const std::uint64_t base = pte::Ppn::get(held.entry) << kPageShift;
    if (found.fault == FaultKind::kNone && found.address == (base | (at.address & offset_mask))) return found;
    if (use_stale(split.step, split.result) == split.result.value) return found;
    held.slot = split.step.slot;
    held.slot_address = split.step.slot.value;
    return finish(stage, held, at.address, at.access, at.is_table);
  }

  /// Whether the access ends otherwise by what the hart may still hold than by what memory says.
  [[nodiscard]] bool is_decisive(const Stage& stage, const StepResult& result,
                                 const SanitizedStep& at) const {
    constexpr std::uint64_t kUsed = pte::A::kMask | pte::D::kMask;
    const auto is_allowed = [&](std::uint64_t entry) {
      return pte::is_valid(entry, stage.features) && pte::is_leaf(entry) &&
             is_permitted(stage, entry | kUsed, at.access, at.is_table);
    };
    if (!pte::is_leaf(result.held)) return true;
    if (!is_allowed(result.held)) return false;
    constexpr std::uint64_t kPlace = pte::Ppn::kMask | pte::N::kMask | pte::Pbmt::kMask;
    return !is_allowed(result.value) || ((result.held ^ result.value) & kPlace) != 0;
  }

  [[nodiscard]] std::uint64_t read_entry(Paddr slot) const {
    return __atomic_load_n(reinterpret_cast<std::uint64_t*>(hart_.memory->host(slot)), __ATOMIC_ACQUIRE);
  }
  [[nodiscard]] bool update_entry(Paddr slot, std::uint64_t expected, std::uint64_t desired) const {
    auto* const host = reinterpret_cast<std::uint64_t*>(hart_.memory->host(slot));
    const bool is_done =
        __atomic_compare_exchange_n(host, &expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    if (is_done) hart_.memory->code_pages().written(slot, pte::kBytes);
    return is_done;
  }

  Hart& hart_;
  const Regime& regime_;
  const AccessType access_;
  Translation result_;
  std::uint64_t vaddr_ = 0;
  bool may_cache_ = true;  ///< the sanitizer wants to see the next access as well if not
};

}  // namespace

void GStageCache::clear() {
  std::fill(std::begin(entries_), std::end(entries_), GStageEntry{});
  shifts_ = 0;
}

void GStageCache::drop_address(std::uint64_t gpa) {
  // Whatever its VMID: more than a fence names may go.
  for (std::uint64_t shifts = shifts_; shifts != 0; shifts &= shifts - 1)
    if (++epochs_[bucket(gpa, static_cast<unsigned>(std::countr_zero(shifts)))] == 0) return clear();
}

void GStageCache::drop(const std::uint64_t* gpa, const std::uint64_t* vmid) {
  if (gpa != nullptr) return drop_address(*gpa);
  for (GStageEntry& e : entries_)
    if (vmid == nullptr || atp::Vmid::get(e.hgatp) == *vmid) e = GStageEntry{};
}

Translation translate(Hart& hart, const Regime& regime, Vaddr vaddr, unsigned size, AccessType access) {
  return Walker(hart, regime, access).run(vaddr, size);
}

}  // namespace gstage::riscv
