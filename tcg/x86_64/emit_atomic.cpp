// SPDX-License-Identifier: Apache-2.0
// Atomics ("A" extension) and fences.
#include "tcg/x86_64/compiler.h"

namespace gstage::tcg::x86_64 {

using namespace Xbyak::util;  // NOLINT: register names

namespace {

/// The memory operand and the part of a register that an access of that size has.
Xbyak::Address sized_memory(const Xbyak::Reg64& host, unsigned size) {
  switch (size) {
    case 1: return byte[host];
    case 2: return word[host];
    case 4: return dword[host];
    default: return qword[host];
  }
}
Xbyak::Reg sized(const Xbyak::Reg64& reg, unsigned size) {
  switch (size) {
    case 1: return reg.cvt8();
    case 2: return reg.cvt16();
    case 4: return reg.cvt32();
    default: return reg;
  }
}
MemKind unsigned_kind(MemKind kind) { return static_cast<MemKind>(static_cast<unsigned>(kind) & 3); }

}  // namespace

void Compiler::require_aligned(const Reg& address, unsigned size, OutOfLine& path) {
  if (size == 1) return;
  a_.test(address.cvt8(), size - 1);
  path.entries[1] = a_.jump_on(Cc::ne);
}

void Compiler::atomic_host(const Inst& inst) {
  const auto kind = static_cast<MemKind>(inst.aux);
  const GuestAddress address{regs_.use(inst.args[0]), 0};
  const Reg t = regs_.temp();
  const Reg d = regs_.def_or(t);
  OutOfLine slow = slow_access(address);
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
  OutOfLine slow = slow_access(address);
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
  lock_unless_alone();
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
  if (how != Rmw::swap && how != Rmw::add) return rmw_loop(inst);
  const Reg host = regs_.use(inst.args[0]);
  const Source operand = regs_.source(inst.args[1]);
  const Reg d = regs_.def_apart();
  move(d, operand);
  const Xbyak::Address memory = sized_memory(host, mem_size(kind));
  const Xbyak::Reg part = sized(d, mem_size(kind));
  if (request_->is_alone) {  // xchg always locks, and xadd is no faster than its parts
    const Reg old = regs_.temp();
    a_.load(old, host + 0, unsigned_kind(kind));
    if (how == Rmw::add) a_.add(part, sized(old, mem_size(kind)));
    a_.mov(memory, part);
    return extend_old(d, old, kind);
  }
  if (how == Rmw::swap) {
    a_.xchg(memory, part);
  } else {
    a_.lock();
    a_.xadd(memory, part);
  }
  extend_old(d, d, kind);
}

void Compiler::atomic_cas(const Inst& inst) {
  const auto kind = static_cast<MemKind>(inst.aux);
  regs_.take(kRax);
  const Reg host = regs_.use(inst.args[0]);
  const Source expected = regs_.source(inst.args[1]);
  const Reg value = regs_.use(inst.args[2]);
  move(rax, expected);
  lock_unless_alone();
  a_.cmpxchg(sized_memory(host, mem_size(kind)), sized(value, mem_size(kind)));
  extend_old(regs_.def_or(rax), rax, kind);
}

void Compiler::extend_old(const Reg& to, const Reg& from, MemKind kind) {
  switch (kind) {
    case MemKind::s8: a_.movsx(to, from.cvt8()); break;
    case MemKind::s16: a_.movsx(to, from.cvt16()); break;
    case MemKind::s32: a_.movsxd(to, from.cvt32()); break;
    case MemKind::u8: a_.movzx(to.cvt32(), from.cvt8()); break;
    case MemKind::u16: a_.movzx(to.cvt32(), from.cvt16()); break;
    case MemKind::u32: a_.mov(to.cvt32(), from.cvt32()); break;
    case MemKind::u64:
      if (to.getIdx() != from.getIdx()) a_.mov(to, from);
      break;
  }
}

void Compiler::rmw_loop(const Inst& inst) {
  const auto kind = static_cast<MemKind>(inst.aux);
  const unsigned size = mem_size(kind);
  regs_.take(kRax);
  const Reg host = regs_.use(inst.args[0]);
  const Reg operand = regs_.use(inst.args[1]);
  const Reg t = regs_.temp();
  a_.load(rax, host + 0, unsigned_kind(kind));
  const std::size_t again = a_.here();
  rmw_value(static_cast<Rmw>(inst.imm), t, operand, size);
  lock_unless_alone();
  a_.cmpxchg(sized_memory(host, size), sized(t, size));
  a_.jne(static_cast<const void*>(a_.at(again)));
  extend_old(regs_.def_or(rax), rax, kind);
}

void Compiler::rmw_value(Rmw how, const Reg& to, const Reg& operand, unsigned size) {
  const auto minmax = [&](Cc keeps_old) {
    a_.cmp(sized(rax, size), sized(operand, size));
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
