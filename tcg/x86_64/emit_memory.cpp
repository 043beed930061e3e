// SPDX-License-Identifier: Apache-2.0
// Host and guest memory. An access of the guest finds its page in the hart's TLB inline; what misses goes to
// the target's slow path, out of the way.
#include "tcg/x86_64/compiler.h"

namespace gstage::tcg::x86_64 {

using namespace Xbyak::util;  // NOLINT: register names

void Compiler::load_from(const Reg& to, const Xbyak::RegExp& address, MemKind kind) {
  switch (kind) {
    case MemKind::u8: a_.movzx(to.cvt32(), byte[address]); break;
    case MemKind::u16: a_.movzx(to.cvt32(), word[address]); break;
    case MemKind::u32: a_.mov(to.cvt32(), dword[address]); break;
    case MemKind::u64: a_.mov(to, qword[address]); break;
    case MemKind::s8: a_.movsx(to, byte[address]); break;
    case MemKind::s16: a_.movsx(to, word[address]); break;
    case MemKind::s32: a_.movsxd(to, dword[address]); break;
  }
}

void Compiler::store_to(const Xbyak::RegExp& address, MemKind kind, const Source& value) {
  const auto imm = static_cast<std::uint32_t>(value.number);
  const Reg r = gpr(value.is_imm() ? 0 : value.reg);
  switch (mem_size(kind)) {
    case 1: value.is_imm() ? a_.mov(byte[address], imm & 0xff) : a_.mov(byte[address], r.cvt8()); break;
    case 2: value.is_imm() ? a_.mov(word[address], imm & 0xffff) : a_.mov(word[address], r.cvt16()); break;
    case 4: value.is_imm() ? a_.mov(dword[address], imm) : a_.mov(dword[address], r.cvt32()); break;
    default:
      value.is_imm() ? a_.mov(qword[address], static_cast<std::uint64_t>(std::int64_t{value.number}))
                     : a_.mov(qword[address], r);
  }
}

Source Compiler::reg_or_imm(Value v) {
  const Source s = regs_.source(v);
  return s.is_memory() ? Source{Source::Kind::reg, regs_.use_index(v), 0} : s;
}

void Compiler::host_load(const Inst& inst) {
  const Reg base = regs_.use(inst.args[0]);
  const Reg d = regs_.def(inst.args[0]);
  load_from(d, base + inst.imm, static_cast<MemKind>(inst.aux));
}

void Compiler::host_store(const Inst& inst) {
  const Reg base = regs_.use(inst.args[0]);
  store_to(base + inst.imm, static_cast<MemKind>(inst.aux), reg_or_imm(inst.args[1]));
}

Compiler::GuestAddress Compiler::guest_address(Value base, std::int64_t displacement) {
  // The displacement of the last byte must fit, too.
  if (fits_int32(displacement) && fits_int32(displacement + 8))
    return {regs_.use(base), static_cast<std::int32_t>(displacement)};
  const Reg t = regs_.temp();
  a_.load_constant(t, static_cast<std::uint64_t>(displacement));
  a_.add(t, regs_.use(base));
  return {t, 0};
}

Compiler::Reg Compiler::lookup(const GuestAddress& address, unsigned size, std::size_t table,
                               const Reg& entry, Cold& cold) {
  const Reg page = regs_.temp();
  // The slot of the first byte must hold the page of the last: what crosses pages misses.
  if (address.displacement == 0 && features_.bmi2) {
    a_.rorx(entry.cvt32(), address.base.cvt32(), 8);
  } else {
    if (address.displacement == 0)
      a_.mov(entry.cvt32(), address.base.cvt32());
    else
      a_.lea(entry.cvt32(), ptr[address.base + address.displacement]);
    a_.shr(entry.cvt32(), 8);
  }
  static_assert(sizeof(TlbEntry) == 16 && kPageShift == 12);
  a_.and_(entry.cvt32(), (kTlbSize - 1) << 4);
  a_.add(entry, a_.core(table));
  const std::int32_t last = address.displacement + static_cast<std::int32_t>(size) - 1;
  if (last == 0)
    a_.mov(page, address.base);
  else
    a_.lea(page, ptr[address.base + last]);
  a_.and_(page, -4096);
  a_.cmp(page, qword[entry + offsetof(TlbEntry, tag)]);
  cold.entries[0] = a_.jump_on(Cc::ne);
  a_.mov(entry, qword[entry + offsetof(TlbEntry, addend)]);
  return entry;
}

void Compiler::load(const Inst& inst) {
  const auto kind = static_cast<MemKind>(inst.aux);
  const GuestAddress address = guest_address(inst.args[0], inst.imm);
  const Reg t = regs_.temp();
  const Reg d = regs_.def_or(t);  // written last
  Cold slow = access(&Compiler::cold_access, address);
  slow.thunk = thunks_.load(kind);
  slow.result = static_cast<std::uint8_t>(d.getIdx());
  const Reg addend = lookup(address, mem_size(kind), offsetof(CpuCore, read), t, slow);
  load_from(d, address.base + addend + address.displacement, kind);
  keep_live(slow);
  resume(slow);
}

void Compiler::store(const Inst& inst) {
  const auto kind = static_cast<MemKind>(inst.aux);
  const GuestAddress address = guest_address(inst.args[0], inst.imm);
  const Source value = reg_or_imm(inst.args[1]);
  const Reg t = regs_.temp();
  Cold slow = access(&Compiler::cold_access, address);
  slow.thunk = thunks_.store(kind);
  slow.has_value = true;
  slow.sources[1] = value;
  const Reg addend = lookup(address, mem_size(kind), offsetof(CpuCore, write), t, slow);
  store_to(address.base + addend + address.displacement, kind, value);
  keep_live(slow);
  resume(slow);
}

Compiler::Cold Compiler::access(void (Compiler::*emit)(const Cold&), const GuestAddress& address) {
  Cold c = cold(emit);
  c.a = static_cast<std::uint8_t>(address.base.getIdx());
  c.imm = address.displacement;
  return c;
}

void Compiler::cold_access(const Cold& cold) {
  for (const Jump& entry : cold.entries)
    if (entry.end != 0) a_.bind(entry);
  save_live(cold);
  // The address to rdx and the value to rax, whichever registers they are in.
  const auto address = [&] { a_.lea(rdx, ptr[gpr(cold.a) + static_cast<std::int32_t>(cold.imm)]); };
  const Source& value = cold.sources[1];
  if (!cold.has_value) {
    address();
  } else if (value.is_reg(kRdx) && cold.a == kRax) {
    a_.xchg(rax, rdx);
    if (cold.imm != 0) a_.add(rdx, static_cast<std::uint32_t>(cold.imm));
  } else if (value.is_reg(kRdx)) {
    a_.mov(rax, rdx);
    address();
  } else {
    address();
    move(rax, value);
  }
  call_thunk(cold.thunk, cold.page_offset);
  if (cold.result != kNoReg) move(gpr(cold.result), {Source::Kind::reg, kRax, 0});
  restore_live(cold);
  a_.jump_back(cold.back);
}

}  // namespace gstage::tcg::x86_64
