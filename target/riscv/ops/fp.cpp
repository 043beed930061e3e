// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <utility>

#include <immintrin.h>

#include "tcg/ir/fp_semantics.h"
#include "target/riscv/decode/formats.h"
#include "target/riscv/hart.h"
#include "target/riscv/ops/helpers.h"
#include "target/riscv/ops/soft_float.h"

// Helpers run with the guest's flags in MXCSR and add theirs there.

namespace gstage::riscv {
namespace {

using soft_float::Env;
using soft_float::Format;
using soft_float::kDouble;
using soft_float::kSingle;

constexpr unsigned kDynamic = 7;

void add_flags(std::uint32_t flags) {
  if (flags != 0) _mm_setcsr(_mm_getcsr() | flags);
}

/// The rounding mode of an instruction. Reserved ones raise an illegal instruction.
std::optional<Env> rounding_of(CpuCore* core, std::uint64_t raw) {
  Hart& hart = hart_of(core);
  unsigned mode = rm_of(static_cast<std::uint32_t>(raw));
  if (mode == kDynamic) mode = hart.frm;
  if (mode > static_cast<unsigned>(soft_float::Rounding::kRmm)) {
    raise_illegal(hart, raw);
    return std::nullopt;
  }
  return Env{.rounding = static_cast<soft_float::Rounding>(mode)};
}

/// Register bits from and to the format's own: singles are NaN-boxed.
std::uint64_t unboxed(const Format& format, std::uint64_t bits) {
  return &format == &kSingle ? tcg::fp::unbox(bits) : bits;
}
std::uint64_t boxed(const Format& format, std::uint64_t bits) {
  return &format == &kSingle ? tcg::fp::box(static_cast<std::uint32_t>(bits)) : bits;
}

/// Runs `work(env)` in the rounding mode of the instruction.
template <class Work>
std::uint64_t rounded(CpuCore* core, std::uint64_t raw, Work&& work) {
  std::optional<Env> env = rounding_of(core, raw);
  if (!env) return 0;
  const std::uint64_t result = work(*env);
  add_flags(env->flags);
  return result;
}

using Binary = std::uint64_t (*)(Env&, const Format&, std::uint64_t, std::uint64_t);

template <const Format& kFormat, Binary kOperation>
std::uint64_t binary(CpuCore* core, std::uint64_t a, std::uint64_t b, std::uint64_t raw) {
  return rounded(core, raw, [&](Env& env) {
    return boxed(kFormat, kOperation(env, kFormat, unboxed(kFormat, a), unboxed(kFormat, b)));
  });
}

template <const Format& kFormat>
std::uint64_t square_root(CpuCore* core, std::uint64_t a, std::uint64_t raw) {
  return rounded(core, raw, [&](Env& env) {
    return boxed(kFormat, soft_float::sqrt(env, kFormat, unboxed(kFormat, a)));
  });
}

/// Bit 3 of the opcode negates the product, bit 2 the addend: fmadd, fmsub, fnmsub, fnmadd.
template <const Format& kFormat>
std::uint64_t fused(CpuCore* core, soft_float::FmaOperands operands, std::uint64_t raw) {
  operands = {unboxed(kFormat, operands.a), unboxed(kFormat, operands.b), unboxed(kFormat, operands.c)};
  if ((raw & 8) != 0) operands.a ^= kFormat.sign_mask();
  if ((raw & 4) != 0) operands.c ^= kFormat.sign_mask();
  return rounded(core, raw,
                 [&](Env& env) { return boxed(kFormat, soft_float::fma(env, kFormat, operands)); });
}

/// The rs2 field of conversions: w, wu, l, lu.
tcg::IntKind int_kind_of(std::uint64_t raw) { return static_cast<tcg::IntKind>(raw >> 20 & 3); }

template <const Format& kFormat>
std::uint64_t to_int(CpuCore* core, std::uint64_t a, std::uint64_t raw) {
  return rounded(core, raw, [&](Env& env) {
    return soft_float::to_int(env, kFormat, int_kind_of(raw), unboxed(kFormat, a));
  });
}

template <const Format& kFormat>
std::uint64_t from_int(CpuCore* core, std::uint64_t a, std::uint64_t raw) {
  return rounded(core, raw, [&](Env& env) {
    return boxed(kFormat, soft_float::from_int(env, kFormat, int_kind_of(raw), a));
  });
}

/// Orders numbers as integers, -0 below +0.
std::int64_t order_key(const Format& format, std::uint64_t bits) {
  const auto magnitude = static_cast<std::int64_t>(bits & ~format.sign_mask());
  return (bits & format.sign_mask()) != 0 ? -magnitude - 1 : magnitude;
}

/// fmin and fmax as IEEE 754-2019 minimumNumber and maximumNumber (F chapter).
template <const Format& kFormat>
std::uint64_t select_number(std::uint64_t a, std::uint64_t b, bool wants_larger) {
  a = unboxed(kFormat, a);
  b = unboxed(kFormat, b);
  if (kFormat.is_signaling(a) || kFormat.is_signaling(b)) add_flags(soft_float::kInvalid);
  if (kFormat.is_nan(a)) a = kFormat.is_nan(b) ? kFormat.canonical_nan() : b;
  if (kFormat.is_nan(b)) b = a;
  const bool a_is_larger = order_key(kFormat, a) > order_key(kFormat, b);
  return boxed(kFormat, a_is_larger == wants_larger ? a : b);
}

/// The class as a bit (table of fclass in the F chapter).
template <const Format& kFormat>
std::uint64_t classify(std::uint64_t bits) {
  bits = unboxed(kFormat, bits);
  const std::uint64_t magnitude = bits & ~kFormat.sign_mask();
  if (kFormat.is_nan(bits)) return kFormat.is_signaling(bits) ? 1u << 8 : 1u << 9;
  // Negative: 0 infinity, 1 normal, 2 subnormal, 3 zero; positive: the mirror image, 4–7.
  unsigned position = 1;
  if (magnitude == kFormat.infinity()) {
    position = 0;
  } else if (magnitude == 0) {
    position = 3;
  } else if (magnitude <= kFormat.fraction_mask()) {
    position = 2;
  }
  return 1u << ((bits & kFormat.sign_mask()) != 0 ? position : 7 - position);
}

}  // namespace

std::uint64_t helper_fadd_s(CpuCore* core, std::uint64_t a, std::uint64_t b, std::uint64_t raw,
                            std::uint64_t) {
  return binary<kSingle, soft_float::add>(core, a, b, raw);
}
std::uint64_t helper_fsub_s(CpuCore* core, std::uint64_t a, std::uint64_t b, std::uint64_t raw,
                            std::uint64_t) {
  return binary<kSingle, soft_float::sub>(core, a, b, raw);
}
std::uint64_t helper_fmul_s(CpuCore* core, std::uint64_t a, std::uint64_t b, std::uint64_t raw,
                            std::uint64_t) {
  return binary<kSingle, soft_float::mul>(core, a, b, raw);
}
std::uint64_t helper_fdiv_s(CpuCore* core, std::uint64_t a, std::uint64_t b, std::uint64_t raw,
                            std::uint64_t) {
  return binary<kSingle, soft_float::div>(core, a, b, raw);
}
std::uint64_t helper_fsqrt_s(CpuCore* core, std::uint64_t a, std::uint64_t raw, std::uint64_t,
                             std::uint64_t) {
  return square_root<kSingle>(core, a, raw);
}
std::uint64_t helper_fma_s(CpuCore* core, std::uint64_t a, std::uint64_t b, std::uint64_t c,
                           std::uint64_t raw) {
  return fused<kSingle>(core, {a, b, c}, raw);
}
std::uint64_t helper_fcvt_int_s(CpuCore* core, std::uint64_t a, std::uint64_t raw, std::uint64_t,
                                std::uint64_t) {
  return to_int<kSingle>(core, a, raw);
}
std::uint64_t helper_fcvt_s_int(CpuCore* core, std::uint64_t a, std::uint64_t raw, std::uint64_t,
                                std::uint64_t) {
  return from_int<kSingle>(core, a, raw);
}
std::uint64_t helper_fmin_s(CpuCore*, std::uint64_t a, std::uint64_t b, std::uint64_t, std::uint64_t) {
  return select_number<kSingle>(a, b, false);
}
std::uint64_t helper_fmax_s(CpuCore*, std::uint64_t a, std::uint64_t b, std::uint64_t, std::uint64_t) {
  return select_number<kSingle>(a, b, true);
}
std::uint64_t helper_fclass_s(CpuCore*, std::uint64_t a, std::uint64_t, std::uint64_t, std::uint64_t) {
  return classify<kSingle>(a);
}
std::uint64_t helper_fadd_d(CpuCore* core, std::uint64_t a, std::uint64_t b, std::uint64_t raw,
                            std::uint64_t) {
  return binary<kDouble, soft_float::add>(core, a, b, raw);
}
std::uint64_t helper_fsub_d(CpuCore* core, std::uint64_t a, std::uint64_t b, std::uint64_t raw,
                            std::uint64_t) {
  return binary<kDouble, soft_float::sub>(core, a, b, raw);
}
std::uint64_t helper_fmul_d(CpuCore* core, std::uint64_t a, std::uint64_t b, std::uint64_t raw,
                            std::uint64_t) {
  return binary<kDouble, soft_float::mul>(core, a, b, raw);
}
std::uint64_t helper_fdiv_d(CpuCore* core, std::uint64_t a, std::uint64_t b, std::uint64_t raw,
                            std::uint64_t) {
  return binary<kDouble, soft_float::div>(core, a, b, raw);
}
std::uint64_t helper_fsqrt_d(CpuCore* core, std::uint64_t a, std::uint64_t raw, std::uint64_t,
                             std::uint64_t) {
  return square_root<kDouble>(core, a, raw);
}
std::uint64_t helper_fma_d(CpuCore* core, std::uint64_t a, std::uint64_t b, std::uint64_t c,
                           std::uint64_t raw) {
  return fused<kDouble>(core, {a, b, c}, raw);
}
std::uint64_t helper_fcvt_int_d(CpuCore* core, std::uint64_t a, std::uint64_t raw, std::uint64_t,
                                std::uint64_t) {
  return to_int<kDouble>(core, a, raw);
}
std::uint64_t helper_fcvt_d_int(CpuCore* core, std::uint64_t a, std::uint64_t raw, std::uint64_t,
                                std::uint64_t) {
  return from_int<kDouble>(core, a, raw);
}
std::uint64_t helper_fmin_d(CpuCore*, std::uint64_t a, std::uint64_t b, std::uint64_t, std::uint64_t) {
  return select_number<kDouble>(a, b, false);
}
std::uint64_t helper_fmax_d(CpuCore*, std::uint64_t a, std::uint64_t b, std::uint64_t, std::uint64_t) {
  return select_number<kDouble>(a, b, true);
}
std::uint64_t helper_fclass_d(CpuCore*, std::uint64_t a, std::uint64_t, std::uint64_t, std::uint64_t) {
  return classify<kDouble>(a);
}
std::uint64_t helper_fcvt_s_d(CpuCore* core, std::uint64_t a, std::uint64_t raw, std::uint64_t,
                              std::uint64_t) {
  return rounded(core, raw, [&](Env& env) {
    return tcg::fp::box(static_cast<std::uint32_t>(soft_float::narrow(env, a)));
  });
}

}  // namespace gstage::riscv
