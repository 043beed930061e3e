// SPDX-License-Identifier: Apache-2.0
// Constants, guest registers and integer arithmetic.
#include <utility>

#include "tcg/x86_64/compiler.h"

namespace gstage::tcg::x86_64 {

using namespace Xbyak::util;  // NOLINT: register names
using Xbyak::CodeGenerator;

void Compiler::move(const Reg& to, const Source& from) {
  if (from.is_imm())
    a_.load_constant(to, static_cast<std::uint64_t>(std::int64_t{from.number}));
  else if (from.is_memory())
    a_.mov(to, from.memory(qword));
  else if (from.is_xmm())
    a_.movq(to, xmm(from.reg));
  else if (!from.is_reg(static_cast<unsigned>(to.getIdx())))
    a_.mov(to, gpr(from.reg));
}

void Compiler::move_word(const Reg& to, const Source& from) {
  if (from.is_imm())
    a_.mov(to.cvt32(), static_cast<std::uint32_t>(from.number));
  else if (from.is_memory())
    a_.mov(to.cvt32(), from.memory(dword));
  else if (!from.is_reg(static_cast<unsigned>(to.getIdx())))
    a_.mov(to.cvt32(), gpr(from.reg).cvt32());
}

#define ALU(mnemonic, commutes, is_word)                                                                    \
  {                                                                                                         \
    static_cast<AluReg>(&CodeGenerator::mnemonic), static_cast<AluImm>(&CodeGenerator::mnemonic), commutes, \
        is_word                                                                                             \
  }
const Compiler::Alu Compiler::kAdd = ALU(add, true, false);
const Compiler::Alu Compiler::kSub = ALU(sub, false, false);
const Compiler::Alu Compiler::kAnd = ALU(and_, true, false);
const Compiler::Alu Compiler::kOr = ALU(or_, true, false);
const Compiler::Alu Compiler::kXor = ALU(xor_, true, false);
const Compiler::Alu Compiler::kAddWord = ALU(add, true, true);
const Compiler::Alu Compiler::kSubWord = ALU(sub, false, true);
#undef ALU
#define SHIFT(mnemonic, is_word)                                                                     \
  {                                                                                                  \
    static_cast<ShiftImm>(&CodeGenerator::mnemonic), static_cast<ShiftCl>(&CodeGenerator::mnemonic), \
        &CodeGenerator::mnemonic##x, is_word                                                         \
  }
const Compiler::Shift Compiler::kShl = SHIFT(shl, false);
const Compiler::Shift Compiler::kShr = SHIFT(shr, false);
const Compiler::Shift Compiler::kSar = SHIFT(sar, false);
const Compiler::Shift Compiler::kShlWord = SHIFT(shl, true);
const Compiler::Shift Compiler::kShrWord = SHIFT(shr, true);
const Compiler::Shift Compiler::kSarWord = SHIFT(sar, true);
#undef SHIFT
// There is no form of rotation by a register that leaves rcx alone.
#define ROTATE(is_word) \
  { static_cast<ShiftImm>(&CodeGenerator::ror), static_cast<ShiftCl>(&CodeGenerator::ror), nullptr, is_word }
const Compiler::Shift Compiler::kRotr = ROTATE(false);
const Compiler::Shift Compiler::kRotrWord = ROTATE(true);
#undef ROTATE

// Constants and registers.

void Compiler::const_(const Inst&) {}  // an operand of its uses

void Compiler::pc(const Inst& inst) {
  const Reg d = regs_.def();
  a_.mov(d, a_.core(offsetof(CpuCore, pc_page)));
  if (fits_int32(inst.imm)) {
    if (inst.imm != 0) a_.add(d, static_cast<std::uint32_t>(inst.imm));
    return;
  }
  const Reg t = regs_.temp();
  a_.load_constant(t, static_cast<std::uint64_t>(inst.imm));
  a_.add(d, t);
}

void Compiler::get_x(const Inst& inst) { regs_.def_home(static_cast<unsigned>(inst.imm)); }

void Compiler::set_x(const Inst& inst) {
  const auto home = static_cast<unsigned>(inst.imm);
  const Value v = inst.args[0];
  if (regs_.is_at_home(v, home)) return;
  Source from = regs_.source(v);
  const std::uint8_t host = regs_.global_host(home);
  if (host == kNoReg && from.is_memory()) from = {Source::Kind::reg, regs_.use_index(v), 0};
  regs_.evacuate(home);
  if (host != kNoReg)
    move(gpr(host), from);
  else if (from.is_imm())
    a_.mov(regs_.home_operand(home).memory(qword), static_cast<std::uint64_t>(std::int64_t{from.number}));
  else
    a_.mov(regs_.home_operand(home).memory(qword), gpr(from.reg));
  if (!regs_.is_const(v)) regs_.settle(home, v);
}

void Compiler::env_load(const Inst& inst) {
  a_.load(regs_.def(), rbp + (inst.imm - kCoreBias), static_cast<MemKind>(inst.aux));
}

void Compiler::env_store(const Inst& inst) {
  Source from = regs_.source(inst.args[0]);
  if (from.is_memory()) from = {Source::Kind::reg, regs_.use_index(inst.args[0]), 0};
  store_to(rbp + (inst.imm - kCoreBias), static_cast<MemKind>(inst.aux), from);
}

// Arithmetic and logic.

void Compiler::alu_source(const Alu& how, const Reg& to, const Source& from) {
  const auto emit = [&](const auto& d, const Xbyak::AddressFrame& size) {
    if (from.is_imm())
      (a_.*how.imm)(d, static_cast<std::uint32_t>(from.number));
    else if (from.is_memory())
      (a_.*how.reg)(d, from.memory(size));
    else
      (a_.*how.reg)(d, how.is_word ? Xbyak::Reg(gpr(from.reg).cvt32()) : Xbyak::Reg(gpr(from.reg)));
  };
  if (how.is_word)
    emit(to.cvt32(), dword);
  else
    emit(to, qword);
}

void Compiler::alu(const Inst& inst, const Alu& how) {
  Value a = inst.args[0];
  Value b = inst.args[1];
  if (how.commutes && regs_.is_const(a)) std::swap(a, b);
  const Source sa = regs_.source(a);
  const Source sb = regs_.source(b);
  const Reg d = regs_.def(a);
  const auto n = static_cast<unsigned>(d.getIdx());
  if (sb.is_reg(n) && !sa.is_reg(n)) {
    if (how.commutes) {
      alu_source(how, d, sa);
    } else {  // a - b in place of b
      a_.neg(d);
      alu_source(how.is_word ? kAddWord : kAdd, d, sa);
    }
  } else {
    how.is_word ? move_word(d, sa) : move(d, sa);
    alu_source(how, d, sb);
  }
  if (how.is_word) a_.movsxd(d, d.cvt32());
}

void Compiler::add(const Inst& inst) {
  Value a = inst.args[0];
  Value b = inst.args[1];
  if (regs_.is_const(a)) std::swap(a, b);
  const Source sa = regs_.source(a);
  const Source sb = regs_.source(b);
  if (!sa.is_reg() || sb.is_memory()) return alu(inst, kAdd);
  // lea saves the move where the result goes elsewhere.
  const Reg d = regs_.def(a);
  const auto n = static_cast<unsigned>(d.getIdx());
  if (sb.is_imm() && sb.number == 0)
    move(d, sa);
  else if (sa.is_reg(n))
    alu_source(kAdd, d, sb);
  else if (sb.is_reg(n))
    alu_source(kAdd, d, sa);
  else if (sb.is_imm())
    a_.lea(d, ptr[gpr(sa.reg) + sb.number]);
  else
    a_.lea(d, ptr[gpr(sa.reg) + gpr(sb.reg)]);
}
void Compiler::sub(const Inst& inst) { alu(inst, kSub); }
void Compiler::and_(const Inst& inst) { alu(inst, kAnd); }
void Compiler::or_(const Inst& inst) { alu(inst, kOr); }
void Compiler::xor_(const Inst& inst) { alu(inst, kXor); }
void Compiler::addw(const Inst& inst) { alu(inst, kAddWord); }
void Compiler::subw(const Inst& inst) { alu(inst, kSubWord); }

// Extensions.

void Compiler::extend(const Inst& inst, MemKind kind) {
  const Source from = regs_.source(inst.args[0]);
  const Reg d = regs_.def(inst.args[0]);
  if (from.is_memory()) return a_.load(d, from.address(), kind);
  if (from.is_imm()) move(d, from);
  const Reg r = from.is_imm() ? d : gpr(from.reg);
  switch (kind) {
    case MemKind::u8: a_.movzx(d.cvt32(), r.cvt8()); break;
    case MemKind::u16: a_.movzx(d.cvt32(), r.cvt16()); break;
    case MemKind::u32: a_.mov(d.cvt32(), r.cvt32()); break;
    case MemKind::s8: a_.movsx(d, r.cvt8()); break;
    case MemKind::s16: a_.movsx(d, r.cvt16()); break;
    case MemKind::s32: a_.movsxd(d, r.cvt32()); break;
    case MemKind::u64: a_.mov(d, r); break;
  }
}
void Compiler::sext8(const Inst& inst) { extend(inst, MemKind::s8); }
void Compiler::sext16(const Inst& inst) { extend(inst, MemKind::s16); }
void Compiler::sext32(const Inst& inst) { extend(inst, MemKind::s32); }
void Compiler::zext8(const Inst& inst) { extend(inst, MemKind::u8); }
void Compiler::zext16(const Inst& inst) { extend(inst, MemKind::u16); }
void Compiler::zext32(const Inst& inst) { extend(inst, MemKind::u32); }

// Shifts.

void Compiler::shift(const Inst& inst, const Shift& how) {
  const Value by = inst.args[1];
  if (!regs_.is_const(by)) {
    const bool is_by_register = features_.bmi2 && how.bmi2 != nullptr;
    return is_by_register ? shift_by_register(inst, how) : shift_by_cl(inst, how);
  }
  const Source from = regs_.source(inst.args[0]);
  const Reg d = regs_.def(inst.args[0]);
  how.is_word ? move_word(d, from) : move(d, from);
  const auto count = static_cast<int>(regs_.const_of(by) & (how.is_word ? 31 : 63));
  const Xbyak::Reg sized = how.is_word ? Xbyak::Reg(d.cvt32()) : Xbyak::Reg(d);
  if (count != 0) (a_.*how.by_imm)(sized, count);
  if (how.is_word) a_.movsxd(d, d.cvt32());
}

void Compiler::shift_by_register(const Inst& inst, const Shift& how) {
  const Reg count = regs_.use(inst.args[1]);
  Source from = regs_.source(inst.args[0]);
  if (from.is_imm()) from = {Source::Kind::reg, regs_.use_index(inst.args[0]), 0};
  const Reg d = regs_.def(inst.args[0]);
  if (how.is_word) {
    if (from.is_memory())
      (a_.*how.bmi2)(d.cvt32(), from.memory(dword), count.cvt32());
    else
      (a_.*how.bmi2)(d.cvt32(), gpr(from.reg).cvt32(), count.cvt32());
    a_.movsxd(d, d.cvt32());
  } else if (from.is_memory()) {
    (a_.*how.bmi2)(d, from.memory(qword), count);
  } else {
    (a_.*how.bmi2)(d, gpr(from.reg), count);
  }
}

void Compiler::shift_by_cl(const Inst& inst, const Shift& how) {
  regs_.bring(inst.args[1], kRcx);
  const Source from = regs_.source(inst.args[0]);
  // Not in the global register straight away: it may hold an argument, or be wanted by nobody else.
  const Reg t = regs_.temp();
  if (how.is_word) {
    move_word(t, from);
    (a_.*how.by_cl)(t.cvt32(), cl);
    a_.movsxd(t, t.cvt32());
  } else {
    move(t, from);
    (a_.*how.by_cl)(t, cl);
  }
  const Reg d = regs_.def_or(t);
  move(d, {Source::Kind::reg, static_cast<std::uint8_t>(t.getIdx()), 0});
}

void Compiler::shl(const Inst& inst) { shift(inst, kShl); }
void Compiler::shr(const Inst& inst) { shift(inst, kShr); }
void Compiler::sar(const Inst& inst) { shift(inst, kSar); }
void Compiler::shlw(const Inst& inst) { shift(inst, kShlWord); }
void Compiler::shrw(const Inst& inst) { shift(inst, kShrWord); }
void Compiler::sarw(const Inst& inst) { shift(inst, kSarWord); }
void Compiler::rotr(const Inst& inst) { shift(inst, kRotr); }
void Compiler::rotrw(const Inst& inst) { shift(inst, kRotrWord); }

// Comparisons.

namespace {

constexpr Cc kCcs[] = {Cc::e, Cc::ne, Cc::l, Cc::ge, Cc::b, Cc::ae};
/// With the operands exchanged.
constexpr Cc kSwappedCcs[] = {Cc::e, Cc::ne, Cc::g, Cc::le, Cc::a, Cc::be};

}  // namespace

Cc Compiler::prepare_compare(Value a, Value b, Cond cond, Source (&operands)[2]) {
  const bool is_swapped = regs_.is_const(a) && !regs_.is_const(b);
  if (is_swapped) std::swap(a, b);
  operands[0] = regs_.source(a);
  operands[1] = regs_.source(b);
  if (operands[0].is_imm() || (operands[0].is_memory() && operands[1].is_memory()))
    operands[0] = {Source::Kind::reg, regs_.use_index(a), 0};
  return (is_swapped ? kSwappedCcs : kCcs)[static_cast<unsigned>(cond)];
}

void Compiler::compare_sources(const Source& a, const Source& b) {
  if (a.is_memory())
    b.is_imm() ? a_.cmp(a.memory(qword), static_cast<std::uint32_t>(b.number))
               : a_.cmp(a.memory(qword), gpr(b.reg));
  else if (b.is_memory())
    a_.cmp(gpr(a.reg), b.memory(qword));
  else if (b.is_reg())
    a_.cmp(gpr(a.reg), gpr(b.reg));
  else if (b.number == 0)
    a_.test(gpr(a.reg), gpr(a.reg));
  else
    a_.cmp(gpr(a.reg), static_cast<std::uint32_t>(b.number));
}

void Compiler::setcond(const Inst& inst) {
  Source operands[2];
  const Cc cc = prepare_compare(inst.args[0], inst.args[1], static_cast<Cond>(inst.aux), operands);
  compare_sources(operands[0], operands[1]);
  const Reg d = regs_.def();  // moves at most: the flags stay
  a_.set_on(cc, d.cvt8());
  a_.movzx(d.cvt32(), d.cvt8());
}

void Compiler::select(const Inst& inst) {
  const Reg condition = regs_.use(inst.args[0]);
  Source yes = regs_.source(inst.args[1]);
  if (yes.is_imm()) yes = {Source::Kind::reg, regs_.use_index(inst.args[1]), 0};
  const Source no = regs_.source(inst.args[2]);
  a_.test(condition, condition);
  const Reg d = regs_.def(inst.args[2]);
  const auto n = static_cast<unsigned>(d.getIdx());
  if (yes.is_reg(n) && !no.is_reg(n)) {
    if (no.is_memory())
      a_.move_on(Cc::e, d, no.memory(qword));
    else if (no.is_reg())
      a_.move_on(Cc::e, d, gpr(no.reg));
    else
      select_constant(d, no.number);
    return;
  }
  move(d, no);
  if (yes.is_memory())
    a_.move_on(Cc::ne, d, yes.memory(qword));
  else
    a_.move_on(Cc::ne, d, gpr(yes.reg));
}

void Compiler::select_constant(const Reg& to, std::int32_t value) {
  const auto is_set = a_.short_on(Cc::ne);
  a_.load_constant(to, static_cast<std::uint64_t>(std::int64_t{value}));
  a_.bind(is_set);
}

}  // namespace gstage::tcg::x86_64
