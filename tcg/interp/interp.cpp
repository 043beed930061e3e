// SPDX-License-Identifier: Apache-2.0
#include "tcg/interp/interp.h"

#include <vector>

#include "tcg/interp/fp_ops.h"
#include "tcg/interp/ops.h"

namespace gstage::tcg::interp {
namespace {

/// Room for the values of a block. It grows to the longest block that the thread has run.
std::uint64_t* slots_for(std::size_t count) {
  static thread_local std::vector<std::uint64_t> slots(1024);
  if (slots.size() < count) [[unlikely]]
    slots.resize(count);
  return slots.data();
}

/// Threaded code: each op has a jump of its own to the next one's label, for hosts predict each jump apart.
/// All is inlined here, so that the state lives in registers.
[[gnu::flatten]] void execute(const State& initial) {
  State state = initial;
  static constexpr void* kLabels[] = {
#define OP(name, ...) &&at_##name,
#include "tcg/ir/ops.inc"
#undef OP
  };
  const Inst* inst = state.first;
  goto* kLabels[static_cast<unsigned>(inst->op)];
#define OP(name, ...)                                                            \
  at_##name : if (exec(OpTag<Op::name>{}, state, *inst) == Next::kLeave) return; \
  ++inst;                                                                        \
  goto* kLabels[static_cast<unsigned>(inst->op)];
#include "tcg/ir/ops.inc"
#undef OP
}

}  // namespace

const Inst* last_insn(const Inst* inst) {
  while (inst->op != Op::insn) --inst;
  return inst;
}

void run(const Unit& unit, CpuCore& core, Guest& guest, const GuestLayout& layout) {
  std::byte* const base = reinterpret_cast<std::byte*>(&core);
  execute({.slots = slots_for(unit.insts.size()),
           .first = unit.insts.data(),
           .core = &core,
           .guest = &guest,
           .x = reinterpret_cast<std::uint64_t*>(base + layout.x_offset),
           .f = reinterpret_cast<std::uint64_t*>(base + layout.f_offset),
           .page = core.pc_page});
}

}  // namespace gstage::tcg::interp
