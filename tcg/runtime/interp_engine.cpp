// SPDX-License-Identifier: Apache-2.0
#include "tcg/runtime/interp_engine.h"

#include "softmmu/base/check.h"
#include "tcg/interp/guest_float.h"
#include "tcg/interp/interp.h"

namespace gstage::tcg {

namespace {

constexpr std::size_t kDefaultBytes = std::size_t{256} << 20;

}  // namespace

InterpEngine::InterpEngine(Guest& guest, AddressSpace& memory, Exclusive& exclusive, std::size_t buffer_bytes)
    : EngineBase(guest, memory, exclusive), limit_bytes_(buffer_bytes == 0 ? kDefaultBytes : buffer_bytes) {}

void InterpEngine::execute(CpuCore& core) {
  const interp::GuestFloat guest_float(core);
  while (core.attention.load(std::memory_order_relaxed) == 0) {
    const auto* block = static_cast<const Block*>(find_jump(core));
    if (block != nullptr && !block->is_dead.load(std::memory_order_acquire)) {
      core.pc_page = core.pc & ~kPageMask;
    } else {
      block = static_cast<const Block*>(find_next(core));
      if (block == nullptr) return;
    }
    interp::run(*block->unit, core, guest_, layout_);
    if (core.trap_pending != 0) guest_.deliver_trap(core);
  }
}

void InterpEngine::run_block(CpuCore& core, Tlb& tlb, unsigned max_insns) {
  core.tlb = &tlb;
  CodeLocation location;
  if (!locate_fully(core, location)) return;
  Unit unit;
  {
    const std::lock_guard lock(mutex());
    make_unit(location, max_insns);
    unit = unit_;
  }
  exclusive_.enter_guest(core);
  core.pc_page = core.pc & ~kPageMask;
  {
    const interp::GuestFloat guest_float(core);
    interp::run(unit, core, guest_, layout_);
  }
  exclusive_.leave_guest(core);
}

bool InterpEngine::generate(Block& block, const Unit& unit) {
  block.unit = std::make_unique<Unit>(unit);
  block.code = &block;
  used_bytes_ += sizeof(Block) + sizeof(Unit) + unit.insts.size() * sizeof(Inst);
  return true;
}

}  // namespace gstage::tcg
