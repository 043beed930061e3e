// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/mmu/access.h"

#include <atomic>
#include <cstring>

#include "softmmu/base/bits.h"
#include "softmmu/base/log.h"
#include "tcg/interp/memory.h"
#include "target/riscv/debug/hart_debug.h"
#include "target/riscv/debug/triggers.h"
#include "target/riscv/mmu/mmu.h"
#include "target/riscv/pmu/pmu.h"
#include "target/riscv/sanitize/fences.h"
#include "target/riscv/sanitize/icache.h"
#include "target/riscv/trap/log_subject.h"
#include "target/riscv/vary/variation.h"

namespace gstage::riscv {

namespace {

/// Pseudo-instructions of implicit accesses for VS-stage translation, RV64 ("Trap instruction values").
constexpr std::uint64_t kImplicitRead = 0x3000;
constexpr std::uint64_t kImplicitWrite = 0x3020;

/// The time that a slow path takes, for the sanitizers if there are any: before and after they look whether
/// other harts have changed what the TLB holds.
class SlowPath {
 public:
  explicit SlowPath(Hart& hart) : hart_(hart) {
    if (hart.fence_sanitizer != nullptr) hart.fence_sanitizer->begin_access(hart);
    if (hart.icache_sanitizer != nullptr) hart.icache_sanitizer->check_tlb(hart);
  }
  ~SlowPath() {
    if (hart_.fence_sanitizer != nullptr) hart_.fence_sanitizer->end_access(hart_);
    if (hart_.icache_sanitizer != nullptr) hart_.icache_sanitizer->check_tlb(hart_);
  }
  SlowPath(const SlowPath&) = delete;
  SlowPath& operator=(const SlowPath&) = delete;

