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

}  // namespace

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
