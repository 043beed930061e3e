// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "softmmu/base/bits.h"

// The operands of each form of 32-bit instructions (ISA manual vol. I, "Base Instruction Formats"), with both
// directions: `from` takes them out of the bits, `bits` puts them in.

namespace gstage::riscv {

/// The forms of formats.inc.
enum class Format : std::uint8_t {
#define FORMAT(name, operands) k##name,
#include "target/riscv/decode/formats.inc"
#undef FORMAT
  kCount
};

/// The register fields and funct3, at the same place in all forms.
constexpr std::uint8_t rd_of(std::uint32_t raw) { return static_cast<std::uint8_t>(raw >> 7 & 31); }
constexpr std::uint8_t rs1_of(std::uint32_t raw) { return static_cast<std::uint8_t>(raw >> 15 & 31); }
constexpr std::uint8_t rs2_of(std::uint32_t raw) { return static_cast<std::uint8_t>(raw >> 20 & 31); }
constexpr std::uint8_t rs3_of(std::uint32_t raw) { return static_cast<std::uint8_t>(raw >> 27); }
constexpr std::uint8_t rm_of(std::uint32_t raw) { return static_cast<std::uint8_t>(raw >> 12 & 7); }

/// Puts registers in their places.
constexpr std::uint32_t pack_registers(unsigned rd, unsigned rs1, unsigned rs2) {
  return rd << 7 | rs1 << 15 | rs2 << 20;
}

/// A signed number of `width` bits from the fields of an instruction.
constexpr std::int32_t signed_immediate(std::uint32_t value, unsigned width) {
  return static_cast<std::int32_t>(sign_extend(value, width));
}

/// No operands.
struct ArgsNone {
  static constexpr ArgsNone from(std::uint32_t) { return {}; }
  [[nodiscard]] constexpr std::uint32_t bits() const { return 0; }
};

/// rd, rs1, rs2.
struct ArgsR {
  std::uint8_t rd, rs1, rs2;
  static constexpr ArgsR from(std::uint32_t raw) { return {rd_of(raw), rs1_of(raw), rs2_of(raw)}; }
  [[nodiscard]] constexpr std::uint32_t bits() const { return pack_registers(rd, rs1, rs2); }
};

/// rd, rs1 and a 12-bit signed immediate.
struct ArgsI {
  std::uint8_t rd, rs1;
  std::int32_t imm;
  static constexpr ArgsI from(std::uint32_t raw) {
    return {rd_of(raw), rs1_of(raw), signed_immediate(raw >> 20, 12)};
  }
  [[nodiscard]] constexpr std::uint32_t bits() const {
    return pack_registers(rd, rs1, 0) | static_cast<std::uint32_t>(imm) << 20;
  }
};

/// rd, rs1 and a shift amount, 0–63 (0–31 in w forms).
struct ArgsShift {
  std::uint8_t rd, rs1, shamt;
  static constexpr ArgsShift from(std::uint32_t raw) {
    return {rd_of(raw), rs1_of(raw), static_cast<std::uint8_t>(raw >> 20 & 63)};
  }
  [[nodiscard]] constexpr std::uint32_t bits() const { return pack_registers(rd, rs1, shamt); }
};

/// Stores: the immediate is split around rs2.
struct ArgsS {
  std::uint8_t rs1, rs2;
  std::int32_t imm;
  static constexpr ArgsS from(std::uint32_t raw) {
    return {rs1_of(raw), rs2_of(raw), signed_immediate(raw >> 25 << 5 | (raw >> 7 & 31), 12)};
  }
  [[nodiscard]] constexpr std::uint32_t bits() const {
    const auto u = static_cast<std::uint32_t>(imm);
    return pack_registers(u & 31, rs1, rs2) | u >> 5 << 25;
  }
};

/// Branches.
struct ArgsB {
  std::uint8_t rs1, rs2;
  std::int32_t imm;  ///< from this instruction, even
  static constexpr ArgsB from(std::uint32_t raw) {
    const std::uint32_t value =
        raw >> 31 << 12 | (raw >> 7 & 1) << 11 | (raw >> 25 & 63) << 5 | (raw >> 8 & 15) << 1;
    return {rs1_of(raw), rs2_of(raw), signed_immediate(value, 13)};
  }
  [[nodiscard]] constexpr std::uint32_t bits() const {
    const auto u = static_cast<std::uint32_t>(imm);
    return pack_registers((u & 30) | (u >> 11 & 1), rs1, rs2) | (u >> 5 & 63) << 25 | (u >> 12 & 1) << 31;
  }
};

/// lui, auipc.
struct ArgsU {
  std::uint8_t rd;
  std::int32_t imm;  ///< the upper immediate in its place, bits 31:12
  static constexpr ArgsU from(std::uint32_t raw) {
    return {rd_of(raw), static_cast<std::int32_t>(raw & 0xfffff000)};
  }
  [[nodiscard]] constexpr std::uint32_t bits() const {
    return pack_registers(rd, 0, 0) | (static_cast<std::uint32_t>(imm) & 0xfffff000);
  }
};

/// jal.
struct ArgsJ {
  std::uint8_t rd;
  std::int32_t imm;  ///< from this instruction, even
  static constexpr ArgsJ from(std::uint32_t raw) {
    const std::uint32_t value =
        raw >> 31 << 20 | (raw >> 12 & 0xff) << 12 | (raw >> 20 & 1) << 11 | (raw >> 21 & 0x3ff) << 1;
    return {rd_of(raw), signed_immediate(value, 21)};
  }
  [[nodiscard]] constexpr std::uint32_t bits() const {
    const auto u = static_cast<std::uint32_t>(imm);
    return pack_registers(rd, 0, 0) | (u >> 20 & 1) << 31 | (u >> 12 & 0xff) << 12 | (u >> 11 & 1) << 20 |
           (u >> 1 & 0x3ff) << 21;
  }
};

/// fence.
struct ArgsFence {
  std::uint8_t fm, pred, succ;  ///< sets: 8 device input, 4 device output, 2 reads, 1 writes
  static constexpr ArgsFence from(std::uint32_t raw) {
    return {static_cast<std::uint8_t>(raw >> 28), static_cast<std::uint8_t>(raw >> 24 & 15),
            static_cast<std::uint8_t>(raw >> 20 & 15)};
  }
  [[nodiscard]] constexpr std::uint32_t bits() const {
    return std::uint32_t{fm} << 28 | std::uint32_t{pred} << 24 | std::uint32_t{succ} << 20;
  }
};

/// CSR instructions.
struct ArgsCsr {
  std::uint8_t rd, rs1;  ///< rs1: the register, or the immediate of the …i forms
  std::uint16_t csr;
  static constexpr ArgsCsr from(std::uint32_t raw) {
    return {rd_of(raw), rs1_of(raw), static_cast<std::uint16_t>(raw >> 20)};
  }
  [[nodiscard]] constexpr std::uint32_t bits() const {
    return pack_registers(rd, rs1, 0) | std::uint32_t{csr} << 20;
  }
};

/// Atomics.
struct ArgsAmo {
  std::uint8_t rd, rs1, rs2;
  bool is_acquire, is_release;
  static constexpr ArgsAmo from(std::uint32_t raw) {
    return {rd_of(raw), rs1_of(raw), rs2_of(raw), (raw >> 26 & 1) != 0, (raw >> 25 & 1) != 0};
  }
  [[nodiscard]] constexpr std::uint32_t bits() const {
    return pack_registers(rd, rs1, rs2) | std::uint32_t{is_acquire} << 26 | std::uint32_t{is_release} << 25;
  }
};

/// rd and rs1 alone.
struct ArgsR2 {
  std::uint8_t rd, rs1;
  static constexpr ArgsR2 from(std::uint32_t raw) { return {rd_of(raw), rs1_of(raw)}; }
  [[nodiscard]] constexpr std::uint32_t bits() const { return pack_registers(rd, rs1, 0); }
};

/// rs1 and rs2 alone.
struct ArgsVma {
  std::uint8_t rs1, rs2;
  static constexpr ArgsVma from(std::uint32_t raw) { return {rs1_of(raw), rs2_of(raw)}; }
  [[nodiscard]] constexpr std::uint32_t bits() const { return pack_registers(0, rs1, rs2); }
};

/// Floating point with a rounding mode (rm: 0–4, 7 dynamic; 5 and 6 are reserved).
struct ArgsFRm {
  std::uint8_t rd, rs1, rs2, rm;
  static constexpr ArgsFRm from(std::uint32_t raw) {
    return {rd_of(raw), rs1_of(raw), rs2_of(raw), rm_of(raw)};
  }
  [[nodiscard]] constexpr std::uint32_t bits() const {
    return pack_registers(rd, rs1, rs2) | std::uint32_t{rm} << 12;
  }
};

/// Fused multiply-add.
struct ArgsFR4 {
  std::uint8_t rd, rs1, rs2, rs3, rm;
  static constexpr ArgsFR4 from(std::uint32_t raw) {
    return {rd_of(raw), rs1_of(raw), rs2_of(raw), rs3_of(raw), rm_of(raw)};
  }
  [[nodiscard]] constexpr std::uint32_t bits() const {
    return pack_registers(rd, rs1, rs2) | std::uint32_t{rs3} << 27 | std::uint32_t{rm} << 12;
  }
};

/// One operand and a rounding mode: square root, conversions.
struct ArgsFUnary {
  std::uint8_t rd, rs1, rm;
  static constexpr ArgsFUnary from(std::uint32_t raw) { return {rd_of(raw), rs1_of(raw), rm_of(raw)}; }
  [[nodiscard]] constexpr std::uint32_t bits() const {
    return pack_registers(rd, rs1, 0) | std::uint32_t{rm} << 12;
  }
};

/// May-be operations: the operation's number besides the registers (Zimop chapter).
struct ArgsMopR {
  std::uint8_t rd, rs1, number;
  static constexpr ArgsMopR from(std::uint32_t raw) {
    return {rd_of(raw), rs1_of(raw),
            static_cast<std::uint8_t>((raw >> 20 & 3) | (raw >> 26 & 3) << 2 | (raw >> 30 & 1) << 4)};
  }
  [[nodiscard]] constexpr std::uint32_t bits() const {
    return pack_registers(rd, rs1, number & 3) | (number >> 2 & 3u) << 26 | (number >> 4 & 1u) << 30;
  }
};

/// The same with a second source.
struct ArgsMopRR {
  std::uint8_t rd, rs1, rs2, number;
  static constexpr ArgsMopRR from(std::uint32_t raw) {
    return {rd_of(raw), rs1_of(raw), rs2_of(raw),
            static_cast<std::uint8_t>((raw >> 26 & 3) | (raw >> 30 & 1) << 2)};
  }
  [[nodiscard]] constexpr std::uint32_t bits() const {
    return pack_registers(rd, rs1, rs2) | (number & 3u) << 26 | (number >> 2 & 1u) << 30;
  }
};

/// AES key schedule: the number of the round, 0–10.
struct ArgsRound {
  std::uint8_t rd, rs1, round;
  static constexpr ArgsRound from(std::uint32_t raw) {
    return {rd_of(raw), rs1_of(raw), static_cast<std::uint8_t>(raw >> 20 & 15)};
  }
  [[nodiscard]] constexpr std::uint32_t bits() const { return pack_registers(rd, rs1, round); }
};

/// SM4: which byte of rs2.
struct ArgsSm4 {
  std::uint8_t rd, rs1, rs2, byte;
  static constexpr ArgsSm4 from(std::uint32_t raw) {
    return {rd_of(raw), rs1_of(raw), rs2_of(raw), static_cast<std::uint8_t>(raw >> 30)};
  }
  [[nodiscard]] constexpr std::uint32_t bits() const {
    return pack_registers(rd, rs1, rs2) | std::uint32_t{byte} << 30;
  }
};

using ArgsXUnary = ArgsR2;
using ArgsCbo = ArgsR2;
using ArgsLoad = ArgsI;
using ArgsJalr = ArgsI;
using ArgsFenceI = ArgsNone;
using ArgsCsrI = ArgsCsr;
using ArgsLr = ArgsAmo;
using ArgsHsv = ArgsVma;
using ArgsFLoad = ArgsI;
using ArgsFStore = ArgsS;
using ArgsFR = ArgsR;
using ArgsFCmp = ArgsR;
using ArgsFToX = ArgsFUnary;
using ArgsXToF = ArgsFUnary;
using ArgsFMvToX = ArgsR2;
using ArgsFMvFromX = ArgsR2;
using ArgsFMod = ArgsR2;
using ArgsFli = ArgsR2;

}  // namespace gstage::riscv
