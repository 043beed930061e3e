// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <utility>

#include <immintrin.h>

#include "target/riscv/decode/formats.h"
#include "target/riscv/hart.h"
#include "target/riscv/ops/helpers.h"
#include "target/riscv/ops/soft_float.h"

/// What the floating-point helpers of all formats share. They run with the guest's flags in MXCSR and add
/// theirs there.
namespace gstage::riscv::fp_ops {

using soft_float::Env;
using soft_float::kDouble;
using soft_float::kHalf;
using soft_float::kSingle;

/// Raises exception flags.
inline void add_flags(std::uint32_t flags) {
  if (flags != 0) _mm_setcsr(_mm_getcsr() | flags);
}

/// What the fmt field of an instruction names; there are no quads.
inline const soft_float::Format& format_of(std::uint64_t raw) {
  static constexpr const soft_float::Format* kFormats[] = {&kSingle, &kDouble, &kHalf, &kSingle};
  return *kFormats[raw >> 25 & 3];
}

/// The rounding mode of an instruction. Reserved ones raise an illegal instruction.
inline std::optional<Env> rounding_of(CpuCore* core, std::uint64_t raw) {
  Hart& hart = hart_of(core);
  unsigned mode = rm_of(static_cast<std::uint32_t>(raw));
  constexpr unsigned kDynamic = 7;
  if (mode == kDynamic) mode = hart.frm;
  if (mode > static_cast<unsigned>(soft_float::Rounding::kRmm)) {
    raise_illegal(hart, raw);
    return std::nullopt;
  }
  return Env{.rounding = static_cast<soft_float::Rounding>(mode)};
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

/// An operation of soft_float on two operands.
using Binary = std::uint64_t (*)(Env&, const soft_float::Format&, std::uint64_t, std::uint64_t);

/// Such an operation on register bits.
template <const soft_float::Format& kFormat, Binary kOperation>
std::uint64_t binary(CpuCore* core, std::uint64_t a, std::uint64_t b, std::uint64_t raw) {
  return rounded(core, raw, [&](Env& env) {
    return kFormat.box(kOperation(env, kFormat, kFormat.unbox(a), kFormat.unbox(b)));
  });
}

/// The square root.
template <const soft_float::Format& kFormat>
std::uint64_t square_root(CpuCore* core, std::uint64_t a, std::uint64_t raw) {
  return rounded(core, raw,
                 [&](Env& env) { return kFormat.box(soft_float::sqrt(env, kFormat, kFormat.unbox(a))); });
}

/// Bit 3 of the opcode negates the product, bit 2 the addend: fmadd, fmsub, fnmsub, fnmadd.
template <const soft_float::Format& kFormat>
std::uint64_t fused(CpuCore* core, soft_float::FmaOperands operands, std::uint64_t raw) {
  operands = {kFormat.unbox(operands.a), kFormat.unbox(operands.b), kFormat.unbox(operands.c)};
  if ((raw & 8) != 0) operands.a ^= kFormat.sign_mask();
  if ((raw & 4) != 0) operands.c ^= kFormat.sign_mask();
  return rounded(core, raw, [&](Env& env) { return kFormat.box(soft_float::fma(env, kFormat, operands)); });
}

/// The rs2 field of conversions: w, wu, l, lu.
inline tcg::IntKind int_kind_of(std::uint64_t raw) { return static_cast<tcg::IntKind>(raw >> 20 & 3); }

/// Conversion to that integer.
template <const soft_float::Format& kFormat>
std::uint64_t to_int(CpuCore* core, std::uint64_t a, std::uint64_t raw) {
  return rounded(core, raw, [&](Env& env) {
    return soft_float::to_int(env, kFormat, int_kind_of(raw), kFormat.unbox(a));
  });
}

/// Conversion from it.
template <const soft_float::Format& kFormat>
std::uint64_t from_int(CpuCore* core, std::uint64_t a, std::uint64_t raw) {
  return rounded(core, raw, [&](Env& env) {
    return kFormat.box(soft_float::from_int(env, kFormat, int_kind_of(raw), a));
  });
}

/// Orders numbers as integers, -0 below +0.
inline std::int64_t order_key(const soft_float::Format& format, std::uint64_t bits) {
  const auto magnitude = static_cast<std::int64_t>(bits & ~format.sign_mask());
  return (bits & format.sign_mask()) != 0 ? -magnitude - 1 : magnitude;
}

/// Which of two numbers is wanted, and what a NaN does: fmin and fmax are IEEE 754-2019 minimumNumber and
/// maximumNumber (F chapter), fminm and fmaxm minimum and maximum (Zfa).
struct Selection {
  bool wants_larger;
  bool keeps_nan;
};
inline std::uint64_t select_number(const soft_float::Format& format, std::uint64_t a, std::uint64_t b,
                                   Selection selection) {
  a = format.unbox(a);
  b = format.unbox(b);
  if (format.is_signaling(a) || format.is_signaling(b)) add_flags(soft_float::kInvalid);
  if (selection.keeps_nan && (format.is_nan(a) || format.is_nan(b)))
    return format.box(format.canonical_nan());
  if (format.is_nan(a)) a = format.is_nan(b) ? format.canonical_nan() : b;
  if (format.is_nan(b)) b = a;
  const bool a_is_larger = order_key(format, a) > order_key(format, b);
  return format.box(a_is_larger == selection.wants_larger ? a : b);
}

/// The class as a bit (table of fclass in the F chapter).
template <const soft_float::Format& kFormat>
std::uint64_t classify(std::uint64_t bits) {
  bits = kFormat.unbox(bits);
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

}  // namespace gstage::riscv::fp_ops
