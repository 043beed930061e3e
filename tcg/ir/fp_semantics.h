// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

#include "tcg/ir/unit.h"

/// Scalar floating point as RISC-V defines it ("F" and "D" chapters of the unprivileged specification), on
/// the host's SSE in the rounding mode that MXCSR holds, with the sticky flags gathered there. Results that
/// are NaN are the canonical NaN.
///
/// The operations are volatile assembly: a compiler neither folds them, which would lose flags and the
/// rounding mode, nor moves them across a read or write of MXCSR.
namespace gstage::tcg::fp {

inline constexpr std::uint32_t kNan32 = 0x7fc00000;
inline constexpr std::uint64_t kNan64 = 0x7ff8000000000000;

/// NaN by the bits: comparing would raise flags.
inline bool is_nan(float v) { return (std::bit_cast<std::uint32_t>(v) & 0x7fffffff) > 0x7f800000; }
inline bool is_nan(double v) {
  return (std::bit_cast<std::uint64_t>(v) & 0x7fffffffffffffff) > 0x7ff0000000000000;
}
/// The canonical NaN for any NaN.
inline float canonical(float v) { return is_nan(v) ? std::bit_cast<float>(kNan32) : v; }
inline double canonical(double v) { return is_nan(v) ? std::bit_cast<double>(kNan64) : v; }

/// The single held by a 64-bit register: the canonical NaN unless it is boxed (D chapter, NaN boxing).
inline std::uint32_t unbox(std::uint64_t bits) {
  return (bits >> 32) == 0xffffffff ? static_cast<std::uint32_t>(bits) : kNan32;
}
inline std::uint64_t box(std::uint32_t bits) { return bits | 0xffffffff00000000; }

/// One arithmetic operation each.
inline float add(float a, float b) {
  asm volatile("addss %1, %0" : "+x"(a) : "x"(b));
  return canonical(a);
}
inline double add(double a, double b) {
  asm volatile("addsd %1, %0" : "+x"(a) : "x"(b));
  return canonical(a);
}
inline float sub(float a, float b) {
  asm volatile("subss %1, %0" : "+x"(a) : "x"(b));
  return canonical(a);
}
inline double sub(double a, double b) {
  asm volatile("subsd %1, %0" : "+x"(a) : "x"(b));
  return canonical(a);
}
inline float mul(float a, float b) {
  asm volatile("mulss %1, %0" : "+x"(a) : "x"(b));
  return canonical(a);
}
inline double mul(double a, double b) {
  asm volatile("mulsd %1, %0" : "+x"(a) : "x"(b));
  return canonical(a);
}
inline float div(float a, float b) {
  asm volatile("divss %1, %0" : "+x"(a) : "x"(b));
  return canonical(a);
}
inline double div(double a, double b) {
  asm volatile("divsd %1, %0" : "+x"(a) : "x"(b));
  return canonical(a);
}
inline float sqrt(float a) {
  asm volatile("sqrtss %0, %0" : "+x"(a));
  return canonical(a);
}
inline double sqrt(double a) {
  asm volatile("sqrtsd %0, %0" : "+x"(a));
  return canonical(a);
}

/// fcvt.s.d and fcvt.d.s.
inline float narrow(double a) {
  float r;
  asm volatile("cvtsd2ss %1, %0" : "=x"(r) : "x"(a));
  return canonical(r);
}
inline double widen(float a) {
  double r;
  asm volatile("cvtss2sd %1, %0" : "=x"(r) : "x"(a));
  return canonical(r);
}

/// eq, ltq and leq are quiet, lt and le signal any NaN.
inline bool compare(FpCond cond, float a, float b) {
  bool r = false;
  bool ordered = true;
  switch (cond) {
    case FpCond::eq: asm volatile("ucomiss %3, %2" : "=@ccz"(r), "=@ccnp"(ordered) : "x"(a), "x"(b)); break;
    case FpCond::lt: asm volatile("comiss %1, %2" : "=@cca"(r) : "x"(a), "x"(b)); break;
    case FpCond::le: asm volatile("comiss %1, %2" : "=@ccae"(r) : "x"(a), "x"(b)); break;
    case FpCond::ltq: asm volatile("ucomiss %1, %2" : "=@cca"(r) : "x"(a), "x"(b)); break;
    case FpCond::leq: asm volatile("ucomiss %1, %2" : "=@ccae"(r) : "x"(a), "x"(b)); break;
  }
  return r && ordered;
}
inline bool compare(FpCond cond, double a, double b) {
  bool r = false;
  bool ordered = true;
  switch (cond) {
    case FpCond::eq: asm volatile("ucomisd %3, %2" : "=@ccz"(r), "=@ccnp"(ordered) : "x"(a), "x"(b)); break;
    case FpCond::lt: asm volatile("comisd %1, %2" : "=@cca"(r) : "x"(a), "x"(b)); break;
    case FpCond::le: asm volatile("comisd %1, %2" : "=@ccae"(r) : "x"(a), "x"(b)); break;
    case FpCond::ltq: asm volatile("ucomisd %1, %2" : "=@cca"(r) : "x"(a), "x"(b)); break;
    case FpCond::leq: asm volatile("ucomisd %1, %2" : "=@ccae"(r) : "x"(a), "x"(b)); break;
  }
  return r && ordered;
}

/// a*b+c and its three relatives, rounded once. An infinity times zero raises NV even when c is a quiet NaN,
/// which the host's instruction does not.
float fma(Fma form, float a, float b, float c);
double fma(Fma form, double a, double b, double c);
/// The same on a host without FMA3 (exposed for the tests).
float fma_portable(Fma form, float a, float b, float c);
double fma_portable(Fma form, double a, double b, double c);

/// To an integer, towards zero. Out of range: the nearest integer and NV alone; NaN: the largest and NV.
/// 32-bit results, u32 too, are sign-extended to 64 bits as in the register (F chapter, conversions).
std::uint64_t to_int(IntKind kind, float a);
std::uint64_t to_int(IntKind kind, double a);

/// From an integer of that kind in the low bits of `value`.
float to_float(IntKind kind, std::uint64_t value);
double to_double(IntKind kind, std::uint64_t value);

}  // namespace gstage::tcg::fp
