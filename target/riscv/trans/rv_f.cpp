// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/trans/translator.h"

// RV64F (ISA manual vol. I, "F" chapter). Singles are NaN-boxed; what is not reads as the canonical NaN.

namespace gstage::riscv {

using tcg::Builder;
using tcg::Fma;
using tcg::FpCond;
using tcg::IntKind;
using tcg::MemKind;

constinit const Translator::FpFormat Translator::kF = {
    .get = &Builder::get_f32,
    .set = &Builder::set_f32,
    .sqrt = &Builder::fsqrt_s,
    .fma = &Builder::fmadd_s<Fma>,
    .compare = &Builder::fcmp_s<FpCond>,
    .to_int = &Builder::fcvt_int_s<IntKind>,
    .from_int = &Builder::fcvt_s_int<IntKind>,
    .sqrt_helper = k_fsqrt_s,
    .fma_helper = k_fma_s,
    .to_int_helper = k_fto_int_s,
    .from_int_helper = k_ffrom_int_s,
    .sign = 0x80000000,
    .is_boxed = true,
    .holds_words = false,
};

bool Translator::flw(const ArgsI& args) { return fp_load(args, MemKind::u32); }
bool Translator::fsw(const ArgsS& args) { return fp_store(args, MemKind::u32); }

// Arithmetic.
bool Translator::fmadd_s(const ArgsFR4& args) { return fused(args, kF, Fma::madd); }
bool Translator::fmsub_s(const ArgsFR4& args) { return fused(args, kF, Fma::msub); }
bool Translator::fnmsub_s(const ArgsFR4& args) { return fused(args, kF, Fma::nmsub); }
bool Translator::fnmadd_s(const ArgsFR4& args) { return fused(args, kF, Fma::nmadd); }
bool Translator::fadd_s(const ArgsFRm& args) { return arith(args, kF, &Builder::fadd_s, k_fadd_s); }
bool Translator::fsub_s(const ArgsFRm& args) { return arith(args, kF, &Builder::fsub_s, k_fsub_s); }
bool Translator::fmul_s(const ArgsFRm& args) { return arith(args, kF, &Builder::fmul_s, k_fmul_s); }
bool Translator::fdiv_s(const ArgsFRm& args) { return arith(args, kF, &Builder::fdiv_s, k_fdiv_s); }
bool Translator::fsqrt_s(const ArgsFUnary& args) { return square_root(args, kF); }
bool Translator::fmin_s(const ArgsR& args) { return min_or_max(args, k_fmin_s); }
bool Translator::fmax_s(const ArgsR& args) { return min_or_max(args, k_fmax_s); }

// Signs.
bool Translator::fsgnj_s(const ArgsR& args) {
  if (args.rs1 != args.rs2) return sign(args, kF, SignOp::kCopy);
  require_fp();  // fmv.s
  mark_fp_dirty();
  ir_.set_f32(ir_.get_f32(args.rs1), args.rd);
  return true;
}
bool Translator::fsgnjn_s(const ArgsR& args) { return sign(args, kF, SignOp::kNegate); }
bool Translator::fsgnjx_s(const ArgsR& args) { return sign(args, kF, SignOp::kXor); }

// Comparisons and classes.
bool Translator::feq_s(const ArgsR& args) { return compare_f(args, kF, FpCond::eq); }
bool Translator::flt_s(const ArgsR& args) { return compare_f(args, kF, FpCond::lt); }
bool Translator::fle_s(const ArgsR& args) { return compare_f(args, kF, FpCond::le); }
bool Translator::fclass_s(const ArgsR2& args) { return classify(args, k_fclass_s); }

// Conversions.
bool Translator::fcvt_w_s(const ArgsFUnary& args) { return to_int(args, kF, IntKind::s32); }
bool Translator::fcvt_wu_s(const ArgsFUnary& args) { return to_int(args, kF, IntKind::u32); }
bool Translator::fcvt_l_s(const ArgsFUnary& args) { return to_int(args, kF, IntKind::s64); }
bool Translator::fcvt_lu_s(const ArgsFUnary& args) { return to_int(args, kF, IntKind::u64); }
bool Translator::fcvt_s_w(const ArgsFUnary& args) { return from_int(args, kF, IntKind::s32); }
bool Translator::fcvt_s_wu(const ArgsFUnary& args) { return from_int(args, kF, IntKind::u32); }
bool Translator::fcvt_s_l(const ArgsFUnary& args) { return from_int(args, kF, IntKind::s64); }
bool Translator::fcvt_s_lu(const ArgsFUnary& args) { return from_int(args, kF, IntKind::u64); }

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
