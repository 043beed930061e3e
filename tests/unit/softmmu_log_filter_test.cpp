// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "softmmu/base/log_filter.h"

namespace gstage {
namespace {

constexpr LogSubject at(std::uint64_t pc) { return {pc, 0, false, 0}; }

TEST(LogFilterTest, RangesAreThoseOfTheirBounds) {
  struct Row {
    const char* item;
    std::uint64_t first, last;
  };
  constexpr Row kRows[] = {
      {"0x8000..0x8fff", 0x8000, 0x8fff},
      {"0x80000+0x200", 0x80000, 0x801ff},
      {"0x60000-0x1000", 0x5f000, 0x5ffff},
      {"4096+1", 4096, 4096},
  };
  for (const Row& row : kRows) {
    LogFilter filter;
    ASSERT_TRUE(filter.add(row.item).ok()) << row.item;
    EXPECT_TRUE(filter.has(at(row.first)) && filter.has(at(row.last))) << row.item;
    EXPECT_FALSE(filter.has(at(row.first - 1)) || filter.has(at(row.last + 1))) << row.item;
    EXPECT_FALSE(filter.has_address(row.last + 1)) << row.item;
  }
}

TEST(LogFilterTest, OfAKindOneMustHoldAndOfTheKindsAll) {
  LogFilter filter;
  EXPECT_TRUE(filter.empty());
  EXPECT_TRUE(filter.has(at(1)));
  ASSERT_TRUE(filter.add("0x1000+0x10,0x2000+0x10,hart=1,hart=3").ok());
  EXPECT_TRUE(filter.has({0x2008, 3, false, 0}));
  EXPECT_TRUE(filter.has({0x1008, 1, true, 5}));
  EXPECT_FALSE(filter.has({0x1008, 2, true, 5}));
  EXPECT_FALSE(filter.has({0x3008, 1, true, 5}));
  ASSERT_TRUE(filter.add("vmid=5").ok());
  EXPECT_TRUE(filter.has({0x1008, 1, true, 5}));
  EXPECT_FALSE(filter.has({0x1008, 1, true, 6}));
  EXPECT_FALSE(filter.has({0x1008, 1, false, 5})) << "what hgatp holds does not count outside guests";
  LogFilter host;
  ASSERT_TRUE(host.add("v=0").ok());
  EXPECT_TRUE(host.has(at(0)));
  EXPECT_FALSE(host.has({0, 0, true, 0}));
}

TEST(LogFilterTest, WhatIsWrongIsSaid) {
  for (const char* const list : {"", "x", "1", "5..4", "0x10+0", "0x10-0x11", "0xffffffffffffffff+2", "v=2",
                                 "vmid=16384", "hart=", "1.2", "..5", "1..2,", "harts=1"}) {
    LogFilter filter;
    const Status status = filter.add(list);
    ASSERT_FALSE(status.ok()) << list;
    EXPECT_NE(status.error().message.find("-dfilter"), std::string::npos) << status.error().message;
  }
  LogFilter filter;
  EXPECT_TRUE(filter.add("0xffffffffffffffff..0xffffffffffffffff").ok());
}

}  // namespace
}  // namespace gstage
