// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/decode/decode.h"

#include "target/riscv/decode/forms16.h"

namespace gstage::riscv {

// Rows of insn16.inc with their expansions.
constexpr std::array<Insn16Row, kInsn16Count> kRows16{{
#define INSN16(name, pattern, form, target, extension)          \
  {#name, parse_pattern(pattern), Insn::target, has::extension, \
   [](std::uint32_t raw) -> std::uint32_t { return encode(Insn::target, forms16::form_##form(raw)); }},
#include "target/riscv/decode/insn16.inc"
#undef INSN16
}};
constinit const std::array<Insn16Row, kInsn16Count> kInsns16 = kRows16;

namespace {

template <class Rows>
constexpr bool all_have_width(const Rows& rows, unsigned width) {
  for (const auto& row : rows)
    if (row.pattern.width != width) return false;
  return true;
}
static_assert(all_have_width(kInsns, 32), "a pattern of insn32.inc does not have 32 bits");
static_assert(all_have_width(kRows16, 16), "a pattern of insn16.inc does not have 16 bits");

// No 32 bits belong to two rows.
constexpr bool are_disjoint() {
  for (std::size_t i = 0; i < kInsnCount; ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (!kInsns[i].pattern.is_disjoint(kInsns[j].pattern)) return false;
  return true;
}
static_assert(are_disjoint(), "two rows of insn32.inc overlap");

// 16 bits that belong to two rows belong to the first, which must be a special case of the other.
constexpr bool are_disjoint_or_ordered() {
  for (std::size_t i = 0; i < kInsn16Count; ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (!kRows16[i].pattern.is_disjoint(kRows16[j].pattern) &&
          !kRows16[j].pattern.is_special_case_of(kRows16[i].pattern))
        return false;
  return true;
}
static_assert(are_disjoint_or_ordered(), "two rows of insn16.inc overlap");

// Rows by a key of few bits: those of key k are list[start[k]] up to list[start[k + 1]].
template <std::size_t Keys, std::size_t Capacity>
struct Index {
  std::array<std::uint16_t, Keys + 1> start{};
  std::array<std::uint16_t, Capacity> list{};
};

// 32 bits: opcode[6:2] and funct3, the key of `raw` and bits with exactly this key.
constexpr std::size_t kKeys32 = 256;
constexpr std::size_t key32(std::uint32_t raw) { return (raw >> 2 & 31) << 3 | (raw >> 12 & 7); }
constexpr std::uint32_t bits_of_key32(std::size_t key) {
  return static_cast<std::uint32_t>((key >> 3) << 2 | (key & 7) << 12 | 3);
}
constexpr std::uint32_t kKeyMask32 = 0x707f;

// 16 bits: quadrant and funct3.
constexpr std::size_t kKeys16 = 32;
constexpr std::size_t key16(std::uint32_t raw) { return (raw & 3) << 3 | (raw >> 13 & 7); }
constexpr std::uint32_t bits_of_key16(std::size_t key) {
  return static_cast<std::uint32_t>(key >> 3 | (key & 7) << 13);
}
constexpr std::uint32_t kKeyMask16 = 0xe003;

constexpr bool may_have(const Pattern& pattern, std::uint32_t key_bits, std::uint32_t key_mask) {
  return ((pattern.match ^ key_bits) & pattern.mask & key_mask) == 0;
}

template <std::size_t Keys, std::size_t Capacity, class Rows>
constexpr Index<Keys, Capacity> make_index(const Rows& rows, std::uint32_t (*bits_of)(std::size_t),
                                           std::uint32_t mask) {
  Index<Keys, Capacity> index;
  std::size_t used = 0;
  for (std::size_t key = 0; key < Keys; ++key) {
    index.start[key] = static_cast<std::uint16_t>(used);
    const std::uint32_t key_bits = bits_of(key);
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (may_have(rows[i].pattern, key_bits, mask)) index.list[used++] = static_cast<std::uint16_t>(i);
  }
  index.start[Keys] = static_cast<std::uint16_t>(used);
  return index;
}

constexpr auto kIndex32 = make_index<kKeys32, 1024>(kInsns, bits_of_key32, kKeyMask32);
constexpr auto kIndex16 = make_index<kKeys16, 64>(kRows16, bits_of_key16, kKeyMask16);

}  // namespace

Insn decode32(std::uint32_t raw) {
  if ((raw & 3) != 3) return Insn::kIllegal;
  const std::size_t key = key32(raw);
  for (std::size_t i = kIndex32.start[key]; i < kIndex32.start[key + 1]; ++i)
    if (kInsns[kIndex32.list[i]].pattern.matches(raw)) return static_cast<Insn>(kIndex32.list[i]);
  return Insn::kIllegal;
}

Insn16 decode16(std::uint16_t raw) {
  const std::size_t key = key16(raw);
  for (std::size_t i = kIndex16.start[key]; i < kIndex16.start[key + 1]; ++i)
    if (kRows16[kIndex16.list[i]].pattern.matches(raw)) return static_cast<Insn16>(kIndex16.list[i]);
  return Insn16::kIllegal;
}

std::uint32_t expand16(std::uint16_t raw) {
  const Insn16 insn = decode16(raw);
  return insn == Insn16::kIllegal ? 0 : kRows16[static_cast<std::size_t>(insn)].expand(raw);
}

}  // namespace gstage::riscv
