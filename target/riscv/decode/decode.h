// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "target/riscv/decode/formats.h"
#include "target/riscv/decode/pattern.h"
#include "target/riscv/extensions.h"

namespace gstage::riscv {

/// The instructions, by the rows of insn32.inc.
enum class Insn : std::uint16_t {
#define INSN(name, pattern, format, extension) name,
#include "target/riscv/decode/insn32.inc"
#undef INSN
  kIllegal  ///< what no row matches; also the number of rows
};
inline constexpr std::size_t kInsnCount = static_cast<std::size_t>(Insn::kIllegal);

/// One row of insn32.inc.
struct InsnRow {
  const char* name;  ///< as in the table: underscores for the mnemonic's dots
  Pattern pattern;
  Format format;
  bool (*is_there)(const CpuConfig&);  ///< else the instruction is illegal
};

/// All 32-bit instructions, in the order of `Insn`.
inline constexpr std::array<InsnRow, kInsnCount> kInsns{{
#define INSN(name, pattern, format, extension) \
  {#name, parse_pattern(pattern), Format::k##format, has::extension},
#include "target/riscv/decode/insn32.inc"
#undef INSN
}};

/// The row of an instruction, not of kIllegal.
constexpr const InsnRow& row_of(Insn insn) { return kInsns[static_cast<std::size_t>(insn)]; }

/// One row of insn16.inc.
struct Insn16Row {
  const char* name;
  Pattern pattern;
  Insn target;                         ///< what it stands for
  bool (*is_there)(const CpuConfig&);  ///< else the instruction is illegal
  /// The 32 bits of what it stands for. Only for 16 bits that match.
  std::uint32_t (*expand)(std::uint32_t raw);
};

/// The rows of insn16.inc.
enum class Insn16 : std::uint8_t {
#define INSN16(name, pattern, form, target, extension) name,
#include "target/riscv/decode/insn16.inc"
#undef INSN16
  kIllegal
};
inline constexpr std::size_t kInsn16Count = static_cast<std::size_t>(Insn16::kIllegal);
extern const std::array<Insn16Row, kInsn16Count> kInsns16;

/// Whether the instruction that begins with this halfword has 4 bytes, else 2. Longer encodings (bits 4:2 all
/// ones) count as 4 and are illegal.
constexpr bool is_long(std::uint16_t first_halfword) { return (first_halfword & 3) == 3; }

/// The row that 32 bits belong to, or kIllegal. Extensions are not looked at.
Insn decode32(std::uint32_t raw);
/// The row that 16 bits (of a compressed instruction) belong to, or kIllegal.
Insn16 decode16(std::uint16_t raw);
/// The 32-bit instruction that a compressed one stands for; 0, which is no instruction, where it is reserved.
std::uint32_t expand16(std::uint16_t raw);

/// An instruction's bits from its row and operands: `encode(Insn::addi, ArgsI{1, 2, -3})`.
template <class Args>
constexpr std::uint32_t encode(Insn insn, const Args& args) {
  return row_of(insn).pattern.match | args.bits();
}

}  // namespace gstage::riscv
