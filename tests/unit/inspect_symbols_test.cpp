// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "target/riscv/inspect/symbols.h"

namespace gstage::riscv {
namespace {

SymbolStore store() {
  SymbolStore symbols;
  symbols.add(std::nullopt, {{0x2000, 0x100, true, "second"},
                             {0x1000, 0x100, true, "first"},
                             {0x1000, 0, false, "label_at_first"},
                             {0x1080, 8, false, "table_in_first"},
                             {0x3000, 0, false, "no_size"}});
  symbols.add(7, {{0x1000, 0x10, true, "of_the_guest"}});
  return symbols;
}

TEST(SymbolStore, AnAddressHasTheNameThatHoldsIt) {
  const SymbolStore symbols = store();
  EXPECT_EQ(symbols.text(0x1000), "first");
  EXPECT_EQ(symbols.text(0x1004), "first+0x4");
  EXPECT_EQ(symbols.text(0x1081), "table_in_first+0x1");
  EXPECT_EQ(symbols.text(0x1088), "first+0x88");
  EXPECT_EQ(symbols.text(0x20ff), "second+0xff");
  EXPECT_EQ(symbols.text(0x3010), "no_size+0x10");
}

TEST(SymbolStore, WhereNoSymbolIsTheAddressIsTheText) {
  const SymbolStore symbols = store();
  EXPECT_EQ(symbols.text(0x1100), "0000000000001100");
  EXPECT_EQ(symbols.text(0xfff), "0000000000000fff");
  EXPECT_EQ(SymbolStore().text(1), "0000000000000001");
}

TEST(SymbolStore, EachWorldHasItsOwn) {
  const SymbolStore symbols = store();
  EXPECT_EQ(symbols.text(0x1000, 7), "of_the_guest");
  EXPECT_FALSE(symbols.find(0x1000, 8));
  EXPECT_EQ(symbols.address_of("second"), 0x2000u);
  EXPECT_FALSE(symbols.address_of("second", 7));
}

}  // namespace
}  // namespace gstage::riscv
