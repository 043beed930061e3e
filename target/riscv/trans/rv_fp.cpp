// SPDX-License-Identifier: Apache-2.0
#include <cstddef>

#include "target/riscv/trans/translator.h"

// What F and D share (ISA manual vol. I, "F" and "D" chapters).

namespace gstage::riscv {

using tcg::Fma;
using tcg::FpCond;
using tcg::IntKind;
using tcg::MemKind;

// Once a block is enough: whatever writes FS ends the block.
void Translator::require_fp() {
  if (fp_required_) return;
  fp_required_ = true;
  ir_.trap_if_zero(env(offsetof(Hart, fp_enabled)), reinterpret_cast<std::int64_t>(&k_fp_off));
}

// Notes that registers or flags are written. It does so for an operation that raises no flag, too, if it
// could have: FS may be dirty too often (vol. II, "Extension Context Status in mstatus Register").
void Translator::mark_fp_dirty() {
  if (fp_marked_) return;
  fp_marked_ = true;
  set_env(offsetof(Hart, fp_dirty), ir_.const_(1));
}

void Translator::set_f_bits(unsigned reg, Value value) {
  mark_fp_dirty();
  ir_.set_f_bits(value, reg);
}

bool Translator::fp_load(const ArgsI& args, MemKind kind) {
  require_fp();
  Value value = ir_.load(x(args.rs1), args.imm, kind);
  // Narrower numbers are boxed.
  if (kind == MemKind::u32) {
    mark_fp_dirty();
    ir_.set_f32_bits(value, args.rd);
    return true;
  }
  if (kind == MemKind::u16) value = ir_.or_(value, ir_.const_(~std::int64_t{0xffff}));
  set_f_bits(args.rd, value);
  return true;
}

bool Translator::fp_store(const ArgsS& args, MemKind kind) {
  require_fp();
  ir_.store(x(args.rs1), ir_.get_f_bits(args.rs2), args.imm, kind);
  return true;
}

bool Translator::fp_helper(unsigned rd, const tcg::Helper& helper, std::initializer_list<Value> values) {
  set_f_bits(rd, ir_.call(helper, values));
  return true;
}

bool Translator::fp_to_x_helper(unsigned rd, const tcg::Helper& helper, std::initializer_list<Value> values) {
  const Value result = ir_.call(helper, values);
  mark_fp_dirty();
  set_x(rd, result);
  return true;
}

// Arithmetic.
bool Translator::arith(const ArgsFRm& args, const FpFormat& format, Binary op, const tcg::Helper& helper) {
  if (is_reserved(args.rm)) return false;
  require_fp();
  if (!rounds_in_place(args.rm))
    return fp_helper(args.rd, helper, {ir_.get_f_bits(args.rs1), ir_.get_f_bits(args.rs2), raw_bits()});
  mark_fp_dirty();
  const Value a = (ir_.*format.get)(args.rs1);
  (ir_.*format.set)((ir_.*op)(a, (ir_.*format.get)(args.rs2)), args.rd);
  return true;
}
bool Translator::fused(const ArgsFR4& args, const FpFormat& format, Fma form) {
  if (is_reserved(args.rm)) return false;
  require_fp();
  if (!rounds_in_place(args.rm)) {
    const Value a = ir_.get_f_bits(args.rs1);
    const Value b = ir_.get_f_bits(args.rs2);
    return fp_helper(args.rd, format.fma_helper, {a, b, ir_.get_f_bits(args.rs3), raw_bits()});
  }
  mark_fp_dirty();
  const Value a = (ir_.*format.get)(args.rs1);
  const Value b = (ir_.*format.get)(args.rs2);
  (ir_.*format.set)((ir_.*format.fma)(a, b, (ir_.*format.get)(args.rs3), form), args.rd);
  return true;
}
bool Translator::square_root(const ArgsFUnary& args, const FpFormat& format) {
  if (is_reserved(args.rm)) return false;
  require_fp();
  if (!rounds_in_place(args.rm))
    return fp_helper(args.rd, format.sqrt_helper, {ir_.get_f_bits(args.rs1), raw_bits()});
  mark_fp_dirty();
  (ir_.*format.set)((ir_.*format.sqrt)((ir_.*format.get)(args.rs1)), args.rd);
  return true;
}
bool Translator::min_or_max(const ArgsR& args, const tcg::Helper& helper) {
  require_fp();
  return fp_helper(args.rd, helper, {ir_.get_f_bits(args.rs1), ir_.get_f_bits(args.rs2)});
}

// Signs.

/// A register's bits as a single: those of the canonical NaN if they are not boxed.
Translator::Value Translator::f_single_bits(unsigned reg) {
  const Value bits = ir_.get_f_bits(reg);
  const Value is_boxed = ir_.setcond(ir_.shr(bits, ir_.const_(32)), ir_.const_(0xffffffff), tcg::Cond::eq);
  return ir_.select(is_boxed, bits, constant(0xffffffff7fc00000));
}
bool Translator::sign(const ArgsR& args, const FpFormat& format, SignOp op) {
  require_fp();
  const auto bits = [&](unsigned reg) { return format.is_boxed ? f_single_bits(reg) : ir_.get_f_bits(reg); };
  const Value a = bits(args.rs1);
  const Value sign = ir_.const_(format.sign);
  const Value magnitude = ir_.const_(~format.sign);
  if (args.rs1 == args.rs2) {  // fneg, fabs
    set_f_bits(args.rd, op == SignOp::kNegate ? ir_.xor_(a, sign) : ir_.and_(a, magnitude));
    return true;
  }
  const Value sign_of_b = ir_.and_(bits(args.rs2), sign);
  Value result = op == SignOp::kXor ? a : ir_.and_(a, magnitude);
  result = op == SignOp::kCopy ? ir_.or_(result, sign_of_b) : ir_.xor_(result, sign_of_b);
  if (op == SignOp::kNegate) result = ir_.xor_(result, sign);
  set_f_bits(args.rd, result);
  return true;
}

// Comparisons and classes.
bool Translator::compare_f(const ArgsR& args, const FpFormat& format, FpCond cond) {
  require_fp();
  mark_fp_dirty();
  const Value a = (ir_.*format.get)(args.rs1);
  set_x(args.rd, (ir_.*format.compare)(a, (ir_.*format.get)(args.rs2), cond));
  return true;
}
bool Translator::classify(const ArgsR2& args, const tcg::Helper& helper) {
  require_fp();
  set_x(args.rd, ir_.call(helper, {ir_.get_f_bits(args.rs1)}));
  return true;
}

// Conversions.
bool Translator::to_int(const ArgsFUnary& args, const FpFormat& format, IntKind kind) {
  if (is_reserved(args.rm)) return false;
  require_fp();
  if (args.rm != kTowardsZero)
    return fp_to_x_helper(args.rd, format.to_int_helper, {ir_.get_f_bits(args.rs1), raw_bits()});
  mark_fp_dirty();
  set_x(args.rd, (ir_.*format.to_int)((ir_.*format.get)(args.rs1), kind));
  return true;
}
bool Translator::from_int(const ArgsFUnary& args, const FpFormat& format, IntKind kind) {
  if (is_reserved(args.rm)) return false;
  // Words that always fit convert to the same number in all rounding modes. But a reserved mode in frm is
  // illegal.
  const bool is_word = kind == IntKind::s32 || kind == IntKind::u32;
  const bool is_exact = format.holds_words && is_word && args.rm != kDynamicRounding;
  require_fp();
  if (!rounds_in_place(args.rm) && !is_exact)
    return fp_helper(args.rd, format.from_int_helper, {x(args.rs1), raw_bits()});
  mark_fp_dirty();
  (ir_.*format.set)((ir_.*format.from_int)(x(args.rs1), kind), args.rd);
  return true;
}

}  // namespace gstage::riscv
