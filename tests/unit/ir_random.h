// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <random>
#include <vector>

#include "tcg/ir/op_info.h"

#include "tests/unit/ir_machine.h"

namespace gstage::tcg::test {

/// Makes random units that verify, from the table of ops. Shaped like a translator's output: guest
/// instructions that read registers, compute and write registers.
class RandomUnit {
 public:
  /// `reach`: how many of the latest values are used again.
  explicit RandomUnit(std::uint64_t seed, std::uint32_t reach = 6) : random_(seed), reach_(reach) {}

  Unit make() {
    unit_.clear();
    for (auto& values : values_) values.clear();
    const unsigned insns = 1 + below(12);
    for (unsigned i = 0; i < insns; ++i) {
      append({.op = Op::insn, .aux = 4, .imm2 = static_cast<std::int32_t>(below(1u << 30)), .imm = 4 * i});
      const unsigned ops = 1 + below(8);
      for (unsigned k = 0; k < ops; ++k) random_op();
    }
    unit_.guest_insns = insns;
    unit_.guest_bytes = 4 * insns;
    end();
    return unit_;
  }

  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_() % bound); }

 private:
  static unsigned at(Type type) { return static_cast<unsigned>(type); }

  Value append(Inst inst) {
    unit_.insts.push_back(inst);
    const Value value{static_cast<std::uint32_t>(unit_.insts.size() - 1)};
    values_[at(info(inst.op).result)].push_back(value);
    return value;
  }

  /// Constants that matter to the folding: small, masks, shift amounts, extremes.
  std::int64_t interesting() {
    static constexpr std::int64_t kNumbers[] = {
        0,    1,     -1,     2,          32,         48,         56,
        63,   64,    0xff,   0xffff,     0xffffffff, 0x7fffffff, -0x80000000ll,
        0x7f, -2048, 0xff00, 0x80000000, INT64_MIN,  INT64_MAX,  12345678901};
    return below(4) == 0 ? static_cast<std::int64_t>(random_()) : kNumbers[below(std::size(kNumbers))];
  }

  /// Mostly values made lately; sometimes a new constant or register.
  Value value_of(Type type) {
    auto& known = values_[at(type)];
    if (!known.empty() && below(4) != 0)
      return known[known.size() - 1 - below(std::min<std::uint32_t>(reach_, known.size()))];
    if (type == Type::f32) return append({.op = Op::get_f32, .imm = below(6)});
    if (type == Type::f64) return append({.op = Op::get_f64, .imm = below(6)});
    if (below(2) == 0) return append({.op = Op::const_, .imm = interesting()});
    return append({.op = Op::get_x, .imm = 1 + below(6)});
  }

  /// An address in one of the three pages, as constant plus displacement or out of a register (x1–x3).
  Value address() {
    const Value base = append({.op = Op::get_x, .imm = 20 + below(10) / 4});
    if (below(2) == 0) return base;
    const Value offset = append({.op = Op::const_, .imm = below(64)});
    return append({.op = Op::add, .argument_count = 2, .args = {base, offset}});
  }

  std::uint8_t random_aux(AuxKind kind) {
    unsigned count = 0;
    while (aux_name(kind, count) != nullptr) ++count;
    return static_cast<std::uint8_t>(count == 0 ? 0 : below(count));
  }

  void random_op() {
    const Op op = static_cast<Op>(below(kOpCount));
    const OpInfo& row = info(op);
    if (row.has(kEnds) || op == Op::insn) return;
    if (row.has(kCalls)) return random_call(op);
    const bool is_host = op == Op::host_load || op == Op::host_store || op == Op::atomic_rmw ||
                         op == Op::atomic_cas || op == Op::store_conditional || op == Op::atomic_host ||
                         op == Op::load_reserved;
    if (is_host) return random_atomic();
    Inst inst{.op = op, .aux = random_aux(row.aux), .argument_count = row.arguments};
    for (unsigned i = 0; i < row.arguments; ++i) inst.args[i] = value_of(row.types[i]);
    if (op == Op::load || op == Op::store) inst.args[0] = address();
    inst.imm = random_imm(op, row.imm);
    append(inst);
  }

  std::int64_t random_imm(Op op, ImmKind kind) {
    if (op == Op::const_) return interesting();
    if (op == Op::env_load || op == Op::env_store) return kEnvOffset + below(24);
    if (kind == ImmKind::x) return 1 + below(6);
    if (kind == ImmKind::f) return below(6);
    if (kind == ImmKind::number) return below(64);
    if (kind == ImmKind::offset) return static_cast<std::int64_t>(below(0x20000)) - 0x10000;
    return 0;
  }

  void random_call(Op op) {
    static constexpr const Helper* kHelpers[] = {&kMix, &kBump, &kTrapIfOdd};
    const Helper* helper = op == Op::trap_if_zero ? &kTrap : kHelpers[below(3)];
    // One that traps in one of eight: most units shall get further.
    if (helper->may_trap && below(4) != 0) return;
    Inst inst{.op = op, .imm = reinterpret_cast<std::int64_t>(helper)};
    inst.argument_count = op == Op::trap_if_zero ? 1 : helper->arguments;
    for (unsigned i = 0; i < inst.argument_count; ++i) inst.args[i] = value_of(Type::i64);
    append(inst);
  }

  /// Host pointers come from atomic_host alone.
  void random_atomic() {
    const bool is_word = below(2) == 0;
    const std::uint8_t kind = static_cast<std::uint8_t>(is_word ? MemKind::s32 : MemKind::u64);
    const Value base = append({.op = Op::get_x, .imm = 20 + below(9) / 4});
    if (below(2) == 0) append({.op = Op::load_reserved, .aux = kind, .argument_count = 1, .args = {base}});
    const Value host = append({.op = Op::atomic_host, .aux = kind, .argument_count = 1, .args = {base}});
    values_[at(Type::i64)].pop_back();  // differs from run to run
    const Value operand = value_of(Type::i64);
    if (below(3) == 0) {
      // Of what the pointer is for, or less.
      static constexpr MemKind kNarrow[] = {MemKind::s8, MemKind::s16, MemKind::u8, MemKind::u16};
      const std::uint8_t size = below(2) == 0 ? kind : static_cast<std::uint8_t>(kNarrow[below(4)]);
      const Value expected = value_of(Type::i64);
      append({.op = Op::atomic_cas, .aux = size, .argument_count = 3, .args = {host, expected, operand}});
      append(
          {.op = Op::atomic_rmw, .aux = size, .argument_count = 2, .args = {host, operand}, .imm = below(9)});
      return;
    }
    if (below(2) == 0) {
      append(
          {.op = Op::atomic_rmw, .aux = kind, .argument_count = 2, .args = {host, operand}, .imm = below(9)});
      return;
    }
    append({.op = Op::store_conditional, .aux = kind, .argument_count = 3, .args = {host, base, operand}});
  }

  void end() {
    switch (below(4)) {
      case 0: append({.op = Op::jump, .imm = below(0x2000)}); break;
      case 1:
        append({.op = Op::branch,
                .aux = random_aux(AuxKind::cond),
                .argument_count = 2,
                .imm2 = 0x40,
                .args = {value_of(Type::i64), value_of(Type::i64)},
                .imm = 0x80});
        break;
      case 2: append({.op = Op::jump_reg, .argument_count = 1, .args = {value_of(Type::i64)}}); break;
      default: append({.op = Op::exit_at, .imm = 0x44}); break;
    }
  }

  std::mt19937_64 random_;
  std::uint32_t reach_;
  Unit unit_;
  std::array<std::vector<Value>, 4> values_;
};

}  // namespace gstage::tcg::test
