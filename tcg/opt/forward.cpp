// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "tcg/ir/op_info.h"
#include "tcg/opt/fold.h"
#include "tcg/opt/passes.h"

namespace gstage::tcg {
namespace {

constexpr std::uint32_t kUnknown = ~0u;
/// A floating-point value that was set so many ops ago is read from its register again: a host register would
/// have to keep it that long.
constexpr std::uint32_t kFar = 96;

bool is_int32(std::int64_t v) { return v == static_cast<std::int32_t>(v); }

/// Which value each guest register holds.
class Registers {
 public:
  Registers(Unit& unit, Knowledge& knowledge) : unit_(unit), knowledge_(knowledge) { forget(); }

  void forget() {
    x_.fill(kUnknown);
    f_.fill(kUnknown);
  }

  // A read of a register stays unless its value is a small constant. For back ends the register's home is an
  // operand that costs nothing; the value that was put there earlier would have to be kept elsewhere once the
  // home changes. That both are the same value is noted for folding alone.
  void get_x(std::uint32_t index) {
    Inst& inst = unit_.insts[index];
    std::uint32_t& held = x_[static_cast<std::size_t>(inst.imm)];
    if (held == kUnknown) {
      held = index;
      return;
    }
    const std::uint32_t same = knowledge_.same[held];
    const Inst& source = unit_.insts[same];
    knowledge_.same[index] = same;
    if (source.op == Op::const_ && is_int32(source.imm)) inst = Inst{.op = Op::const_, .imm = source.imm};
  }

  void set_x(std::uint32_t index) {
    Inst& inst = unit_.insts[index];
    std::uint32_t& held = x_[static_cast<std::size_t>(inst.imm)];
    const std::uint32_t value = inst.args[0].index;
    const bool is_held = held != kUnknown && knowledge_.same[held] == knowledge_.same[value];
    held = value;
    if (is_held) kill(inst);
  }

  // Floating-point registers live in memory, and reading a single unboxes it: the value itself is better, if
  // it was set or read as the same type. (set_f32 boxes, so get_f32 after it yields the value.)
  void get_f(std::uint32_t index) {
    std::uint32_t& held = f_[static_cast<std::size_t>(unit_.insts[index].imm)];
    if (held != kUnknown && index - held < kFar && type_of(held) == type_of(index)) {
      knowledge_.use[index] = held;
      knowledge_.same[index] = knowledge_.same[held];
    } else {
      held = index;
    }
  }

  void set_f(std::uint32_t index) {
    const Inst& inst = unit_.insts[index];
    // What is boxed on the way is not what a read yields.
    f_[static_cast<std::size_t>(inst.imm)] = inst.op == Op::set_f32_bits ? kUnknown : inst.args[0].index;
  }

 private:
  [[nodiscard]] Type type_of(std::uint32_t index) const { return info(unit_.insts[index].op).result; }

  Unit& unit_;
  Knowledge& knowledge_;
  std::array<std::uint32_t, 32> x_;
  std::array<std::uint32_t, 32> f_;
};

}  // namespace

void forward(Unit& unit) {
  static thread_local Knowledge knowledge;
  const auto count = static_cast<std::uint32_t>(unit.insts.size());
  if (knowledge.use.size() < count) {
    knowledge.use.resize(count);
    knowledge.same.resize(count);
  }
  Registers registers(unit, knowledge);
  for (std::uint32_t i = 0; i < count; ++i) {
    Inst& inst = unit.insts[i];
    knowledge.use[i] = knowledge.same[i] = i;
    for (unsigned k = 0; k < inst.argument_count; ++k) inst.args[k].index = knowledge.use[inst.args[k].index];
    const OpInfo& row = info(inst.op);
    const bool is_x = row.imm == ImmKind::x;
    if (row.has(kReadsRegister)) {
      is_x ? registers.get_x(i) : registers.get_f(i);
    } else if (row.has(kWritesRegister)) {
      is_x ? registers.set_x(i) : registers.set_f(i);
    } else if (row.has(kCalls) && touches_registers(inst)) {
      registers.forget();
    } else {
      fold(unit, knowledge, i);
    }
  }
}

}  // namespace gstage::tcg
