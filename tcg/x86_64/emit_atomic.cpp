// SPDX-License-Identifier: Apache-2.0
// Atomics ("A" extension) and fences.
#include "tcg/x86_64/compiler.h"

namespace gstage::tcg::x86_64 {

using namespace Xbyak::util;  // NOLINT: register names

void Compiler::require_aligned(const Reg& address, unsigned size, Cold& cold) {
  if (size == 1) return;
  a_.test(address.cvt8(), size - 1);
  cold.entries[1] = a_.jump_on(Cc::ne);
}

void Compiler::atomic_host(const Inst& inst) {
  const auto kind = static_cast<MemKind>(inst.aux);
  const GuestAddress address{regs_.use(inst.args[0]), 0};
  const Reg t = regs_.temp();
  const Reg d = regs_.def_or(t);
  Cold slow = slow_access(address);
  slow.thunk = thunks_.atomic_host(kind);
  slow.result = static_cast<std::uint8_t>(d.getIdx());
  require_aligned(address.base, mem_size(kind), slow);
  lookup(address, 1, offsetof(CpuCore, write), t, slow);
  a_.lea(d, ptr[address.base + t]);
  keep_live(slow);
  resume(slow);
}

void Compiler::load_reserved(const Inst& inst) {
  const auto kind = static_cast<MemKind>(inst.aux);
  const GuestAddress address{regs_.use(inst.args[0]), 0};
  const Reg t = regs_.temp();
  const Reg d = regs_.def_apart();  // the address is needed after the load
  Cold slow = slow_access(address);
  slow.thunk = thunks_.load_reserved(kind);
  slow.result = static_cast<std::uint8_t>(d.getIdx());
  require_aligned(address.base, mem_size(kind), slow);
  lookup(address, 1, offsetof(CpuCore, read), t, slow);
  a_.load(d, address.base + t, kind);
  keep_live(slow);
  slow.live_gprs |= reg_bit(slow.a) & kScratchGprs;
  resume(slow);
  a_.mov(a_.core(offsetof(CpuCore, reservation_vaddr)), address.base);
  a_.mov(a_.core(offsetof(CpuCore, reservation_value)), d);
}

void Compiler::store_conditional(const Inst& inst) {
  const auto kind = static_cast<MemKind>(inst.aux);
  regs_.take(kRax);
  const Reg host = regs_.use(inst.args[0]);
  const Source vaddr = regs_.source(inst.args[1]);
  const Reg value = regs_.use(inst.args[2]);
  a_.mov(rax, a_.core(offsetof(CpuCore, reservation_vaddr)));
  compare_sources({Source::Kind::reg, kRax, 0}, vaddr);
  a_.mov(a_.core(offsetof(CpuCore, reservation_vaddr)), std::uint64_t{~0ull});
  a_.mov(rax, a_.core(offsetof(CpuCore, reservation_value)));
  const auto failed = a_.short_on(Cc::ne);
  // What the reservation saw must still be there: a comparison of values stands for the reservation.
  a_.lock();
  if (mem_size(kind) == 8)
    a_.cmpxchg(qword[host], value);
  else
    a_.cmpxchg(dword[host], value.cvt32());
  a_.bind(failed);
  const Reg d = regs_.def_or(rax);
  a_.set_on(Cc::ne, d.cvt8());
  a_.movzx(d.cvt32(), d.cvt8());
}

void Compiler::atomic_rmw(const Inst& inst) {
  const auto how = static_cast<Rmw>(inst.imm);
  const auto kind = static_cast<MemKind>(inst.aux);
  const bool is_wide = mem_size(kind) == 8;
  if (how != Rmw::swap && how != Rmw::add) return rmw_loop(inst);
  const Reg host = regs_.use(inst.args[0]);
  const Source operand = regs_.source(inst.args[1]);
  const Reg d = regs_.def_apart();
  move(d, operand);
  const Xbyak::Address memory = is_wide ? qword[host] : dword[host];
  const Xbyak::Reg sized = is_wide ? Xbyak::Reg(d) : Xbyak::Reg(d.cvt32());
  if (how == Rmw::swap) {
    a_.xchg(memory, sized);
  } else {
    a_.lock();
    a_.xadd(memory, sized);
  }
  extend_old(d, d, kind);
}

void Compiler::extend_old(const Reg& to, const Reg& from, MemKind kind) {
  if (kind == MemKind::s32)
    a_.movsxd(to, from.cvt32());
  else if (kind == MemKind::u32)
    a_.mov(to.cvt32(), from.cvt32());
  else if (to.getIdx() != from.getIdx())
    a_.mov(to, from);
}

void Compiler::rmw_loop(const Inst& inst) {
  const auto kind = static_cast<MemKind>(inst.aux);
  const bool is_wide = mem_size(kind) == 8;
  regs_.take(kRax);
  const Reg host = regs_.use(inst.args[0]);
  const Reg operand = regs_.use(inst.args[1]);
  const Reg t = regs_.temp();
  a_.load(rax, host + 0, is_wide ? MemKind::u64 : MemKind::u32);
  const std::size_t again = a_.here();
  rmw_value(static_cast<Rmw>(inst.imm), t, operand, is_wide);
  a_.lock();
  is_wide ? a_.cmpxchg(qword[host], t) : a_.cmpxchg(dword[host], t.cvt32());
  a_.jne(static_cast<const void*>(a_.at(again)));
  extend_old(regs_.def_or(rax), rax, kind);
}

void Compiler::rmw_value(Rmw how, const Reg& to, const Reg& operand, bool is_wide) {
  const auto minmax = [&](Cc keeps_old) {
    is_wide ? a_.cmp(rax, operand) : a_.cmp(eax, operand.cvt32());
    a_.mov(to, operand);
    a_.move_on(keeps_old, to, rax);
  };
  const auto logic = [&](const Alu& alu) {
    a_.mov(to, rax);
    alu_source(alu, to, {Source::Kind::reg, static_cast<std::uint8_t>(operand.getIdx()), 0});
  };
  switch (how) {
    case Rmw::and_: return logic(kAnd);
    case Rmw::or_: return logic(kOr);
    case Rmw::xor_: return logic(kXor);
    case Rmw::min: return minmax(Cc::l);
    case Rmw::max: return minmax(Cc::g);
    case Rmw::minu: return minmax(Cc::b);
    case Rmw::maxu: return minmax(Cc::a);
    case Rmw::swap:
    case Rmw::add: break;
  }
}

void Compiler::fence(const Inst&) {
  // Any locked operation orders stores before later loads; this one is cheaper than mfence.
  a_.lock();
  a_.or_(a_.frame32(offsetof(Frame, temp_mxcsr)), 0);
}

}  // namespace gstage::tcg::x86_64
