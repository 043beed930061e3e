// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/trans/translator.h"

// Scalar cryptography (ISA manual vol. I, chapter of that name): hashes inline, AES and SM4 in helpers.

namespace gstage::riscv {

bool Translator::crypt(unsigned rd, unsigned rs1, unsigned rs2, const tcg::Helper& helper) {
  if (rd != 0) set_x(rd, ir_.call(helper, {x(rs1), x(rs2), raw_bits()}));
  return true;
}
bool Translator::aes64ds(const ArgsR& args) { return crypt(args.rd, args.rs1, args.rs2, k_aes64); }
bool Translator::aes64dsm(const ArgsR& args) { return crypt(args.rd, args.rs1, args.rs2, k_aes64); }
bool Translator::aes64es(const ArgsR& args) { return crypt(args.rd, args.rs1, args.rs2, k_aes64); }
bool Translator::aes64esm(const ArgsR& args) { return crypt(args.rd, args.rs1, args.rs2, k_aes64); }
bool Translator::aes64im(const ArgsR2& args) {
  if (args.rd != 0) set_x(args.rd, ir_.call(k_aes64im, {x(args.rs1)}));
  return true;
}
bool Translator::aes64ks1i(const ArgsRound& args) {
  constexpr unsigned kLast = 10;
  if (args.round > kLast) return false;
  if (args.rd != 0) set_x(args.rd, ir_.call(k_aes64ks1i, {x(args.rs1), ir_.const_(args.round)}));
  return true;
}
bool Translator::aes64ks2(const ArgsR& args) {
  const Value low = ir_.xor_(ir_.shr(x(args.rs1), ir_.const_(32)), ir_.zext32(x(args.rs2)));
  const Value high = ir_.xor_(low, ir_.shr(x(args.rs2), ir_.const_(32)));
  set_x(args.rd, ir_.or_(ir_.shl(high, ir_.const_(32)), low));
  return true;
}
bool Translator::sm4ed(const ArgsSm4& args) { return crypt(args.rd, args.rs1, args.rs2, k_sm4); }
bool Translator::sm4ks(const ArgsSm4& args) { return crypt(args.rd, args.rs1, args.rs2, k_sm4); }

/// The exclusive or of rs1 rotated to the right by two numbers, and by a third or shifted by it.
bool Translator::hash64(const ArgsR2& args, const HashStep& step) {
  const Value a = x(args.rs1);
  const Value rotated = ir_.xor_(ir_.rotr(a, ir_.const_(step.first)), ir_.rotr(a, ir_.const_(step.second)));
  const Value third = ir_.const_(step.third);
  set_x(args.rd, ir_.xor_(rotated, step.is_third_shifted ? ir_.shr(a, third) : ir_.rotr(a, third)));
  return true;
}
bool Translator::hash32(const ArgsR2& args, const HashStep& step) {
  const Value a = x(args.rs1);
  const Value rotated = ir_.xor_(ir_.rotrw(a, ir_.const_(step.first)), ir_.rotrw(a, ir_.const_(step.second)));
  const Value third = ir_.const_(step.third);
  set_x(args.rd, ir_.xor_(rotated, step.is_third_shifted ? ir_.shrw(a, third) : ir_.rotrw(a, third)));
  return true;
}
bool Translator::sha256sig0(const ArgsR2& args) { return hash32(args, {7, 18, 3, true}); }
bool Translator::sha256sig1(const ArgsR2& args) { return hash32(args, {17, 19, 10, true}); }
bool Translator::sha256sum0(const ArgsR2& args) { return hash32(args, {2, 13, 22, false}); }
bool Translator::sha256sum1(const ArgsR2& args) { return hash32(args, {6, 11, 25, false}); }
bool Translator::sha512sig0(const ArgsR2& args) { return hash64(args, {1, 8, 7, true}); }
bool Translator::sha512sig1(const ArgsR2& args) { return hash64(args, {19, 61, 6, true}); }
bool Translator::sha512sum0(const ArgsR2& args) { return hash64(args, {28, 34, 39, false}); }
bool Translator::sha512sum1(const ArgsR2& args) { return hash64(args, {14, 18, 41, false}); }
// Rotations to the left by 9 and 17, by 15 and 23; by 0 is rs1 itself.
bool Translator::sm3p0(const ArgsR2& args) { return hash32(args, {32 - 9, 32 - 17, 0, false}); }
bool Translator::sm3p1(const ArgsR2& args) { return hash32(args, {32 - 15, 32 - 23, 0, false}); }

}  // namespace gstage::riscv
