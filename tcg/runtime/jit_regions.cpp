// SPDX-License-Identifier: Apache-2.0
// Hot loops: found by samples, compiled as regions, entered by the entry of their first block.
#include <cstring>
#include <deque>

#include "softmmu/base/log.h"
#include "tcg/region/form.h"
#include "tcg/region/versioned_loops.h"
#include "tcg/runtime/dump.h"
#include "tcg/runtime/jit_engine.h"

namespace gstage::tcg {

using x86_64::Compiler;

namespace {

/// So many samples at one place make it worth a try; after so many more, a place that failed is tried again.
constexpr int kHotSamples = 2;
constexpr int kAgain = 200;
constexpr std::size_t kMaxPlaces = 4096;
/// Of a nop or jump at a block's entry.
constexpr std::size_t kEntryBytes = 5;

/// The code around a block as the hart's fetch table shows it.
class MappedCode final : public RegionSource {
 public:
  using IsReadable = std::function<bool(Paddr)>;

  MappedCode(Guest& guest, CpuCore& core, std::uint32_t flags, const JumpProfile& jumps,
             IsReadable is_readable)
      : guest_(guest), core_(core), flags_(flags), jumps_(jumps), is_readable_(std::move(is_readable)) {}

  const RegionPage* page(std::int64_t delta) override {
    for (const RegionPage& page : pages_)
      if (page.delta == delta) return page.host == nullptr ? nullptr : &page;
    RegionPage& page = pages_.emplace_back();
    page.delta = delta;
    const Vaddr vaddr = Vaddr{core_.pc}.page() + static_cast<std::uint64_t>(delta);
    if (core_.fetch[tlb_index(vaddr.value, core_.fetch_mask)].tag != vaddr.value) return nullptr;
    const std::optional<FetchPage> fetched = guest_.fetch(core_, vaddr);
    if (!fetched || !is_readable_(fetched->page)) return nullptr;
    page.host = fetched->host;
    page.paddr = fetched->page;
    return &page;
  }

  bool is_whole(const RegionPage& page, std::uint32_t page_offset) override {
    if (page_offset != kPageSize - 2) return true;
    std::uint16_t halfword = 0;
    std::memcpy(&halfword, page.host + page_offset, sizeof halfword);
    return !guest_.is_long(halfword);
  }

  void translate(const RegionPage& page, std::uint32_t page_offset, Unit& unit) override {
    constexpr unsigned kMaxInsns = 64;
    guest_.translate({page_offset, flags_, page.host, nullptr, kMaxInsns}, unit);
  }

  std::span<const JumpTarget> targets(const RegionPage& page, std::uint32_t page_offset) override {
    return jumps_.targets(page.host + page_offset);
  }

