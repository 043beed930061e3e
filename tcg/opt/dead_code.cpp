// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "tcg/ir/op_info.h"
#include "tcg/opt/passes.h"

namespace gstage::tcg {
namespace {

/// Marks what is needed, from the end: what is not removable and all that it uses. How many are not.
std::size_t mark(const Unit& unit, std::vector<std::uint32_t>& needed) {
  std::size_t dead = 0;
  for (std::size_t i = unit.insts.size(); i-- > 0;) {
    const Inst& inst = unit.insts[i];
    if (needed[i] == 0 && is_removable(inst)) {
      ++dead;
      continue;
    }
    needed[i] = 1;
    for (unsigned k = 0; k < inst.argument_count; ++k) needed[inst.args[k].index] = 1;
  }
  return dead;
}

/// Moves what is marked together. The marks become the new places.
void compact(Unit& unit, std::vector<std::uint32_t>& places) {
  std::uint32_t next = 0;
  for (std::size_t i = 0; i < unit.insts.size(); ++i) {
    if (places[i] == 0) continue;
    Inst& inst = unit.insts[next] = unit.insts[i];
    for (unsigned k = 0; k < inst.argument_count; ++k) inst.args[k].index = places[inst.args[k].index];
    places[i] = next++;
  }
  unit.insts.resize(next);
}

}  // namespace

void dead_code(Unit& unit) {
  static thread_local std::vector<std::uint32_t> places;
  places.assign(unit.insts.size(), 0);
  if (mark(unit, places) != 0) compact(unit, places);
}

}  // namespace gstage::tcg
