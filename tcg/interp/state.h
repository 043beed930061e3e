// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

#include "tcg/ir/unit.h"
#include "tcg/runtime/guest.h"

namespace gstage::tcg::interp {

/// What the ops of one block work on.
struct State {
  std::uint64_t* slots;  ///< the value of each instruction; an f32 in the low half
  const Inst* first;
  CpuCore* core;
  Guest* guest;
  std::uint64_t* x;  ///< the guest's registers
  std::uint64_t* f;
  std::uint64_t page;  ///< virtual page of the block

  [[nodiscard]] std::uint64_t arg(const Inst& inst, unsigned i) const { return slots[inst.args[i].index]; }
  [[nodiscard]] float arg32(const Inst& inst, unsigned i) const {
    return std::bit_cast<float>(static_cast<std::uint32_t>(arg(inst, i)));
  }
  [[nodiscard]] double arg64(const Inst& inst, unsigned i) const {
    return std::bit_cast<double>(arg(inst, i));
  }
  void set(const Inst& inst, std::uint64_t value) const { slots[&inst - first] = value; }
  void set(const Inst& inst, float value) const {
    set(inst, std::uint64_t{std::bit_cast<std::uint32_t>(value)});
  }
  void set(const Inst& inst, double value) const { set(inst, std::bit_cast<std::uint64_t>(value)); }
  [[nodiscard]] std::uint64_t target(std::int64_t offset) const {
    return page + static_cast<std::uint64_t>(offset);
  }
};

/// Whether the block goes on after an op.
enum class Next : bool { kGoOn, kLeave };

/// The guest instruction that the op belongs to: the last `insn` before it. Verified units have one.
[[gnu::cold, gnu::noinline]] const Inst* last_insn(const Inst* inst);

/// Leaves the block at a trap.
inline Next leave_at(State& state, const Inst& inst) {
  // By value: a State whose address is taken would live in memory.
  state.core->pc = state.target(last_insn(&inst)->imm);
  return Next::kLeave;
}

/// Goes on unless a trap is pending.
inline Next after(State& state, const Inst& inst) {
  return state.core->trap_pending != 0 ? leave_at(state, inst) : Next::kGoOn;
}

}  // namespace gstage::tcg::interp
