// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/trans/translator.h"

// RV64D (ISA manual vol. I, "D" chapter). And the conversions between both formats.

namespace gstage::riscv {

using tcg::Builder;
using tcg::Fma;
using tcg::FpCond;
using tcg::IntKind;
using tcg::MemKind;

bool Translator::fld(const ArgsI& args) { return fp_load(args, MemKind::u64); }
bool Translator::fsd(const ArgsS& args) { return fp_store(args, MemKind::u64); }

// Arithmetic.
bool Translator::arith_d(const ArgsFRm& args, Binary op, const tcg::Helper& helper) {
  if (is_reserved(args.rm)) return false;
  require_fp();
  if (!rounds_in_place(args.rm))
    return fp_helper(args.rd, helper, {ir_.get_f_bits(args.rs1), ir_.get_f_bits(args.rs2), raw_bits()});
  mark_fp_dirty();
  const Value a = ir_.get_f64(args.rs1);
  ir_.set_f64((ir_.*op)(a, ir_.get_f64(args.rs2)), args.rd);
  return true;
}
bool Translator::fused_d(const ArgsFR4& args, Fma form) {
  if (is_reserved(args.rm)) return false;
  require_fp();
  if (!rounds_in_place(args.rm)) {
    const Value a = ir_.get_f_bits(args.rs1);
    const Value b = ir_.get_f_bits(args.rs2);
    return fp_helper(args.rd, k_fma_d, {a, b, ir_.get_f_bits(args.rs3), raw_bits()});
  }
  mark_fp_dirty();
  const Value a = ir_.get_f64(args.rs1);
  const Value b = ir_.get_f64(args.rs2);
  ir_.set_f64(ir_.fmadd_d(a, b, ir_.get_f64(args.rs3), form), args.rd);
  return true;
}
bool Translator::fmadd_d(const ArgsFR4& args) { return fused_d(args, Fma::madd); }
bool Translator::fmsub_d(const ArgsFR4& args) { return fused_d(args, Fma::msub); }
bool Translator::fnmsub_d(const ArgsFR4& args) { return fused_d(args, Fma::nmsub); }
bool Translator::fnmadd_d(const ArgsFR4& args) { return fused_d(args, Fma::nmadd); }
bool Translator::fadd_d(const ArgsFRm& args) { return arith_d(args, &Builder::fadd_d, k_fadd_d); }
bool Translator::fsub_d(const ArgsFRm& args) { return arith_d(args, &Builder::fsub_d, k_fsub_d); }
bool Translator::fmul_d(const ArgsFRm& args) { return arith_d(args, &Builder::fmul_d, k_fmul_d); }
bool Translator::fdiv_d(const ArgsFRm& args) { return arith_d(args, &Builder::fdiv_d, k_fdiv_d); }
bool Translator::fsqrt_d(const ArgsFUnary& args) {
  if (is_reserved(args.rm)) return false;
  require_fp();
  if (!rounds_in_place(args.rm)) return fp_helper(args.rd, k_fsqrt_d, {ir_.get_f_bits(args.rs1), raw_bits()});
  mark_fp_dirty();
  ir_.set_f64(ir_.fsqrt_d(ir_.get_f64(args.rs1)), args.rd);
  return true;
}
bool Translator::fmin_d(const ArgsR& args) {
  require_fp();
  return fp_helper(args.rd, k_fmin_d, {ir_.get_f_bits(args.rs1), ir_.get_f_bits(args.rs2)});
}
bool Translator::fmax_d(const ArgsR& args) {
  require_fp();
  return fp_helper(args.rd, k_fmax_d, {ir_.get_f_bits(args.rs1), ir_.get_f_bits(args.rs2)});
}

// Signs.
bool Translator::sign_d(const ArgsR& args, SignOp op) {
  require_fp();
  const bool is_same = args.rs1 == args.rs2;
  if (is_same && op == SignOp::kCopy) {  // fmv.d
    set_f_bits(args.rd, ir_.get_f_bits(args.rs1));
    return true;
  }
  const Value a = ir_.get_f_bits(args.rs1);
  const Value sign = ir_.const_(std::int64_t{1} << 63);
  const Value magnitude = ir_.const_(~(std::int64_t{1} << 63));
  if (is_same) {  // fneg.d, fabs.d
    set_f_bits(args.rd, op == SignOp::kNegate ? ir_.xor_(a, sign) : ir_.and_(a, magnitude));
    return true;
  }
  const Value sign_of_b = ir_.and_(ir_.get_f_bits(args.rs2), sign);
  Value result = op == SignOp::kXor ? a : ir_.and_(a, magnitude);
  result = op == SignOp::kCopy ? ir_.or_(result, sign_of_b) : ir_.xor_(result, sign_of_b);
  if (op == SignOp::kNegate) result = ir_.xor_(result, sign);
  set_f_bits(args.rd, result);
  return true;
}
bool Translator::fsgnj_d(const ArgsR& args) { return sign_d(args, SignOp::kCopy); }
bool Translator::fsgnjn_d(const ArgsR& args) { return sign_d(args, SignOp::kNegate); }
bool Translator::fsgnjx_d(const ArgsR& args) { return sign_d(args, SignOp::kXor); }

// Comparisons and classes.
bool Translator::compare_d(const ArgsR& args, FpCond cond) {
  require_fp();
  mark_fp_dirty();
  const Value a = ir_.get_f64(args.rs1);
  set_x(args.rd, ir_.fcmp_d(a, ir_.get_f64(args.rs2), cond));
  return true;
}
bool Translator::feq_d(const ArgsR& args) { return compare_d(args, FpCond::eq); }
bool Translator::flt_d(const ArgsR& args) { return compare_d(args, FpCond::lt); }
bool Translator::fle_d(const ArgsR& args) { return compare_d(args, FpCond::le); }
bool Translator::fclass_d(const ArgsR2& args) {
  require_fp();
  set_x(args.rd, ir_.call(k_fclass_d, {ir_.get_f_bits(args.rs1)}));
  return true;
}

// Conversions.
bool Translator::to_int_d(const ArgsFUnary& args, IntKind kind) {
  if (is_reserved(args.rm)) return false;
  require_fp();
  if (args.rm != kTowardsZero)
    return fp_to_x_helper(args.rd, k_fcvt_int_d, {ir_.get_f_bits(args.rs1), raw_bits()});
  mark_fp_dirty();
  set_x(args.rd, ir_.fcvt_int_d(ir_.get_f64(args.rs1), kind));
  return true;
}
bool Translator::from_int_d(const ArgsFUnary& args, IntKind kind) {
  if (is_reserved(args.rm)) return false;
  // 32 bits always fit, whatever the rounding mode. A reserved one in frm is illegal all the same.
  const bool is_word = kind == IntKind::s32 || kind == IntKind::u32;
  const bool is_exact = is_word && args.rm != kDynamicRounding;
  require_fp();
  if (!rounds_in_place(args.rm) && !is_exact)
    return fp_helper(args.rd, k_fcvt_d_int, {x(args.rs1), raw_bits()});
  mark_fp_dirty();
  ir_.set_f64(ir_.fcvt_d_int(x(args.rs1), kind), args.rd);
  return true;
}
bool Translator::fcvt_w_d(const ArgsFUnary& args) { return to_int_d(args, IntKind::s32); }
bool Translator::fcvt_wu_d(const ArgsFUnary& args) { return to_int_d(args, IntKind::u32); }
bool Translator::fcvt_l_d(const ArgsFUnary& args) { return to_int_d(args, IntKind::s64); }
bool Translator::fcvt_lu_d(const ArgsFUnary& args) { return to_int_d(args, IntKind::u64); }
bool Translator::fcvt_d_w(const ArgsFUnary& args) { return from_int_d(args, IntKind::s32); }
bool Translator::fcvt_d_wu(const ArgsFUnary& args) { return from_int_d(args, IntKind::u32); }
bool Translator::fcvt_d_l(const ArgsFUnary& args) { return from_int_d(args, IntKind::s64); }
bool Translator::fcvt_d_lu(const ArgsFUnary& args) { return from_int_d(args, IntKind::u64); }
bool Translator::fcvt_s_d(const ArgsFUnary& args) {
  if (is_reserved(args.rm)) return false;
  require_fp();
  if (!rounds_in_place(args.rm))
    return fp_helper(args.rd, k_fcvt_s_d, {ir_.get_f_bits(args.rs1), raw_bits()});
  mark_fp_dirty();
  ir_.set_f32(ir_.fcvt_s_d(ir_.get_f64(args.rs1)), args.rd);
  return true;
}
bool Translator::fcvt_d_s(const ArgsFUnary& args) {
  if (is_reserved(args.rm)) return false;
  require_fp();
  // Exact too: only what is in frm can be reserved.
  if (args.rm == kDynamicRounding && !rounds_in_place(args.rm))
    return fp_helper(args.rd, k_fconvert, {ir_.get_f_bits(args.rs1), raw_bits()});
  mark_fp_dirty();
  ir_.set_f64(ir_.fcvt_d_s(ir_.get_f32(args.rs1)), args.rd);
  return true;
}

// Moves of bits.
bool Translator::fmv_x_d(const ArgsR2& args) {
  require_fp();
  if (args.rd != 0) set_x(args.rd, ir_.get_f_bits(args.rs1));
  return true;
}
bool Translator::fmv_d_x(const ArgsR2& args) {
  require_fp();
  set_f_bits(args.rd, x(args.rs1));
  return true;
}

}  // namespace gstage::riscv
