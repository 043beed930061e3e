// SPDX-License-Identifier: Apache-2.0
#include "tcg/runtime/jit_engine.h"

#include "softmmu/base/check.h"
#include "softmmu/base/format.h"
#include "softmmu/base/log.h"
#include "tcg/runtime/dump.h"
#include "tcg/runtime/host_disas.h"

namespace gstage::tcg {

using x86_64::Compiler;
using x86_64::Thunks;

namespace {

constexpr std::size_t kInlineShare = 45;  // percent of the buffer
constexpr std::size_t kSingleBytes = Compiler::kMaxInlineBytes + Compiler::kMaxOutOfLineBytes;

JitEngine& jit_of(const RunContext& context) { return *static_cast<JitEngine*>(context.engine); }

}  // namespace

JitEngine::JitEngine(Guest& guest, AddressSpace& memory, Exclusive& exclusive,
                     std::unique_ptr<CodeBuffer> buffer, x86_64::HostFeatures features, Regions regions)
    : EngineBase(guest, memory, exclusive),
      buffer_(std::move(buffer)),
      thunks_(*buffer_, guest, {on_next, on_trap, on_link}),
      compiler_(*buffer_, thunks_, layout_, features),
      inline_(make_area(Thunks::kBytes, buffer_->size() * kInlineShare / 100)),
      out_of_line_(make_area(inline_.end, buffer_->size() - kSingleBytes)),
      single_at_(out_of_line_.end),
      regions_(regions) {
  if (log_enabled(Log::kOutAsm)) load_host_disassembler();
  if (regions_ == Regions::kOn) sampler_ = std::make_unique<Sampler>([this] { return ask_for_samples(); });
}

JitEngine::~JitEngine() = default;

void JitEngine::execute(CpuCore& core) {
  const void* const code = find_next(core);
  if (code == nullptr) return;
  RunContext context{&core, this, false};
  thunks_.enter(context, code);
}

void JitEngine::run_block(CpuCore& core, Tlb& tlb, unsigned max_insns) {
  const std::lock_guard single(single_mutex_);
  core.tlb = &tlb;
  Block block;
  CodeLocation location;
  if (!locate_fully(core, location)) return;
  {
    const std::lock_guard lock(mutex());
    block.key = location.key;
    bool is_done = false;
    for (unsigned limit = max_insns; !is_done; limit /= 2) {
      CHECK(limit != 0);
      make_unit(location, limit);
      is_done = compile(block, unit_,
                        {single_at_, single_at_ + Compiler::kMaxInlineBytes, &block, nullptr, true,
                         location.key.second_page != nullptr, memory_.has_one_agent()});
    }
  }
  exclusive_.enter_guest(core);
  core.pc_page = core.pc & ~kPageMask;
  RunContext context{&core, this, true};
  thunks_.enter(context, block.code);
  exclusive_.leave_guest(core);
}

const void* JitEngine::next_code(CpuCore& core) {
  const void* const code = find_next(core);
  return code != nullptr ? code : thunks_.leave();
}

const void* JitEngine::on_next(RunContext* context) { return jit_of(*context).next_code(*context->core); }

const void* JitEngine::on_trap(RunContext* context) {
  JitEngine& engine = jit_of(*context);
  if (context->is_single) return engine.thunks_.leave();
  engine.guest_.deliver_trap(*context->core);
  return engine.next_code(*context->core);
}

const void* JitEngine::on_link(RunContext* context, const LinkSite* site) {
  JitEngine& engine = jit_of(*context);
  CpuCore& core = *context->core;
  core.pc = core.pc_page + site->target;
  if (const Block* const target = engine.link(core, *site); target != nullptr) return target->code;
  return engine.next_code(core);
}

Block* JitEngine::link(CpuCore&, const LinkSite& site) {
  const std::uint8_t* const entry = reinterpret_cast<const std::uint8_t*>(&site) - site.self;
  auto& from = *static_cast<Block*>(const_cast<void*>(Compiler::owner(entry)));
  if (from.key.second_page != nullptr || from.key.limit != 0) return nullptr;
  const std::lock_guard lock(mutex());
  // The same virtual page is the same physical page: the target's bytes are found from the block's own.
  const std::byte* const page = from.key.host - from.paddr.page_offset();
  Block* const target = blocks().find({page + site.target, nullptr, from.key.flags & ~kRegionFlag});
  if (target == nullptr) return nullptr;
  const bool is_stale_entry = site.displacement == 1;
  if (is_stale_entry)
    forward(from, *target);
  else
    buffer_->patch_displacement(from.entry + site.displacement, target->entry);
  return target;
}

/// Makes a dead block's entry, and those that lead to it, jump to its successor: old links then cost one
/// jump.
void JitEngine::forward(Block& dead, Block& to) {
  if (dead.is_forwarded) return;  // by another hart; whoever follows `to` takes it along
  dead.is_forwarded = true;
  dead.next_forwarded = dead.forwarded;
  dead.forwarded = nullptr;
  Block* last = nullptr;
  for (Block* b = &dead; b != nullptr; b = b->next_forwarded) {
    buffer_->patch_displacement(b->entry + 1, to.entry);
    last = b;
  }
  last->next_forwarded = to.forwarded;
  to.forwarded = &dead;
}

bool JitEngine::has_room() {
  return inline_.next + Compiler::kMaxInlineBytes <= inline_.end &&
         out_of_line_.next + Compiler::kMaxOutOfLineBytes <= out_of_line_.end;
}

void JitEngine::advance(Area& area, std::size_t next) {
  constexpr std::size_t kReleaseStep = std::size_t{1} << 20;
  area.next = next;
  if (next < area.released + kReleaseStep) return;
  buffer_->release_writable(area.released, next);
  area.released = next;
}

bool JitEngine::compile(Block& block, const Unit& unit, const x86_64::CompileRequest& request) {
  x86_64::CompiledBlock code{};
  if (!compiler_.compile(unit, request, code)) return false;
  take(block, request, code);
  return true;
}

/// The block has this code now.
void JitEngine::take(Block& block, const x86_64::CompileRequest& request, const x86_64::CompiledBlock& code) {
  block.entry = static_cast<std::uint32_t>(code.entry);
  block.stale = static_cast<std::uint32_t>(code.stale);
  block.code = buffer_->executable_at(code.entry);
  if (!request.is_single) {
    advance(inline_, code.end);
    advance(out_of_line_, code.out_of_line_end);
  }
  if (code_log_ != nullptr && !request.is_single) log_code(block, request, code);
  if (log_enabled(Log::kOutAsm) && log_filter().has_address(block.paddr.value))
    for (const auto& [first, end] : {std::pair{code.entry, code.end}, {request.out_of_line_at, code.stale}})
      dump_host_code(buffer_->writable() + first, end - first,
                     reinterpret_cast<std::uintptr_t>(buffer_->executable_at(first)));
}

void JitEngine::log_code(const Block& block, const x86_64::CompileRequest& request,
                         const x86_64::CompiledBlock& code) {
  const std::string name = guest_.code_name(*translating_);
  const bool is_region = (block.key.flags & kRegionFlag) != 0;
  code_log_->add(name + (is_region ? " loop" : ""),
                 {buffer_->executable_at(code.entry), code.end - code.entry});
  code_log_->add(name + (is_region ? " loop, slow paths" : " slow paths"),
                 {buffer_->executable_at(request.out_of_line_at), code.stale - request.out_of_line_at});
}

bool JitEngine::generate(Block& block, const Unit& unit) {
  linking_ = &block;
  const bool may_link = block.key.limit == 0 && !log_enabled(Log::kNoChain);
  x86_64::LinkTargets* const links = may_link ? this : nullptr;
  return compile(block, unit,
                 {inline_.next, out_of_line_.next, &block, links, false, block.key.second_page != nullptr,
                  memory_.has_one_agent()});
}

std::size_t JitEngine::entry_at(std::uint32_t page_offset) {
  const std::byte* const page = linking_->key.host - linking_->paddr.page_offset();
  const Block* const block = blocks().find({page + page_offset, nullptr, linking_->key.flags});
  return block == nullptr ? 0 : block->entry;
}

void JitEngine::retire(Block& block) {
  if (block.region == nullptr) return buffer_->patch_jump(block.entry, block.stale);
  for (const Block* header : block.region->headers)
    if (!header->is_dead.load(std::memory_order_relaxed)) buffer_->patch_nop(header->entry);
}

std::string JitEngine::describe_code() const {
  std::unordered_set<const Block*> regions;
  for (const auto& [code, block] : regions_at_) regions.insert(block);
  const auto used = [](const Area& area) {
    return format("%zu KiB of %zu KiB", (area.next - area.first) >> 10, (area.end - area.first) >> 10);
  };
  return format("regions: %zu\ncode: %s; out of line: %s\n", regions.size(), used(inline_).c_str(),
                used(out_of_line_).c_str());
}

void JitEngine::reset_code() {
  samples_.clear();
  regions_at_.clear();
  scattered_.clear();
  watched_.clear();
  jumps_.clear();
  for (Area* const area : {&inline_, &out_of_line_}) area->next = area->released = area->first;
}

}  // namespace gstage::tcg
