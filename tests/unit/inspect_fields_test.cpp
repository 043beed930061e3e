// SPDX-License-Identifier: Apache-2.0
// The table of CSRs' fields, as it is shown. What C++ uses of it, the tests of the registers check.
#include <gtest/gtest.h>

#include "target/riscv/csr/row.h"
#include "target/riscv/inspect/fields.h"

#include "tests/unit/riscv_hart.h"

namespace gstage::riscv {
namespace {

constexpr unsigned kNumbers = 4096;

using InspectFieldsTest = RiscvHart;

std::uint64_t mask_of(const FieldInfo& field) {
  return (field.high - field.low == 63 ? ~std::uint64_t{0}
                                       : (std::uint64_t{1} << (field.high - field.low + 1)) - 1)
         << field.low;
}

TEST_F(InspectFieldsTest, FieldsOfARegisterDoNotOverlapAndBelongToACsr) {
  for (unsigned number = 0; number < kNumbers; ++number) {
    std::uint64_t seen = 0;
    for (const FieldInfo& field : csr_fields(number)) {
      EXPECT_NE(find_csr(number), nullptr) << std::hex << number;
      EXPECT_EQ(seen & mask_of(field), 0u) << csr_name(number) << "." << field.name;
      EXPECT_EQ(
          field.name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"),
          std::string::npos)
          << field.name;
      seen |= mask_of(field);
    }
  }
}

TEST_F(InspectFieldsTest, EachBitThatCanBeSetIsOfAField) {
  config.smdbltrp = config.ssdbltrp = config.smrnmi = config.sscofpmf = true;
  restart();
  for (unsigned number = 0; number < kNumbers; ++number) {
    if (csr_fields(number).empty() || !csr_poke(hart(), number, ~std::uint64_t{0})) continue;
    const std::uint64_t value = csr_peek(hart(), number).value_or(0);
    std::uint64_t covered = 0;
    for (const FieldInfo& field : csr_fields(number, value)) {
      covered |= mask_of(field);
      // Local interrupts above count overflows have no names.
      if (field.name.rfind("LCOFI", 0) == 0) covered |= kLocalInterrupts;
    }
    EXPECT_EQ(value & ~covered, 0u) << csr_name(number) << std::hex << " " << value;
  }
}

TEST_F(InspectFieldsTest, ValuesAreSpelt) {
  struct Row {
    unsigned number;
    std::uint64_t value;
    const char* text;
  };
  constexpr Row kRows[] = {
      {0x300, 0xa'0000'0000 | 3 << 11 | 1 << 3 | 1 << 13, "MIE SPP=U MPP=M FS=Initial UXL=64 SXL=64"},
      {0x100, 1 << 1 | 1 << 18, "SIE SPP=U FS=Off SUM"},
      {0x180, std::uint64_t{9} << 60 | std::uint64_t{7} << 44 | 0x80123, "PPN=0x80123 ASID=7 MODE=Sv48"},
      {0x680, std::uint64_t{8} << 60 | std::uint64_t{3} << 44 | 0x80124, "PPN=0x80124 VMID=3 MODE=Sv39x4"},
      {0x344, 1 << 7 | 1 << 10, "MTIP VSEIP"},
      {0x644, 1 << 12, "SGEIP"},
      {0x342, std::uint64_t{1} << 63 | 7, "machine timer interrupt"},
      {0x142, 13, "load page fault"},
      {0x3a0, 0x1f,
       "pmp0cfg_R pmp0cfg_W pmp0cfg_X pmp0cfg_A=NAPOT pmp1cfg_A=OFF pmp2cfg_A=OFF pmp3cfg_A=OFF "
       "pmp4cfg_A=OFF pmp5cfg_A=OFF pmp6cfg_A=OFF pmp7cfg_A=OFF"},
      {0x7a1, std::uint64_t{6} << 60 | 1 << 2 | 1 << 6, "execute m match=equal type=mcontrol6"},
      {0x602, 1 << 8, "EcallU"},
      {0x341, 0x80000000, ""},
  };
  for (const Row& row : kRows) EXPECT_EQ(spell_csr(row.number, row.value), row.text) << csr_name(row.number);
  EXPECT_EQ(spell_fields(pte_fields(), 0xcf | std::uint64_t{0x80000} << 10 | std::uint64_t{1} << 61),
            "V R W X A D PPN=0x80000 PBMT=NC");
}

}  // namespace
}  // namespace gstage::riscv
