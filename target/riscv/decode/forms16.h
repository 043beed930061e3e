// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "target/riscv/decode/formats.h"

// The operands of the expansions of compressed instructions: one function a form of insn16.inc, from the 16
// bits to the arguments of the 32-bit instruction. Immediates: ISA manual vol. I, tables of the "Zca"
// chapter.

namespace gstage::riscv::forms16 {

/// `count` bits of `raw` from bit `from`, moved to bit `to`.
constexpr std::uint32_t move_bits(std::uint32_t raw, unsigned from, unsigned count, unsigned to) {
  return (raw >> from & ((1u << count) - 1)) << to;
}
/// Whole register numbers at bits 11:7 and 6:2, and those of x8–x15 in three bits.
constexpr std::uint8_t full_high(std::uint32_t raw) { return static_cast<std::uint8_t>(raw >> 7 & 31); }
constexpr std::uint8_t full_low(std::uint32_t raw) { return static_cast<std::uint8_t>(raw >> 2 & 31); }
constexpr std::uint8_t prime_high(std::uint32_t raw) { return static_cast<std::uint8_t>(8 + (raw >> 7 & 7)); }
constexpr std::uint8_t prime_low(std::uint32_t raw) { return static_cast<std::uint8_t>(8 + (raw >> 2 & 7)); }
/// The six-bit immediate at bits 12 and 6:2.
constexpr std::uint32_t six_bits(std::uint32_t raw) {
  return move_bits(raw, 12, 1, 5) | move_bits(raw, 2, 5, 0);
}
constexpr std::uint32_t offset_w(std::uint32_t raw) {
  return move_bits(raw, 10, 3, 3) | move_bits(raw, 6, 1, 2) | move_bits(raw, 5, 1, 6);
}
constexpr std::uint32_t offset_d(std::uint32_t raw) {
  return move_bits(raw, 10, 3, 3) | move_bits(raw, 5, 2, 6);
}
inline constexpr std::uint8_t kRa = 1;
inline constexpr std::uint8_t kSp = 2;

/// The forms, named as in insn16.inc.
constexpr ArgsNone form_None(std::uint32_t) { return {}; }
constexpr ArgsI form_Addi4spn(std::uint32_t raw) {
  const std::uint32_t imm =
      move_bits(raw, 11, 2, 4) | move_bits(raw, 7, 4, 6) | move_bits(raw, 6, 1, 2) | move_bits(raw, 5, 1, 3);
  return {prime_low(raw), kSp, static_cast<std::int32_t>(imm)};
}
constexpr ArgsI form_LoadW(std::uint32_t raw) {
  return {prime_low(raw), prime_high(raw), static_cast<std::int32_t>(offset_w(raw))};
}
constexpr ArgsI form_LoadD(std::uint32_t raw) {
  return {prime_low(raw), prime_high(raw), static_cast<std::int32_t>(offset_d(raw))};
}
constexpr ArgsS form_StoreW(std::uint32_t raw) {
  return {prime_high(raw), prime_low(raw), static_cast<std::int32_t>(offset_w(raw))};
}
constexpr ArgsS form_StoreD(std::uint32_t raw) {
  return {prime_high(raw), prime_low(raw), static_cast<std::int32_t>(offset_d(raw))};
}
constexpr ArgsI form_Addi(std::uint32_t raw) {
  return {full_high(raw), full_high(raw), signed_immediate(six_bits(raw), 6)};
}
constexpr ArgsI form_Li(std::uint32_t raw) { return {full_high(raw), 0, signed_immediate(six_bits(raw), 6)}; }
constexpr ArgsI form_Addi16sp(std::uint32_t raw) {
  const std::uint32_t imm = move_bits(raw, 12, 1, 9) | move_bits(raw, 6, 1, 4) | move_bits(raw, 5, 1, 6) |
                            move_bits(raw, 3, 2, 7) | move_bits(raw, 2, 1, 5);
  return {kSp, kSp, signed_immediate(imm, 10)};
}
constexpr ArgsU form_Lui(std::uint32_t raw) {
  return {full_high(raw), signed_immediate(six_bits(raw) << 12, 18)};
}
constexpr ArgsShift form_ShiftPrime(std::uint32_t raw) {
  return {prime_high(raw), prime_high(raw), static_cast<std::uint8_t>(six_bits(raw))};
}
constexpr ArgsI form_Andi(std::uint32_t raw) {
  return {prime_high(raw), prime_high(raw), signed_immediate(six_bits(raw), 6)};
}
constexpr ArgsR form_RPrime(std::uint32_t raw) { return {prime_high(raw), prime_high(raw), prime_low(raw)}; }
constexpr ArgsJ form_Jump(std::uint32_t raw) {
  const std::uint32_t imm = move_bits(raw, 12, 1, 11) | move_bits(raw, 11, 1, 4) | move_bits(raw, 9, 2, 8) |
                            move_bits(raw, 8, 1, 10) | move_bits(raw, 7, 1, 6) | move_bits(raw, 6, 1, 7) |
                            move_bits(raw, 3, 3, 1) | move_bits(raw, 2, 1, 5);
  return {0, signed_immediate(imm, 12)};
}
constexpr ArgsB form_Branch(std::uint32_t raw) {
  const std::uint32_t imm = move_bits(raw, 12, 1, 8) | move_bits(raw, 10, 2, 3) | move_bits(raw, 5, 2, 6) |
                            move_bits(raw, 3, 2, 1) | move_bits(raw, 2, 1, 5);
  return {prime_high(raw), 0, signed_immediate(imm, 9)};
}
constexpr ArgsShift form_Slli(std::uint32_t raw) {
  return {full_high(raw), full_high(raw), static_cast<std::uint8_t>(six_bits(raw))};
}
constexpr ArgsI form_LoadWSp(std::uint32_t raw) {
  const std::uint32_t imm = move_bits(raw, 12, 1, 5) | move_bits(raw, 4, 3, 2) | move_bits(raw, 2, 2, 6);
  return {full_high(raw), kSp, static_cast<std::int32_t>(imm)};
}
constexpr ArgsI form_LoadDSp(std::uint32_t raw) {
  const std::uint32_t imm = move_bits(raw, 12, 1, 5) | move_bits(raw, 5, 2, 3) | move_bits(raw, 2, 3, 6);
  return {full_high(raw), kSp, static_cast<std::int32_t>(imm)};
}
constexpr ArgsS form_StoreWSp(std::uint32_t raw) {
  const std::uint32_t imm = move_bits(raw, 9, 4, 2) | move_bits(raw, 7, 2, 6);
  return {kSp, full_low(raw), static_cast<std::int32_t>(imm)};
}
constexpr ArgsS form_StoreDSp(std::uint32_t raw) {
  const std::uint32_t imm = move_bits(raw, 10, 3, 3) | move_bits(raw, 7, 3, 6);
  return {kSp, full_low(raw), static_cast<std::int32_t>(imm)};
}
constexpr ArgsI form_Jr(std::uint32_t raw) { return {0, full_high(raw), 0}; }
constexpr ArgsI form_Jalr(std::uint32_t raw) { return {kRa, full_high(raw), 0}; }
/// Zcb ("Zcb" chapter): byte and halfword offsets, and what works on one register.
constexpr std::int32_t offset_b(std::uint32_t raw) {
  return static_cast<std::int32_t>(move_bits(raw, 6, 1, 0) | move_bits(raw, 5, 1, 1));
}
constexpr std::int32_t offset_h(std::uint32_t raw) {
  return static_cast<std::int32_t>(move_bits(raw, 5, 1, 1));
}
constexpr ArgsI form_LoadB(std::uint32_t raw) { return {prime_low(raw), prime_high(raw), offset_b(raw)}; }
constexpr ArgsI form_LoadH(std::uint32_t raw) { return {prime_low(raw), prime_high(raw), offset_h(raw)}; }
constexpr ArgsS form_StoreB(std::uint32_t raw) { return {prime_high(raw), prime_low(raw), offset_b(raw)}; }
constexpr ArgsS form_StoreH(std::uint32_t raw) { return {prime_high(raw), prime_low(raw), offset_h(raw)}; }
constexpr ArgsI form_ZextB(std::uint32_t raw) { return {prime_high(raw), prime_high(raw), 0xff}; }
constexpr ArgsI form_Not(std::uint32_t raw) { return {prime_high(raw), prime_high(raw), -1}; }
constexpr ArgsR form_ZextW(std::uint32_t raw) { return {prime_high(raw), prime_high(raw), 0}; }
constexpr ArgsR2 form_UnaryPrime(std::uint32_t raw) { return {prime_high(raw), prime_high(raw)}; }
/// Zcmop: nothing.
constexpr ArgsI form_Nop(std::uint32_t) { return {0, 0, 0}; }
constexpr ArgsR form_Mv(std::uint32_t raw) { return {full_high(raw), 0, full_low(raw)}; }
constexpr ArgsR form_Add(std::uint32_t raw) { return {full_high(raw), full_high(raw), full_low(raw)}; }

}  // namespace gstage::riscv::forms16
