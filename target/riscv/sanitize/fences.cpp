// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/sanitize/fences.h"

#include <algorithm>

#include "softmmu/base/format.h"
#include "softmmu/base/log.h"
#include "target/riscv/mmu/translate.h"

namespace gstage::riscv {

namespace {

/// What a translation says: without A and D, G, and the bits that software keeps there.
constexpr std::uint64_t kMappingMask =
    ~(pte::A::kMask | pte::D::kMask | pte::G::kMask | std::uint64_t{3} << 8);
constexpr std::uint64_t kRights = pte::R::kMask | pte::W::kMask | pte::X::kMask;

bool is_same_mapping(std::uint64_t a, std::uint64_t b) { return ((a ^ b) & kMappingMask) == 0; }

/// Whether the new entry differs from the old one in nothing but that it allows more.
bool is_widened(std::uint64_t old, std::uint64_t now) {
  const bool is_same_place = ((old ^ now) & kMappingMask & ~kRights) == 0;
  return is_same_place && pte::is_leaf(old) && (old & kRights & ~now) == 0;
}

void empty_tlb(Hart& hart) {
  hart.mmu->tlb.for_each([](TlbContext& context) { context.clear(); });
  hart.mmu->g_stage.clear();
  hart.mmu->leaf_tables.clear();
}

/// The one page that a leaf of the first stage stands for, in all contexts of the hart.
void drop_page(Hart& hart, Vaddr page) {
  hart.mmu->tlb.for_each([&](TlbContext& context) {
    if (key_is_masked(context.key))
      context.clear();
    else
      context.clear_page(page, false);
  });
}

}  // namespace

FenceSanitizer::FenceSanitizer(const SanitizeOptions& options, AddressSpace& memory)
    : options_(options), memory_(memory) {
  memory.code_pages().set_watcher([this](Paddr first, std::uint64_t size) { stored(first, size); });
}

FenceSanitizer::~FenceSanitizer() { memory_.code_pages().set_watcher(nullptr); }

void FenceSanitizer::add_hart(Hart& hart) {
  auto state = std::make_unique<HartState>();
  state->hart = &hart;
  states_.push_back(std::move(state));
  hart.mmu->tlb.keep_small();
}

std::uint64_t FenceSanitizer::load(Paddr slot) const {
  return __atomic_load_n(reinterpret_cast<const std::uint64_t*>(memory_.host(slot)), __ATOMIC_ACQUIRE);
}

void FenceSanitizer::begin_access(Hart& hart) {
  HartState& state = state_of(hart);
  if (!state.atomics.empty()) finish_atomics(state);
  end_access(hart);
}

void FenceSanitizer::end_access(Hart& hart) {
  HartState& state = state_of(hart);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const std::uint32_t epoch = state.epoch.load(std::memory_order_seq_cst);
  if (epoch == state.seen) return;
  state.seen = epoch;
  empty_tlb(hart);
}

void FenceSanitizer::will_store(Hart& hart, Paddr paddr, unsigned size) {
  state_of(hart).atomics.push_back({paddr, size});
  const std::lock_guard lock(mutex_);
  const std::uint64_t address = paddr.value & ~std::uint64_t{7};
  if (const auto slot = slots_.find(address); slot != slots_.end()) mark(address, slot->second, true);
}

void FenceSanitizer::finish_atomics(HartState& state) {
  std::vector<HartState::Atomic> atomics;
  atomics.swap(state.atomics);
  for (const auto& atomic : atomics) stored(atomic.paddr, atomic.size);
}

void FenceSanitizer::stored(Paddr first, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t end = first.value + size;
  for (std::uint64_t address = first.value & ~std::uint64_t{7}; address < end; address += pte::kBytes)
    if (const auto slot = slots_.find(address); slot != slots_.end()) mark(address, slot->second, false);
}

/// The entry was stored to, or is about to be.
void FenceSanitizer::mark(std::uint64_t address, Slot& slot, bool is_ahead) {
  const std::uint64_t now = load(Paddr{address});
  if (is_ahead || !is_same_mapping(now, slot.value)) {
    slot.writer = present_writer();
    slot.value = now;
  }
  if (!is_ahead) ++stores_;
  std::erase_if(slot.holders, [&](const Slot::Holder& holder) {
    HartState& state = *states_[holder.hart];
    ShadowEntry* const entry = state.shadow.find(holder.key);
    if (entry == nullptr || entry->slot != address) return true;
    if (is_ahead || !is_same_mapping(entry->value, now)) {
      if (!is_ahead) state.shadow.mark_changed(holder.key, *entry, stores_);
      if ((entry->value & pte::V::kMask) != 0) drop_translations(state, holder.key, *entry);
    } else {
      entry->changed_at = 0;
    }
    return false;
  });
}

void FenceSanitizer::drop_translations(HartState& state, const ShadowKey& key, const ShadowEntry& entry) {
  const bool is_page = key.kind != TableKind::kGuest && key.level == 0 && pte::N::get(entry.value) == 0;
  const Vaddr page{key.prefix << kPageShift};
  if (state.hart == current_hart()) {
    is_page ? drop_page(*state.hart, page) : empty_tlb(*state.hart);
    return;
  }
  state.epoch.fetch_add(1, std::memory_order_seq_cst);
  Tlb& tlb = state.hart->mmu->tlb;
  is_page ? tlb.forget(page) : tlb.forget_all();
}

/// What the hart holds for the step, of the address space or global.
ShadowEntry* FenceSanitizer::find_held(HartState& state, const WalkStep& step, ShadowKey& key) {
  key = step.key;
  if (ShadowEntry* const entry = state.shadow.find(key); entry != nullptr) return entry;
  if (key.kind == TableKind::kGuest) return nullptr;
  key.asid = ShadowKey::kGlobal;
  return state.shadow.find(key);
}

void FenceSanitizer::hold(HartState& state, const ShadowKey& key, std::uint64_t value, Paddr slot) {
  state.shadow.enter(key, value, slot.value);
  Slot& info = slots_[slot.value];
  if (info.holders.empty()) info.value = value;
  const auto hart = static_cast<std::uint32_t>(state.hart->hartid);
  const bool is_known =
      std::any_of(info.holders.begin(), info.holders.end(),
                  [&](const Slot::Holder& holder) { return holder.hart == hart && holder.key == key; });
  if (!is_known) info.holders.push_back({hart, key});
}

StepResult FenceSanitizer::read(Hart& hart, const WalkStep& step) {
  // First the watch, then the bytes: no store between them is lost.
  memory_.code_pages().watch(step.slot.page());
  const std::lock_guard lock(mutex_);
  HartState& state = state_of(hart);
  StepResult result;
  const std::uint64_t now = result.value = load(step.slot);
  ShadowKey key;
  ShadowEntry* const held = find_held(state, step, key);
  if (held != nullptr && is_same_mapping(held->value, now) && held->slot == step.slot.value) return result;
  const bool is_valid = pte::is_valid(now, step.features);
  if (held != nullptr && !pte::is_valid(held->value, step.features)) {
    // Entries that are not valid may be cached, too ("This specification permits the caching of PTEs whose V
    // bit is clear"); software that goes on after the fault is right. One fault is what it gets.
    if (is_valid) ++totals_.lazy;
    if (is_valid && options_.fences == FenceCheck::kAdversarial) {
      result.value = held->value;
      state.shadow.erase(key);
      return result;
    }
  } else if (held != nullptr && !is_same_mapping(held->value, now) && !is_widened(held->value, now)) {
    result.has_conflict = true;
    result.held = held->value;
    return result;
  }
  // Read for the first time, or nothing is lost by forgetting what was held.
  if (held != nullptr) state.shadow.erase(key);
  key = step.key;
  const bool is_global = step.is_global || (is_valid && pte::G::get(now) != 0);
  if (is_global && key.kind != TableKind::kGuest) key.asid = ShadowKey::kGlobal;
  hold(state, key, now, step.slot);
  return result;
}

bool FenceSanitizer::is_in_grace(const Hart& hart, const ShadowEntry& entry, const Writer& writer) const {
  if (entry.changed_at == 0) return false;
  if (writer.kind == Writer::Kind::kHart && writer.hart == hart.hartid) return false;
  return std::chrono::steady_clock::now() - entry.since < std::chrono::milliseconds(options_.grace_ms);
}

std::uint64_t FenceSanitizer::use(Hart& hart, const WalkStep& step, const WalkUse& use,
                                  const StepResult& result, bool& is_cacheable) {
  const bool is_adversarial = options_.fences == FenceCheck::kAdversarial;
  const std::lock_guard lock(mutex_);
  HartState& state = state_of(hart);
  ShadowKey key;
  ShadowEntry* const held = find_held(state, step, key);
  if (held == nullptr) return result.value;
  const Writer writer = held->slot == step.slot.value ? slots_[held->slot].writer : Writer{};
  if (is_in_grace(hart, *held, writer)) {
    is_cacheable = false;
    return is_adversarial ? held->value : result.value;
  }
  if (!held->is_reported && !step.is_told) {
    using Sinval = FenceFinding::Sinval;
    const bool is_begun = std::any_of(state.sinvals.begin(), state.sinvals.end(),
                                      [&](const FenceScope& scope) { return scope.kind == key.kind; });
    const Sinval sinval = is_begun ? Sinval::kNoAfter : held->has_sinval ? Sinval::kNoBefore : Sinval::kNone;
    report({&hart, step, use, held->value, held->slot, result.value, writer, sinval});
    held->is_reported = true;
  }
  if (is_adversarial) return held->value;
  hold(state, key, result.value, step.slot);
  return result.value;
}

void FenceSanitizer::report(const FenceFinding& finding) {
  ++totals_.findings;
  const std::string place = format("%llx %u %u %llx", static_cast<unsigned long long>(finding.hart->core.pc),
                                   finding.step.key.level, static_cast<unsigned>(finding.step.key.kind),
                                   static_cast<unsigned long long>(finding.writer.pc));
  if (reported_.insert(place).second) log_text(Log::kSanitize, describe(finding));
}

void FenceSanitizer::note_fence(unsigned dropped) {
  ++totals_.fences;
  if (dropped == 0) ++totals_.idle_fences;
}

void FenceSanitizer::apply(HartState& state, const FenceScope& scope) {
  note_fence(state.shadow.fence(scope));
}

void FenceSanitizer::fence(Hart& hart, FenceScope scope, bool is_sinval) {
  HartState& state = state_of(hart);
  finish_atomics(state);
  const std::lock_guard lock(mutex_);
  if (is_sinval) {
    scope.last_store = state.w_inval;
    state.sinvals.push_back(scope);
    return;
  }
  // sfence.vma orders sinval.vma as the two fences of Svinval do.
  state.w_inval = stores_;
  apply_sinvals(state);
  apply(state, scope);
}

void FenceSanitizer::apply_sinvals(HartState& state) {
  if (state.sinvals.empty()) return;
  for (const FenceScope& sinval : state.sinvals) apply(state, sinval);
  state.sinvals.clear();
  // The hart's TLB was fenced by the sinvals; what it held went back into it since.
  empty_tlb(*state.hart);
}

void FenceSanitizer::before_sinval(Hart& hart) {
  HartState& state = state_of(hart);
  finish_atomics(state);
  const std::lock_guard lock(mutex_);
  state.w_inval = stores_;
}

void FenceSanitizer::after_sinval(Hart& hart) {
  const std::lock_guard lock(mutex_);
  apply_sinvals(state_of(hart));
}

void FenceSanitizer::clear(Hart& hart) {
  const std::lock_guard lock(mutex_);
  HartState& state = state_of(hart);
  state.shadow.clear();
  state.sinvals.clear();
  state.atomics.clear();
}

FenceTotals FenceSanitizer::totals() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

std::string FenceSanitizer::summary() const {
  const FenceTotals t = totals();
  return format(
      "sanitize: fences: %llu findings; %llu fences, of which %llu dropped nothing that had changed; "
      "%llu accesses relied on an entry that became valid without a fence (permitted)\n",
      static_cast<unsigned long long>(t.findings), static_cast<unsigned long long>(t.fences),
      static_cast<unsigned long long>(t.idle_fences), static_cast<unsigned long long>(t.lazy));
}

}  // namespace gstage::riscv