 private:
  Guest& guest_;
  CpuCore& core_;
  const std::uint32_t flags_;
  const JumpProfile& jumps_;
  const IsReadable is_readable_;
  std::deque<RegionPage> pages_;  ///< asked for so far; where a page stays put
};

}  // namespace

void JitEngine::sample(CpuCore& core) {
  if (note_sample(core)) watch(core);
}

/// Whether the hart should be watched: nothing is known of its loop yet.
bool JitEngine::note_sample(CpuCore& core) {
  const std::lock_guard lock(mutex());
  Block* const block = known_block(core);
  if (block == nullptr) return false;
  if (Block* const region = region_of(*block); region != nullptr) {
    if (learn_from(*region)) promote(core, *block);
    return false;
  }
  if (samples_.size() >= kMaxPlaces) samples_.clear();
  int& samples = samples_[block->key.host];
  if (++samples < kHotSamples) return false;
  const Promotion promotion = promote(core, *block);
  if (promotion == Promotion::kUnknown) return true;
  samples = promotion == Promotion::kDone ? 0 : -kAgain;
  return false;
}

/// Drops the region if some of its accesses are to be treated otherwise. Returns whether it did.
bool JitEngine::learn_from(Block& region) {
  RegionCode& code = *region.region;
  bool has_learnt = false;
  for (unsigned i = 0; i < kMaxInlineCaches; ++i) {
    if (code.report.is_given_up[i].load(std::memory_order_relaxed) == 0) continue;
    if (scattered_.size() >= kMaxPlaces) scattered_.clear();
    scattered_.insert(host_of(code.pages, code.report.insns[i]));
    has_learnt = true;
  }
  if (!has_learnt) return false;
  blocks().forget(region);
  retire(region);
  return true;
}

void JitEngine::translated(CpuCore& core) {
  if (regions_ != Regions::kEager) return;
  Promotion promotion = Promotion::kNone;
  {
    const std::lock_guard lock(mutex());
    Block* const block = known_block(core);
    if (block != nullptr && region_of(*block) == nullptr) promotion = promote(core, *block);
  }
  if (promotion == Promotion::kUnknown) watch(core);
}

Block* JitEngine::known_block(CpuCore& core) {
  const std::uint64_t page = core.pc & ~kPageMask;
  const TlbEntry& entry = core.fetch[tlb_index(page, core.fetch_mask)];
  if (entry.tag != page) return nullptr;
  const auto* const host = reinterpret_cast<const std::byte*>(core.pc + entry.addend);
  return blocks().find({host, nullptr, guest_.block_flags(core)});
}

/// Compiles the loop that begins with the block at core.pc. Under the lock. kUnknown: the hart is to be
/// watched once before.
JitEngine::Promotion JitEngine::promote(CpuCore& core, Block& header) {
  if (!has_room() || log_enabled(Log::kNoChain)) return Promotion::kNone;
  MappedCode code(guest_, core, header.key.flags, jumps_, [this](Paddr page) { return is_readable(page); });
  const bool is_loop = form_region(code, static_cast<std::uint32_t>(header.paddr.page_offset()), region_);
  core.trap_pending = 0;  // a page that could not be fetched after all is left out
  if (watched_.size() >= kMaxPlaces) watched_.clear();
  const bool is_worth_watching = region_.has_unknown_jumps || (is_loop && regions_ != Regions::kEager);
  if (is_worth_watching && watched_.insert(header.key.host).second) return Promotion::kUnknown;
  if (!is_loop) return Promotion::kNone;
  join_nodes(region_);
  lay_out(region_);
  note_scattered();
  version_loops(region_, [this](std::int64_t offset) {
    constexpr std::uint32_t kMany = 1000;
    return regions_ == Regions::kEager ? kMany : jumps_.rounds_at(host_of(region_.pages, offset));
  });
  translating_ = &core;
  return compile_region(header) ? Promotion::kDone : Promotion::kNone;
}

void JitEngine::note_scattered() {
  if (scattered_.empty()) return;
  for (const RegionNode& node : region_.nodes)
    for (const Inst& inst : node.unit.insts)
      if (inst.op == Op::insn && scattered_.contains(host_of(region_.pages, inst.imm)))
        region_.scattered.push_back(inst.imm);
}

Block* JitEngine::region_of(const Block& block) const {
  const auto found = regions_at_.find(block.key.host);
  if (found == regions_at_.end()) return nullptr;
  Block& region = *found->second;
  const bool is_alive = !region.is_dead.load(std::memory_order_relaxed);
  return is_alive && region.key.flags == (block.key.flags | kRegionFlag) ? &region : nullptr;
}

/// Collects the entries of the region under way, one for each of its loops, and the blocks that are to lead
/// there.
std::vector<x86_64::RegionEntry> JitEngine::find_entries(std::uint32_t flags, std::vector<Block*>& headers) {
  std::vector<x86_64::RegionEntry> entries;
  for (std::uint32_t i = 0; i < region_.nodes.size(); ++i) {
    const RegionNode& node = region_.nodes[i];
    // Offsets count from the region's page; but a block of another page is entered with its own page as the
    // current one.
    if (!node.is_entry || node.offset < 0 || node.offset >= std::int64_t{kPageSize}) continue;
    Block* const block = blocks().find({host_of(region_.pages, node.offset), nullptr, flags});
    if (block == nullptr || region_of(*block) != nullptr) continue;
    headers.push_back(block);
    entries.push_back({i, block->entry + kEntryBytes});
  }
  return entries;
}

bool JitEngine::compile_region(Block& header) {
  if (log_enabled(Log::kOpOpt) && log_filter().has_address(header.paddr.value))
    dump_region(region_, header.paddr);
  auto code = std::make_unique<RegionCode>();
  auto entries = find_entries(header.key.flags, code->headers);
  Block& block = blocks().make();
  block.key = {header.key.host, nullptr, header.key.flags | kRegionFlag};
  block.paddr = header.paddr;
  linking_ = &header;
  const x86_64::CompileRequest request{inline_.next, out_of_line_.next,      &block, this, false,
                                       false,        memory_.has_one_agent()};
  x86_64::CompiledBlock compiled{};
  if (!compiler_.compile_region(region_, request, entries, code->report, compiled)) return false;
  take(block, request, compiled);
  code->pages = region_.pages;
  block.region = std::move(code);
  blocks().publish(block, Paddr{});
  for (std::size_t i = 0; i < entries.size(); ++i)
    buffer_->patch_jump(block.region->headers[i]->entry, entries[i].entry);
  for (const RegionNode& node : region_.nodes)
    if (node.call == 0) regions_at_[host_of(region_.pages, node.offset)] = &block;
  return true;
}

}  // namespace gstage::tcg
