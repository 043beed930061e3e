// SPDX-License-Identifier: Apache-2.0
// Which TLB context is current, and which entries a fence drops. Nothing here flushes on a change of regime.
#include "softmmu/base/bits.h"
#include "target/riscv/debug/triggers.h"
#include "target/riscv/mmu/access.h"
#include "target/riscv/mmu/mmu.h"
#include "target/riscv/mmu/translate.h"

namespace gstage::riscv {

namespace {

using StatusFs = Field<14, 13>;
using Vmid = Field<57, 44>;
/// Blocks translated for an unusual rounding mode must not be reached through the jumps of the usual one.
constexpr std::uint64_t kKeySlowRounding = 1 << 16;
/// The same of blocks that show each instruction to the triggers.
constexpr std::uint64_t kKeyTriggers = 1 << 17;

bool is_fp_enabled(const Hart& hart) {
  return StatusFs::get(hart.s->status) != 0 && (hart.v == 0 || StatusFs::get(hart.hs.status) != 0);
}

TlbFlush fence_reason(const FenceOperands& operands) {
  return operands.address ? TlbFlush::kFenceAddress
         : operands.id    ? TlbFlush::kFenceAsid
                          : TlbFlush::kFenceAll;
}

/// Applies a first-stage fence to the contexts that `is_meant`.
template <class IsMeant>
void fence_first_stage(Hart& hart, const FenceOperands& operands, IsMeant&& is_meant) {
  Tlb& tlb = hart.mmu->tlb;
  tlb.for_each([&](TlbContext& context) {
    if (!is_meant(context.key)) return;
    const bool has_id = operands.id.has_value();
    if (has_id && key_asid(context.key) != *operands.id) return;
    if (operands.address && !key_is_masked(context.key)) {
      context.clear_page(Vaddr{*operands.address}, has_id);
    } else if (has_id) {
      context.clear_non_global();
    } else {
      context.clear();
    }
  });
  tlb.count(fence_reason(operands));
}

/// The context of a regime. A new one of an address space begins with the global translations of another: a
/// kernel is mapped alike in all processes.
TlbContext& context_of(Hart& hart, const TlbKey& key) {
  Tlb& tlb = hart.mmu->tlb;
  TlbContext& context = tlb.context(key);
  const bool is_supervisor = key_mode(key) != 0 && !key_is_user(key);
  if (!context.is_empty || !is_supervisor) return context;
  const TlbContext* const relative = tlb.newest([&](const TlbKey& other) {
    return other != key && other.words[1] == key.words[1] && other.words[2] == key.words[2] &&
           key_mode(other) == key_mode(key);
  });
  if (relative == nullptr || relative->is_empty) return context;
  CodePages& code_pages = hart.memory->code_pages();
  context.adopt_global(
      *relative, [&](Paddr page) { code_pages.note_writable(page); },
      [&](Paddr page) { return code_pages.has_code(page); });
  return context;
}

}  // namespace

void update_regimes(Hart& hart) {
  MmuState& mmu = *hart.mmu;
  hart.fp_enabled = is_fp_enabled(hart) ? 1 : 0;
  hart.checks_instructions = (hart.execute_trigger_modes & mode_bit(hart.priv, hart.v != 0)) != 0 ? 1 : 0;
  make_data_regime(hart, mmu.data);
  make_fetch_regime(hart, mmu.fetch);
  for (TlbContext*& context : mmu.hyp_contexts) context = nullptr;
  TlbKey fetch_key = mmu.fetch.key();
  if (hart.frm > 3) fetch_key.words[2] |= kKeySlowRounding;
  if (hart.checks_instructions != 0) fetch_key.words[2] |= kKeyTriggers;
  const TlbKey data_key = mmu.data.key();
  if (mmu.fetch_context == nullptr || mmu.fetch_context->key != fetch_key) {
    // The data context is touched first so that the two in use are never recycled for each other.
    if (mmu.data_context != nullptr && mmu.data_context->key == data_key) mmu.tlb.context(data_key);
    mmu.fetch_context = &context_of(hart, fetch_key);
  }
  if (mmu.data_context == nullptr || mmu.data_context->key != data_key) {
    mmu.tlb.context(fetch_key);
    mmu.data_context = &context_of(hart, data_key);
  }
  hart.core.read = mmu.data_context->table(TlbAccess::kRead);
  hart.core.write = mmu.data_context->table(TlbAccess::kWrite);
  hart.core.fetch = mmu.fetch_context->table(TlbAccess::kFetch);
  hart.core.jumps = mmu.fetch_context->jumps.data();
}

View hypervisor_view(Hart& hart, bool needs_execute) {
  MmuState& mmu = *hart.mmu;
  Regime& regime = mmu.hyp[needs_execute ? 1 : 0];
  TlbContext*& context = mmu.hyp_contexts[needs_execute ? 1 : 0];
  if (context == nullptr) {
    make_hypervisor_regime(hart, needs_execute, regime);
    const TlbKey key = regime.key();
    mmu.tlb.context(mmu.data_context->key);
    mmu.tlb.context(mmu.fetch_context->key);
    context = &mmu.tlb.context(key);
  }
  return {regime, *context};
}

void pmp_changed(Hart& hart) {
  pmp_decode(hart);
  hart.mmu->tlb.clear(TlbFlush::kPmp);
  hart.mmu->g_stage.clear();
}

void reset_mmu(Hart& hart) {
  pmp_decode(hart);
  hart.mmu->tlb.clear(TlbFlush::kReset);
  hart.mmu->g_stage.clear();
  update_regimes(hart);
}

void sfence_vma(Hart& hart, const FenceOperands& operands) {
  if (hart.v != 0) {
    hfence_vvma(hart, operands);
    return;
  }
  fence_first_stage(hart, operands,
                    [](const TlbKey& key) { return !key_is_virtual(key) && key.words[0] != 0; });
}

void hfence_vvma(Hart& hart, const FenceOperands& operands) {
  const std::uint64_t vmid = Vmid::get(hart.hgatp);
  fence_first_stage(hart, operands,
                    [&](const TlbKey& key) { return key_is_virtual(key) && key_vmid(key) == vmid; });
}

void hfence_gvma(Hart& hart, const FenceOperands& operands) {
  Tlb& tlb = hart.mmu->tlb;
  tlb.for_each([&](TlbContext& context) {
    if (!key_is_virtual(context.key)) return;
    if (operands.id && key_vmid(context.key) != *operands.id) return;
    if (operands.address)
      context.clear_gpa(Gpa{*operands.address});
    else
      context.clear();
  });
  hart.mmu->g_stage.drop(operands.address ? &*operands.address : nullptr,
                         operands.id ? &*operands.id : nullptr);
  tlb.count(fence_reason(operands));
}

}  // namespace gstage::riscv
