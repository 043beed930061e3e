// SPDX-License-Identifier: Apache-2.0
#include "tcg/ir/op_info.h"
#include "tcg/opt/passes.h"

namespace gstage::tcg {
namespace {

/// Which registers are overwritten before anyone sees them: a bit each, x below f.
class Overwritten {
 public:
  void forget() { bits_ = 0; }
  void read(const Inst& inst) { bits_ &= ~bit(inst); }
  /// Notes the write. Whether it is seen by nobody.
  bool write(const Inst& inst) {
    const std::uint64_t mine = bit(inst);
    const bool is_dead = (bits_ & mine) != 0;
    bits_ |= mine;
    return is_dead;
  }

 private:
  static std::uint64_t bit(const Inst& inst) {
    return std::uint64_t{1} << (inst.imm + (info(inst.op).imm == ImmKind::f ? 32 : 0));
  }

  std::uint64_t bits_ = 0;
};

}  // namespace

void dead_sets(Unit& unit) {
  Overwritten overwritten;
  for (std::size_t i = unit.insts.size(); i-- > 0;) {
    Inst& inst = unit.insts[i];
    const unsigned flags = info(inst.op).flags;
    if ((flags & kWritesRegister) != 0) {
      if (overwritten.write(inst)) kill(inst);
    } else if ((flags & kReadsRegister) != 0) {
      overwritten.read(inst);
    } else if ((flags & (kTraps | kEnds | kCalls)) != 0 && (may_leave(inst) || touches_registers(inst))) {
      overwritten.forget();
    }
  }
}

}  // namespace gstage::tcg
