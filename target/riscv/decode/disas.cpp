// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/decode/disas.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "softmmu/base/format.h"
#include "target/riscv/csr/csr.h"
#include "target/riscv/decode/fli.h"

namespace gstage::riscv {
namespace {

constexpr const char* kXNames[] = {"zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
                                   "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
                                   "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
constexpr const char* kFNames[] = {"ft0", "ft1", "ft2",  "ft3",  "ft4", "ft5", "ft6",  "ft7",
                                   "fs0", "fs1", "fa0",  "fa1",  "fa2", "fa3", "fa4",  "fa5",
                                   "fa6", "fa7", "fs2",  "fs3",  "fs4", "fs5", "fs6",  "fs7",
                                   "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11"};
constexpr const char* kRoundingNames[] = {"rne", "rtz", "rdn", "rup", "rmm", "unknown", "unknown", "dyn"};
constexpr const char* kOperands[] = {
#define FORMAT(name, operands) operands,
#include "target/riscv/decode/formats.inc"
#undef FORMAT
};

/// The immediate that a form has.
std::int32_t immediate_of(Format format, std::uint32_t raw) {
  switch (format) {
    case Format::kS:
    case Format::kFStore: return ArgsS::from(raw).imm;
    case Format::kB: return ArgsB::from(raw).imm;
    case Format::kJ: return ArgsJ::from(raw).imm;
    default: return ArgsI::from(raw).imm;
  }
}

std::string fence_set(unsigned set) {
  std::string text;
  for (unsigned i = 0; i < 4; ++i)
    if ((set >> (3 - i) & 1) != 0) text += "iorw"[i];
  return text.empty() ? "0" : text;
}

/// The constant of fli as GNU tools write it ("Zfa", table of the immediate values).
std::string fli_constant(unsigned index) {
  if (index == 1) return "min";
  if (index == 30) return "inf";
  if (index == 31) return "nan";
  return gstage::format("%a", std::bit_cast<double>(kFliConstants[index]));
}

std::string csr_operand(unsigned number) {
  std::string name = csr_name(number);
  return name.empty() ? gstage::format("0x%x", number) : name;
}

/// One operand by its letter in formats.inc.
std::string operand(char letter, Format format, std::uint32_t raw, std::uint64_t pc) {
  switch (letter) {
    case 'd': return kXNames[rd_of(raw)];
    case 's': return kXNames[rs1_of(raw)];
    case 't': return kXNames[rs2_of(raw)];
    case 'D': return kFNames[rd_of(raw)];
    case 'S': return kFNames[rs1_of(raw)];
    case 'T': return kFNames[rs2_of(raw)];
    case 'R': return kFNames[rs3_of(raw)];
    case 'i': return std::to_string(immediate_of(format, raw));
    case 'u': return gstage::format("0x%x", raw >> 12);
    case 'h': return gstage::format("0x%x", unsigned{ArgsShift::from(raw).shamt});
    case 'p':
      return gstage::format("0x%llx",
                            static_cast<unsigned long long>(
                                pc + static_cast<std::uint64_t>(std::int64_t{immediate_of(format, raw)})));
    case 'c': return csr_operand(raw >> 20);
    case 'z': return std::to_string(rs1_of(raw));
    case 'm': return kRoundingNames[rm_of(raw)];
    case 'r': return gstage::format("0x%x", unsigned{ArgsRound::from(raw).round});
    case 'b': return gstage::format("0x%x", unsigned{ArgsSm4::from(raw).byte});
    case 'k': return fli_constant(rs1_of(raw));
    case 'P': return fence_set(ArgsFence::from(raw).pred);
    case 'Q': return fence_set(ArgsFence::from(raw).succ);
    default: return std::string(1, letter);
  }
}

std::string ordering_suffix(Format format, std::uint32_t raw) {
  if (format != Format::kAmo && format != Format::kLr) return {};
  const ArgsAmo args = ArgsAmo::from(raw);
  if (!args.is_acquire && !args.is_release) return {};
  return std::string(".") + (args.is_acquire ? "aq" : "") + (args.is_release ? "rl" : "");
}

/// The number in the mnemonic of a may-be operation.
std::string number_suffix(Format format, std::uint32_t raw) {
  if (format == Format::kMopR) return "." + std::to_string(ArgsMopR::from(raw).number);
  if (format == Format::kMopRR) return "." + std::to_string(ArgsMopRR::from(raw).number);
  return {};
}

std::uint16_t halfword(std::span<const std::byte> bytes, std::size_t at) {
  std::uint16_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

}  // namespace

std::string mnemonic(Insn insn) {
  std::string name = row_of(insn).name;
  if (name.back() == '_') name.pop_back();
  std::replace(name.begin(), name.end(), '_', '.');
  return name;
}

std::string disassemble_insn(std::uint64_t pc, std::uint32_t raw) {
  const bool is_compressed = !is_long(static_cast<std::uint16_t>(raw));
  const std::uint32_t bits = is_compressed ? expand16(static_cast<std::uint16_t>(raw)) : raw;
  const Insn insn = decode32(bits);
  if (insn == Insn::kIllegal) return gstage::format(is_compressed ? "illegal 0x%04x" : "illegal 0x%08x", raw);
  const Format form = row_of(insn).format;
  std::string text = mnemonic(insn) + ordering_suffix(form, bits) + number_suffix(form, bits);
  const char* letters = kOperands[static_cast<unsigned>(form)];
  if (*letters != '\0') text.resize(std::max<std::size_t>(text.size() + 1, 10), ' ');
  for (; *letters != '\0'; ++letters) {
    // A dynamic rounding mode is left out with its comma.
    if (std::strcmp(letters, ",m") == 0 && rm_of(bits) == 7) break;
    text += operand(*letters, form, bits, pc);
  }
  return text;
}

std::string disassemble(std::uint64_t pc, std::span<const std::byte> bytes) {
  std::string text;
  for (std::size_t at = 0; at + 2 <= bytes.size();) {
    std::uint32_t raw = halfword(bytes, at);
    const std::size_t length = is_long(static_cast<std::uint16_t>(raw)) ? 4 : 2;
    if (at + length > bytes.size()) break;
    if (length == 4) raw |= std::uint32_t{halfword(bytes, at + 2)} << 16;
    const auto address = static_cast<unsigned long long>(pc + at);
    text += gstage::format(length == 4 ? "0x%016llx:  %08x  " : "0x%016llx:  %04x      ", address, raw);
    text += disassemble_insn(pc + at, raw) + "\n";
    at += length;
  }
  return text;
}

}  // namespace gstage::riscv
