// SPDX-License-Identifier: Apache-2.0
// Which TLB context is current, and which entries a fence drops. Nothing here flushes on a change of regime.
#include "target/riscv/csr/fields.h"
#include "target/riscv/debug/hart_debug.h"
#include "target/riscv/debug/triggers.h"
#include "target/riscv/mmu/access.h"
#include "target/riscv/mmu/mmu.h"
#include "target/riscv/mmu/translate.h"
#include "target/riscv/sanitize/fences.h"

namespace gstage::riscv {

namespace {

/// Blocks translated for an unusual rounding mode must not be reached through the jumps of the usual one.
constexpr std::uint64_t kKeySlowRounding = 1 << 16;
/// The same of blocks that show each instruction to the triggers.
constexpr std::uint64_t kKeyTriggers = 1 << 17;

bool is_fp_enabled(const Hart& hart) {
  return status::Fs::get(hart.s->status) != 0 && (hart.v == 0 || status::Fs::get(hart.hs.status) != 0);
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
  LeafTables& leaf_tables = hart.mmu->leaf_tables;
  operands.address ? leaf_tables.drop(*operands.address) : leaf_tables.clear();
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

/// Tells the sanitizer, if there is one.
void note_fence(Hart& hart, TableKind kind, std::optional<std::uint64_t> vmid,
                const FenceOperands& operands) {
  if (hart.fence_sanitizer == nullptr) return;
  FenceScope scope;
  scope.kind = kind;
  scope.address = operands.address;
  if (vmid) scope.vmid = static_cast<std::uint16_t>(*vmid);
  if (operands.id && kind != TableKind::kGuest) scope.asid = static_cast<std::uint32_t>(*operands.id);
  hart.fence_sanitizer->fence(hart, scope, operands.is_sinval);
}

/// Whether what is global in the address space of one key is the same in that of the other: the same world,
/// privilege and rules.
bool are_relatives(const TlbKey& a, const TlbKey& b) {
  return a.words[1] == b.words[1] && a.words[2] == b.words[2] && key_mode(a) == key_mode(b);
}

/// The context of a regime. A new one of an address space has a relative, whose global translations it takes
/// over as they are asked for: a kernel is mapped alike in all processes.
TlbContext& context_of(Hart& hart, const TlbKey& key) {
  Tlb& tlb = hart.mmu->tlb;
  TlbContext& context = tlb.context(key);
  const bool is_supervisor = key_mode(key) != 0 && !key_is_user(key);
  if (context.is_empty() && is_supervisor)
    context.relative =
        tlb.newest([&](const TlbKey& other) { return other != key && are_relatives(other, key); });
  return context;
}

/// Whether the context is that of the regime, of whose key `extra` is a part. Word by word, each as it was
/// just stored.
bool is_context_of(const TlbContext* context, const Regime& regime, std::uint64_t extra = 0) {
  if (context == nullptr) return false;
  const auto& words = context->key.words;
  return words[2] == (regime.flags | extra) && words[0] == regime.satp && words[1] == regime.hgatp;
}

/// The regime's context, by way of the one that served its like before.
TlbContext* recall(Hart& hart, TlbContext*& lately, const Regime& regime, std::uint64_t extra = 0) {
  if (is_context_of(lately, regime, extra) && !lately->is_empty()) {
    hart.mmu->tlb.touch(*lately);
  } else {
    TlbKey key = regime.key();
    key.words[2] |= extra;
    lately = &context_of(hart, key);
  }
  return lately;
}

void set_data_context(Hart& hart, TlbContext* context) {
  hart.mmu->data_context = context;
  hart.core.read = context->table(TlbAccess::kRead);
  hart.core.write = context->table(TlbAccess::kWrite);
  hart.core.data_mask = context->mask();
}

}  // namespace

void update_fp_enabled(Hart& hart) { hart.fp_enabled = is_fp_enabled(hart) ? 1 : 0; }

void update_regimes(Hart& hart) {
  MmuState& mmu = *hart.mmu;
  update_fp_enabled(hart);
  hart.checks_instructions = (hart.execute_trigger_modes & mode_bit(hart.priv, hart.v != 0)) != 0 ? 1 : 0;
  make_data_regime(hart, mmu.data);
  make_fetch_regime(hart, mmu.fetch);
  for (TlbContext*& context : mmu.hyp_contexts) context = nullptr;
  std::uint64_t extra = hart.frm > 3 ? kKeySlowRounding : 0;
  if (hart.checks_instructions != 0) extra |= kKeyTriggers;
  const bool is_data_there = is_context_of(mmu.data_context, mmu.data);
  if (!is_context_of(mmu.fetch_context, mmu.fetch, extra)) {
    // The data context is touched first so that the two in use are never recycled for each other.
    if (is_data_there) mmu.tlb.touch(*mmu.data_context);
    mmu.fetch_context = recall(hart, mmu.lately_fetch[mmu.fetch.flags & MmuState::kLower], mmu.fetch, extra);
  }
  if (!is_data_there) {
    mmu.tlb.touch(*mmu.fetch_context);
    mmu.data_context = recall(hart, mmu.lately_data[mmu.data.flags & MmuState::kLower], mmu.data);
  }
  set_data_context(hart, mmu.data_context);
  hart.core.fetch = mmu.fetch_context->table(TlbAccess::kFetch);
  hart.core.jump_kind = JumpTable::kind(current_block_flags(hart));
  hart.core.straddlers = mmu.fetch_context->straddlers();
  hart.core.fetch_mask = mmu.fetch_context->mask();
}

void update_sum(Hart& hart) {
  MmuState& mmu = *hart.mmu;
  const std::uint64_t flags = mmu.data.flags;
  make_data_regime(hart, mmu.data);
  if (mmu.data.flags == flags) return;
  mmu.tlb.touch(*mmu.fetch_context);
  set_data_context(hart, recall(hart, mmu.lately_data[mmu.data.flags & MmuState::kLower], mmu.data));
}

namespace {

/// The first HLV, HSV or HLVX after a change of the regimes. (Apart, so that the others pay for nothing
/// here.)
[[gnu::noinline]] TlbContext* find_hypervisor_context(Hart& hart, bool needs_execute) {
  MmuState& mmu = *hart.mmu;
  const unsigned which = needs_execute ? 1 : 0;
  Regime& regime = mmu.hyp[which];
  make_hypervisor_regime(hart, needs_execute, regime);
  mmu.tlb.touch(*mmu.data_context);
  mmu.tlb.touch(*mmu.fetch_context);
  TlbContext*& lately = mmu.lately_hyp[which];
  if (!is_context_of(lately, regime)) lately = &mmu.tlb.context(regime.key());
  mmu.tlb.touch(*lately);
  return lately;
}

}  // namespace

ActiveRegime active_hypervisor(Hart& hart, bool needs_execute) {
  MmuState& mmu = *hart.mmu;
  const unsigned which = needs_execute ? 1 : 0;
  TlbContext*& context = mmu.hyp_contexts[which];
  if (context == nullptr) [[unlikely]]
    context = find_hypervisor_context(hart, needs_execute);
  return {mmu.hyp[which], *context};
}

void update_masks(Hart& hart) {
  hart.core.data_mask = hart.mmu->data_context->mask();
  hart.core.fetch_mask = hart.mmu->fetch_context->mask();
}

const TlbPage* recall_page(Hart& hart, TlbContext& context, TlbAccess access, Vaddr vaddr) {
  const TlbPage* page = context.recall(access, vaddr);
  // The debugger may watch the page in one address space and not in the other.
  const bool may_adopt = hart.debug == nullptr || !hart.debug->tells_address_spaces_apart();
  const TlbContext* const relative = may_adopt ? context.relative : nullptr;
  // It may serve another regime by now.
  if (page == nullptr && relative != nullptr && are_relatives(relative->key, context.key) &&
      context.adopt_global(*relative, vaddr, hart.memory->code_pages()))
    page = context.recall(access, vaddr);
  update_masks(hart);
  return page;
}

void pmp_changed(Hart& hart) {
  pmp_decode(hart);
  hart.mmu->tlb.clear(TlbFlush::kPmp);
  hart.mmu->g_stage.clear();
  hart.mmu->leaf_tables.clear();
}

void reset_mmu(Hart& hart) {
  if (hart.fence_sanitizer != nullptr) hart.fence_sanitizer->clear(hart);
  pmp_decode(hart);
  hart.mmu->tlb.clear(TlbFlush::kReset);
  hart.mmu->g_stage.clear();
  hart.mmu->leaf_tables.clear();
  update_regimes(hart);
}

void sfence_vma(Hart& hart, const FenceOperands& operands) {
  if (hart.v != 0) {
    hfence_vvma(hart, operands);
    return;
  }
  note_fence(hart, TableKind::kHs, std::nullopt, operands);
  fence_first_stage(hart, operands,
                    [](const TlbKey& key) { return !key_is_virtual(key) && key.words[0] != 0; });
}

void hfence_vvma(Hart& hart, const FenceOperands& operands) {
  const std::uint64_t vmid = atp::Vmid::get(hart.hgatp);
  note_fence(hart, TableKind::kVs, vmid, operands);
  fence_first_stage(hart, operands,
                    [&](const TlbKey& key) { return key_is_virtual(key) && key_vmid(key) == vmid; });
}

void hfence_gvma(Hart& hart, const FenceOperands& operands) {
  note_fence(hart, TableKind::kGuest, operands.id, operands);
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
  hart.mmu->leaf_tables.clear();  // their entries were read through the G-stage
  tlb.count(fence_reason(operands));
}

}  // namespace gstage::riscv
