// SPDX-License-Identifier: Apache-2.0
// Calls of helpers and the ends of blocks.
#include <cstddef>

#include "softmmu/base/check.h"
#include "tcg/x86_64/compiler.h"

namespace gstage::tcg::x86_64 {

using namespace Xbyak::util;  // NOLINT: register names

void Compiler::insn(const Inst& inst) {
  insn_offset_ = static_cast<std::uint32_t>(inst.imm);
  insn_raw_ = inst.imm2;
}

// Calls.

void Compiler::move_arguments(const Inst& inst) {
  constexpr unsigned kTo[] = {kRsi, kRdx, kRcx, kRax};
  const unsigned count = inst.argument_count;
  Source from[4];
  for (unsigned n = 0; n < count; ++n) from[n] = regs_.location(inst.args[n]);
  // First those that come from a scratch register: each once nobody else wants what it overwrites.
  unsigned pending = 0;
  for (unsigned n = 0; n < count; ++n)
    if (from[n].is_reg() && (kScratchGprs & reg_bit(from[n].reg)) != 0 && !from[n].is_reg(kTo[n]))
      pending |= 1u << n;
  const auto is_wanted = [&](unsigned n) {  // by another move, or as an argument in place
    for (unsigned m = 0; m < count; ++m)
      if (m != n && (pending >> m & 1) != 0 && from[m].is_reg(kTo[n])) return true;
    return false;
  };
  while (pending != 0) {
    unsigned n = 0;
    while (n < count && ((pending >> n & 1) == 0 || is_wanted(n))) ++n;
    if (n < count) {
      a_.mov(gpr(kTo[n]), gpr(from[n].reg));
      pending &= ~(1u << n);
      continue;
    }
    // A cycle: exchange one pair, and what pointed at either follows.
    for (n = 0; (pending >> n & 1) == 0;) ++n;
    const unsigned old = from[n].reg;
    a_.xchg(gpr(kTo[n]), gpr(old));
    for (unsigned m = 0; m < count; ++m) {
      if ((pending >> m & 1) == 0) continue;
      if (from[m].reg == kTo[n])
        from[m].reg = static_cast<std::uint8_t>(old);
      else if (from[m].reg == old)
        from[m].reg = static_cast<std::uint8_t>(kTo[n]);
      if (from[m].reg == kTo[m]) pending &= ~(1u << m);
    }
  }
  for (unsigned n = 0; n < count; ++n) {
    if (from[n].is_reg() && (kScratchGprs & reg_bit(from[n].reg)) != 0) continue;
    regs_.is_const(inst.args[n])
        ? a_.load_constant(gpr(kTo[n]), static_cast<std::uint64_t>(regs_.const_of(inst.args[n])))
        : move(gpr(kTo[n]), from[n]);
  }
}

void Compiler::call(const Inst& inst) {
  const Helper& helper = *inst.helper();
  CHECK(inst.argument_count == helper.arguments);
  regs_.before_call(helper.touches_registers);
  move_arguments(inst);
  call_thunk(thunks_.helper(helper), insn_offset_);
  regs_.after_call(helper.touches_registers);
  // A helper may change the regime of data: by a write of sstatus that ends no block.
  if (region_ != nullptr) a_.call(static_cast<const void*>(a_.at(forget_inline_caches_)));
  if (helper.touches_registers) boxed_ = 0;
  if (!helper.has_result) a_.xor_(eax, eax);
  regs_.take(kRax);
  move(regs_.def_or(rax), {Source::Kind::reg, kRax, 0});
}

void Compiler::trap_if_zero(const Inst& inst) {
  const Source v = regs_.source(inst.args[0]);
  if (v.is_imm() && v.number != 0) return;
  OutOfLine trap = out_of_line(&Compiler::trap_out_of_line);
  trap.thunk = thunks_.helper(*inst.helper());
  trap.imm = insn_raw_;
  if (v.is_memory())
    a_.cmp(v.memory(qword), 0);
  else if (v.is_reg())
    a_.test(gpr(v.reg), gpr(v.reg));
  trap.entries[0] = v.is_imm() ? a_.jump() : a_.jump_on(Cc::e);
  resume(trap);
}

void Compiler::trap_out_of_line(const OutOfLine& path) {
  a_.bind(path.entries[0]);
  a_.mov(esi, static_cast<std::uint32_t>(path.imm));
  call_thunk(path.thunk, path.page_offset);
  a_.ud2();  // it traps
}

// Ends.

bool Compiler::is_linkable(std::int64_t offset) const {
  // Code in the last two bytes of the page may straddle, which is for the dispatcher to see.
  return request_->links != nullptr && !request_->has_second_page && offset >= 0 &&
         offset < static_cast<std::int64_t>(kPageSize) - 2;
}

bool Compiler::is_back_edge(std::int64_t offset) const {
  // Any cycle of direct jumps has one that does not go forward.
  return is_linkable(offset) && offset <= static_cast<std::int64_t>(unit_->first_offset);
}

void Compiler::load_pc(std::int64_t offset) {
  a_.mov(rax, a_.core(offsetof(CpuCore, pc_page)));
  if (fits_int32(offset)) {
    if (offset != 0) a_.add(rax, static_cast<std::uint32_t>(offset));
  } else {
    a_.load_constant(rcx, static_cast<std::uint64_t>(offset));
    a_.add(rax, rcx);
  }
}

void Compiler::exit_by_dispatch(std::int64_t offset) {
  leave_region();
  load_pc(offset);
  a_.jump_back(request_->is_single ? thunks_.leave_at() : thunks_.dispatch());
}

void Compiler::align_displacement(unsigned opcode_bytes) {
  // A patched displacement is one aligned store.
  const std::size_t misaligned = (a_.here() + opcode_bytes) % 4;
  if (misaligned != 0) a_.nop(4 - misaligned);
}

void Compiler::link_jump(std::int64_t offset) {
  if (const std::size_t target = request_->links->entry_at(static_cast<std::uint32_t>(offset)); target != 0)
    return a_.jump_back(target);
  align_displacement(1);
  links_.push_back({a_.jump().end - 4u, static_cast<std::uint32_t>(offset)});
}

void Compiler::link_jump_on(Cc cc, std::int64_t offset) {
  const std::size_t target = request_->links->entry_at(static_cast<std::uint32_t>(offset));
  if (target == 0) align_displacement(2);
  const Jump jump = a_.jump_on(cc);
  if (target != 0)
    a_.rewrite(jump.end - 4, target - jump.end, 4);
  else
    links_.push_back({jump.end - 4u, static_cast<std::uint32_t>(offset)});
}

void Compiler::exit_to(std::int64_t offset) {
  if (is_linkable(offset))
    link_jump(offset);
  else
    exit_by_dispatch(offset);
}

void Compiler::exit_out_of_line(const OutOfLine& path) {
  a_.bind(path.entries[0]);
  exit_by_dispatch(path.imm);
}

void Compiler::jump(const Inst& inst) {
  if (region_ != nullptr) return region_jump(inst);
  if (is_back_edge(inst.imm)) leave_on_attention(inst.imm);
  exit_to(inst.imm);
}

Compiler::Jump Compiler::jump_on_attention() {
  a_.cmp(a_.core32(offsetof(CpuCore, attention)), 0);
  return a_.jump_on(Cc::ne);
}

void Compiler::leave_on_attention(std::int64_t offset) {
  OutOfLine leave = out_of_line(&Compiler::exit_out_of_line);
  leave.imm = offset;
  leave.entries[0] = jump_on_attention();
  resume(leave);
}

/// Compares the operands of a branch; the condition on which it is taken. In a loop the test for attention
/// comes first, so that the branch goes straight back.
Cc Compiler::compare_branch(const Inst& inst, bool is_loop) {
  OutOfLine leave = out_of_line(&Compiler::leave_branch_out_of_line);
  // All operands are in place before, so that the out-of-line path finds the same.
  const Cc cc = prepare_compare(inst.args[0], inst.args[1], static_cast<Cond>(inst.aux), leave.sources);
  if (is_loop) {
    leave.cc = cc;
    leave.imm = inst.imm;
    leave.imm2 = inst.imm2;
    leave.entries[0] = jump_on_attention();
    resume(leave);
  }
  compare_sources(leave.sources[0], leave.sources[1]);
  return cc;
}

void Compiler::branch(const Inst& inst) {
  if (region_ != nullptr) return region_branch(inst);
  const Cc cc = compare_branch(inst, is_back_edge(inst.imm) || is_back_edge(inst.imm2));
  if (is_linkable(inst.imm)) {
    link_jump_on(cc, inst.imm);
  } else {
    OutOfLine taken = out_of_line(&Compiler::exit_out_of_line);
    taken.imm = inst.imm;
    taken.entries[0] = a_.jump_on(cc);
    resume(taken);
  }
  exit_to(inst.imm2);
}

void Compiler::leave_branch_out_of_line(const OutOfLine& path) {
  a_.bind(path.entries[0]);
  compare_sources(path.sources[0], path.sources[1]);
  const Jump taken = a_.jump_on(path.cc);
  exit_by_dispatch(path.imm2);
  a_.bind(taken);
  exit_by_dispatch(path.imm);
}

void Compiler::jump_reg(const Inst& inst) {
  if (region_ != nullptr) return region_jump_reg(inst);
  regs_.bring(inst.args[0], kRax);
  a_.jump_back(request_->is_single ? thunks_.leave_at() : thunks_.dispatch());
}

void Compiler::exit_at(const Inst& inst) { exit_by_dispatch(inst.imm); }

void Compiler::exit_pc(const Inst&) {
  leave_region();
  a_.mov(rax, a_.core(offsetof(CpuCore, pc)));
  a_.jump_back(request_->is_single ? thunks_.leave_at() : thunks_.dispatch());
}

void Compiler::never(const Inst&) { a_.ud2(); }

}  // namespace gstage::tcg::x86_64
