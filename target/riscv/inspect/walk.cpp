// SPDX-License-Identifier: Apache-2.0
// The translation process told step by step. mmu/translate.cpp is what guests run by; a test compares both.
#include "target/riscv/inspect/walk.h"

#include <map>

#include "softmmu/base/bits.h"
#include "softmmu/base/format.h"
#include "target/riscv/mmu/pte.h"

namespace gstage::riscv {

namespace {

/// The rules of one stage.
struct StageRules {
  bool is_guest_stage;
  std::uint64_t atp;
  pte::Features features;
  bool sets_ad;  ///< Svadu
};

/// Which rule of step 3 of the translation process ("Virtual Address Translation Process") the entry breaks;
/// null: none.
const char* broken_encoding(std::uint64_t e, const pte::Features& features) {
  if (pte::V::get(e) == 0) return "V is 0";
  if (pte::Reserved::get(e) != 0) return "bits 60-54 are reserved and not zero";
  if (pte::Pbmt::get(e) != 0) {
    if (!features.has_pbmt) return "PBMT is not zero, but reserved while PBMTE is 0";
    if (pte::Pbmt::get(e) == 3) return "PBMT is 3, which is reserved";
    if (!pte::is_leaf(e)) return "PBMT is not zero in an entry that points to the next level";
  }
  if (pte::N::get(e) != 0) {
    if (!features.has_napot) return "N is set, but reserved without Svnapot";
    if (!pte::is_leaf(e)) return "N is set in an entry that points to the next level";
  }
  if (pte::W::get(e) != 0 && pte::R::get(e) == 0) return "W is 1 and R is 0, which is reserved";
  const bool has_leaf_bits = (e & (pte::D::kMask | pte::A::kMask | pte::U::kMask)) != 0;
  if (!pte::is_leaf(e) && has_leaf_bits) return "D, A or U is set in an entry that points to the next level";
  return nullptr;
}

/// What the verdict lacks, or empty.
std::string broken_pmp(const PmpReason& pmp, Allowed needed, const char* who) {
  if ((pmp.allowed & needed) == needed) return "";
  if (pmp.is_partial) return format("PMP entry %d matches a part of the bytes only", pmp.entry);
  const Allowed missing = needed & ~pmp.allowed;
  const char* const right = (missing & allows(AccessType::kStore)) != 0  ? "write"
                            : (missing & allows(AccessType::kLoad)) != 0 ? "read"
                                                                         : "execute";
  if (pmp.entry < 0) return format("no PMP entry matches: %s-mode may not %s", who, right);
  return format("PMP entry %d does not let %s-mode %s", pmp.entry, who, right);
}

const char* pmp_mode(std::uint8_t priv) { return priv == kMachine ? "M" : priv == kSupervisor ? "S" : "U"; }

class Explainer {
 public:
  /// `looks_only`: permissions, A, D and PMP do not matter.
  Explainer(const Hart& hart, const Regime& regime, AccessType access, bool looks_only = false)
      : hart_(hart), regime_(regime), access_(access), looks_only_(looks_only) {}

  Walk run(std::uint64_t address, unsigned size) {
    walk_.regime = regime_;
    walk_.access = access_;
    walk_.size = size;
    walk_.address = walk_.gpa = walk_.paddr = address;
    if (levels_of(regime_.satp) != 0 && !take(stage(first_stage(), address, access_, false))) return walk_;
    if (!walk_.is_implicit) walk_.gpa = walk_.paddr;
    if (regime_.v() && levels_of(regime_.hgatp) != 0 &&
        !take(stage(guest_stage(), walk_.gpa, access_, false)))
      return walk_;
    if (!looks_only_) check_access();
    return walk_;
  }

  /// The supervisor physical address of a guest physical one that holds an entry of a page table.
  bool find_table(std::uint64_t address, std::uint64_t& paddr) {
    paddr = address;
    if (!regime_.v() || levels_of(regime_.hgatp) == 0) return true;
    const StageWalk way = stage(guest_stage(), address, AccessType::kLoad, true);
    paddr = way.output;
    return way.fault == FaultKind::kNone;
  }
  [[nodiscard]] bool read_entry(std::uint64_t paddr, std::uint64_t& entry) const {
    const auto known = updated_.find(paddr);
    const std::byte* const host = hart_.memory->host(Paddr{paddr});
    if (host == nullptr) return false;
    entry = known != updated_.end()
                ? known->second
                : __atomic_load_n(reinterpret_cast<const std::uint64_t*>(host), __ATOMIC_ACQUIRE);
    return true;
  }
  [[nodiscard]] StageRules first_stage() const {
    return {false,
            regime_.satp,
            {hart_.config->svnapot, regime_.has(Regime::kPbmte)},
            regime_.has(Regime::kAdue)};
  }
  [[nodiscard]] StageRules guest_stage() const {
    return {true,
            regime_.hgatp,
            {hart_.config->svnapot, regime_.has(Regime::kGPbmte)},
            regime_.has(Regime::kGAdue)};
  }

