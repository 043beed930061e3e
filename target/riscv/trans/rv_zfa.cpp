// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/decode/fli.h"
#include "target/riscv/trans/translator.h"

// Additional floating-point instructions of all formats (ISA manual vol. I, "Zfa" chapter).

namespace gstage::riscv {

using soft_float::kDouble;
using soft_float::kHalf;
using soft_float::kSingle;
using tcg::FpCond;

/// The constant is made when the instruction is translated. 2^16 is out of the range of halves: infinity.
bool Translator::load_constant(const ArgsR2& args, const soft_float::Format& format) {
  require_fp();
  soft_float::Env env{.rounding = soft_float::Rounding::kRne};
  const std::uint64_t bits = args.rs1 == kFliSmallestNormal
                                 ? format.fraction_mask() + 1
                                 : soft_float::convert(env, kDouble, format, kFliConstants[args.rs1]);
  set_f_bits(args.rd, constant(format.box(bits)));
  return true;
}
bool Translator::fli_s(const ArgsR2& args) { return load_constant(args, kSingle); }
bool Translator::fli_d(const ArgsR2& args) { return load_constant(args, kDouble); }
bool Translator::fli_h(const ArgsR2& args) { return load_constant(args, kHalf); }

bool Translator::select_f(const ArgsR& args) {
  require_fp();
  return fp_helper(args.rd, k_fselect, {ir_.get_f_bits(args.rs1), ir_.get_f_bits(args.rs2), raw_bits()});
}
bool Translator::fminm_s(const ArgsR& args) { return select_f(args); }
bool Translator::fmaxm_s(const ArgsR& args) { return select_f(args); }
bool Translator::fminm_d(const ArgsR& args) { return select_f(args); }
bool Translator::fmaxm_d(const ArgsR& args) { return select_f(args); }
bool Translator::fminm_h(const ArgsR& args) { return select_f(args); }
bool Translator::fmaxm_h(const ArgsR& args) { return select_f(args); }

bool Translator::round_f(const ArgsFUnary& args) {
  if (is_reserved(args.rm)) return false;
  require_fp();
  return fp_helper(args.rd, k_fround, {ir_.get_f_bits(args.rs1), raw_bits()});
}
bool Translator::fround_s(const ArgsFUnary& args) { return round_f(args); }
bool Translator::froundnx_s(const ArgsFUnary& args) { return round_f(args); }
bool Translator::fround_d(const ArgsFUnary& args) { return round_f(args); }
bool Translator::froundnx_d(const ArgsFUnary& args) { return round_f(args); }
bool Translator::fround_h(const ArgsFUnary& args) { return round_f(args); }
bool Translator::froundnx_h(const ArgsFUnary& args) { return round_f(args); }

bool Translator::fcvtmod_w_d(const ArgsR2& args) {
  require_fp();
  return fp_to_x_helper(args.rd, k_fcvtmod, {ir_.get_f_bits(args.rs1)});
}

bool Translator::fleq_s(const ArgsR& args) { return compare_f(args, kF, FpCond::leq); }
bool Translator::fltq_s(const ArgsR& args) { return compare_f(args, kF, FpCond::ltq); }
bool Translator::fleq_d(const ArgsR& args) { return compare_f(args, kD, FpCond::leq); }
bool Translator::fltq_d(const ArgsR& args) { return compare_f(args, kD, FpCond::ltq); }
bool Translator::fleq_h(const ArgsR& args) { return compare_h(args); }
bool Translator::fltq_h(const ArgsR& args) { return compare_h(args); }

}  // namespace gstage::riscv
