// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/trans/translator.h"

// Zbc, Zbkb, Zbkc, Zbkx (ISA manual vol. I, "B" and "Scalar Cryptography" chapters).

namespace gstage::riscv {

bool Translator::call_binary(const ArgsR& args, const tcg::Helper& helper) {
  if (args.rd != 0) set_x(args.rd, ir_.call(helper, {x(args.rs1), x(args.rs2)}));
  return true;
}
bool Translator::clmul(const ArgsR& args) { return call_binary(args, k_clmul); }
bool Translator::clmulh(const ArgsR& args) { return call_binary(args, k_clmulh); }
bool Translator::clmulr(const ArgsR& args) { return call_binary(args, k_clmulr); }
bool Translator::xperm4(const ArgsR& args) { return call_binary(args, k_xperm4); }
bool Translator::xperm8(const ArgsR& args) { return call_binary(args, k_xperm8); }

bool Translator::pack(const ArgsR& args) {
  if (args.rd == 0) return true;
  set_x(args.rd, ir_.or_(ir_.shl(x(args.rs2), ir_.const_(32)), ir_.zext32(x(args.rs1))));
  return true;
}
bool Translator::packh(const ArgsR& args) {
  if (args.rd == 0) return true;
  set_x(args.rd, ir_.or_(ir_.shl(ir_.zext8(x(args.rs2)), ir_.const_(8)), ir_.zext8(x(args.rs1))));
  return true;
}
bool Translator::packw(const ArgsR& args) {
  if (args.rd == 0) return true;
  set_x(args.rd, ir_.or_(ir_.shlw(x(args.rs2), ir_.const_(16)), ir_.zext16(x(args.rs1))));
  return true;
}

/// Exchanges groups of bits that lie `distance` apart; the mask has the lower of each pair.
Translator::Value Translator::swap_neighbours(Value value, unsigned distance, std::uint64_t low_mask) {
  const Value by = ir_.const_(distance);
  const Value lower = ir_.and_(ir_.shr(value, by), constant(low_mask));
  return ir_.or_(ir_.shl(ir_.and_(value, constant(low_mask)), by), lower);
}
bool Translator::brev8(const ArgsR2& args) {
  if (args.rd == 0) return true;
  Value value = swap_neighbours(x(args.rs1), 1, 0x5555555555555555);
  value = swap_neighbours(value, 2, 0x3333333333333333);
  set_x(args.rd, swap_neighbours(value, 4, 0x0f0f0f0f0f0f0f0f));
  return true;
}

}  // namespace gstage::riscv