 private:
  /// Adds a walk of the access's own. Whether it came to an end that the access may go on from.
  bool take(StageWalk way) {
    walk_.fault = way.fault;
    walk_.why = way.why;
    walk_.paddr = way.output;
    walk_.stages.push_back(std::move(way));
    return walk_.ok();
  }

  void check_access() {
    // Instructions are fetched in halfwords.
    const unsigned size = access_ == AccessType::kFetch ? 2 : walk_.size;
    walk_.pmp = pmp_explain(hart_, Paddr{walk_.paddr}, size, regime_.priv());
    walk_.has_pmp = true;
    // HLVX needs read permission of the physical memory as well as execute.
    const Allowed needed = access_ != AccessType::kFetch && regime_.has(Regime::kExecute)
                               ? allows(AccessType::kLoad) | allows(AccessType::kFetch)
                               : allows(access_);
    walk_.why = broken_pmp(walk_.pmp, needed, pmp_mode(regime_.priv()));
    if (!walk_.why.empty()) walk_.fault = FaultKind::kAccess;
  }

  /// Goes to the entry for one access of it. False: `way` has the fault.
  bool locate(const StageRules& rules, StageWalk& way, WalkStep& step, AccessType access) {
    step.entry_paddr = step.entry_address;
    if (!rules.is_guest_stage && regime_.v() && levels_of(regime_.hgatp) != 0) {
      step.guest_walks.push_back(stage(guest_stage(), step.entry_address, access, true));
      const StageWalk& guest = step.guest_walks.back();
      if (guest.fault != FaultKind::kNone) {
        way.fault = guest.fault;
        way.why = guest.why;
        walk_.is_implicit = guest.fault == FaultKind::kGuestPage;
        walk_.is_implicit_write = access == AccessType::kStore;
        if (walk_.is_implicit) walk_.gpa = step.entry_address;
        return false;
      }
      step.entry_paddr = guest.output;
    }
    // Implicit accesses are S-mode's as far as PMP is concerned.
    step.pmp = pmp_explain(hart_, Paddr{step.entry_paddr}, pte::kBytes, kSupervisor);
    if (!looks_only_) way.why = broken_pmp(step.pmp, allows(access), "S");
    if (way.why.empty() && !is_table_memory(step.entry_paddr, access))
      way.why = access == AccessType::kStore ? "the entry's memory cannot be written, to set A or D"
                                             : "there is no memory at the entry's address";
    if (!way.why.empty()) way.fault = FaultKind::kAccess;
    return way.why.empty();
  }
  [[nodiscard]] bool is_table_memory(std::uint64_t paddr, AccessType access) const {
    if (access == AccessType::kStore) return hart_.memory->dma(Paddr{paddr}, pte::kBytes) != nullptr;
    return hart_.memory->host(Paddr{paddr}) != nullptr;
  }

  /// One walk of one stage, with the walks of the other stage that it needs.
  StageWalk stage(const StageRules& rules, std::uint64_t address, AccessType access, bool is_for_entry) {
    StageWalk way;
    way.is_guest_stage = rules.is_guest_stage;
    way.is_for_entry = is_for_entry;
    way.access = access;
    way.atp = rules.atp;
    way.address = way.output = address;
    const unsigned levels = levels_of(rules.atp);
    if (!is_in_range(way, kPageShift + 9 * levels)) return way;
    std::uint64_t table = atp::Ppn::get(rules.atp) << kPageShift;
    for (unsigned level = levels; level-- > 0;) {
      const unsigned index_bits = 9 + (rules.is_guest_stage && level + 1 == levels ? 2 : 0);
      WalkStep step;
      step.level = level;
      const std::uint64_t index = address >> (kPageShift + 9 * level) & ((1u << index_bits) - 1);
      step.entry_address = table + index * pte::kBytes;
      const bool is_there = locate(rules, way, step, AccessType::kLoad);
      step.is_read = is_there && read_entry(step.entry_paddr, step.entry);
      step.updated = step.entry;
      if (is_there) judge(rules, way, step);
      way.steps.push_back(std::move(step));
      if (way.fault != FaultKind::kNone || pte::is_leaf(way.steps.back().entry)) return way;
      table = pte::Ppn::get(way.steps.back().entry) << kPageShift;
    }
    fail(way, "the entry of the last level is not a leaf: R and X are 0");
    return way;
  }

