// SPDX-License-Identifier: Apache-2.0
// Halves, and the additional operations of all formats (ISA manual vol. I, "Zfh", "Zfhmin" and "Zfa"
// chapters).
#include "target/riscv/ops/fp_common.h"

namespace gstage::riscv {

using namespace fp_ops;  // NOLINT: the file's own vocabulary

namespace {

/// The rs2 field where it names the format of the source: S, D, H.
const soft_float::Format& source_format_of(std::uint64_t raw) { return format_of(raw >> 20 << 25); }

constexpr unsigned funct3_of(std::uint64_t raw) { return raw >> 12 & 7; }

}  // namespace

// Zfa, by the fmt field.

/// Bit 0 of the rs2 field: froundnx, which raises NX.
std::uint64_t helper_fround(CpuCore* core, std::uint64_t a, std::uint64_t raw, std::uint64_t, std::uint64_t) {
  const soft_float::Format& format = format_of(raw);
  return rounded(core, raw, [&](Env& env) {
    const std::uint64_t operand = format.unbox(a);
    const std::uint64_t result = soft_float::round_to_integral(env, format, operand);
    const bool raises_inexact = (raw >> 20 & 1) != 0;
    if (raises_inexact && result != operand && !format.is_nan(operand)) env.flags |= soft_float::kInexact;
    return format.box(result);
  });
}

std::uint64_t helper_fcvtmod(CpuCore*, std::uint64_t a, std::uint64_t, std::uint64_t, std::uint64_t) {
  Env env{.rounding = soft_float::Rounding::kRtz};
  const std::uint64_t result = soft_float::to_int_modular(env, a);
  add_flags(env.flags);
  return result;
}

/// Bit 0 of funct3: the larger; bit 1: fminm and fmaxm.
std::uint64_t helper_fselect(CpuCore*, std::uint64_t a, std::uint64_t b, std::uint64_t raw, std::uint64_t) {
  const unsigned funct3 = funct3_of(raw);
  return select_number(format_of(raw), a, b, {(funct3 & 1) != 0, (funct3 & 2) != 0});
}

// Halves.

/// funct5: addition, subtraction, multiplication, division.
std::uint64_t helper_farith_h(CpuCore* core, std::uint64_t a, std::uint64_t b, std::uint64_t raw,
                              std::uint64_t) {
  static constexpr Binary kOperations[] = {soft_float::add, soft_float::sub, soft_float::mul,
                                           soft_float::div};
  return rounded(core, raw, [&](Env& env) {
    return kHalf.box(kOperations[raw >> 27 & 3](env, kHalf, kHalf.unbox(a), kHalf.unbox(b)));
  });
}

/// funct3: fsgnj, fsgnjn, fsgnjx.
std::uint64_t helper_fsign_h(CpuCore*, std::uint64_t a, std::uint64_t b, std::uint64_t raw, std::uint64_t) {
  a = kHalf.unbox(a);
  b = kHalf.unbox(b);
  const std::uint64_t sign = kHalf.sign_mask();
  if (funct3_of(raw) == 1) b = ~b;
  if (funct3_of(raw) == 2) b ^= a;
  return kHalf.box((a & ~sign) | (b & sign));
}

/// funct3: fle, flt, feq, and with bit 2 the quiet fleq and fltq.
std::uint64_t helper_fcompare_h(CpuCore*, std::uint64_t a, std::uint64_t b, std::uint64_t raw,
                                std::uint64_t) {
  enum : unsigned { kLe, kLt, kEq };
  a = kHalf.unbox(a);
  b = kHalf.unbox(b);
  const unsigned funct3 = funct3_of(raw);
  if (kHalf.is_nan(a) || kHalf.is_nan(b)) {
    const bool signals = kHalf.is_signaling(a) || kHalf.is_signaling(b) || funct3 == kLe || funct3 == kLt;
    if (signals) add_flags(soft_float::kInvalid);
    return 0;
  }
  const bool is_equal = a == b || ((a | b) & ~kHalf.sign_mask()) == 0;
  if (funct3 == kEq) return std::uint64_t{is_equal};
  const bool is_less = !is_equal && order_key(kHalf, a) < order_key(kHalf, b);
  return std::uint64_t{is_less || (is_equal && (funct3 & 1) == kLe)};
}

/// From the format of the rs2 field to that of the fmt field.
std::uint64_t helper_fconvert(CpuCore* core, std::uint64_t a, std::uint64_t raw, std::uint64_t,
                              std::uint64_t) {
  const soft_float::Format& from = source_format_of(raw);
  const soft_float::Format& to = format_of(raw);
  return rounded(core, raw,
                 [&](Env& env) { return to.box(soft_float::convert(env, from, to, from.unbox(a))); });
}

}  // namespace gstage::riscv
