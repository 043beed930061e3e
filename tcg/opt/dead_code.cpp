// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "tcg/ir/op_info.h"
#include "tcg/opt/passes.h"

namespace gstage::tcg {
namespace {

/// Which guest registers are overwritten before anyone sees them: a bit each, x below f.
class Overwritten {
 public:
  void forget() { bits_ = 0; }
  void read(const Inst& inst, const OpInfo& row) { bits_ &= ~bit(inst, row); }
  /// Notes the write. Whether somebody sees it.
  bool write(const Inst& inst, const OpInfo& row) {
    const std::uint64_t mine = bit(inst, row);
    const bool is_seen = (bits_ & mine) == 0;
    bits_ |= mine;
    return is_seen;
  }

 private:
  static std::uint64_t bit(const Inst& inst, const OpInfo& row) {
    return std::uint64_t{1} << (inst.imm + (row.imm == ImmKind::f ? 32 : 0));
  }

  std::uint64_t bits_ = 0;
};

/// Whether the instruction must stay. Walked from the end: what comes after it is decided.
bool is_needed(const Inst& inst, bool is_used, Overwritten& overwritten) {
  const OpInfo& row = info(inst.op);
  if (row.has(kWritesRegister)) return overwritten.write(inst, row);
  if (!is_used && is_removable(inst)) return false;
  if (row.has(kReadsRegister)) {
    overwritten.read(inst, row);
  } else if ((row.flags & (kTraps | kEnds | kCalls)) != 0 && (may_leave(inst) || touches_registers(inst))) {
    overwritten.forget();
  }
  return true;
}

/// Marks what must stay, and what that uses. How many must not.
std::size_t mark(const Unit& unit, std::vector<std::uint32_t>& needed) {
  Overwritten overwritten;
  std::size_t dead = 0;
  for (std::size_t i = unit.insts.size(); i-- > 0;) {
    const Inst& inst = unit.insts[i];
    if (!is_needed(inst, needed[i] != 0, overwritten)) {
      ++dead;
      continue;
    }
    needed[i] = 1;
    for (unsigned k = 0; k < inst.argument_count; ++k) needed[inst.args[k].index] = 1;
  }
  return dead;
}

/// Moves what is marked together. The marks become the new indices.
void compact(Unit& unit, std::vector<std::uint32_t>& indices) {
  std::uint32_t next = 0;
  for (std::size_t i = 0; i < unit.insts.size(); ++i) {
    if (indices[i] == 0) continue;
    Inst& inst = unit.insts[next] = unit.insts[i];
    for (unsigned k = 0; k < inst.argument_count; ++k) inst.args[k].index = indices[inst.args[k].index];
    indices[i] = next++;
  }
  unit.insts.resize(next);
}

}  // namespace

void dead_code(Unit& unit) {
  static thread_local std::vector<std::uint32_t> indices;
  indices.assign(unit.insts.size(), 0);
  if (mark(unit, indices) != 0) compact(unit, indices);
}

}  // namespace gstage::tcg
