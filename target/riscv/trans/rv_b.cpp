// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/trans/translator.h"

// Zba, Zbb, Zbs (ISA manual vol. I, "B" chapter) and Zicond.

namespace gstage::riscv {

using tcg::Builder;
using tcg::Cond;

bool Translator::compute(const ArgsR2& args, Unary op) {
  if (args.rd != 0) set_x(args.rd, (ir_.*op)(x(args.rs1)));
  return true;
}

// Zba.
bool Translator::shift_add(const ArgsR& args, unsigned shift, bool is_word) {
  if (args.rd == 0) return true;
  Value a = x(args.rs1);
  if (is_word) a = ir_.zext32(a);
  if (shift != 0) a = ir_.shl(a, ir_.const_(shift));
  set_x(args.rd, args.rs2 == 0 ? a : ir_.add(a, x(args.rs2)));
  return true;
}
bool Translator::sh1add(const ArgsR& args) { return shift_add(args, 1, false); }
bool Translator::sh2add(const ArgsR& args) { return shift_add(args, 2, false); }
bool Translator::sh3add(const ArgsR& args) { return shift_add(args, 3, false); }
bool Translator::add_uw(const ArgsR& args) { return shift_add(args, 0, true); }
bool Translator::sh1add_uw(const ArgsR& args) { return shift_add(args, 1, true); }
bool Translator::sh2add_uw(const ArgsR& args) { return shift_add(args, 2, true); }
bool Translator::sh3add_uw(const ArgsR& args) { return shift_add(args, 3, true); }
bool Translator::slli_uw(const ArgsShift& args) {
  if (args.rd != 0) set_x(args.rd, ir_.shl(ir_.zext32(x(args.rs1)), ir_.const_(args.shamt)));
  return true;
}

// Logic with one operand inverted.
bool Translator::andn(const ArgsR& args) {
  if (args.rd != 0) set_x(args.rd, ir_.and_(inverted(x(args.rs2)), x(args.rs1)));
  return true;
}
bool Translator::orn(const ArgsR& args) {
  if (args.rd != 0) set_x(args.rd, ir_.or_(inverted(x(args.rs2)), x(args.rs1)));
  return true;
}
bool Translator::xnor(const ArgsR& args) {
  if (args.rd != 0) set_x(args.rd, inverted(ir_.xor_(x(args.rs1), x(args.rs2))));
  return true;
}

// Rotations: to the left by n is to the right by -n.
bool Translator::rotate_left(const ArgsR& args, Binary rotate) {
  if (args.rd == 0) return true;
  const Value by = ir_.sub(ir_.const_(0), x(args.rs2));
  set_x(args.rd, (ir_.*rotate)(x(args.rs1), by));
  return true;
}
bool Translator::rol(const ArgsR& args) { return rotate_left(args, &Builder::rotr); }
bool Translator::rolw(const ArgsR& args) { return rotate_left(args, &Builder::rotrw); }
bool Translator::ror(const ArgsR& args) { return compute(args, &Builder::rotr); }
bool Translator::rorw(const ArgsR& args) { return compute(args, &Builder::rotrw); }
bool Translator::rori(const ArgsShift& args) {
  return compute(args.rd, args.rs1, args.shamt, &Builder::rotr);
}
bool Translator::roriw(const ArgsShift& args) {
  return compute(args.rd, args.rs1, args.shamt, &Builder::rotrw);
}

// Counting. The word forms count in the whole register, where the other half adds a known number.
bool Translator::clz(const ArgsR2& args) { return compute(args, &Builder::clz); }
bool Translator::ctz(const ArgsR2& args) { return compute(args, &Builder::ctz); }
bool Translator::cpop(const ArgsR2& args) { return compute(args, &Builder::cpop); }
bool Translator::clzw(const ArgsR2& args) {
  if (args.rd != 0) set_x(args.rd, ir_.sub(ir_.clz(ir_.zext32(x(args.rs1))), ir_.const_(32)));
  return true;
}
bool Translator::ctzw(const ArgsR2& args) {
  constexpr std::uint64_t kBeyond = std::uint64_t{1} << 32;
  if (args.rd != 0) set_x(args.rd, ir_.ctz(ir_.or_(x(args.rs1), constant(kBeyond))));
  return true;
}
bool Translator::cpopw(const ArgsR2& args) {
  if (args.rd != 0) set_x(args.rd, ir_.cpop(ir_.zext32(x(args.rs1))));
  return true;
}

// Minimum and maximum.
bool Translator::choose(const ArgsR& args, Cond keeps_first) {
  if (args.rd == 0) return true;
  const Value a = x(args.rs1);
  const Value b = x(args.rs2);
  set_x(args.rd, ir_.select(ir_.setcond(a, b, keeps_first), a, b));
  return true;
}
bool Translator::max(const ArgsR& args) { return choose(args, Cond::ge); }
bool Translator::maxu(const ArgsR& args) { return choose(args, Cond::geu); }
bool Translator::min(const ArgsR& args) { return choose(args, Cond::lt); }
bool Translator::minu(const ArgsR& args) { return choose(args, Cond::ltu); }

// Extensions and bytes.
bool Translator::sext_b(const ArgsR2& args) { return compute(args, &Builder::sext8); }
bool Translator::sext_h(const ArgsR2& args) { return compute(args, &Builder::sext16); }
bool Translator::zext_h(const ArgsR2& args) { return compute(args, &Builder::zext16); }
bool Translator::rev8(const ArgsR2& args) { return compute(args, &Builder::bswap); }
bool Translator::orc_b(const ArgsR2& args) {
  if (args.rd == 0) return true;
  // Bit 7 of each byte: whether any bit of the byte is set. Bytes below 0x80 cannot carry into the next.
  const Value low_bits = constant(0x7f7f7f7f7f7f7f7f);
  const Value a = x(args.rs1);
  const Value sums = ir_.or_(ir_.add(ir_.and_(a, low_bits), low_bits), a);
  const Value tops = ir_.and_(sums, constant(0x8080808080808080));
  const Value rest = ir_.sub(tops, ir_.shr(tops, ir_.const_(7)));
  set_x(args.rd, ir_.or_(tops, rest));
  return true;
}

// Zbs. Shift amounts of the IR are taken modulo 64 as the index is.
bool Translator::with_bit(unsigned rd, unsigned rs1, Value index, Binary op) {
  if (rd != 0) set_x(rd, (ir_.*op)(single_bit(index), x(rs1)));
  return true;
}
bool Translator::clear_bit(unsigned rd, unsigned rs1, Value index) {
  if (rd != 0) set_x(rd, ir_.and_(inverted(single_bit(index)), x(rs1)));
  return true;
}
bool Translator::extract_bit(unsigned rd, unsigned rs1, Value index) {
  if (rd != 0) set_x(rd, ir_.and_(ir_.shr(x(rs1), index), ir_.const_(1)));
  return true;
}
bool Translator::bset(const ArgsR& args) { return with_bit(args.rd, args.rs1, x(args.rs2), &Builder::or_); }
bool Translator::bseti(const ArgsShift& args) {
  return with_bit(args.rd, args.rs1, ir_.const_(args.shamt), &Builder::or_);
}
bool Translator::binv(const ArgsR& args) { return with_bit(args.rd, args.rs1, x(args.rs2), &Builder::xor_); }
bool Translator::binvi(const ArgsShift& args) {
  return with_bit(args.rd, args.rs1, ir_.const_(args.shamt), &Builder::xor_);
}
bool Translator::bclr(const ArgsR& args) { return clear_bit(args.rd, args.rs1, x(args.rs2)); }
bool Translator::bclri(const ArgsShift& args) { return clear_bit(args.rd, args.rs1, ir_.const_(args.shamt)); }
bool Translator::bext(const ArgsR& args) { return extract_bit(args.rd, args.rs1, x(args.rs2)); }
bool Translator::bexti(const ArgsShift& args) {
  return extract_bit(args.rd, args.rs1, ir_.const_(args.shamt));
}

// Zicond.
bool Translator::czero_eqz(const ArgsR& args) {
  if (args.rd != 0) set_x(args.rd, ir_.select(x(args.rs2), x(args.rs1), ir_.const_(0)));
  return true;
}
bool Translator::czero_nez(const ArgsR& args) {
  if (args.rd != 0) set_x(args.rd, ir_.select(x(args.rs2), ir_.const_(0), x(args.rs1)));
  return true;
}

}  // namespace gstage::riscv
