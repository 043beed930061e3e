// SPDX-License-Identifier: Apache-2.0
#include "tcg/runtime/engine_base.h"

#include <algorithm>
#include <cstring>

#include "softmmu/base/check.h"
#include "softmmu/base/format.h"
#include "softmmu/base/log.h"
#include "tcg/opt/pipeline.h"
#include "tcg/runtime/dump.h"

namespace gstage::tcg {

namespace {

/// The page offset behind the last byte that is fetched without another look.
std::uint32_t end_of(const BlockKey& key) { return key.limit == 0 ? std::uint32_t{kPageSize} : key.limit; }

}  // namespace

EngineBase::EngineBase(Guest& guest, AddressSpace& memory, Exclusive& exclusive)
    : guest_(guest),
      memory_(memory),
      exclusive_(exclusive),
      layout_(guest.layout()),
      blocks_(memory.code_pages()) {
  memory.code_pages().set_invalidate([this](Paddr first, std::uint64_t size) { invalidate(first, size); });
}

EngineBase::~EngineBase() { memory_.code_pages().set_invalidate(nullptr); }

EngineBase::HartRecord& EngineBase::record_of(CpuCore& core) {
  const std::lock_guard lock(records_mutex_);
  for (const auto& record : records_)
    if (record->core == &core) return *record;
  records_.push_back(std::make_unique<HartRecord>(HartRecord{&core, 0}));
  hart_count_.store(records_.size(), std::memory_order_relaxed);
  return *records_.back();
}

void EngineBase::run_until_attention(CpuCore& core, Tlb& tlb) {
  HartRecord& record = record_of(core);
  core.tlb = &tlb;
  show_jumps(core);
  while (!must_return(core)) {
    exclusive_.enter_guest(core);
    // A flush leaves it to each hart to forget its own jumps.
    if (record.generation != generation_) {
      tlb.clear_jumps();
      record.generation = generation_;
      show_jumps(core);
    }
    execute(core);
    exclusive_.leave_guest(core);
    if (core.attention.load(std::memory_order_acquire) != 0) continue;
    translate(core);
    if (core.trap_pending != 0) guest_.deliver_trap(core);
  }
}

/// Whether somebody wants something of the hart. If it is a sample alone, the hart gives it and goes on.
bool EngineBase::must_return(CpuCore& core) {
  const std::uint32_t wanted = core.attention.load(std::memory_order_acquire);
  if ((wanted & kAttendSample) == 0) return wanted != 0;
  core.attention.fetch_and(~std::uint32_t{kAttendSample}, std::memory_order_seq_cst);
  if ((wanted & ~std::uint32_t{kAttendSample}) != 0) return true;
  sample(core);
  return core.attention.load(std::memory_order_acquire) != 0;
}

bool EngineBase::ask_for_samples() {
  const std::lock_guard lock(records_mutex_);
  bool is_any = false;
  for (const auto& record : records_) {
    if (record->core->in_guest.load(std::memory_order_relaxed) == 0) continue;
    record->core->attention.fetch_or(kAttendSample, std::memory_order_seq_cst);
    is_any = true;
  }
  return is_any;
}

const void* EngineBase::find_next(CpuCore& core) {
  while (core.attention.load(std::memory_order_relaxed) == 0 || guest_.attend(core)) {
    CodeLocation location;
    if (!locate(core, location)) {
      guest_.deliver_trap(core);
      continue;
    }
    const void* code = blocks_.find_code(location.key);
    if (code == nullptr) code = find_block_code(location.key);
    if (code == nullptr) return nullptr;
    const std::uint64_t pc = core.pc;
    // Most blocks are asked for once: see find_block_code.
    const bool is_wanted = blocks_.find_code(location.key) != nullptr || !blocks_.can_note(location.key);
    if (is_wanted && location.may_cache && !log_enabled(Log::kNoChain)) enter_jump(core, location, code);
    core.pc_page = pc & ~kPageMask;
    if (log_enabled(Log::kExec))
      if (const Block* const block = blocks_.find(location.key)) dump_exec(guest_, core, *block);
    return code;
  }
  return nullptr;
}

/// What the dispatcher does inline.
const void* EngineBase::find_jump(const CpuCore& core) {
  const std::uint64_t pc = core.pc;
  const TlbEntry& entry = core.fetch[tlb_index(pc, core.fetch_mask)];
  if (entry.tag != (pc & ~kPageMask)) return nullptr;
  const void* const code =
      JumpTable::find(core.jump_slots, core.jump_mask, pc + entry.addend + core.jump_kind);
  if (code != nullptr || (pc & kPageMask) != kPageSize - 2) return code;
  const JumpEntry& straddler = core.straddlers[straddler_index(pc)];
  return straddler.pc == pc ? straddler.code : nullptr;
}

/// Where the dispatcher looks.
void EngineBase::show_jumps(CpuCore& core) {
  const JumpTable& jumps = core.tlb->jump_table();
  core.jump_slots = jumps.slots();
  core.jump_mask = jumps.mask();
}

/// Has the dispatcher find the block at core.pc the next time. Its pages were put into the fetch table.
void EngineBase::enter_jump(CpuCore& core, const CodeLocation& location, const void* code) {
  // What a block of two pages needs lies in no page alone. Its second page may have driven out the first one,
  // which is to take the block along when it goes.
  if (location.key.second_page != nullptr) {
    if (core.fetch[tlb_index(core.pc, core.fetch_mask)].tag == (core.pc & ~kPageMask))
      core.straddlers[straddler_index(core.pc)] = {core.pc, code};
    return;
  }
  core.tlb->jump_table().enter(JumpTable::key_of(location.key.host, location.key.flags), code);
  core.jump_mask = core.tlb->jump_table().mask();
}

/// For a block that is not in the index. Most blocks are asked for once, after their translation: from then
/// on other blocks jump to them. A block that is asked for again will be asked for many times.
const void* EngineBase::find_block_code(const BlockKey& key) {
  Block* const block = blocks_.find(key);
  if (block == nullptr) return nullptr;
  if (block->is_wanted.exchange(true, std::memory_order_relaxed) && blocks_.can_note(key)) {
    const std::lock_guard lock(mutex_);
    blocks_.note_wanted(*block);
  }
  return block->code;
}

bool EngineBase::locate_page(CpuCore& core, Vaddr pc, Fetched& fetched) {
  const auto lookup = [&] {
    const TlbEntry& entry = core.fetch[tlb_index(pc.value, core.fetch_mask)];
    fetched.is_cached = entry.tag == pc.page().value;
    if (fetched.is_cached) fetched.page = reinterpret_cast<const std::byte*>(pc.page().value + entry.addend);
  };
  lookup();
  if (fetched.is_cached) return true;
  const std::optional<FetchPage> page = guest_.fetch(core, pc);
  if (!page) return false;
  lookup();
  fetched.page = page->host;
  fetched.limit = page->limit;
  return true;
}

bool EngineBase::locate(CpuCore& core, CodeLocation& location) {
  const Vaddr pc{core.pc};
  Fetched fetched;
  if (!locate_page(core, pc, fetched)) return false;
  location.may_cache = fetched.is_cached;
  location.key = {fetched.page + pc.page_offset(), nullptr, guest_.block_flags(core), fetched.limit};
  return pc.page_offset() + 2 != end_of(location.key) || locate_straddling(core, location);
}

bool EngineBase::locate_straddling(CpuCore& core, CodeLocation& location) {
  std::uint16_t halfword = 0;
  std::memcpy(&halfword, location.key.host, sizeof halfword);
  if (!guest_.is_long(halfword)) return true;
  Fetched fetched;
  if (!locate_page(core, Vaddr{core.pc} + 2, fetched)) return false;
  location.key.second_page = fetched.page;
  location.may_cache = location.may_cache && fetched.is_cached;
  return true;
}

bool EngineBase::locate_fully(CpuCore& core, CodeLocation& location) {
  if (!locate(core, location)) return false;
  const Vaddr pc{core.pc};
  const std::optional<FetchPage> first = guest_.fetch(core, pc);
  if (!first) return false;
  location.paddr = first->page + pc.page_offset();
  if (location.key.second_page == nullptr) return true;
  const std::optional<FetchPage> second = guest_.fetch(core, pc + 2);
  if (!second) return false;
  location.second = second->page;
  return true;
}

void EngineBase::translate(CpuCore& core) {
  while (true) {
    CodeLocation location;
    if (!locate_fully(core, location)) return;
    Outcome outcome;
    std::uint64_t generation;
    {
      const std::lock_guard lock(mutex_);
      translating_ = &core;
      outcome = translate_locked(location);
      generation = generation_;
    }
    switch (outcome) {
      case Outcome::kDone: return translated(core);
      case Outcome::kFull: exclusive_.run(core, [&] { flush(generation); }); break;
      case Outcome::kUnsettled: exclusive_.run(core, [&] { settle(); }); break;
    }
  }
}

/// Whether the page's bytes can be read: no hart can be about to store there. A store that passed its check
/// before the page was withheld may be under way until its hart reaches a safe point.
bool EngineBase::is_settled(Paddr page) {
  if (memory_.code_pages().protect(page) && hart_count_.load(std::memory_order_relaxed) > 1)
    unsettled_.push_back(page.value);
  return std::find(unsettled_.begin(), unsettled_.end(), page.value) == unsettled_.end();
}

bool EngineBase::is_readable(Paddr page) const {
  return memory_.code_pages().has_code(page) &&
         std::find(unsettled_.begin(), unsettled_.end(), page.value) == unsettled_.end();
}

void EngineBase::settle() {
  const std::lock_guard lock(mutex_);
  unsettled_.clear();
}

EngineBase::Outcome EngineBase::translate_locked(const CodeLocation& location) {
  if (blocks_.find(location.key) != nullptr) return Outcome::kDone;  // another hart was faster
  if (!has_room()) return Outcome::kFull;
  const bool is_first_settled = is_settled(location.paddr.page());
  const bool has_second = location.key.second_page != nullptr;
  if (!(has_second ? is_settled(location.second) : true) || !is_first_settled) return Outcome::kUnsettled;
  Block& block = blocks_.make();
  block.key = location.key;
  block.paddr = location.paddr;
  for (unsigned max_insns = kMaxInsns;; max_insns /= 2) {
    CHECK(max_insns != 0);
    make_unit(location, max_insns);
    block.bytes = static_cast<std::uint16_t>(unit_.guest_bytes);
    if (generate(block, unit_)) break;
  }
  blocks_.publish(block, location.second);
  return Outcome::kDone;
}

void EngineBase::make_unit(const CodeLocation& location, unsigned max_insns) {
  const auto offset = static_cast<std::uint32_t>(location.paddr.page_offset());
  unit_.clear();
  guest_.translate({offset, location.key.flags, location.key.host - offset, location.key.second_page,
                    max_insns, end_of(location.key)},
                   unit_);
  CHECK(unit_.guest_bytes != 0);
  const bool is_logged = log_filter().has_address(location.paddr.value);
  if (is_logged && log_enabled(Log::kInAsm)) dump_guest_code(guest_, location.key, location.paddr, unit_);
  if (is_logged && log_enabled(Log::kOp)) dump_unit(Log::kOp, unit_);
  optimize(unit_);
  if (is_logged && log_enabled(Log::kOpOpt)) dump_unit(Log::kOpOpt, unit_);
}

void EngineBase::invalidate(Paddr first, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  blocks_.invalidate(first, size, [this](Block& block) { retire(block); });
}

std::string EngineBase::describe() {
  const std::lock_guard lock(mutex_);
  return format("blocks translated since the last flush: %zu\n", blocks_.size()) + describe_code() +
         format("flushes because the room was used up: %llu\n", static_cast<unsigned long long>(generation_));
}

void EngineBase::flush(std::uint64_t generation) {
  const std::lock_guard lock(mutex_);
  if (generation != generation_) return;  // another hart did
  blocks_.clear();
  reset_code();
  ++generation_;
}

}  // namespace gstage::tcg
