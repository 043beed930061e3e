// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstddef>
#include <cstdint>

#include "target/riscv/csr/gates.h"
#include "target/riscv/csr/row.h"

namespace gstage::riscv {

namespace {

constexpr std::uint64_t kAllBits = ~std::uint64_t{0};

// Handlers of registers that are nothing but bits.
template <auto Member>
std::uint64_t read_field(Hart& hart, unsigned) {
  return hart.*Member;
}
template <auto Member>
std::uint64_t read_config(Hart& hart, unsigned) {
  return hart.config->*Member;
}
template <auto Member, std::uint64_t Mask>
std::uint8_t store_field(Hart& hart, unsigned, const CsrWrite& write) {
  hart.*Member = write.value & Mask;
  return kNoEffect;
}
template <auto BankMember, auto Member>
std::uint64_t read_bank(Hart& hart, unsigned) {
  return hart.*BankMember.*Member;
}
template <auto BankMember, auto Member>
std::uint8_t store_bank(Hart& hart, unsigned, const CsrWrite& write) {
  hart.*BankMember.*Member = write.value;
  return kNoEffect;
}

#define FIELD(member) (read_field<&Hart::member>)
#define CONFIG(member) (read_config<&CpuConfig::member>)
#define STORE(member, mask) (store_field<&Hart::member, (mask)>)
#define BANK_FIELD(bank, member) (read_bank<&Hart::bank, &Bank::member>)
#define BANK_STORE(bank, member) (store_bank<&Hart::bank, &Bank::member>)
#define CSR(number, count, name, exists, gate, vs_alias, read, write) \
  {number, count, name, exists, gate, vs_alias, read, write},
constexpr CsrRow kRows[] = {
#include "target/riscv/csr/csr_table.inc"
};
#undef CSR
#undef FIELD
#undef CONFIG
#undef STORE
#undef BANK_FIELD
#undef BANK_STORE

constexpr unsigned kNumbers = 4096;
constexpr std::uint8_t kNoRow = 0xff;
static_assert(std::size(kRows) < kNoRow);

constexpr bool is_ascending() {
  for (std::size_t i = 1; i < std::size(kRows); ++i)
    if (kRows[i].number < kRows[i - 1].number + kRows[i - 1].count) return false;
  return true;
}
static_assert(is_ascending(), "rows of csr_table.inc overlap or are out of order");

constexpr std::array<std::uint8_t, kNumbers> make_index() {
  std::array<std::uint8_t, kNumbers> index{};
  index.fill(kNoRow);
  for (std::size_t i = 0; i < std::size(kRows); ++i)
    for (unsigned n = 0; n < kRows[i].count; ++n) index[kRows[i].number + n] = static_cast<std::uint8_t>(i);
  return index;
}
constexpr std::array<std::uint8_t, kNumbers> kIndex = make_index();

}  // namespace

CsrTable csr_table() { return {kRows, static_cast<unsigned>(std::size(kRows))}; }

const CsrRow* find_csr(unsigned number) {
  if (number >= kNumbers || kIndex[number] == kNoRow) return nullptr;
  return &kRows[kIndex[number]];
}

}  // namespace gstage::riscv
