// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "tcg/ir/unit.h"

namespace gstage::tcg {

/// What an op's `imm` means.
enum class ImmKind : std::uint8_t {
  none,
  number,
  offset,  ///< bytes from the block's page
  x,       ///< integer register, 1–31
  f,       ///< floating-point register, 0–31
  rmw,     ///< Rmw
  helper,  ///< const Helper*
};

/// What an op's `aux` means.
enum class AuxKind : std::uint8_t {
  none,
  mem,        ///< MemKind
  cond,       ///< Cond
  fma,        ///< Fma
  fp_cond,    ///< FpCond
  int_kind,   ///< IntKind
  jump_hint,  ///< JumpHint
  length,     ///< bytes of a guest instruction, 2 or 4
};

/// What passes must know of an op.
enum OpFlag : std::uint8_t {
  kPure = 0,                  ///< nothing but its value: removable when unused
  kEffect = 1u << 0,          ///< changes memory or the hart (other than its registers)
  kTraps = 1u << 1,           ///< may trap, and accesses guest memory or calls a helper that must trap
  kEnds = 1u << 2,            ///< ends the block
  kReadsRegister = 1u << 3,   ///< reads the guest register `imm`
  kWritesRegister = 1u << 4,  ///< writes the guest register `imm`
  kFpFlags = 1u << 5,         ///< raises sticky floating-point flags, so it is not removable
  kCalls = 1u << 6,           ///< what it does stands in its Helper
  kCommutes = 1u << 7,        ///< the two arguments may be swapped
};

/// One row of ops.inc.
struct OpInfo {
  std::string_view name;  ///< as printed: without the underscore that keeps it apart from a C++ word
  Type result;
  std::uint8_t arguments;  ///< how many values; of `call`: at most
  std::array<Type, 4> types;
  ImmKind imm;
  AuxKind aux;
  std::uint8_t flags;  ///< OpFlag

  [[nodiscard]] constexpr bool has(OpFlag flag) const { return (flags & flag) != 0; }
};

inline constexpr unsigned kOpCount = static_cast<unsigned>(Op::kCount);

namespace detail {

constexpr Type type_of(char column) {
  switch (column) {
    case 'I': return Type::i64;
    case 'S': return Type::f32;
    case 'D': return Type::f64;
    default: return Type::none;
  }
}

/// A row from its columns as text. `arguments` is "NONE" or a letter for each value.
constexpr OpInfo make_row(std::string_view name, char result, std::string_view arguments, ImmKind imm,
                          AuxKind aux, unsigned flags) {
  if (name.ends_with('_')) name.remove_suffix(1);
  OpInfo row{name, type_of(result), 0, {}, imm, aux, static_cast<std::uint8_t>(flags)};
  if (arguments == "NONE") return row;
  for (char column : arguments) row.types[row.arguments++] = type_of(column);
  return row;
}

}  // namespace detail

/// The rows of ops.inc by op.
inline constexpr std::array<OpInfo, kOpCount> kOpInfo = {
#define OP(name, result, arguments, immediates, imm, aux, flags) \
  detail::make_row(#name, #result[0], #arguments, ImmKind::imm, AuxKind::aux, flags),
#include "tcg/ir/ops.inc"
#undef OP
};

/// The row of the op.
inline const OpInfo& info(Op op) { return kOpInfo[static_cast<unsigned>(op)]; }

/// Names of the enumerators of an AuxKind or of Rmw, as printed (what is printed without a name has an empty
/// one); null past the last.
const char* aux_name(AuxKind kind, unsigned value);
/// The same for ImmKind::rmw.
const char* rmw_name(unsigned value);

/// Whether the instruction can be left out when nobody uses its value.
inline bool is_removable(const Inst& inst) {
  constexpr unsigned kKept = kEffect | kTraps | kEnds | kWritesRegister | kFpFlags | kCalls;
  return (info(inst.op).flags & kKept) == 0;
}

/// Whether the guest may see its state at this instruction: it may trap or leave the block.
inline bool may_leave(const Inst& inst) {
  const OpInfo& row = info(inst.op);
  return (row.flags & (kTraps | kEnds)) != 0 || (row.has(kCalls) && inst.helper()->may_trap);
}

/// Whether the instruction reads or writes guest registers in memory behind the IR's back.
inline bool touches_registers(const Inst& inst) {
  return info(inst.op).has(kCalls) && inst.helper()->touches_registers;
}

}  // namespace gstage::tcg
