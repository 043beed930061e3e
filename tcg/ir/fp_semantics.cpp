// SPDX-License-Identifier: Apache-2.0
#include "tcg/ir/fp_semantics.h"

#include <cmath>

#include <immintrin.h>

namespace gstage::tcg::fp {
namespace {

constexpr unsigned kInvalid = 1;  // MXCSR.IE

void raise_invalid() { _mm_setcsr(_mm_getcsr() | kInvalid); }

bool host_has_fma() {
  static const bool has = __builtin_cpu_supports("fma") != 0;
  return has;
}

template <class T>
bool is_infinity_times_zero(T a, T b) {
  return (std::isinf(a) && b == 0) || (a == 0 && std::isinf(b));
}

bool is_product_negated(Fma form) { return form == Fma::nmsub || form == Fma::nmadd; }
bool is_addend_negated(Fma form) { return form == Fma::msub || form == Fma::nmadd; }

/// A NaN result becomes canonical. The product's NV is raised here for both ways to compute it; the operands'
/// own signaling NaNs have raised theirs.
template <class T>
T finish_fma(T result, T a, T b) {
  if (!is_nan(result)) return result;
  if (!is_nan(a) && !is_nan(b) && is_infinity_times_zero(a, b)) raise_invalid();
  return canonical(result);
}

// Negating an operand is exact, so one instruction serves the four forms.
[[gnu::target("fma")]] float fma_host(Fma form, float a, float b, float c) {
  float x = is_product_negated(form) ? -a : a;
  const float z = is_addend_negated(form) ? -c : c;
  asm volatile("vfmadd213ss %2, %1, %0" : "+x"(x) : "x"(b), "x"(z));
  return x;
}
[[gnu::target("fma")]] double fma_host(Fma form, double a, double b, double c) {
  double x = is_product_negated(form) ? -a : a;
  const double z = is_addend_negated(form) ? -c : c;
  asm volatile("vfmadd213sd %2, %1, %0" : "+x"(x) : "x"(b), "x"(z));
  return x;
}

/// Bounds of an integer kind as doubles: valid values lie strictly between them (all are exact).
struct Range {
  double below;
  double above;
  std::uint64_t lowest;
  std::uint64_t highest;
};
constexpr Range kRanges[] = {
    {-2147483649.0, 2147483648.0, 0xffffffff80000000, 0x7fffffff},
    {-1.0, 4294967296.0, 0, 0xffffffffffffffff},
    // Doubles next below -2^63 are 2048 apart.
    {-9223372036854777856.0, 9223372036854775808.0, 0x8000000000000000, 0x7fffffffffffffff},
    {-1.0, 18446744073709551616.0, 0, 0xffffffffffffffff},
};

std::int64_t truncate(double a) {
  std::int64_t r;
  asm volatile("cvttsd2si %1, %0" : "=r"(r) : "x"(a));
  return r;
}

template <class T>
T fma_without_host(Fma form, T a, T b, T c) {
  volatile T x = is_product_negated(form) ? -a : a;
  volatile T z = is_addend_negated(form) ? -c : c;
  volatile T result = std::fma(static_cast<T>(x), b, static_cast<T>(z));
  return finish_fma(static_cast<T>(result), a, b);
}

}  // namespace

float fma(Fma form, float a, float b, float c) {
  if (!host_has_fma()) return fma_portable(form, a, b, c);
  return finish_fma(fma_host(form, a, b, c), a, b);
}
double fma(Fma form, double a, double b, double c) {
  if (!host_has_fma()) return fma_portable(form, a, b, c);
  return finish_fma(fma_host(form, a, b, c), a, b);
}
float fma_portable(Fma form, float a, float b, float c) { return fma_without_host(form, a, b, c); }
double fma_portable(Fma form, double a, double b, double c) { return fma_without_host(form, a, b, c); }

std::uint64_t to_int(IntKind kind, double a) {
  const Range& range = kRanges[static_cast<unsigned>(kind)];
  const bool is_low = !is_nan(a) && a <= range.below;
  if (is_low || is_nan(a) || a >= range.above) {
    raise_invalid();
    return is_low ? range.lowest : range.highest;
  }
  constexpr double kTwo63 = 9223372036854775808.0;
  if (a >= kTwo63) return static_cast<std::uint64_t>(truncate(a - kTwo63)) + (std::uint64_t{1} << 63);
  const auto r = static_cast<std::uint64_t>(truncate(a));
  return kind == IntKind::u32 ? static_cast<std::uint64_t>(static_cast<std::int32_t>(r)) : r;
}

// Widening is exact and raises nothing but a signaling NaN's NV, which the conversion raises too.
std::uint64_t to_int(IntKind kind, float a) { return to_int(kind, widen(a)); }

namespace {

/// An integer of that kind in a form that the host can convert, which is signed. The upper half of u64 is
/// halved; the bit that is lost stays as a sticky one, so that rounding does not change.
struct Signed {
  std::int64_t value;
  bool is_halved;
};
Signed as_signed(IntKind kind, std::uint64_t v) {
  switch (kind) {
    case IntKind::s32: return {static_cast<std::int32_t>(v), false};
    case IntKind::u32: return {static_cast<std::uint32_t>(v), false};
    case IntKind::s64: return {static_cast<std::int64_t>(v), false};
    case IntKind::u64: break;
  }
  if (v >> 63 == 0) return {static_cast<std::int64_t>(v), false};
  return {static_cast<std::int64_t>((v >> 1) | (v & 1)), true};
}

}  // namespace

float to_float(IntKind kind, std::uint64_t value) {
  const Signed s = as_signed(kind, value);
  float r = 0;
  asm volatile("cvtsi2ssq %1, %0" : "+x"(r) : "r"(s.value));
  return s.is_halved ? r + r : r;
}
double to_double(IntKind kind, std::uint64_t value) {
  const Signed s = as_signed(kind, value);
  double r = 0;
  asm volatile("cvtsi2sdq %1, %0" : "+x"(r) : "r"(s.value));
  return s.is_halved ? r + r : r;
}

}  // namespace gstage::tcg::fp
