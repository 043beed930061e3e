// SPDX-License-Identifier: Apache-2.0
#include <random>

#include <gtest/gtest.h>

#include "softmmu/mem/jump_pages.h"

namespace gstage {
namespace {

alignas(kPageSize) std::byte host_a[kPageSize];
alignas(kPageSize) std::byte host_b[kPageSize];
const std::byte code[kPageSize] = {};

TEST(JumpPages, JumpsAreFoundByPageFlagsAndOffset) {
  JumpPages pages;
  const JumpPage* const page = pages.enter(host_a, 1, 0x40, &code[1]);
  ASSERT_NE(page, nullptr);
  EXPECT_EQ(page->find(0x40), &code[1]);
  EXPECT_EQ(page->find(0x42), nullptr);
  EXPECT_EQ(pages.page(host_b, 1)->find(0x40), nullptr);
  EXPECT_EQ(pages.page(host_a, 2)->find(0x40), nullptr);
  EXPECT_EQ(pages.page(host_a, 1), page);
}

TEST(JumpPages, AnOffsetHasTheCodeThatWasEnteredLast) {
  JumpPages pages;
  pages.enter(host_a, 0, 0x40, &code[1]);
  EXPECT_EQ(pages.enter(host_a, 0, 0x40, &code[2])->find(0x40), &code[2]);
}

/// So no two hot blocks of a page are in each other's way, however they lie.
TEST(JumpPages, APageHoldsAllOfItsOffsets) {
  JumpPages pages;
  for (std::uint64_t offset = 0; offset < kPageSize; offset += 2)
    pages.enter(host_a, 0, offset, &code[offset]);
  const JumpPage* const page = pages.page(host_a, 0);
  for (std::uint64_t offset = 0; offset < kPageSize; offset += 2)
    ASSERT_EQ(page->find(offset), &code[offset]);
}

TEST(JumpPages, BlocksThatBeginAtMultiplesOfSixteenTakeNoMoreRoomThanOthers) {
  JumpPages pages;
  for (std::uint64_t i = 0; i < 16; ++i) pages.enter(host_a, 0, 64 * i, &code[i]);
  EXPECT_LE(pages.page(host_a, 0)->size(), 65u);
}

TEST(JumpPages, WhatWasReturnedStaysGoodWhileThePageGrows) {
  std::mt19937 random(1);
  JumpPages pages;
  const JumpPage* const first = pages.enter(host_a, 0, 0x10, &code[0x10]);
  for (unsigned i = 0; i < 500; ++i) {
    const std::uint64_t offset = random() % (kPageSize / 2) * 2;
    pages.enter(host_a, 0, offset, &code[offset]);
  }
  EXPECT_NE(pages.page(host_a, 0), first);
  EXPECT_EQ(first->find(0x10), &code[0x10]);
  EXPECT_EQ(pages.page(host_a, 0)->find(0x10), &code[0x10]);
}

TEST(JumpPages, ClearForgetsEverything) {
  JumpPages pages;
  pages.enter(host_a, 0, 0x40, &code[1]);
  pages.clear();
  EXPECT_EQ(pages.page(host_a, 0)->find(0x40), nullptr);
}

TEST(JumpPages, SaysWhenThereIsNoRoom) {
  JumpPages pages;
  std::uintptr_t host = kPageSize;
  while (pages.page(reinterpret_cast<const std::byte*>(host), 0) != nullptr) {
    host += kPageSize;
    ASSERT_LT(host >> kPageShift, 1u << 20);
  }
  pages.clear();
  EXPECT_NE(pages.page(host_a, 0), nullptr);
}

}  // namespace
}  // namespace gstage
