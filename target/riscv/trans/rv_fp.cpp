// SPDX-License-Identifier: Apache-2.0
#include <cstddef>

#include "target/riscv/trans/translator.h"

// What F and D share (ISA manual vol. I, "F" and "D" chapters).

namespace gstage::riscv {

using tcg::MemKind;

// Once a block is enough: whatever writes FS ends the block.
void Translator::require_fp() {
  if (fp_required_) return;
  fp_required_ = true;
  ir_.trap_if_zero(env(offsetof(Hart, fp_enabled)), reinterpret_cast<std::int64_t>(&k_fp_off));
}

// Registers or flags are written. Also where an operation that could raise a flag raises none: FS may be
// dirty too often (vol. II, "Extension Context Status in mstatus Register").
void Translator::mark_fp_dirty() {
  if (fp_marked_) return;
  fp_marked_ = true;
  set_env(offsetof(Hart, fp_dirty), ir_.const_(1));
}

void Translator::set_f_bits(unsigned reg, Value value) {
  mark_fp_dirty();
  ir_.set_f_bits(value, reg);
}

bool Translator::fp_load(const ArgsI& args, MemKind kind) {
  require_fp();
  Value value = ir_.load(x(args.rs1), args.imm, kind);
  // Narrower numbers are boxed.
  if (kind == MemKind::u32) {
    mark_fp_dirty();
    ir_.set_f32_bits(value, args.rd);
    return true;
  }
  if (kind == MemKind::u16) value = ir_.or_(value, ir_.const_(~std::int64_t{0xffff}));
  set_f_bits(args.rd, value);
  return true;
}

bool Translator::fp_store(const ArgsS& args, MemKind kind) {
  require_fp();
  ir_.store(x(args.rs1), ir_.get_f_bits(args.rs2), args.imm, kind);
  return true;
}

bool Translator::fp_helper(unsigned rd, const tcg::Helper& helper, std::initializer_list<Value> values) {
  set_f_bits(rd, ir_.call(helper, values));
  return true;
}

bool Translator::fp_to_x_helper(unsigned rd, const tcg::Helper& helper, std::initializer_list<Value> values) {
  const Value result = ir_.call(helper, values);
  mark_fp_dirty();
  set_x(rd, result);
  return true;
}

}  // namespace gstage::riscv
