// SPDX-License-Identifier: Apache-2.0
// Watching where indirect jumps go and how loops go round: the hart is interpreted for a while.
#include <optional>
#include <unordered_map>

#include "tcg/interp/guest_float.h"
#include "tcg/interp/interp.h"
#include "tcg/interp/state.h"
#include "tcg/ir/op_info.h"
#include "tcg/runtime/jit_engine.h"

namespace gstage::tcg {

namespace {

/// Long enough for a loop around a switch to pass through most of its cases.
constexpr unsigned kWatchedBlocks = 1000;
/// Bytes of code that a jump back in a loop leads over at most.
constexpr std::uint64_t kMaxLoop = 4096;

/// The page offset of the unit's last instruction, if it ends with an indirect jump.
std::optional<std::uint32_t> jump_at(const Unit& unit) {
  if (unit.insts.back().op != Op::jump_reg) return std::nullopt;
  return static_cast<std::uint32_t>(interp::last_insn(&unit.insts.back())->imm);
}

}  // namespace

/// Ends early when somebody wants something of the hart, and at code that was not translated before.
void JitEngine::watch(CpuCore& core) {
  Watch watch;
  exclusive_.enter_guest(core);
  {
    const interp::GuestFloat guest_float(core);
    for (unsigned i = 0; i < kWatchedBlocks && core.attention.load(std::memory_order_relaxed) == 0; ++i)
      if (!watch_block(core, watch)) break;
  }
  exclusive_.leave_guest(core);
}

bool JitEngine::watch_block(CpuCore& core, Watch& watch) {
  CodeLocation location;
  if (!locate(core, location)) {
    guest_.deliver_trap(core);
    return true;
  }
  const std::byte* const page = location.key.host - (core.pc & kPageMask);
  const std::uint64_t pc_page = core.pc & ~kPageMask;
  const Unit* unit = nullptr;
  {
    const std::lock_guard lock(mutex());
    const Block* const block = blocks().find(location.key);
    if (block == nullptr || !is_readable(block->paddr.page())) return false;
    const auto [at, is_new] = watch.units.try_emplace(block);
    if (is_new) {
      const bool is_settled = locate_fully(core, location) &&
                              (location.key.second_page == nullptr || is_readable(location.second));
      core.trap_pending = 0;
      if (!is_settled) return false;
      make_unit(location, kMaxInsns);
      at->second = unit_;
    }
    unit = &at->second;
    jumps_.note_block(location.key.host, core.pc <= watch.last_pc && core.pc + kMaxLoop > watch.last_pc);
  }
  watch.last_pc = core.pc;
  core.pc_page = pc_page;
  interp::run(*unit, core, guest_, layout_);
  if (core.trap_pending != 0) {
    guest_.deliver_trap(core);
  } else if (const auto jump = jump_at(*unit); jump) {
    const std::lock_guard lock(mutex());
    jumps_.note(page + *jump, static_cast<std::int64_t>(core.pc - pc_page));
  }
  return true;
}

}  // namespace gstage::tcg
