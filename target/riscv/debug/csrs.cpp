// SPDX-License-Identifier: Apache-2.0
// tselect, tdata1, tdata2, tdata3 and tinfo. Types are mcontrol6, icount and etrigger; the one action is the
// breakpoint exception. There are no contexts: tdata3 is a read-only zero, which ignores them.
#include "target/riscv/csr/fields.h"
#include "target/riscv/csr/row.h"
#include "target/riscv/debug/triggers.h"
#include "target/riscv/mmu/translate.h"

namespace gstage::riscv {

namespace {

using namespace tdata1;

/// Exceptions that etrigger can be set for: all there are.
constexpr std::uint64_t kExceptions = 0xf1'bfff;

Trigger& selected(Hart& hart) { return hart.triggers[hart.tselect]; }

/// Fields of each type that hold what is written.
struct TypeMask {
  std::uint64_t type;
  std::uint64_t always;
  std::uint64_t with_h;  ///< bits that exist with the hypervisor extension
};
constexpr TypeMask kMasks[] = {
    {kMcontrol6,
     mcontrol6::Load::kMask | mcontrol6::Store::kMask | mcontrol6::Execute::kMask | mcontrol6::U::kMask |
         mcontrol6::S::kMask | mcontrol6::M::kMask | mcontrol6::Match::kMask | mcontrol6::Size::kMask |
         mcontrol6::Hit0::kMask,
     mcontrol6::Vs::kMask | mcontrol6::Vu::kMask},
    {kIcount,
     icount::U::kMask | icount::S::kMask | icount::Pending::kMask | icount::M::kMask | icount::Count::kMask |
         icount::Hit::kMask,
     icount::Vs::kMask | icount::Vu::kMask},
    {kEtrigger, etrigger::U::kMask | etrigger::S::kMask | etrigger::M::kMask | etrigger::Hit::kMask,
     etrigger::Vs::kMask | etrigger::Vu::kMask},
};

/// What a write of `value` to tdata1 leaves: a type or an action that there is not disables the trigger.
std::uint64_t legal_tdata1(const Hart& hart, std::uint64_t value) {
  constexpr std::uint64_t kOff = Type::set(0, kDisabled);
  for (const TypeMask& mask : kMasks) {
    if (Type::get(value) != mask.type) continue;
    const std::uint64_t writable = mask.always | (has_misa(hart, 'H') ? mask.with_h : 0);
    std::uint64_t kept = value & (writable | Type::kMask);
    if (mask.type != kMcontrol6) return kept;
    if (mcontrol6::Match::get(kept) > mcontrol6::kBelow) kept = mcontrol6::Match::set(kept, 0);
    constexpr std::uint64_t kSizes = 0b101111;  // any, 8, 16, 32 and 64 bits
    if ((kSizes >> mcontrol6::Size::get(kept) & 1) == 0) kept = mcontrol6::Size::set(kept, 0);
    return kept;
  }
  return kOff;
}

/// The largest NAPOT range has 2^63 bytes: of 63 ones the highest becomes zero ("mcontrol6", match).
std::uint64_t legal_tdata2(const Trigger& trigger, std::uint64_t value) {
  constexpr std::uint64_t kOnes = ~std::uint64_t{0} >> 1;
  const std::uint64_t type = Type::get(trigger.tdata1);
  if (type == kEtrigger) return value & kExceptions;
  const bool is_napot = type == kMcontrol6 && mcontrol6::Match::get(trigger.tdata1) == mcontrol6::kNapot;
  return is_napot && (value & kOnes) == kOnes ? value & ~(std::uint64_t{1} << 62) : value;
}

/// Translations of pages that a trigger now watches go, so that their accesses take the slow path.
std::uint8_t changed(Hart& hart) {
  const bool had_watched = hart.access_trigger_modes != 0;
  triggers_changed(hart);
  if (had_watched || hart.access_trigger_modes != 0)
    hart.mmu->tlb.for_each([](TlbContext& context) { context.clear(); });
  return kEffectRegimes;
}

}  // namespace

std::uint8_t write_tselect(Hart& hart, unsigned, const CsrWrite& write) {
  if (write.value < kTriggers) hart.tselect = write.value;
  return kNoEffect;
}

std::uint64_t read_tdata1(Hart& hart, unsigned) { return selected(hart).tdata1; }
std::uint8_t write_tdata1(Hart& hart, unsigned, const CsrWrite& write) {
  selected(hart).tdata1 = legal_tdata1(hart, write.value);
  return changed(hart);
}

std::uint64_t read_tdata2(Hart& hart, unsigned) { return selected(hart).tdata2; }
std::uint8_t write_tdata2(Hart& hart, unsigned, const CsrWrite& write) {
  selected(hart).tdata2 = legal_tdata2(selected(hart), write.value);
  return changed(hart);
}

std::uint64_t read_tinfo(Hart&, unsigned) {
  constexpr std::uint64_t kVersion1 = 1u << 24;
  return kVersion1 | 1u << kIcount | 1u << kEtrigger | 1u << kMcontrol6 | 1u << kDisabled;
}

void reset_triggers(Hart& hart) {
  hart.tselect = 0;
  for (Trigger& trigger : hart.triggers) trigger = {Type::set(0, kDisabled), 0};
  triggers_changed(hart);
}

}  // namespace gstage::riscv
