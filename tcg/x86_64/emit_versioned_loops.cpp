// SPDX-License-Identifier: Apache-2.0
// Versioned loops: the check before rounds of a loop, and the body that needs no checks.
#include <algorithm>
#include <bit>
#include <cstddef>

#include "tcg/x86_64/compiler.h"

namespace gstage::tcg::x86_64 {

using namespace Xbyak::util;  // NOLINT: register names

namespace {

/// After so many rounds, the loop check tests for attention again.
constexpr std::uint32_t kMaxRounds = 1024;
/// So many rounds show that the inline caches are worth their checks.
constexpr std::uint32_t kGoodRounds = 4;
constexpr std::uint32_t kMostFailures = 1024;
constexpr std::uint32_t kWidenEvery = 8;  // a power of two

}  // namespace

unsigned Compiler::loop_inline_caches() const {
  std::size_t count = 0;
  for (const VersionedLoop& loop : region_->versioned_loops) count += loop.pointers.size();
  return static_cast<unsigned>(count);
}

const LoopPointer* Compiler::loop_pointer() const {
  if (region_ == nullptr) return nullptr;
  const RegionNode& node = region_->nodes[node_];
  if (node.pointers.empty() || node.pointers[regs_.now()] == kNoPointer) return nullptr;
  return &region_->versioned_loops[node.versioned_loop].pointers[node.pointers[regs_.now()]];
}

// The check.

/// Sets Frame::rounds_left to the rounds, the first one aside, for which all pointers stay in the ranges of
/// their inline caches.
bool Compiler::emit_loop_check() {
  const RegionNode& node = region_->nodes[node_];
  insn_offset_ = static_cast<std::uint32_t>(node.offset);
  OutOfLine leave = out_of_line(&Compiler::exit_out_of_line);
  leave.imm = node.offset;
  leave.entries[0] = jump_on_attention();
  resume(leave);
  a_.mov(esi, kMaxRounds - 1);
  for (const LoopPointer& pointer : region_->versioned_loops[node.versioned_loop].pointers)
    check_pointer(pointer);
  a_.mov(a_.frame(offsetof(Frame, rounds_left)), rsi);
  a_.cmp(esi, kGoodRounds);
  const auto are_few = a_.short_on(Cc::b);
  for (const LoopPointer& pointer : region_->versioned_loops[node.versioned_loop].pointers)
    a_.mov(inline_cache(pointer.inline_cache, offsetof(InlineCache, misses)), 0);
  a_.bind(are_few);
  go_to(node.offset, node.edges[0].node);
  return true;
}

/// Puts the address of the first byte that the round may touch into rax.
void Compiler::load_pointer(const LoopPointer& pointer) {
  const std::uint8_t host = regs_.global_host(pointer.x);
  if (host == kNoReg)
    a_.mov(rax, a_.core(layout_.x_offset + 8u * pointer.x));
  else
    a_.mov(rax, gpr(host));
  if (pointer.low != 0) a_.add(rax, static_cast<std::uint32_t>(pointer.low));
}

/// Limits the rounds in rsi. Fails if the first one would already leave the inline cache's range.
void Compiler::check_pointer(const LoopPointer& pointer) {
  OutOfLine fail = out_of_line(&Compiler::loop_check_out_of_line);
  fail.pointer = &pointer;
  fail.inline_cache = pointer.inline_cache;
  fail.nodes[0] = region_->nodes[node_].edges[1].node;
  fail.found = a_.here();
  report_->insns[pointer.inline_cache] = pointer.insn;
  load_pointer(pointer);
  a_.sub(rax, inline_cache(pointer.inline_cache, offsetof(InlineCache, start)));
  a_.mov(rcx, inline_cache(pointer.inline_cache, offsetof(InlineCache, size)));
  // The size counts the addresses at which an access of kPointerSpan bytes may begin. Take off what a round
  // reaches beyond that, and one more: so an empty inline cache fails.
  const std::int64_t reach = std::max<std::int64_t>(pointer.high - pointer.low, kPointerSpan);
  a_.sub(rcx, static_cast<std::uint32_t>(reach - kPointerSpan + 1));
  fail.entries[0] = a_.jump_on(Cc::b);
  a_.sub(rcx, rax);
  fail.entries[1] = a_.jump_on(Cc::b);
  limit_rounds(rcx, pointer.up);
  limit_rounds(rax, pointer.down);
  resume(fail);
}

void Compiler::limit_rounds(const Reg& bytes, std::int64_t step) {
  if (step == 0) return;
  const int shift = std::bit_width(static_cast<std::uint64_t>(step - 1));
  if (shift != 0) a_.shr(bytes, shift);
  a_.cmp(bytes, rsi);
  a_.cmovb(rsi, bytes);
}

/// Fills the inline cache with the pointer's page and checks again. If that does not help, the body with
/// checks goes round once; if it never helps, the pointer is given up.
void Compiler::loop_check_out_of_line(const OutOfLine& path) {
  for (const Jump& entry : path.entries) a_.bind(entry);
  a_.inc(inline_cache(path, offsetof(InlineCache, misses)));
  a_.cmp(inline_cache(path, offsetof(InlineCache, misses)), kMostFailures);
  const auto is_good = a_.short_on(Cc::b);
  a_.load_constant(rax, reinterpret_cast<std::uintptr_t>(&report_->is_given_up[path.inline_cache]));
  a_.mov(byte[rax], 1);
  a_.bind(is_good);
  load_pointer(*path.pointer);
  a_.mov(rcx, rax);
  a_.and_(rcx, -4096);
  a_.mov(rdx, rcx);
  a_.sub(rdx, inline_cache(path, offsetof(InlineCache, start)));
  a_.cmp(rdx, inline_cache(path, offsetof(InlineCache, size)));
  const auto is_there = a_.short_on(Cc::b);
  const std::size_t table = path.pointer->is_store ? offsetof(CpuCore, write) : offsetof(CpuCore, read);
  a_.find_slot(rax, rax, rdx, offsetof(CpuCore, data_mask));
  a_.add(rax, a_.core(table));
  a_.cmp(rcx, qword[rax + offsetof(TlbEntry, tag)]);
  const auto is_absent = a_.short_on(Cc::ne);
  a_.mov(rax, qword[rax + offsetof(TlbEntry, addend)]);
  a_.mov(inline_cache(path, offsetof(InlineCache, start)), rcx);
  a_.mov(inline_cache(path, offsetof(InlineCache, addend)), rax);
  a_.mov(inline_cache(path, offsetof(InlineCache, size)), std::uint32_t{kPageSize} - kPointerSpan + 1);
  // The first time, and then now and again, the cache takes in the pages around it.
  a_.mov(rax, inline_cache(path, offsetof(InlineCache, misses)));
  a_.and_(eax, kWidenEvery - 1);
  a_.cmp(eax, 1);
  const Jump is_left = a_.jump_on(Cc::ne);
  a_.rewrite(is_left.end - 4, path.found - is_left.end, 4);
  a_.lea(rax, inline_cache(path, 0));
  a_.push(rax);
  a_.push(a_.core(table));
  a_.call(static_cast<const void*>(a_.at(thunks_.widen())));
  a_.jump_back(path.found);
  a_.bind(is_there);
  a_.bind(is_absent);
  a_.jump_back(starts_[path.nodes[0]]);
}

// The body that does not check.

bool Compiler::is_round(std::uint32_t to) const { return is_way_back(to) && region_->nodes[to].is_unchecked; }

Compiler::Jump Compiler::count_round() {
  a_.sub(a_.frame(offsetof(Frame, rounds_left)), 1);
  return a_.jump_on(Cc::b);
}

void Compiler::unchecked_jump(std::int64_t offset, std::uint32_t node) {
  if (is_round(node)) {
    a_.sub(a_.frame(offsetof(Frame, rounds_left)), 1);
    go_to_on(Cc::b, offset, region_->nodes[node].check);
  }
  go_to(offset, node);
}

/// As compare_branch.
Cc Compiler::unchecked_compare(const Inst& inst, std::uint32_t taken, std::uint32_t other) {
  OutOfLine over = out_of_line(&Compiler::rounds_over_out_of_line);
  const Cc cc = prepare_compare(inst.args[0], inst.args[1], static_cast<Cond>(inst.aux), over.sources);
  if (is_round(taken) || is_round(other)) {
    over.cc = cc;
    over.imm = inst.imm;
    over.imm2 = inst.imm2;
    over.nodes[0] = taken;
    over.nodes[1] = other;
    over.is_round[0] = is_round(taken);
    over.is_round[1] = is_round(other);
    over.entries[0] = count_round();
    resume(over);
  }
  compare_sources(over.sources[0], over.sources[1]);
  return cc;
}

void Compiler::rounds_over_out_of_line(const OutOfLine& path) {
  a_.bind(path.entries[0]);
  // The branch may stay in the body: then the next way back is the last one.
  a_.mov(a_.frame(offsetof(Frame, rounds_left)), 0);
  compare_sources(path.sources[0], path.sources[1]);
  const Jump taken = a_.jump_on(path.cc);
  go_on_after_rounds(path.imm2, path.nodes[1], path.is_round[1]);
  a_.bind(taken);
  go_on_after_rounds(path.imm, path.nodes[0], path.is_round[0]);
}

void Compiler::go_on_after_rounds(std::int64_t offset, std::uint32_t node, bool is_over) {
  if (node == kNoNode) return exit_by_dispatch(offset);
  a_.jump_back(starts_[is_over ? region_->nodes[node].check : node]);
}

}  // namespace gstage::tcg::x86_64
