// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/mmu/pmp.h"

#include <bit>
#include <optional>

#include "target/riscv/csr/fields.h"

namespace gstage::riscv {

namespace {

constexpr auto kR = static_cast<std::uint8_t>(pmpcfg::R::kMask);
constexpr auto kW = static_cast<std::uint8_t>(pmpcfg::W::kMask);
constexpr auto kX = static_cast<std::uint8_t>(pmpcfg::X::kMask);
constexpr auto kL = static_cast<std::uint8_t>(pmpcfg::L::kMask);
constexpr std::uint64_t kNoPage = ~std::uint64_t{0};

Allowed from_rwx(unsigned cfg) {
  Allowed a = 0;
  if (cfg & kR) a |= allows(AccessType::kLoad);
  if (cfg & kW) a |= allows(AccessType::kStore);
  if (cfg & kX) a |= allows(AccessType::kFetch);
  return a;
}

/// The truth table of mseccfg.MML=1 ("Smepmp", table of pmpcfg bits).
Allowed mml_permission(std::uint8_t cfg, bool is_machine) {
  const unsigned rwx = cfg & (kR | kW | kX);
  const bool is_locked = (cfg & kL) != 0;
  if ((rwx & (kR | kW)) == kW) {  // R=0 W=1: shared regions
    const bool x = (rwx & kX) != 0;
    if (!is_locked) return from_rwx(is_machine || x ? kR | kW : kR);
    return from_rwx(is_machine && x ? kR | kX : kX);
  }
  if (is_locked && rwx == (kR | kW | kX)) return from_rwx(kR);  // shared, read-only data
  return is_locked == is_machine ? from_rwx(rwx) : Allowed{0};
}

Allowed rule_permission(const Hart& hart, std::uint8_t cfg, bool is_machine) {
  if (mseccfg::Mml::get(hart.mseccfg) != 0) return mml_permission(cfg, is_machine);
  if (is_machine && (cfg & kL) == 0) return kAllowAll;
  return from_rwx(cfg);
}

/// Where no rule matches.
Allowed default_permission(const Hart& hart, bool is_machine) {
  if (!is_machine) return hart.config->pmp ? Allowed{0} : kAllowAll;
  if (mseccfg::Mmwp::get(hart.mseccfg) != 0) return 0;
  // With MML, M-mode executes only where a rule says so.
  return mseccfg::Mml::get(hart.mseccfg) != 0 ? from_rwx(kR | kW) : kAllowAll;
}

/// Bytes for which one rule, or none, decides.
struct Stretch {
  std::uint64_t end;
  Allowed allowed;
};

/// From `first` on, at most to the end of the page.
Stretch stretch_at(const Hart& hart, std::uint64_t first, std::uint64_t page, bool is_machine) {
  Stretch stretch{page + kPageSize, 0};
  for (unsigned i = 0; i < hart.pmp_rule_count; ++i) {
    const PmpRule& rule = hart.pmp_rules[i];
    if (rule.last < first) continue;
    if (rule.first <= first) {
      if (rule.last - first < stretch.end - first) stretch.end = rule.last + 1;
      stretch.allowed = rule_permission(hart, rule.cfg, is_machine);
      return stretch;
    }
    if (rule.first < stretch.end) stretch.end = rule.first;
  }
  stretch.allowed = default_permission(hart, is_machine);
  return stretch;
}

/// Where what can be fetched from `first` on ends, at most the end of the page.
std::uint64_t end_of_fetchable(const Hart& hart, std::uint64_t first, std::uint64_t page, std::uint8_t priv) {
  while (first < page + kPageSize) {
    const Stretch stretch = stretch_at(hart, first, page, priv == kMachine);
    if ((stretch.allowed & allows(AccessType::kFetch)) == 0) break;
    first = stretch.end;
  }
  return first;
}

/// An entry of pmpcfg; nothing when it matches nothing.
std::optional<PmpRule> decode_entry(const Hart& hart, unsigned i) {
  const std::uint8_t cfg = hart.pmpcfg[i];
  const std::uint64_t addr = hart.pmpaddr[i];
  PmpRule rule{0, 0, cfg};
  switch (pmpcfg::A::get(cfg)) {
    case pmpcfg::kOff: return std::nullopt;
    case pmpcfg::kTor: {
      const std::uint64_t low = i == 0 ? 0 : hart.pmpaddr[i - 1] << 2;
      if (low >= addr << 2) return std::nullopt;
      rule.first = low;
      rule.last = (addr << 2) - 1;
      break;
    }
    case pmpcfg::kNa4:
      rule.first = addr << 2;
      rule.last = rule.first + 3;
      break;
    default: {  // NAPOT: the trailing ones tell the size, 8 bytes for none
      const unsigned ones = static_cast<unsigned>(std::countr_one(addr));
      const std::uint64_t mask = ones >= 61 ? ~std::uint64_t{0} : (std::uint64_t{8} << ones) - 1;
      rule.first = (addr << 2) & ~mask;
      rule.last = rule.first | mask;
      break;
    }
  }
  return rule;
}

}  // namespace

void pmp_decode(Hart& hart) {
  hart.pmp_rule_count = 0;
  for (PmpPage& known : hart.pmp_pages) known = {kNoPage, 0};
  if (!hart.config->pmp) return;
  for (unsigned i = 0; i < kPmpEntries; ++i) {
    const std::optional<PmpRule> rule = decode_entry(hart, i);
    if (rule) hart.pmp_rules[hart.pmp_rule_count++] = *rule;
  }
}

Allowed pmp_check_table(Hart& hart, Paddr slot) {
  constexpr unsigned kEntryBytes = 8;
  const std::uint64_t page = slot.page().value;
  PmpPage& known = hart.pmp_pages[(page >> kPageShift) % kPmpPages];
  if (known.page == page) return known.allowed;
  const PmpVerdict verdict = pmp_check(hart, slot, kEntryBytes, kSupervisor);
  if (verdict.is_uniform) known = {page, verdict.allowed};
  return verdict.allowed;
}

PmpFetch pmp_check_fetch(const Hart& hart, Paddr paddr, std::uint8_t priv) {
  constexpr unsigned kHalfword = 2;
  const PmpVerdict verdict = pmp_check(hart, paddr, kHalfword, priv);
  if ((verdict.allowed & allows(AccessType::kFetch)) == 0) return {false, false, 0};
  if (verdict.is_uniform) return {true, true, kPageSize};
  const std::uint64_t page = paddr.page().value;
  const std::uint64_t before = end_of_fetchable(hart, page, page, priv);
  const std::uint64_t end = before > paddr.value ? before : end_of_fetchable(hart, paddr.value, page, priv);
  return {true, before == page + kPageSize, static_cast<std::uint16_t>(end - page)};
}

PmpVerdict pmp_check(const Hart& hart, Paddr paddr, unsigned size, std::uint8_t priv) {
  const bool is_machine = priv == kMachine;
  const std::uint64_t first = paddr.value;
  const std::uint64_t last = first + size - 1;
  const std::uint64_t page_first = paddr.page().value;
  const std::uint64_t page_last = page_first | kPageMask;
  bool is_uniform = true;
  for (unsigned i = 0; i < hart.pmp_rule_count; ++i) {
    const PmpRule& rule = hart.pmp_rules[i];
    if (rule.last < page_first || rule.first > page_last) continue;
    const bool covers_page = rule.first <= page_first && rule.last >= page_last;
    is_uniform = is_uniform && covers_page;
    if (rule.last < first || rule.first > last) continue;
    // The first rule that matches any byte decides; it must match all bytes or the access fails whatever L,
    // R, W and X say.
    if (rule.first > first || rule.last < last) return {0, false};
    return {rule_permission(hart, rule.cfg, is_machine), is_uniform};
  }
  return {default_permission(hart, is_machine), is_uniform};
}

PmpReason pmp_explain(const Hart& hart, Paddr paddr, unsigned size, std::uint8_t priv) {
  PmpReason reason{pmp_check(hart, paddr, size, priv).allowed, -1, false};
  const std::uint64_t last = paddr.value + size - 1;
  for (unsigned i = 0; hart.config->pmp && i < kPmpEntries; ++i) {
    const std::optional<PmpRule> rule = decode_entry(hart, i);
    if (!rule || rule->last < paddr.value || rule->first > last) continue;
    reason.entry = static_cast<int>(i);
    reason.is_partial = rule->first > paddr.value || rule->last < last;
    break;
  }
  return reason;
}

}  // namespace gstage::riscv
