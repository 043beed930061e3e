// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "target/riscv/decode/decode.h"

namespace gstage::riscv {

/// One instruction as text, "addi  a0,a1,-3": mnemonics of the tables, ABI names of registers, targets of
/// branches as addresses; compressed ones as what they stand for. `raw` holds 16 or 32 bits.
std::string disassemble_insn(std::uint64_t pc, std::uint32_t raw);

/// The instructions of consecutive guest bytes, one a line with address and bits. A half instruction at the
/// end is left out.
std::string disassemble(std::uint64_t pc, std::span<const std::byte> bytes);

/// The mnemonic of a row: "amoadd.w", "and".
std::string mnemonic(Insn insn);

}  // namespace gstage::riscv
