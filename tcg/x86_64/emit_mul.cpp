// SPDX-License-Identifier: Apache-2.0
// Multiplication and division.
#include <utility>

#include "tcg/x86_64/compiler.h"

namespace gstage::tcg::x86_64 {

using namespace Xbyak::util;  // NOLINT: register names

void Compiler::multiply(const Inst& inst, bool is_word) {
  Value a = inst.args[0];
  Value b = inst.args[1];
  if (regs_.is_const(a)) std::swap(a, b);
  Source sa = regs_.source(a);
  const Source sb = regs_.source(b);
  if (sa.is_imm()) sa = {Source::Kind::reg, regs_.use_index(a), 0};
  const Reg d = regs_.def(a);
  const auto n = static_cast<unsigned>(d.getIdx());
  const Xbyak::Reg sized = is_word ? Xbyak::Reg(d.cvt32()) : Xbyak::Reg(d);
  const auto operand = [&](const Source& s, auto&& use) {
    if (s.is_memory())
      use(s.memory(is_word ? dword : qword));
    else
      use(is_word ? Xbyak::Reg(gpr(s.reg).cvt32()) : Xbyak::Reg(gpr(s.reg)));
  };
  if (sb.is_imm()) {
    operand(sa, [&](const Xbyak::Operand& o) { a_.imul(sized, o, sb.number); });
  } else if (sb.is_reg(n)) {
    operand(sa, [&](const Xbyak::Operand& o) { a_.imul(sized, o); });
  } else {
    is_word ? move_word(d, sa) : move(d, sa);
    operand(sb, [&](const Xbyak::Operand& o) { a_.imul(sized, o); });
  }
  if (is_word) a_.movsxd(d, d.cvt32());
}

void Compiler::mul(const Inst& inst) { multiply(inst, false); }
void Compiler::mulw(const Inst& inst) { multiply(inst, true); }

void Compiler::multiply_high(const Inst& inst, bool is_signed) {
  regs_.bring(inst.args[0], kRax);
  regs_.take(kRdx);
  const Reg b = regs_.use(inst.args[1]);
  is_signed ? a_.imul(b) : a_.mul(b);
  move(regs_.def_or(rdx), {Source::Kind::reg, kRdx, 0});
}

void Compiler::mulh(const Inst& inst) { multiply_high(inst, true); }
void Compiler::mulhu(const Inst& inst) { multiply_high(inst, false); }

void Compiler::mulhsu(const Inst& inst) {
  // The unsigned product counts a negative first factor 2^64 too high.
  regs_.bring(inst.args[0], kRax);
  regs_.take(kRdx);
  const Reg b = regs_.use(inst.args[1]);
  const Reg excess = regs_.temp();
  a_.mov(excess, rax);
  a_.sar(excess, 63);
  a_.and_(excess, b);
  a_.mul(b);
  a_.sub(rdx, excess);
  move(regs_.def_or(rdx), {Source::Kind::reg, kRdx, 0});
}

void Compiler::divide(const Inst& inst, const Divide& how) {
  regs_.bring(inst.args[0], kRax);
  regs_.take(kRdx);
  const Value divisor = inst.args[1];
  const Reg b = regs_.use(divisor);
  const Xbyak::Reg b_sized = how.is_word ? Xbyak::Reg(b.cvt32()) : Xbyak::Reg(b);
  OutOfLine special = out_of_line(&Compiler::divide_out_of_line);
  if (how.is_signed) {
    const Reg t = regs_.temp();
    a_.lea(t, ptr[b + 1]);
    a_.cmp(how.is_word ? Xbyak::Reg(t.cvt32()) : Xbyak::Reg(t), 1);
    special.entries[0] = a_.jump_on(Cc::be);  // -1 or 0
    how.is_word ? a_.cdq() : a_.cqo();
    a_.idiv(b_sized);
  } else {
    a_.test(b_sized, b_sized);
    special.entries[0] = a_.jump_on(Cc::e);
    a_.xor_(edx, edx);
    a_.div(b_sized);
  }
  special.a = static_cast<std::uint8_t>(b.getIdx());
  special.divide = how;
  resume(special);
  const Reg result = how.wants_remainder ? rdx : rax;
  const Reg d = regs_.def_or(result);
  if (how.is_word)
    a_.movsxd(d, result.cvt32());
  else
    move(d, {Source::Kind::reg, static_cast<std::uint8_t>(result.getIdx()), 0});
}

void Compiler::divide_out_of_line(const OutOfLine& path) {
  a_.bind(path.entries[0]);
  const Reg b = gpr(path.a);
  const bool is_word = path.divide.is_word;
  if (path.divide.is_signed) {
    is_word ? a_.test(b.cvt32(), b.cvt32()) : a_.test(b, b);
    const auto is_zero = a_.short_on(Cc::e);
    // By -1: the negated dividend, which wraps for the lowest; the remainder is 0.
    is_word ? a_.neg(eax) : a_.neg(rax);
    a_.xor_(edx, edx);
    a_.jump_back(path.back);
    a_.bind(is_zero);
  }
  // By zero: all ones; the remainder is the dividend.
  a_.mov(rdx, rax);
  a_.mov(rax, -1);
  a_.jump_back(path.back);
}

void Compiler::div(const Inst& inst) { divide(inst, {true, false, false}); }
void Compiler::divu(const Inst& inst) { divide(inst, {false, false, false}); }
void Compiler::rem(const Inst& inst) { divide(inst, {true, false, true}); }
void Compiler::remu(const Inst& inst) { divide(inst, {false, false, true}); }
void Compiler::divw(const Inst& inst) { divide(inst, {true, true, false}); }
void Compiler::divuw(const Inst& inst) { divide(inst, {false, true, false}); }
void Compiler::remw(const Inst& inst) { divide(inst, {true, true, true}); }
void Compiler::remuw(const Inst& inst) { divide(inst, {false, true, true}); }

}  // namespace gstage::tcg::x86_64
