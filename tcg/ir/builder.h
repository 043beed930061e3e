// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>

#include "tcg/ir/unit.h"

// Parameter lists and arguments by the columns of ops.inc.
#define IR_PARAMS_NONE
#define IR_PARAMS_I Value a
#define IR_PARAMS_II Value a, Value b
#define IR_PARAMS_III Value a, Value b, Value c
#define IR_PARAMS_IIII Value a, Value b, Value c, Value d
#define IR_PARAMS_S Value a
#define IR_PARAMS_SS Value a, Value b
#define IR_PARAMS_SSS Value a, Value b, Value c
#define IR_PARAMS_D Value a
#define IR_PARAMS_DD Value a, Value b
#define IR_PARAMS_DDD Value a, Value b, Value c
#define IR_VALUES_NONE
#define IR_VALUES_I a
#define IR_VALUES_II a, b
#define IR_VALUES_III a, b, c
#define IR_VALUES_IIII a, b, c, d
#define IR_VALUES_S a
#define IR_VALUES_SS a, b
#define IR_VALUES_SSS a, b, c
#define IR_VALUES_D a
#define IR_VALUES_DD a, b
#define IR_VALUES_DDD a, b, c

namespace gstage::tcg {

/// Appends instructions to a unit: one method an op, `ir.add(a, b)`, generated from ops.inc. Immediates
/// follow the values: `ir.load(address, displacement, MemKind::u64)`.
class Builder {
 public:
  explicit Builder(Unit& unit) : unit_(unit) {}

  template <class E>
  static constexpr std::uint8_t aux_of(E e) {
    return static_cast<std::uint8_t>(e);
  }

#define IR_METHOD_NOIMM(name, arguments) \
  Value name(IR_PARAMS_##arguments) { return emit(Op::name, {IR_VALUES_##arguments}, 0, 0); }
// An immediate, after whatever values there are.
#define IR_METHOD_IMM(name, arguments) IR_METHOD_IMM_##arguments(name)
#define IR_METHOD_IMM_NONE(name) \
  Value name(std::int64_t imm) { return emit(Op::name, {}, imm, 0); }
#define IR_METHOD_IMM_I(name) \
  Value name(Value a, std::int64_t imm) { return emit(Op::name, {a}, imm, 0); }
#define IR_METHOD_IMM_S(name) IR_METHOD_IMM_I(name)
#define IR_METHOD_IMM_D(name) IR_METHOD_IMM_I(name)
#define IR_METHOD_IMM_IIII(name)  // call has a form of its own
#define IR_METHOD_AUX(name, arguments)                              \
  template <class E>                                                \
  Value name(IR_PARAMS_##arguments, E aux) {                        \
    return emit(Op::name, {IR_VALUES_##arguments}, 0, aux_of(aux)); \
  }
#define IR_METHOD_IMM_AUX(name, arguments) IR_METHOD_IMM_AUX_##arguments(name)
#define IR_METHOD_IMM_AUX_NONE(name)             \
  template <class E>                             \
  Value name(std::int64_t imm, E aux) {          \
    return emit(Op::name, {}, imm, aux_of(aux)); \
  }
#define IR_METHOD_IMM_AUX_I(name)                 \
  template <class E>                              \
  Value name(Value a, std::int64_t imm, E aux) {  \
    return emit(Op::name, {a}, imm, aux_of(aux)); \
  }
#define IR_METHOD_IMM_AUX_II(name)                        \
  template <class E>                                      \
  Value name(Value a, Value b, std::int64_t imm, E aux) { \
    return emit(Op::name, {a, b}, imm, aux_of(aux));      \
  }
#define OP(name, result, arguments, immediates, ...) IR_METHOD_##immediates(name, arguments)
#include "tcg/ir/ops.inc"
#undef OP

  /// Calls a helper with as many values as it takes.
  Value call(const Helper& helper, std::initializer_list<Value> values = {}) {
    return emit(Op::call, values, reinterpret_cast<std::int64_t>(&helper), 0);
  }
  /// Ends the block: to `taken` when the condition holds, else to `not_taken` (offsets from the page).
  void branch_to(Cond cond, Value a, Value b, std::int32_t taken, std::int32_t not_taken) {
    branch(a, b, taken, cond);
    unit_.insts.back().imm2 = not_taken;
  }
  /// Starts a guest instruction of `length` bytes at `offset` in the page.
  void begin_insn(std::uint32_t offset, unsigned length, std::uint32_t raw) {
    insn(offset, length);
    unit_.insts.back().imm2 = static_cast<std::int32_t>(raw);
  }
  Unit& unit() { return unit_; }

 private:
  Value emit(Op op, std::initializer_list<Value> values, std::int64_t imm, std::uint8_t aux) {
    Inst inst{.op = op, .aux = aux, .argument_count = static_cast<std::uint8_t>(values.size()), .imm = imm};
    unsigned i = 0;
    for (Value v : values) inst.args[i++] = v;
    unit_.insts.push_back(inst);
    return Value{static_cast<std::uint32_t>(unit_.insts.size() - 1)};
  }

  Unit& unit_;
};

}  // namespace gstage::tcg