  static void fail(StageWalk& way, const char* why) {
    way.fault = way.is_guest_stage ? FaultKind::kGuestPage : FaultKind::kPage;
    way.why = why;
  }

  static bool is_in_range(StageWalk& way, unsigned width) {
    const std::uint64_t address = way.address;
    if (way.is_guest_stage ? address >> (width + 2) == 0 : sign_extend(address, width) == address)
      return true;
    const std::string rule = way.is_guest_stage
                                 ? format("bits 63-%u of a guest physical address of %s must be zero",
                                          width + 2, mode_text(way.atp, true).c_str())
                                 : format("bits 63-%u of an address of %s must equal bit %u", width,
                                          mode_text(way.atp, false).c_str(), width - 1);
    fail(way, rule.c_str());
    return false;
  }

  /// Steps 3–9: what the entry means, and if it is a leaf, what it allows.
  void judge(const StageRules& rules, StageWalk& way, WalkStep& step) {
    const char* broken = broken_encoding(step.entry, rules.features);
    if (broken != nullptr) return fail(way, broken);
    if (!pte::is_leaf(step.entry)) return;
    const std::uint64_t e = step.entry;
    way.leaf = e;
    way.shift = kPageShift + 9 * step.level;
    std::uint64_t base = pte::Ppn::get(e) << kPageShift;
    if (pte::N::get(e) != 0) {
      if (step.level != 0) return fail(way, "N is set in a leaf above the last level");
      if (pte::NapotSize::get(e) != pte::kNapot64K)
        return fail(way, "N is set with a size other than 64 KiB, which is reserved");
      way.shift = pte::kNapotShift;
      base &= ~(pte::NapotSize::kMask << (kPageShift - 10));
    }
    const std::uint64_t offset_mask = (std::uint64_t{1} << way.shift) - 1;
    if ((base & offset_mask) != 0) return fail(way, "the superpage is misaligned: low bits of PPN are not 0");
    if (!looks_only_) {
      broken = rules.is_guest_stage ? broken_guest_permission(way, e) : broken_permission(way, e);
      if (broken != nullptr) return fail(way, broken);
    }
    way.output = base | (way.address & offset_mask);
    if (!looks_only_) set_accessed(rules, way, step);
  }

  void set_accessed(const StageRules& rules, StageWalk& way, WalkStep& step) {
    const bool is_store = way.access == AccessType::kStore;
    const std::uint64_t needed = pte::A::kMask | (is_store ? pte::D::kMask : 0);
    if ((step.entry & needed) == needed) return;
    if (!rules.sets_ad) {
      const bool is_a = pte::A::get(step.entry) == 0;
      return fail(way, is_a ? "A is 0, and ADUE is 0: software sets A (Svade)"
                            : "D is 0 at a store, and ADUE is 0: software sets D (Svade)");
    }
    if (!locate(rules, way, step, AccessType::kStore)) return;
    step.updated = way.leaf = step.entry | needed;
    updated_[step.entry_paddr] = step.updated;
  }

  /// Steps 5–8 of the first stage.
  [[nodiscard]] const char* broken_permission(const StageWalk& way, std::uint64_t e) const {
    const bool u = pte::U::get(e) != 0;
    const bool is_user = regime_.priv() == kUser;
    if (is_user && !u) return "U is 0: U-mode may not use the page";
    if (!is_user && u && way.access == AccessType::kFetch) return "U is 1: S-mode never executes user pages";
    if (!is_user && u && !regime_.has(Regime::kSum)) return "U is 1, and SUM is 0: S-mode may not use it";
    return broken_right(way.access, e, regime_.has(Regime::kMxr) || regime_.has(Regime::kVsMxr),
                        regime_.has(Regime::kExecute));
  }
  /// All accesses count as user accesses; vsstatus.MXR does not apply ("Two-Stage Address Translation"), and
  /// to entries of the VS-stage neither MXR nor HLVX does.
  [[nodiscard]] const char* broken_guest_permission(const StageWalk& way, std::uint64_t e) const {
    if (pte::U::get(e) == 0) return "U is 0: all accesses count as U-mode's in the G-stage";
    const bool is_own = !way.is_for_entry;
    return broken_right(way.access, e, is_own && regime_.has(Regime::kMxr),
                        is_own && regime_.has(Regime::kExecute));
  }
  static const char* broken_right(AccessType access, std::uint64_t e, bool mxr, bool needs_execute) {
    const bool r = pte::R::get(e) != 0;
    const bool x = pte::X::get(e) != 0;
    if (access == AccessType::kStore) return pte::W::get(e) != 0 ? nullptr : "W is 0";
    if (access == AccessType::kFetch) return x ? nullptr : "X is 0";
    if (needs_execute) return x ? nullptr : "X is 0, and HLVX needs execute permission";
    if (r || (mxr && x)) return nullptr;
    return x ? "R is 0, and MXR is 0" : "R is 0";
  }

