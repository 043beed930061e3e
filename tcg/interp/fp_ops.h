// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tcg/interp/ops.h"

namespace gstage::tcg::interp {

/// One floating-point op: its value as an expression of the arguments' values.
#define FP_OP(op, expression)                                \
  inline Next exec(OpTag<Op::op>, State& s, const Inst& i) { \
    s.set(i, expression);                                    \
    return Next::kGoOn;                                      \
  }
FP_OP(fadd_s, fp::add(s.arg32(i, 0), s.arg32(i, 1)))
FP_OP(fsub_s, fp::sub(s.arg32(i, 0), s.arg32(i, 1)))
FP_OP(fmul_s, fp::mul(s.arg32(i, 0), s.arg32(i, 1)))
FP_OP(fdiv_s, fp::div(s.arg32(i, 0), s.arg32(i, 1)))
FP_OP(fsqrt_s, fp::sqrt(s.arg32(i, 0)))
FP_OP(fmadd_s, fp::fma(static_cast<Fma>(i.aux), s.arg32(i, 0), s.arg32(i, 1), s.arg32(i, 2)))
FP_OP(fcmp_s, std::uint64_t{fp::compare(static_cast<FpCond>(i.aux), s.arg32(i, 0), s.arg32(i, 1))})
FP_OP(fadd_d, fp::add(s.arg64(i, 0), s.arg64(i, 1)))
FP_OP(fsub_d, fp::sub(s.arg64(i, 0), s.arg64(i, 1)))
FP_OP(fmul_d, fp::mul(s.arg64(i, 0), s.arg64(i, 1)))
FP_OP(fdiv_d, fp::div(s.arg64(i, 0), s.arg64(i, 1)))
FP_OP(fsqrt_d, fp::sqrt(s.arg64(i, 0)))
FP_OP(fmadd_d, fp::fma(static_cast<Fma>(i.aux), s.arg64(i, 0), s.arg64(i, 1), s.arg64(i, 2)))
FP_OP(fcmp_d, std::uint64_t{fp::compare(static_cast<FpCond>(i.aux), s.arg64(i, 0), s.arg64(i, 1))})
FP_OP(fcvt_s_d, fp::narrow(s.arg64(i, 0)))
FP_OP(fcvt_d_s, fp::widen(s.arg32(i, 0)))
FP_OP(fcvt_s_int, fp::to_float(static_cast<IntKind>(i.aux), s.arg(i, 0)))
FP_OP(fcvt_d_int, fp::to_double(static_cast<IntKind>(i.aux), s.arg(i, 0)))
FP_OP(fcvt_int_s, fp::to_int(static_cast<IntKind>(i.aux), s.arg32(i, 0)))
FP_OP(fcvt_int_d, fp::to_int(static_cast<IntKind>(i.aux), s.arg64(i, 0)))
#undef FP_OP

}  // namespace gstage::tcg::interp
