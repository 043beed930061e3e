// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "softmmu/cpu.h"

namespace gstage::tcg {

/// Operations of the IR; see ops.inc.
enum class Op : std::uint8_t {
#define OP(name, ...) name,
#include "tcg/ir/ops.inc"
#undef OP
  kCount
};

/// Size and signedness of a memory access: log2 of the bytes, and kSigned.
enum class MemKind : std::uint8_t { u8 = 0, u16 = 1, u32 = 2, u64 = 3, s8 = 4, s16 = 5, s32 = 6 };
constexpr unsigned mem_size(MemKind k) { return 1u << (static_cast<unsigned>(k) & 3); }
constexpr bool mem_is_signed(MemKind k) { return (static_cast<unsigned>(k) & 4) != 0; }

/// Comparisons, and atomic operations (min and max are signed).
enum class Cond : std::uint8_t { eq, ne, lt, ge, ltu, geu };
enum class Rmw : std::uint8_t { swap, add, xor_, and_, or_, min, max, minu, maxu };
/// madd: a*b+c; msub: a*b-c; nmsub: -(a*b)+c; nmadd: -(a*b)-c.
enum class Fma : std::uint8_t { madd, msub, nmsub, nmadd };
/// ltq and leq are quiet: they raise NV for signaling NaNs alone, as eq does.
enum class FpCond : std::uint8_t { eq, lt, le, ltq, leq };
/// What an indirect jump is, as far as the guest's instruction tells.
enum class JumpHint : std::uint8_t { none, call, ret };
enum class IntKind : std::uint8_t { s32, u32, s64, u64 };
enum class Type : std::uint8_t { none, i64, f32, f64 };

/// C++ called from generated code. All helpers have this form; unused arguments are not passed values to rely
/// on.
using HelperFn = std::uint64_t (*)(CpuCore*, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t);

/// What the translator must know of a helper. Guest registers are in memory while any helper runs (also f),
/// and MXCSR is the guest's.
struct Helper {
  const char* name;
  HelperFn function;
  std::uint8_t arguments;  ///< 0–4
  bool has_result;
  bool may_trap;           ///< may set CpuCore::trap_pending; the result is then ignored
  bool touches_registers;  ///< reads or writes the guest's x or f registers in memory
};

/// A value: the index of the instruction that makes it.
struct Value {
  std::uint32_t index = ~0u;
  [[nodiscard]] bool is_valid() const { return index != ~0u; }
  bool operator==(const Value&) const = default;
};

/// One instruction; what the immediates mean stands in ops.inc.
struct Inst {
  Op op;
  std::uint8_t aux = 0;
  std::uint8_t argument_count = 0;
  std::int32_t imm2 = 0;  ///< branch: the fall-through offset; insn: the raw instruction bits
  std::array<Value, 4> args{};
  std::int64_t imm = 0;

  [[nodiscard]] const Helper* helper() const { return reinterpret_cast<const Helper*>(imm); }
};

/// The IR of one block, in SSA form: each instruction makes at most one value, uses come after it.
struct Unit {
  std::vector<Inst> insts;
  std::uint32_t flags = 0;         ///< the guest's block flags
  std::uint32_t first_offset = 0;  ///< page offset of the first instruction
  std::uint32_t guest_bytes = 0;   ///< bytes of guest code that the block covers
  std::uint32_t guest_insns = 0;

  void clear() {
    insts.clear();
    flags = first_offset = guest_bytes = guest_insns = 0;
  }
};

}  // namespace gstage::tcg