 private:
  Hart& hart_;
};

struct FaultCauses {
  Cause page, guest_page, access, misaligned;
};
constexpr FaultCauses kFaultCauses[] = {
    {Cause::kLoadPageFault, Cause::kLoadGuestPageFault, Cause::kLoadAccess, Cause::kLoadMisaligned},
    {Cause::kStorePageFault, Cause::kStoreGuestPageFault, Cause::kStoreAccess, Cause::kStoreMisaligned},
    {Cause::kFetchPageFault, Cause::kFetchGuestPageFault, Cause::kFetchAccess, Cause::kFetchMisaligned},
};
const FaultCauses& causes_of(AccessType access) { return kFaultCauses[static_cast<unsigned>(access)]; }

/// One access, or the part of a page-crossing one that lies in one page.
struct Piece {
  Vaddr vaddr;
  unsigned size;
  AccessType access;
  Vaddr begin;  ///< where the whole access begins
};

/// The address as translation and traps know it. Piece has the one that the program used, which the TLB is
/// looked up with.
Vaddr address_of(const Regime& regime, const Piece& piece) {
  return piece.access == AccessType::kFetch ? piece.vaddr : regime.unmasked(piece.vaddr);
}

void raise_fault(Hart& hart, const Regime& regime, const Translation& t, const Piece& piece) {
  const FaultCauses& causes = causes_of(piece.access);
  Trap trap{};
  trap.cause = t.fault == FaultKind::kPage        ? causes.page
               : t.fault == FaultKind::kGuestPage ? causes.guest_page
                                                  : causes.access;
  trap.tval = address_of(regime, piece).value;
  trap.tval_is_guest_vaddr = regime.v();
  trap.vaddr_offset = static_cast<std::uint8_t>(piece.vaddr - piece.begin);
  if (t.fault == FaultKind::kGuestPage) {
    trap.gpa = t.gpa;
    trap.is_implicit = t.is_implicit;
    if (t.is_implicit) trap.tinst = t.is_implicit_write ? kImplicitWrite : kImplicitRead;
  }
  if (log_enabled(Log::kMmu) && log_filter().has(log_subject(hart)))
    log_line(Log::kMmu, "hart %llu: %s at 0x%llx, gpa 0x%llx, V=%d priv=%d satp=0x%llx hgatp=0x%llx",
             static_cast<unsigned long long>(hart.hartid), cause_name(trap.cause),
             static_cast<unsigned long long>(trap.tval), static_cast<unsigned long long>(t.gpa), regime.v(),
             regime.priv(), static_cast<unsigned long long>(regime.satp),
             static_cast<unsigned long long>(regime.hgatp));
  raise(hart, trap);
}

void raise_access(Hart& hart, const Regime& regime, const Piece& piece) {
  Translation t;
  t.fault = FaultKind::kAccess;
  raise_fault(hart, regime, t, piece);
}

void raise_misaligned(Hart& hart, const Regime& regime, AccessType access, Vaddr vaddr) {
  Trap trap{};
  trap.cause = causes_of(access).misaligned;
  trap.tval = regime.unmasked(vaddr).value;
  trap.tval_is_guest_vaddr = regime.v();
  raise(hart, trap);
}

/// Which accesses of a page triggers or watchpoints must see: those are not entered.
HartDebug::Watched watched(const Hart& hart, const Regime& regime, Vaddr vaddr, const Translation& t) {
  const Vaddr page = regime.unmasked(vaddr).page();
  HartDebug::Watched seen;
  if (hart.debug != nullptr) seen = hart.debug->watched(regime, page, t);
  seen.reads |= is_watched(hart, TlbAccess::kRead, page);
  seen.writes |= is_watched(hart, TlbAccess::kWrite, page);
  return seen;
}

/// Enters what the walk found into the tables: reads and, if `may_write`, writes that it allows, at once.
void enter(Hart& hart, const ActiveRegime& active, Vaddr vaddr, const Translation& t, const BusRange& range,
           bool may_write = true) {
  if (!t.is_cacheable) return;
  TlbContext& context = active.context;
  const HartDebug::Watched seen = watched(hart, active.regime, vaddr, t);
  const std::byte* const host_page = range.host + (t.paddr.page() - range.base);
  const bool is_readable = (t.allowed & allows(AccessType::kLoad)) != 0;
  if (is_readable && !seen.reads) context.insert(TlbAccess::kRead, vaddr, host_page, t.origin);
  update_masks(hart);
  if (!may_write || (t.allowed & allows(AccessType::kStore)) == 0 || !range.is_writable || seen.writes)
    return;
  CodePages& code_pages = hart.memory->code_pages();
  if (code_pages.is_reported(t.paddr) || hart.memory->is_watched(t.paddr)) return;
  code_pages.note_writable(t.paddr.page());
  context.insert(TlbAccess::kWrite, vaddr, host_page, t.origin);
  // CodePages::protect does this the other way round: one of the two sees the other.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!code_pages.may_write(t.paddr)) context.drop_write(vaddr);
  update_masks(hart);
}

/// What the TLB does not hold counts as missed, though it may be a device, which it never holds; untranslated
/// addresses do not.
void count_miss(Hart& hart, const Regime& regime, AccessType access) {
  constexpr Event kEvents[] = {Event::kDataLoadMiss, Event::kDataStoreMiss, Event::kFetchMiss};
  if (is_translating(regime)) count_event(hart, kEvents[static_cast<unsigned>(access)]);
}

/// Now and then what was cached of the context is gone, as in a hart whose caches hold less.
void evict_at_random(Hart& hart, TlbContext& context) {
  if (hart.variation == nullptr || !hart.variation->evicts()) return;
  context.clear();
  hart.mmu->g_stage.clear();
  hart.mmu->leaf_tables.clear();
}

/// Translates, raising what fails, and fills the TLB. Null range: nothing there.
bool reach(Hart& hart, const ActiveRegime& active, const Piece& piece, Translation& t,
           const BusRange*& range) {
  count_miss(hart, active.regime, piece.access);
  evict_at_random(hart, active.context);
  t = translate(hart, active.regime, address_of(active.regime, piece), piece.size, piece.access);
  if (!t.ok()) {
    raise_fault(hart, active.regime, t, piece);
    return false;
  }
  range = hart.memory->find(t.paddr);
  if (range == nullptr || !range->is_memory()) return true;
  bool may_write = true;
  if (IcacheSanitizer* const icache = hart.icache_sanitizer; icache != nullptr) {
    // It wants to see the first store.
    may_write = piece.access == AccessType::kStore && icache->before_store(t.paddr, piece.size);
  }
  enter(hart, active, piece.vaddr, t, *range, may_write);
  return true;
}

/// A load of some bytes of memory, in one access if there is one of the size.
std::uint64_t load_bytes(const std::byte* host, unsigned size) {
  switch (size) {
    case 1: return tcg::interp::read_as<std::uint8_t>(host);
    case 2: return tcg::interp::read_as<std::uint16_t>(host);
    case 4: return tcg::interp::read_as<std::uint32_t>(host);
    case 8: return tcg::interp::read_as<std::uint64_t>(host);
    default: break;
  }
  std::uint64_t value = 0;
  std::memcpy(&value, host, size);
  return value;
}

/// Where the piece lies in host memory, if the TLB's second level knows. Else null.
std::byte* known_host(Hart& hart, const ActiveRegime& active, TlbAccess access, const Piece& piece) {
  const TlbPage* const page = recall_page(hart, active.context, access, piece.vaddr);
  return page == nullptr ? nullptr : reinterpret_cast<std::byte*>(piece.vaddr.value + page->addend);
}

bool load_piece(Hart& hart, const ActiveRegime& active, const Piece& piece, std::uint64_t& value) {
  if (const std::byte* const host = known_host(hart, active, TlbAccess::kRead, piece); host != nullptr) {
    value = load_bytes(host, piece.size);
    return true;
  }
  Translation t;
  const BusRange* range = nullptr;
  if (!reach(hart, active, piece, t, range)) return false;
  value = 0;
  const bool is_done = is_power_of_two(piece.size) ? hart.memory->load(t.paddr, piece.size, value)
                                                   : hart.memory->read(t.paddr, &value, piece.size);
  if (!is_done) raise_access(hart, active.regime, piece);
  return is_done;
}

std::uint64_t extend(std::uint64_t value, tcg::MemKind kind) {
  return tcg::mem_is_signed(kind) ? sign_extend(value, 8 * tcg::mem_size(kind)) : value;
}

/// Bytes of an access that lie in the first page.
unsigned bytes_before_page_end(Vaddr vaddr) { return static_cast<unsigned>(kPageSize - vaddr.page_offset()); }

/// The parts of an access in its first and second page.
struct Crossing {
  Piece first;
  Piece second;
};
Crossing split(Vaddr vaddr, unsigned size, AccessType access) {
  const unsigned first_size = bytes_before_page_end(vaddr);
  return {{vaddr, first_size, access, vaddr}, {vaddr + first_size, size - first_size, access, vaddr}};
}

/// Shows the triggers, and the debugger, an access. Returns whether one fired: the access is not made.
bool has_trigger(Hart& hart, const Regime& regime, Vaddr vaddr, unsigned size, AccessKind kind) {
  return hart.access_trigger_modes != 0 && check_access(hart, regime.v(), regime.unmasked(vaddr), size, kind);
}
bool has_watchpoint(Hart& hart, const Regime& regime, Vaddr vaddr, unsigned size, AccessKind kind) {
  return hart.debug != nullptr && hart.debug->stops_access(regime, regime.unmasked(vaddr), size, kind);
}
bool is_stopped(Hart& hart, const Regime& regime, Vaddr vaddr, unsigned size, AccessKind kind) {
  return has_trigger(hart, regime, vaddr, size, kind) || has_watchpoint(hart, regime, vaddr, size, kind);
}

/// A store to both pages of a crossing: neither is written unless both can be.
void store_crossing(Hart& hart, const ActiveRegime& active, const Crossing& crossing, std::uint64_t value) {
  const auto& [first, second] = crossing;
  Translation t1;
  Translation t2;
  const BusRange* range = nullptr;
  if (!reach(hart, active, first, t1, range) || !reach(hart, active, second, t2, range)) return;
  const bool is_memory = hart.memory->dma(t1.paddr, first.size) != nullptr;
  if (!is_memory || hart.memory->dma(t2.paddr, second.size) == nullptr) {
    raise_access(hart, active.regime, is_memory ? second : first);
    return;
  }
  hart.memory->write(t1.paddr, &value, first.size);
  const std::uint64_t rest = value >> (8 * first.size);
  hart.memory->write(t2.paddr, &rest, second.size);
}

/// The lookup that generated code does inline: null where it would take the slow path.
const std::byte* cached_host(TlbContext& context, TlbAccess access, Vaddr vaddr, unsigned size) {
  const TlbEntry& entry = context.table(access)[tlb_index(vaddr.value, context.mask())];
  if (entry.tag != (vaddr + (size - 1)).page().value) return nullptr;
  return reinterpret_cast<const std::byte*>(vaddr.value + entry.addend);
}

/// A load of memory, in one access when aligned.
std::uint64_t load_host(const std::byte* host, tcg::MemKind kind) {
  switch (tcg::mem_size(kind)) {
    case 1:
      return extend(__atomic_load_n(reinterpret_cast<const std::uint8_t*>(host), __ATOMIC_RELAXED), kind);
    case 2:
      return extend(__atomic_load_n(reinterpret_cast<const std::uint16_t*>(host), __ATOMIC_RELAXED), kind);
    case 4:
      return extend(__atomic_load_n(reinterpret_cast<const std::uint32_t*>(host), __ATOMIC_RELAXED), kind);
    default: return __atomic_load_n(reinterpret_cast<const std::uint64_t*>(host), __ATOMIC_RELAXED);
  }
}

}  // namespace

ActiveRegime active_data(Hart& hart) { return {hart.mmu->data, *hart.mmu->data_context}; }

std::uint64_t load_slow(Hart& hart, const ActiveRegime& active, Vaddr vaddr, tcg::MemKind kind) {
  const SlowPath path(hart);
  const unsigned size = tcg::mem_size(kind);
  if (is_stopped(hart, active.regime, vaddr, size, {true, false})) return 0;
  std::uint64_t value = 0;
  if (size <= bytes_before_page_end(vaddr)) {
    if (!load_piece(hart, active, {vaddr, size, AccessType::kLoad, vaddr}, value)) return 0;
    return extend(value, kind);
  }
  const Crossing crossing = split(vaddr, size, AccessType::kLoad);
  std::uint64_t rest = 0;
  if (!load_piece(hart, active, crossing.first, value) || !load_piece(hart, active, crossing.second, rest))
    return 0;
  return extend(value | rest << (8 * crossing.first.size), kind);
}

void store_slow(Hart& hart, const ActiveRegime& active, Vaddr vaddr, tcg::MemKind kind, std::uint64_t value) {
  const SlowPath path(hart);
  const unsigned size = tcg::mem_size(kind);
  if (is_stopped(hart, active.regime, vaddr, size, {false, true})) return;
  if (size > bytes_before_page_end(vaddr)) {
    store_crossing(hart, active, split(vaddr, size, AccessType::kStore), value);
    return;
  }
  const Piece piece{vaddr, size, AccessType::kStore, vaddr};
  if (std::byte* const host = known_host(hart, active, TlbAccess::kWrite, piece); host != nullptr) {
    tcg::interp::write_host(host, kind, value);
    return;
  }
  Translation t;
  const BusRange* range = nullptr;
  if (!reach(hart, active, piece, t, range)) return;
  if (!hart.memory->store(t.paddr, size, value)) raise_access(hart, active.regime, piece);
}

void* atomic_slow(Hart& hart, const ActiveRegime& active, Vaddr vaddr, unsigned size, AccessType access) {
  const SlowPath path(hart);
  // Of sc, which stores alone, the reservation is what tells it from an AMO.
  const bool is_load = access == AccessType::kLoad;
  const AccessKind seen{is_load || hart.core.reservation_vaddr != vaddr.value, !is_load};
  if (has_trigger(hart, active.regime, vaddr, size, seen)) return nullptr;
  if (!is_aligned(vaddr.value, size)) {
    raise_misaligned(hart, active.regime, access, vaddr);
    return nullptr;
  }
  if (has_watchpoint(hart, active.regime, vaddr, size, seen)) return nullptr;
  const Piece piece{vaddr, size, access, vaddr};
  const TlbAccess table = is_load ? TlbAccess::kRead : TlbAccess::kWrite;
  if (std::byte* const host = known_host(hart, active, table, piece); host != nullptr) return host;
  Translation t;
  const BusRange* range = nullptr;
  if (!reach(hart, active, piece, t, range)) return nullptr;
  if (range == nullptr || !range->is_memory() || (access == AccessType::kStore && !range->is_writable)) {
    raise_access(hart, active.regime, piece);
    return nullptr;
  }
  // The caller stores through the pointer: code there must go before, and cannot come back meanwhile, for a
  // translation of the page that this store races with is ordered by the fence.i of who runs it.
  if (access == AccessType::kStore) hart.memory->code_pages().written(t.paddr, size);
  // Who watches the page looks once the instruction is done.
  const bool is_table = access == AccessType::kStore && hart.fence_sanitizer != nullptr &&
                        hart.memory->code_pages().is_reported(t.paddr);
  if (is_table) hart.fence_sanitizer->will_store(hart, t.paddr, size);
  if (is_table || (access == AccessType::kStore && hart.memory->is_watched(t.paddr)))
    hart.core.attention.fetch_or(kAttendWatch, std::memory_order_seq_cst);
  return range->host + (t.paddr - range->base);
}

namespace {

/// Shows the sanitizer, if there is one, a fetch of the page; while it has to see each, the page is limited.
tcg::FetchPage sanitized(Hart& hart, Vaddr pc, tcg::FetchPage found) {
  IcacheSanitizer* const icache = hart.icache_sanitizer;
  const Paddr paddr = found.page + pc.page_offset();
  if (icache != nullptr && !icache->fetch(hart, pc, paddr, found.host) && found.limit == 0)
    found.limit = kPageSize;
  return found;
}

}  // namespace

std::optional<tcg::FetchPage> fetch_slow(Hart& hart, Vaddr vaddr) {
  const SlowPath path(hart);
  const Regime& regime = hart.mmu->fetch;
  TlbContext& context = *hart.mmu->fetch_context;
  if (const TlbPage* const known = recall_page(hart, context, TlbAccess::kFetch, vaddr); known != nullptr)
    return sanitized(hart, vaddr,
                     {Paddr{known->origin.paddr_page},
                      reinterpret_cast<const std::byte*>(known->page + known->addend), 0});
  // A halfword at least is fetched; what can be fetched with it, the limit tells.
  const Piece piece{vaddr, 2, AccessType::kFetch, vaddr};
  count_miss(hart, regime, piece.access);
  evict_at_random(hart, context);
  const Translation t = translate(hart, regime, vaddr, piece.size, piece.access);
  if (!t.ok()) {
    raise_fault(hart, regime, t, piece);
    return std::nullopt;
  }
  const BusRange* const range = hart.memory->find(t.paddr);
  if (range == nullptr || range->code() == nullptr) {
    raise_access(hart, regime, piece);
    return std::nullopt;
  }
  const Paddr page = t.paddr.page();
  const std::byte* const host = range->code() + (page - range->base);
  std::optional<std::uint16_t> limit = t.is_cacheable ? std::uint16_t{0} : t.fetch_limit;
  if (hart.debug != nullptr) limit = hart.debug->limit_of_fetch(regime, vaddr, t, *limit);
  if (!limit) return std::nullopt;
  // A page of which PMP allows a part, or with a breakpoint, is not entered: each block of it is checked each
  // time.
  const tcg::FetchPage found = sanitized(hart, vaddr, {page, host, *limit});
  if (found.limit != 0) return found;
  context.insert(TlbAccess::kFetch, vaddr, host, t.origin);
  update_masks(hart);
  return found;
}

std::uint64_t hyp_load(Hart& hart, Vaddr vaddr, tcg::MemKind kind, bool needs_execute) {
  const ActiveRegime active = active_hypervisor(hart, needs_execute);
  if (const std::byte* const host = cached_host(active.context, TlbAccess::kRead, vaddr, tcg::mem_size(kind)))
    return load_host(host, kind);
  return load_slow(hart, active, vaddr, kind);
}

void hyp_store(Hart& hart, Vaddr vaddr, tcg::MemKind kind, std::uint64_t value) {
  store_slow(hart, active_hypervisor(hart, false), vaddr, kind, value);
}

namespace {

/// Translates the cache block that holds the address, as one access of its 64 bytes, raising what fails.
/// Faults report rs1's value (transformed where pointers are masked), not the block's address ("CMO" chapter,
/// "Page-Fault, Guest- Page-Fault, and Access-Fault Exceptions"). Null: a trap was raised.
const BusRange* reach_cache_block(Hart& hart, const ActiveRegime& active, Vaddr vaddr, AccessType access,
                                  Translation& t) {
  constexpr auto kSize = static_cast<unsigned>(kCacheBlockBytes);
  const std::uint64_t in_block = vaddr.value & (kCacheBlockBytes - 1);
  const Vaddr block{vaddr.value - in_block};
  const Piece reported{vaddr, kSize, AccessType::kStore, vaddr};
  constexpr AccessKind kStores{false, true};
  if (has_trigger(hart, active.regime, block, kSize, kStores)) return nullptr;
  const bool is_zero = access == AccessType::kStore;
  if (is_zero && has_watchpoint(hart, active.regime, block, kSize, kStores)) return nullptr;
  t = translate(hart, active.regime, active.regime.unmasked(block), kSize, access);
  if (!t.ok()) {
    if (!t.is_implicit) t.gpa += in_block;
    raise_fault(hart, active.regime, t, reported);
    return nullptr;
  }
  const BusRange* const range = hart.memory->find(t.paddr);
  const bool is_there =
      range != nullptr && (access == AccessType::kLoad || (range->is_memory() && range->is_writable));
  if (!is_there) raise_access(hart, active.regime, reported);
  return is_there ? range : nullptr;
}

}  // namespace

void zero_cache_block(Hart& hart, Vaddr vaddr) {
  const SlowPath path(hart);
  const ActiveRegime active = active_data(hart);
  Translation t;
  count_miss(hart, active.regime, AccessType::kStore);
  const BusRange* const range = reach_cache_block(hart, active, vaddr, AccessType::kStore, t);
  if (range == nullptr) return;
  const bool may_write =
      hart.icache_sanitizer == nullptr || hart.icache_sanitizer->before_store(t.paddr, kCacheBlockBytes);
  enter(hart, active, vaddr, t, *range, may_write);
  static constexpr std::byte kZeros[kCacheBlockBytes] = {};
  hart.memory->write(t.paddr, kZeros, sizeof kZeros);
}

void check_cache_block(Hart& hart, Vaddr vaddr) {
  const SlowPath path(hart);
  Translation t;
  reach_cache_block(hart, active_data(hart), vaddr, AccessType::kLoad, t);
}

std::optional<std::uint32_t> peek_instruction(Hart& hart) {
  const Regime& regime = hart.mmu->fetch;
  std::uint32_t raw = 0;
  for (unsigned half = 0; half < 2; ++half) {
    const Vaddr vaddr = Vaddr{hart.core.pc} + 2 * half;
    const Translation t = translate(hart, regime, vaddr, 2, AccessType::kFetch);
    std::uint16_t bits16 = 0;
    if (!t.ok() || !hart.memory->read(t.paddr, &bits16, 2)) return std::nullopt;
    raw |= static_cast<std::uint32_t>(bits16) << (16 * half);
    if (half == 0 && (bits16 & 3) != 3) break;
  }
  return raw;
}

}  // namespace gstage::riscv