  const Hart& hart_;
  const Regime& regime_;
  const AccessType access_;
  const bool looks_only_;
  Walk walk_;
  std::map<std::uint64_t, std::uint64_t> updated_;  ///< entries as A and D would leave them, by address
};

/// Lists the leaves below a table.
class RangeLister {
 public:
  RangeLister(const Hart& hart, const Regime& regime, bool is_guest_stage, std::size_t most)
      : explainer_(hart, regime, AccessType::kLoad, true),
        rules_(is_guest_stage ? explainer_.guest_stage() : explainer_.first_stage()),
        levels_(levels_of(rules_.atp)),
        most_(most) {}

  std::vector<MappedRange> run() {
    if (levels_ != 0) list(atp::Ppn::get(rules_.atp) << kPageShift, levels_ - 1, 0);
    return std::move(ranges_);
  }

 private:
  /// Tables that point to themselves have no end.
  static constexpr unsigned kMostTables = 1u << 16;

  void list(std::uint64_t table, unsigned level, std::uint64_t base) {
    const unsigned shift = kPageShift + 9 * level;
    const unsigned entries = rules_.is_guest_stage && level + 1 == levels_ ? 2048 : 512;
    std::uint64_t place = 0;
    for (unsigned i = 0; i < entries && ranges_.size() <= most_; ++i) {
      // The root of a G-stage has four pages; VS-stage tables are found page by page.
      const std::uint64_t address = table + i * pte::kBytes;
      if ((address & kPageMask) == 0 && !is_found(address, place)) return;
      std::uint64_t entry = 0;
      if (!explainer_.read_entry(place | (address & kPageMask), entry)) return;
      if (!pte::is_valid(entry, rules_.features)) continue;
      const std::uint64_t from = base + (std::uint64_t{i} << shift);
      if (pte::is_leaf(entry))
        add(from, shift, entry);
      else if (level > 0)
        list(pte::Ppn::get(entry) << kPageShift, level - 1, from);
    }
  }
  bool is_found(std::uint64_t address, std::uint64_t& place) {
    if (++tables_ > kMostTables) return false;
    place = address;
    return rules_.is_guest_stage || explainer_.find_table(address, place);
  }
  void add(std::uint64_t from, unsigned shift, std::uint64_t entry) {
    constexpr std::uint64_t kFlags = 0xff | pte::Pbmt::kMask;
    std::uint64_t output = pte::Ppn::get(entry) << kPageShift;
    if (pte::N::get(entry) != 0)
      output = (output & ~((std::uint64_t{1} << pte::kNapotShift) - 1)) |
               (from & ((std::uint64_t{1} << pte::kNapotShift) - 1));
    if (!rules_.is_guest_stage) from = sign_extend(from, kPageShift + 9 * levels_);
    const std::uint64_t last = from + (std::uint64_t{1} << shift) - 1;
    if (!ranges_.empty()) {
      MappedRange& before = ranges_.back();
      const bool is_next = before.last + 1 == from && before.flags == (entry & kFlags) &&
                           before.output + (from - before.first) == output;
      if (is_next) {
        before.last = last;
        return;
      }
    }
    ranges_.push_back({from, last, output, entry & kFlags});
  }

  Explainer explainer_;
  const StageRules rules_;
  const unsigned levels_;
  const std::size_t most_;
  unsigned tables_ = 0;
  std::vector<MappedRange> ranges_;
};

}  // namespace

Walk walk(const Hart& hart, const Regime& regime, Vaddr address, unsigned size, AccessType access) {
  return Explainer(hart, regime, access).run(address.value, size);
}

std::optional<std::uint64_t> look_through(const Hart& hart, const Regime& regime, Vaddr address,
                                          bool first_stage) {
  const Walk way = Explainer(hart, regime, AccessType::kLoad, true).run(address.value, 1);
  const bool is_there = way.ok() || (first_stage && way.fault == FaultKind::kGuestPage && !way.is_implicit);
  if (!is_there) return std::nullopt;
  return first_stage ? way.gpa : way.paddr;
}

std::vector<MappedRange> mapped_ranges(const Hart& hart, const Regime& regime, bool is_guest_stage,
                                       std::size_t most) {
  return RangeLister(hart, regime, is_guest_stage, most).run();
}

}  // namespace gstage::riscv
