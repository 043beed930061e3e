// SPDX-License-Identifier: Apache-2.0
// Counting bits and reversing bytes.
#include "tcg/x86_64/compiler.h"

namespace gstage::tcg::x86_64 {

using namespace Xbyak::util;  // NOLINT: register names
using Xbyak::CodeGenerator;

void Compiler::count_bits(const Inst& inst, Count how) {
  Source from = regs_.source(inst.args[0]);
  if (from.is_imm()) from = {Source::Kind::reg, regs_.use_index(inst.args[0]), 0};
  const Reg d = regs_.def(inst.args[0]);
  if (from.is_memory())
    (a_.*how)(d, from.memory(qword));
  else
    (a_.*how)(d, gpr(from.reg));
}

/// bsf and bsr leave the result open for zero. `flip`: bits of the result to invert.
void Compiler::scan_bits(const Inst& inst, Count how, unsigned of_zero, unsigned flip) {
  const Reg from = regs_.use(inst.args[0]);
  const Reg t = regs_.temp();
  const Reg found = regs_.temp();
  a_.load_constant(t, of_zero ^ flip);
  (a_.*how)(found, from);
  a_.move_on(Cc::e, found, t);
  if (flip != 0) a_.xor_(found, flip);
  move(regs_.def_or(found), {Source::Kind::reg, static_cast<std::uint8_t>(found.getIdx()), 0});
}

/// Sums of neighbours: of 2, 4 and 8 bits, then of all bytes by a multiplication.
void Compiler::sum_bits(const Inst& inst) {
  const Source from = regs_.source(inst.args[0]);
  const Reg sum = regs_.temp();
  const Reg mask = regs_.temp();
  const Reg t = regs_.temp();
  move(sum, from);
  a_.mov(t, sum);
  a_.shr(t, 1);
  a_.load_constant(mask, 0x5555555555555555);
  a_.and_(t, mask);
  a_.sub(sum, t);
  a_.load_constant(mask, 0x3333333333333333);
  a_.mov(t, sum);
  a_.shr(t, 2);
  a_.and_(t, mask);
  a_.and_(sum, mask);
  a_.add(sum, t);
  a_.mov(t, sum);
  a_.shr(t, 4);
  a_.add(sum, t);
  a_.load_constant(mask, 0x0f0f0f0f0f0f0f0f);
  a_.and_(sum, mask);
  a_.load_constant(mask, 0x0101010101010101);
  a_.imul(sum, mask);
  a_.shr(sum, 56);
  move(regs_.def_or(sum), {Source::Kind::reg, static_cast<std::uint8_t>(sum.getIdx()), 0});
}

void Compiler::clz(const Inst& inst) {
  if (features_.bit_counts) return count_bits(inst, &CodeGenerator::lzcnt);
  scan_bits(inst, &CodeGenerator::bsr, 64, 63);
}

void Compiler::ctz(const Inst& inst) {
  if (features_.bit_counts) return count_bits(inst, &CodeGenerator::tzcnt);
  scan_bits(inst, &CodeGenerator::bsf, 64, 0);
}

void Compiler::cpop(const Inst& inst) {
  features_.bit_counts ? count_bits(inst, &CodeGenerator::popcnt) : sum_bits(inst);
}

void Compiler::bswap(const Inst& inst) {
  const Source from = regs_.source(inst.args[0]);
  const Reg d = regs_.def(inst.args[0]);
  move(d, from);
  a_.bswap(d);
}

}  // namespace gstage::tcg::x86_64
