// SPDX-License-Identifier: Apache-2.0
// Regions: the way in and out, and from node to node. While a region runs, the global registers are
// its own choice; whatever else runs, C++ included, finds the common choice.
#include <algorithm>
#include <array>
#include <cstddef>

#include "softmmu/base/check.h"
#include "tcg/x86_64/compiler.h"

namespace gstage::tcg::x86_64 {

using namespace Xbyak::util;  // NOLINT: register names

bool Compiler::compile_region(const Region& region, const CompileRequest& request,
                              std::span<RegionEntry> entries, RegionReport& report, CompiledBlock& block) {
  region_ = &region;
  report_ = &report;
  request_ = &request;
  out_of_line_.clear();
  links_.clear();
  exits_.clear();
  forwards_.clear();
  tables_.clear();
  starts_.assign(region.nodes.size(), 0);
  global_registers_ = choose_global_registers(region, regs_.common_global_registers(), features_.fma);
  regs_.set_global_registers(global_registers_.hosts);
  count_inline_caches(region);
  out_of_line_next_ = request.out_of_line_at;
  emit_switches();
  begin_block(request);
  bool is_done = true;
  for (node_ = 0; is_done && node_ < region.nodes.size(); ++node_) {
    starts_[node_] = a_.here();
    boxed_ = global_registers_.boxed;
    is_done = region.nodes[node_].is_check ? emit_loop_check() : emit_unit(region.nodes[node_].unit);
  }
  is_done = is_done && has_room_for_ways(entries.size());
  if (is_done) {
    for (const Forward& jump : forwards_)
      a_.rewrite(jump.from.end - 4, starts_[jump.node] - jump.from.end, 4);
    emit_exits();
    for (RegionEntry& entry : entries) enter_region(entry);
    block.end = a_.here();
    is_done = emit_out_of_line() && has_room_for_stubs();
  }
  if (is_done) {
    finish_block(request, block);
    emit_jump_tables(block);
  }
  region_ = nullptr;
  report_ = nullptr;
  regs_.set_global_registers(regs_.common_global_registers());
  CHECK(!Assembler::take_error());
  return is_done;
}

/// Ways in and out follow the nodes; link stubs and tables follow the out-of-line code. How much room they
/// take depends on their numbers alone.
bool Compiler::has_room_for_ways(std::size_t entries) const {
  constexpr std::size_t kExitBytes = 32;
  constexpr std::size_t kEntryBytes = 32;
  return a_.here() + kExitBytes * exits_.size() + kEntryBytes * entries < request_->at + kMaxInlineBytes;
}

bool Compiler::has_room_for_stubs() const {
  constexpr std::size_t kStubBytes = 16;
  return a_.here() + kStubBytes * (links_.size() + 1) + jump_table_bytes() <
         request_->out_of_line_at + kMaxOutOfLineBytes;
}

// Global registers.

void Compiler::emit_switches() {
  a_.go_to(out_of_line_next_);
  own_switch_ = a_.here();
  to_own_registers();
  a_.ret();
  common_switch_ = a_.here();
  to_common_registers();
  a_.ret();
  emit_guards();
  emit_way_in();
  out_of_line_next_ = a_.here();
}

void Compiler::to_own_registers() {
  const auto in_memory = [&](unsigned x) { return a_.core(layout_.x_offset + 8u * x); };
  for (const RegionGlobalRegisters::Swap& swap : global_registers_.swaps) {
    a_.mov(in_memory(swap.common), gpr(swap.host));
    a_.mov(gpr(swap.host), in_memory(swap.own));
  }
  for (const RegionGlobalRegisters::Float& own : global_registers_.floats)
    a_.movsd(xmm(own.host), a_.core(layout_.f_offset + 8u * own.f));
}

void Compiler::to_common_registers() {
  const auto in_memory = [&](unsigned x) { return a_.core(layout_.x_offset + 8u * x); };
  for (const RegionGlobalRegisters::Swap& swap : global_registers_.swaps) {
    if (swap.is_written) a_.mov(in_memory(swap.own), gpr(swap.host));
    a_.mov(gpr(swap.host), in_memory(swap.common));
  }
  for (const RegionGlobalRegisters::Float& own : global_registers_.floats)
    if (own.is_written) a_.movsd(a_.core(layout_.f_offset + 8u * own.f), xmm(own.host));
}

void Compiler::leave_region() {
  if (region_ != nullptr) a_.call(static_cast<const void*>(a_.at(common_switch_)));
}

// The way in.

/// Code that the entry of a block leads to.
void Compiler::enter_region(RegionEntry& entry) {
  entry.entry = a_.here();
  if (guards_ != 0) {
    a_.call(static_cast<const void*>(a_.at(guards_)));
    const Jump jump = a_.jump_on(Cc::ne);
    a_.rewrite(jump.end - 4, entry.fallback - jump.end, 4);
  }
  a_.call(static_cast<const void*>(a_.at(way_in_)));
  a_.jump_back(starts_[entry.node]);
}

void Compiler::emit_guards() {
  guards_ = 0;
  if (region_->pages.size() <= 1 && global_registers_.boxed == 0) return;
  guards_ = a_.here();
  for (std::size_t i = 1; i < region_->pages.size(); ++i) guard_page(region_->pages[i]);
  for (unsigned f = 0; f < 32; ++f) {
    if ((global_registers_.boxed >> f & 1) == 0) continue;
    a_.cmp(a_.core32(layout_.f_offset + 8u * f + 4), 0xffffffff);
    return_on_not_equal();
  }
  a_.cmp(eax, eax);
  a_.ret();
}

void Compiler::return_on_not_equal() {
  const auto is_equal = a_.short_on(Cc::e);
  a_.ret();
  a_.bind(is_equal);
}

/// The virtual page at that distance must still be the physical page that the region was made from. It stays
/// so until the hart leaves the region.
void Compiler::guard_page(const RegionPage& page) {
  load_pc(page.delta);
  a_.find_slot(rcx, rax, rdx, offsetof(CpuCore, fetch_mask));
  a_.add(rcx, a_.core(offsetof(CpuCore, fetch)));
  a_.cmp(rax, qword[rcx + offsetof(TlbEntry, tag)]);
  return_on_not_equal();
  a_.add(rax, qword[rcx + offsetof(TlbEntry, addend)]);
  a_.load_constant(rdx, reinterpret_cast<std::uintptr_t>(page.host));
  a_.cmp(rax, rdx);
  return_on_not_equal();
}

void Compiler::emit_way_in() {
  forget_inline_caches_ = a_.here();
  clear_inline_caches();
  a_.ret();
  way_in_ = a_.here();
  clear_inline_caches();
  inline_caches_ = loop_inline_caches();
  to_own_registers();
  a_.ret();
}

/// In a routine. Keeps all registers.
void Compiler::clear_inline_caches() {
  constexpr int kReturnAddress = 8;
  for (unsigned i = 0; i < inline_caches_; ++i) {
    const std::size_t cache = kReturnAddress + offsetof(Frame, inline_caches) + i * sizeof(InlineCache);
    a_.mov(qword[rsp + (cache + offsetof(InlineCache, size))], 0);
    a_.mov(qword[rsp + (cache + offsetof(InlineCache, misses))], 0);
  }
}

// Inline translation caches.

/// The deepest loops get the inline caches that there are.
void Compiler::count_inline_caches(const Region& region) {
  constexpr unsigned kDeepest = 9;
  std::array<unsigned, kDeepest + 1> wanted{};
  for (const RegionNode& node : region.nodes) {
    groups_.find(node.unit, node.pointers);
    unsigned& count = wanted[std::min(node.depth, kDeepest)];
    std::int64_t insn = 0;
    for (std::uint32_t i = 0; i < node.unit.insts.size(); ++i) {
      const Op op = node.unit.insts[i].op;
      if (op == Op::insn) insn = node.unit.insts[i].imm;
      if ((op != Op::load && op != Op::store) || is_scattered(insn)) continue;
      if (!node.pointers.empty() && node.pointers[i] != kNoPointer) continue;
      const std::uint16_t group = groups_.group_of(i);
      count += group == AccessGroups::kNone || groups_.groups()[group].first == i;
    }
  }
  inline_caches_ = loop_inline_caches();
  inline_cache_depth_ = kDeepest + 1;
  while (inline_cache_depth_ > 0 &&
         (inline_caches_ == loop_inline_caches() ||
          inline_caches_ + wanted[inline_cache_depth_ - 1] <= Frame::kInlineCaches))
    inline_caches_ += wanted[--inline_cache_depth_];
  inline_caches_ = std::min(inline_caches_, Frame::kInlineCaches);
}

std::uint8_t Compiler::next_inline_cache() {
  if (region_ == nullptr || inline_caches_ == Frame::kInlineCaches ||
      region_->nodes[node_].depth < inline_cache_depth_ ||
      is_scattered(static_cast<std::int32_t>(insn_offset_)))
    return kNoInlineCache;
  report_->insns[inline_caches_] = static_cast<std::int32_t>(insn_offset_);
  return static_cast<std::uint8_t>(inline_caches_++);
}

bool Compiler::is_scattered(std::int64_t insn) const {
  const std::vector<std::int64_t>& scattered = region_->scattered;
  return std::find(scattered.begin(), scattered.end(), insn) != scattered.end();
}

// From node to node, and out.

void Compiler::go_to(std::int64_t offset, std::uint32_t node) {
  if (node == kNoNode)
    exits_.push_back({a_.jump(), offset});
  else if (node <= node_)
    a_.jump_back(starts_[node]);
  else if (node != node_ + 1)
    forwards_.push_back({a_.jump(), node});
}

void Compiler::go_to_on(Cc cc, std::int64_t offset, std::uint32_t node) {
  const Jump jump = a_.jump_on(cc);
  if (node == kNoNode)
    exits_.push_back({jump, offset});
  else if (node <= node_)
    a_.rewrite(jump.end - 4, starts_[node] - jump.end, 4);
  else
    forwards_.push_back({jump, node});
}

void Compiler::emit_exits() {
  for (std::size_t i = 0; i < exits_.size(); ++i) {
    const std::int64_t offset = exits_[i].offset;
    bool is_first = true;
    for (std::size_t k = 0; k < i && is_first; ++k) is_first = exits_[k].offset != offset;
    if (!is_first) continue;
    for (std::size_t k = i; k < exits_.size(); ++k)
      if (exits_[k].offset == offset) a_.bind(exits_[k].from);
    if (!is_linkable(offset)) {
      exit_by_dispatch(offset);
      continue;
    }
    leave_region();
    link_jump(offset);
  }
}

void Compiler::region_jump(const Inst& inst) {
  const std::uint32_t node = region_->nodes[node_].successor(inst.imm);
  if (region_->nodes[node_].is_unchecked) return unchecked_jump(inst.imm, node);
  if (is_way_back(node)) leave_on_attention(inst.imm);
  go_to(inst.imm, node);
}

void Compiler::region_branch(const Inst& inst) {
  const RegionNode& node = region_->nodes[node_];
  const std::uint32_t taken = node.successor(inst.imm);
  const std::uint32_t other = node.successor(inst.imm2);
  const Cc cc = node.is_unchecked ? unchecked_compare(inst, taken, other)
                                  : compare_branch(inst, is_way_back(taken) || is_way_back(other));
  if (taken == node_ + 1) {
    go_to_on(negate(cc), inst.imm2, other);
    go_to(inst.imm, taken);
  } else {
    go_to_on(cc, inst.imm, taken);
    go_to(inst.imm2, other);
  }
}

}  // namespace gstage::tcg::x86_64
