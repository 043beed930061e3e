// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/trans/translator.h"

// RV64F (ISA manual vol. I, "F" chapter). Singles are NaN-boxed; what is not reads as the canonical NaN.

namespace gstage::riscv {

using tcg::Builder;
using tcg::Fma;
using tcg::FpCond;
using tcg::IntKind;
using tcg::MemKind;

bool Translator::flw(const ArgsI& args) { return fp_load(args, MemKind::u32); }
bool Translator::fsw(const ArgsS& args) { return fp_store(args, MemKind::u32); }

// Arithmetic.
bool Translator::arith_s(const ArgsFRm& args, Binary op, const tcg::Helper& helper) {
  if (is_reserved(args.rm)) return false;
  require_fp();
  if (!rounds_in_place(args.rm))
    return fp_helper(args.rd, helper, {ir_.get_f_bits(args.rs1), ir_.get_f_bits(args.rs2), raw_bits()});
  mark_fp_dirty();
  const Value a = ir_.get_f32(args.rs1);
  ir_.set_f32((ir_.*op)(a, ir_.get_f32(args.rs2)), args.rd);
  return true;
}
bool Translator::fused_s(const ArgsFR4& args, Fma form) {
  if (is_reserved(args.rm)) return false;
  require_fp();
  if (!rounds_in_place(args.rm)) {
    const Value a = ir_.get_f_bits(args.rs1);
    const Value b = ir_.get_f_bits(args.rs2);
    return fp_helper(args.rd, k_fma_s, {a, b, ir_.get_f_bits(args.rs3), raw_bits()});
  }
  mark_fp_dirty();
  const Value a = ir_.get_f32(args.rs1);
  const Value b = ir_.get_f32(args.rs2);
  ir_.set_f32(ir_.fmadd_s(a, b, ir_.get_f32(args.rs3), form), args.rd);
  return true;
}
bool Translator::fmadd_s(const ArgsFR4& args) { return fused_s(args, Fma::madd); }
bool Translator::fmsub_s(const ArgsFR4& args) { return fused_s(args, Fma::msub); }
bool Translator::fnmsub_s(const ArgsFR4& args) { return fused_s(args, Fma::nmsub); }
bool Translator::fnmadd_s(const ArgsFR4& args) { return fused_s(args, Fma::nmadd); }
bool Translator::fadd_s(const ArgsFRm& args) { return arith_s(args, &Builder::fadd_s, k_fadd_s); }
bool Translator::fsub_s(const ArgsFRm& args) { return arith_s(args, &Builder::fsub_s, k_fsub_s); }
bool Translator::fmul_s(const ArgsFRm& args) { return arith_s(args, &Builder::fmul_s, k_fmul_s); }
bool Translator::fdiv_s(const ArgsFRm& args) { return arith_s(args, &Builder::fdiv_s, k_fdiv_s); }
bool Translator::fsqrt_s(const ArgsFUnary& args) {
  if (is_reserved(args.rm)) return false;
  require_fp();
  if (!rounds_in_place(args.rm)) return fp_helper(args.rd, k_fsqrt_s, {ir_.get_f_bits(args.rs1), raw_bits()});
  mark_fp_dirty();
  ir_.set_f32(ir_.fsqrt_s(ir_.get_f32(args.rs1)), args.rd);
  return true;
}
bool Translator::fmin_s(const ArgsR& args) {
  require_fp();
  return fp_helper(args.rd, k_fmin_s, {ir_.get_f_bits(args.rs1), ir_.get_f_bits(args.rs2)});
}
bool Translator::fmax_s(const ArgsR& args) {
  require_fp();
  return fp_helper(args.rd, k_fmax_s, {ir_.get_f_bits(args.rs1), ir_.get_f_bits(args.rs2)});
}

// Signs. The bits of an unboxed single, boxed.
Translator::Value Translator::f_single_bits(unsigned reg) {
  const Value bits = ir_.get_f_bits(reg);
  const Value is_boxed = ir_.setcond(ir_.shr(bits, ir_.const_(32)), ir_.const_(0xffffffff), tcg::Cond::eq);
  return ir_.select(is_boxed, bits, constant(0xffffffff7fc00000));
}
bool Translator::sign_s(const ArgsR& args, SignOp op) {
  require_fp();
  const bool is_same = args.rs1 == args.rs2;
  if (is_same && op == SignOp::kCopy) {  // fmv.s
    mark_fp_dirty();
    ir_.set_f32(ir_.get_f32(args.rs1), args.rd);
    return true;
  }
  const Value a = f_single_bits(args.rs1);
  const Value sign = ir_.const_(0x80000000);
  const Value magnitude = ir_.const_(~(std::int64_t{0x80000000}));
  if (is_same) {  // fneg.s, fabs.s
    set_f_bits(args.rd, op == SignOp::kNegate ? ir_.xor_(a, sign) : ir_.and_(a, magnitude));
    return true;
  }
  const Value sign_of_b = ir_.and_(f_single_bits(args.rs2), sign);
  Value result = op == SignOp::kXor ? a : ir_.and_(a, magnitude);
  result = op == SignOp::kCopy ? ir_.or_(result, sign_of_b) : ir_.xor_(result, sign_of_b);
  if (op == SignOp::kNegate) result = ir_.xor_(result, sign);
  set_f_bits(args.rd, result);
  return true;
}
bool Translator::fsgnj_s(const ArgsR& args) { return sign_s(args, SignOp::kCopy); }
bool Translator::fsgnjn_s(const ArgsR& args) { return sign_s(args, SignOp::kNegate); }
bool Translator::fsgnjx_s(const ArgsR& args) { return sign_s(args, SignOp::kXor); }

// Comparisons and classes.
bool Translator::compare_s(const ArgsR& args, FpCond cond) {
  require_fp();
  mark_fp_dirty();
  const Value a = ir_.get_f32(args.rs1);
  set_x(args.rd, ir_.fcmp_s(a, ir_.get_f32(args.rs2), cond));
  return true;
}
bool Translator::feq_s(const ArgsR& args) { return compare_s(args, FpCond::eq); }
bool Translator::flt_s(const ArgsR& args) { return compare_s(args, FpCond::lt); }
bool Translator::fle_s(const ArgsR& args) { return compare_s(args, FpCond::le); }
bool Translator::fclass_s(const ArgsR2& args) {
  require_fp();
  set_x(args.rd, ir_.call(k_fclass_s, {ir_.get_f_bits(args.rs1)}));
  return true;
}

// Conversions.
bool Translator::to_int_s(const ArgsFUnary& args, IntKind kind) {
  if (is_reserved(args.rm)) return false;
  require_fp();
  if (args.rm != kTowardsZero)
    return fp_to_x_helper(args.rd, k_fcvt_int_s, {ir_.get_f_bits(args.rs1), raw_bits()});
  mark_fp_dirty();
  set_x(args.rd, ir_.fcvt_int_s(ir_.get_f32(args.rs1), kind));
  return true;
}
bool Translator::from_int_s(const ArgsFUnary& args, IntKind kind) {
  if (is_reserved(args.rm)) return false;
  require_fp();
  if (!rounds_in_place(args.rm)) return fp_helper(args.rd, k_fcvt_s_int, {x(args.rs1), raw_bits()});
  mark_fp_dirty();
  ir_.set_f32(ir_.fcvt_s_int(x(args.rs1), kind), args.rd);
  return true;
}
bool Translator::fcvt_w_s(const ArgsFUnary& args) { return to_int_s(args, IntKind::s32); }
bool Translator::fcvt_wu_s(const ArgsFUnary& args) { return to_int_s(args, IntKind::u32); }
bool Translator::fcvt_l_s(const ArgsFUnary& args) { return to_int_s(args, IntKind::s64); }
bool Translator::fcvt_lu_s(const ArgsFUnary& args) { return to_int_s(args, IntKind::u64); }
bool Translator::fcvt_s_w(const ArgsFUnary& args) { return from_int_s(args, IntKind::s32); }
bool Translator::fcvt_s_wu(const ArgsFUnary& args) { return from_int_s(args, IntKind::u32); }
bool Translator::fcvt_s_l(const ArgsFUnary& args) { return from_int_s(args, IntKind::s64); }
bool Translator::fcvt_s_lu(const ArgsFUnary& args) { return from_int_s(args, IntKind::u64); }

// Moves of bits.
bool Translator::fmv_x_w(const ArgsR2& args) {
  require_fp();
  if (args.rd != 0) set_x(args.rd, ir_.sext32(ir_.get_f_bits(args.rs1)));
  return true;
}
bool Translator::fmv_w_x(const ArgsR2& args) {
  require_fp();
  mark_fp_dirty();
  ir_.set_f32_bits(x(args.rs1), args.rd);
  return true;
}

}  // namespace gstage::riscv
