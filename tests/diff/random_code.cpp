// SPDX-License-Identifier: Apache-2.0
#include "tests/diff/random_code.h"

#include <cstring>

#include "target/riscv/csr/row.h"
#include "target/riscv/decode/decode.h"

namespace gstage::test {

namespace {

using namespace gstage::riscv;

/// The operand bits of a 32-bit row, at random; CSR numbers are mostly such as exist.
std::uint32_t random_insn32(Rng& rng) {
  const InsnRow& row = kInsns[rng() % kInsnCount];
  auto raw = static_cast<std::uint32_t>(rng());
  if (row.format == Format::kCsr || row.format == Format::kCsrI) {
    const CsrTable table = csr_table();
    const CsrRow& csr = table.rows[rng() % table.count];
    raw = (raw & 0xfffff) | (csr.number + rng() % csr.count) << 20;
  }
  // Branches and jumps stay near, so that programs live longer.
  if (row.format == Format::kJ) raw = (raw & 0x80000fff) | (raw & 0x07e00000) | (raw >> 31) * 0x7ffff000;
  return (raw & ~row.pattern.mask) | row.pattern.match;
}

std::uint16_t random_insn16(Rng& rng) {
  const Insn16Row& row = kInsns16[rng() % kInsn16Count];
  return static_cast<std::uint16_t>((rng() & ~row.pattern.mask) | row.pattern.match);
}

/// auipc to the data pages: most registers hold no useful address for long.
std::uint32_t random_pointer(Rng& rng) {
  const std::uint32_t pages = static_cast<std::uint32_t>(
      (kDataBase - kCodeBase) / kPageSize - kCodePages / 2 + rng() % (kDataPages + kCodePages / 2));
  return encode(Insn::auipc,
                ArgsU{static_cast<std::uint8_t>(rng() % 32), static_cast<std::int32_t>(pages << 12)});
}

constexpr unsigned kFirstPointer = 8;  // x8 to x15
constexpr unsigned kFirstTarget = 28;  // x28 to x31
constexpr std::uint32_t kRdField = 31u << 7;
constexpr std::uint32_t kRs1Field = 31u << 15;

std::uint32_t with_rd(std::uint32_t raw, unsigned rd) { return (raw & ~kRdField) | rd << 7; }
/// Of the registers that a program may do with as it likes.
unsigned free_register(Rng& rng) { return 16 + rng() % 12; }

bool is_memory_row(const InsnRow& row) {
  const std::uint32_t opcode = row.pattern.match & 0x7f;
  const std::uint32_t funct3 = row.pattern.match >> 12 & 7;
  constexpr std::uint32_t kLoad = 0x03, kLoadFp = 0x07, kStore = 0x23, kStoreFp = 0x27, kAmo = 0x2f;
  constexpr std::uint32_t kMisc = 0x0f, kSystem = 0x73;
  if (opcode == kMisc) return funct3 == 2;    // cbo
  if (opcode == kSystem) return funct3 == 4;  // hlv, hsv
  return opcode == kLoad || opcode == kLoadFp || opcode == kStore || opcode == kStoreFp || opcode == kAmo;
}

const InsnRow& random_row(Rng& rng, bool is_memory) {
  for (;;)
    if (const InsnRow& row = kInsns[rng() % kInsnCount]; is_memory_row(row) == is_memory) return row;
}

std::uint32_t matched(const InsnRow& row, std::uint32_t raw) {
  return (raw & ~row.pattern.mask) | row.pattern.match;
}

/// By a pointer, with a small displacement.
std::uint32_t random_access(Rng& rng) {
  constexpr std::uint32_t kAmo = 0x2f, kSystem = 0x73;
  const InsnRow& row = random_row(rng, true);
  const std::uint32_t opcode = row.pattern.match & 0x7f;
  // hlv and hsv trap in most modes.
  if (opcode == kSystem && rng() % 4 != 0) return random_access(rng);
  auto raw = static_cast<std::uint32_t>(rng());
  // The last four pointers are aligned.
  const std::uint32_t pointer = opcode == kAmo && rng() % 16 != 0 ? 4 + rng() % 4 : rng() % 8;
  raw = (raw & ~kRs1Field) | (kFirstPointer + pointer) << 15;
  const bool is_store = (row.pattern.match & 0x7b) == 0x23;
  if (is_store) return matched(row, (raw & 0x01ffffff) | (rng() % 2 == 0 ? 0 : 0xfe000000));
  const bool is_load = (row.pattern.match & 0x7b) == 0x03;
  if (is_load) raw = (raw & 0x000fffff) | (static_cast<std::uint32_t>(rng() % 128) - 64) << 20;
  return matched(row, with_rd(raw, free_register(rng)));
}

std::uint32_t random_computation(Rng& rng) {
  const InsnRow& row = random_row(rng, false);
  const std::uint32_t opcode = row.pattern.match & 0x7f;
  if (opcode == 0x73 || opcode == 0x63 || opcode == 0x6f || opcode == 0x67) return 0x13;  // nop
  return matched(row, with_rd(static_cast<std::uint32_t>(rng()), free_register(rng)));
}

/// csrrs and csrrc of sstatus, or of vsstatus, with a mask.
std::uint32_t random_status(Rng& rng) {
  constexpr unsigned kSstatus = 0x100, kVsstatus = 0x200;
  const Insn insn = rng() % 2 == 0 ? Insn::csrrs : Insn::csrrc;
  const unsigned number = rng() % 4 == 0 ? kVsstatus : kSstatus;
  return row_of(insn).pattern.match | number << 20 | (6 + rng() % 2) << 15 | free_register(rng) << 7;
}

std::uint32_t random_branch(Rng& rng) {
  constexpr Insn kBranches[] = {Insn::beq, Insn::bne, Insn::blt, Insn::bge, Insn::bltu, Insn::bgeu};
  return encode(kBranches[rng() % 6], ArgsB{static_cast<std::uint8_t>(free_register(rng)),
                                            static_cast<std::uint8_t>(free_register(rng)),
                                            static_cast<std::int32_t>(4 + 2 * (rng() % 16))});
}

std::uint32_t tame_insn(Rng& rng) {
  switch (rng() % 32) {
    case 0: return random_insn32(rng);
    case 1: return random_insn16(rng);
    case 2:
    case 3: return random_branch(rng);
    case 4:
      return encode(Insn::jalr, ArgsI{static_cast<std::uint8_t>(rng() % 4 == 0 ? 1 : 0),
                                      static_cast<std::uint8_t>(kFirstTarget + rng() % 4),
                                      static_cast<std::int32_t>(4 * (rng() % 16))});
    case 5:
    case 6:
    case 7: return random_status(rng);
    case 8:
    case 9:
    case 10:
    case 11: return random_computation(rng);
    default: return random_access(rng);
  }
}

}  // namespace

void fill_tame_code(Rng& rng, std::byte* code, std::size_t bytes) {
  for (std::size_t at = 0; at + 4 <= bytes;) {
    const std::uint32_t raw = tame_insn(rng);
    const std::size_t length = (raw & 3) == 3 ? 4 : 2;
    std::memcpy(code + at, &raw, length);
    at += length;
  }
}

void fill_random_code(Rng& rng, std::byte* code, std::size_t bytes) {
  for (std::size_t at = 0; at + 4 <= bytes;) {
    const unsigned kind = rng() % 16;
    std::uint32_t raw = kind < 3 ? random_pointer(rng) : kind < 6 ? random_insn16(rng) : random_insn32(rng);
    if (kind == 15 && rng() % 16 == 0) raw = static_cast<std::uint32_t>(rng());  // anything
    const std::size_t length = (raw & 3) == 3 ? 4 : 2;
    std::memcpy(code + at, &raw, length);
    at += length;
  }
}

}  // namespace gstage::test
