// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "target/riscv/trans/translator.h"

// RV64D (ISA manual vol. I, "D" chapter). And the conversions between both formats.

namespace gstage::riscv {

using tcg::Builder;
using tcg::Fma;
using tcg::FpCond;
using tcg::IntKind;
using tcg::MemKind;

constinit const Translator::FpFormat Translator::kD = {
    .get = &Builder::get_f64,
    .set = &Builder::set_f64,
    .sqrt = &Builder::fsqrt_d,
    .fma = &Builder::fmadd_d<Fma>,
    .compare = &Builder::fcmp_d<FpCond>,
    .to_int = &Builder::fcvt_int_d<IntKind>,
    .from_int = &Builder::fcvt_d_int<IntKind>,
    .sqrt_helper = k_fsqrt_d,
    .fma_helper = k_fma_d,
    .to_int_helper = k_fto_int_d,
    .from_int_helper = k_ffrom_int_d,
    .sign = std::numeric_limits<std::int64_t>::min(),
    .is_boxed = false,
    .holds_words = true,
};

bool Translator::fld(const ArgsI& args) { return fp_load(args, MemKind::u64); }
bool Translator::fsd(const ArgsS& args) { return fp_store(args, MemKind::u64); }

// Arithmetic.
bool Translator::fmadd_d(const ArgsFR4& args) { return fused(args, kD, Fma::madd); }
bool Translator::fmsub_d(const ArgsFR4& args) { return fused(args, kD, Fma::msub); }
bool Translator::fnmsub_d(const ArgsFR4& args) { return fused(args, kD, Fma::nmsub); }
bool Translator::fnmadd_d(const ArgsFR4& args) { return fused(args, kD, Fma::nmadd); }
bool Translator::fadd_d(const ArgsFRm& args) { return arith(args, kD, &Builder::fadd_d, k_fadd_d); }
bool Translator::fsub_d(const ArgsFRm& args) { return arith(args, kD, &Builder::fsub_d, k_fsub_d); }
bool Translator::fmul_d(const ArgsFRm& args) { return arith(args, kD, &Builder::fmul_d, k_fmul_d); }
bool Translator::fdiv_d(const ArgsFRm& args) { return arith(args, kD, &Builder::fdiv_d, k_fdiv_d); }
bool Translator::fsqrt_d(const ArgsFUnary& args) { return square_root(args, kD); }
bool Translator::fmin_d(const ArgsR& args) { return min_or_max(args, k_fmin_d); }
bool Translator::fmax_d(const ArgsR& args) { return min_or_max(args, k_fmax_d); }

// Signs.
bool Translator::fsgnj_d(const ArgsR& args) {
  if (args.rs1 != args.rs2) return sign(args, kD, SignOp::kCopy);
  require_fp();  // fmv.d
  set_f_bits(args.rd, ir_.get_f_bits(args.rs1));
  return true;
}
bool Translator::fsgnjn_d(const ArgsR& args) { return sign(args, kD, SignOp::kNegate); }
bool Translator::fsgnjx_d(const ArgsR& args) { return sign(args, kD, SignOp::kXor); }

// Comparisons and classes.
bool Translator::feq_d(const ArgsR& args) { return compare_f(args, kD, FpCond::eq); }
bool Translator::flt_d(const ArgsR& args) { return compare_f(args, kD, FpCond::lt); }
bool Translator::fle_d(const ArgsR& args) { return compare_f(args, kD, FpCond::le); }
bool Translator::fclass_d(const ArgsR2& args) { return classify(args, k_fclass_d); }

// Conversions.
bool Translator::fcvt_w_d(const ArgsFUnary& args) { return to_int(args, kD, IntKind::s32); }
bool Translator::fcvt_wu_d(const ArgsFUnary& args) { return to_int(args, kD, IntKind::u32); }
bool Translator::fcvt_l_d(const ArgsFUnary& args) { return to_int(args, kD, IntKind::s64); }
bool Translator::fcvt_lu_d(const ArgsFUnary& args) { return to_int(args, kD, IntKind::u64); }
bool Translator::fcvt_d_w(const ArgsFUnary& args) { return from_int(args, kD, IntKind::s32); }
bool Translator::fcvt_d_wu(const ArgsFUnary& args) { return from_int(args, kD, IntKind::u32); }
bool Translator::fcvt_d_l(const ArgsFUnary& args) { return from_int(args, kD, IntKind::s64); }
bool Translator::fcvt_d_lu(const ArgsFUnary& args) { return from_int(args, kD, IntKind::u64); }
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
