// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

#include "tcg/ir/unit.h"

namespace gstage::tcg::semantics {

// The short names make the expressions of the table readable.
using u32 = std::uint32_t;
using s32 = std::int32_t;
using u64 = std::uint64_t;
using s64 = std::int64_t;
__extension__ using i128 = __int128;
__extension__ using u128 = unsigned __int128;

inline constexpr u64 kOnes = ~u64{0};
/// The low 32 bits, sign-extended.
constexpr u64 sext32(u64 value) { return u64(s64(s32(value))); }

/// The value of one pure integer op; `b` is ignored by those that take one argument.
template <Op kOp>
constexpr u64 integer(u64 a, u64 b);

#define INT_OP(name, expression)                                   \
  template <>                                                      \
  constexpr u64 integer<Op::name>(u64 a, [[maybe_unused]] u64 b) { \
    return expression;                                             \
  }
#include "tcg/ir/int_semantics.inc"
#undef INT_OP

/// Whether the table int_semantics.inc has the op.
constexpr bool is_integer_op(Op op) { return op >= Op::add && op <= Op::zext32; }

/// Whether the op keeps the low bits of its argument and extends them.
constexpr bool is_extension(Op op) { return op >= Op::sext8 && op <= Op::zext32; }

/// The same for an op that is only known at run time; it must be an is_integer_op.
constexpr u64 evaluate(Op op, u64 a, u64 b) {
  switch (op) {
#define INT_OP(name, expression) \
  case Op::name:                 \
    return integer<Op::name>(a, b);
#include "tcg/ir/int_semantics.inc"
#undef INT_OP
    default: return 0;
  }
}

/// Whether the condition holds.
constexpr bool holds(Cond cond, u64 a, u64 b) {
  switch (cond) {
    case Cond::eq: return a == b;
    case Cond::ne: return a != b;
    case Cond::lt: return s64(a) < s64(b);
    case Cond::ge: return s64(a) >= s64(b);
    case Cond::ltu: return a < b;
    case Cond::geu: return a >= b;
  }
  return false;
}

/// A loaded value of the kind's size, extended to 64 bits as the kind says.
constexpr u64 extend(MemKind kind, u64 value) {
  switch (kind) {
    case MemKind::u8: return value & 0xff;
    case MemKind::u16: return value & 0xffff;
    case MemKind::u32: return u32(value);
    case MemKind::s8: return u64(s64(static_cast<std::int8_t>(value)));
    case MemKind::s16: return u64(s64(static_cast<std::int16_t>(value)));
    case MemKind::s32: return sext32(value);
    case MemKind::u64: break;
  }
  return value;
}

}  // namespace gstage::tcg::semantics
