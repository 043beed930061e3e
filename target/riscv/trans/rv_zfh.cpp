// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/trans/translator.h"

// Halves (ISA manual vol. I, "Zfh" and "Zfhmin" chapters): hosts have no arithmetic for them, all is in
// helpers. They are NaN-boxed; what is not reads as the canonical NaN.

namespace gstage::riscv {

using tcg::MemKind;

bool Translator::flh(const ArgsI& args) { return fp_load(args, MemKind::u16); }
bool Translator::fsh(const ArgsS& args) { return fp_store(args, MemKind::u16); }

// Moves of bits.
bool Translator::fmv_x_h(const ArgsR2& args) {
  require_fp();
  if (args.rd != 0) set_x(args.rd, ir_.sext16(ir_.get_f_bits(args.rs1)));
  return true;
}
bool Translator::fmv_h_x(const ArgsR2& args) {
  require_fp();
  set_f_bits(args.rd, ir_.or_(x(args.rs1), ir_.const_(~std::int64_t{0xffff})));
  return true;
}

// Conversions. Those to a wider format are exact, but reserved rounding modes are reserved for them too.
bool Translator::unary_h(const ArgsFUnary& args, const tcg::Helper& helper) {
  if (is_reserved(args.rm)) return false;
  require_fp();
  return fp_helper(args.rd, helper, {ir_.get_f_bits(args.rs1), raw_bits()});
}
bool Translator::to_int_h(const ArgsFUnary& args) {
  if (is_reserved(args.rm)) return false;
  require_fp();
  return fp_to_x_helper(args.rd, k_fto_int_h, {ir_.get_f_bits(args.rs1), raw_bits()});
}
bool Translator::from_int_h(const ArgsFUnary& args) {
  if (is_reserved(args.rm)) return false;
  require_fp();
  return fp_helper(args.rd, k_ffrom_int_h, {x(args.rs1), raw_bits()});
}
bool Translator::fcvt_s_h(const ArgsFUnary& args) { return unary_h(args, k_fconvert); }
bool Translator::fcvt_h_s(const ArgsFUnary& args) { return unary_h(args, k_fconvert); }
bool Translator::fcvt_d_h(const ArgsFUnary& args) { return unary_h(args, k_fconvert); }
bool Translator::fcvt_h_d(const ArgsFUnary& args) { return unary_h(args, k_fconvert); }
bool Translator::fcvt_w_h(const ArgsFUnary& args) { return to_int_h(args); }
bool Translator::fcvt_wu_h(const ArgsFUnary& args) { return to_int_h(args); }
bool Translator::fcvt_l_h(const ArgsFUnary& args) { return to_int_h(args); }
bool Translator::fcvt_lu_h(const ArgsFUnary& args) { return to_int_h(args); }
bool Translator::fcvt_h_w(const ArgsFUnary& args) { return from_int_h(args); }
bool Translator::fcvt_h_wu(const ArgsFUnary& args) { return from_int_h(args); }
bool Translator::fcvt_h_l(const ArgsFUnary& args) { return from_int_h(args); }
bool Translator::fcvt_h_lu(const ArgsFUnary& args) { return from_int_h(args); }

// Arithmetic.
bool Translator::arith_h(const ArgsFRm& args) {
  if (is_reserved(args.rm)) return false;
  require_fp();
  return fp_helper(args.rd, k_farith_h, {ir_.get_f_bits(args.rs1), ir_.get_f_bits(args.rs2), raw_bits()});
}
bool Translator::fused_h(const ArgsFR4& args) {
  if (is_reserved(args.rm)) return false;
  require_fp();
  const Value a = ir_.get_f_bits(args.rs1);
  const Value b = ir_.get_f_bits(args.rs2);
  return fp_helper(args.rd, k_fma_h, {a, b, ir_.get_f_bits(args.rs3), raw_bits()});
}
bool Translator::fmadd_h(const ArgsFR4& args) { return fused_h(args); }
bool Translator::fmsub_h(const ArgsFR4& args) { return fused_h(args); }
bool Translator::fnmsub_h(const ArgsFR4& args) { return fused_h(args); }
bool Translator::fnmadd_h(const ArgsFR4& args) { return fused_h(args); }
bool Translator::fadd_h(const ArgsFRm& args) { return arith_h(args); }
bool Translator::fsub_h(const ArgsFRm& args) { return arith_h(args); }
bool Translator::fmul_h(const ArgsFRm& args) { return arith_h(args); }
bool Translator::fdiv_h(const ArgsFRm& args) { return arith_h(args); }
bool Translator::fsqrt_h(const ArgsFUnary& args) { return unary_h(args, k_fsqrt_h); }
bool Translator::fmin_h(const ArgsR& args) { return select_f(args); }
bool Translator::fmax_h(const ArgsR& args) { return select_f(args); }

// Signs, comparisons and classes.
bool Translator::sign_h(const ArgsR& args) {
  require_fp();
  return fp_helper(args.rd, k_fsign_h, {ir_.get_f_bits(args.rs1), ir_.get_f_bits(args.rs2), raw_bits()});
}
bool Translator::compare_h(const ArgsR& args) {
  require_fp();
  return fp_to_x_helper(args.rd, k_fcompare_h,
                        {ir_.get_f_bits(args.rs1), ir_.get_f_bits(args.rs2), raw_bits()});
}
bool Translator::fsgnj_h(const ArgsR& args) { return sign_h(args); }
bool Translator::fsgnjn_h(const ArgsR& args) { return sign_h(args); }
bool Translator::fsgnjx_h(const ArgsR& args) { return sign_h(args); }
bool Translator::feq_h(const ArgsR& args) { return compare_h(args); }
bool Translator::flt_h(const ArgsR& args) { return compare_h(args); }
bool Translator::fle_h(const ArgsR& args) { return compare_h(args); }
bool Translator::fclass_h(const ArgsR2& args) {
  require_fp();
  set_x(args.rd, ir_.call(k_fclass_h, {ir_.get_f_bits(args.rs1)}));
  return true;
}

}  // namespace gstage::riscv
