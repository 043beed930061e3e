// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <set>

#include <gtest/gtest.h>

#include "softmmu/mem/tlb.h"

namespace gstage {
namespace {

alignas(kPageSize) std::byte host[kPageSize];

/// A table that has grown once holds them all, wherever they lie: of hot pages none is in another's way.
TEST(TlbTables, PagesAtMultiplesOfADistanceHaveSlotsOfTheirOwn) {
  constexpr unsigned kPages = 64;
  constexpr std::uint32_t kMask = tlb_mask(kTlbBits[1]);
  for (unsigned shift = kPageShift; shift <= 31; ++shift) {
    std::set<std::size_t> slots;
    for (std::uint64_t i = 0; i < kPages; ++i) slots.insert(tlb_index(0x10'0000'0000 + (i << shift), kMask));
    EXPECT_EQ(slots.size(), kPages) << shift;
  }
}

/// So that a table takes memory by what is in use.
TEST(TlbTables, PagesSideBySideHaveSlotsOfOneHostPage) {
  constexpr std::uint64_t kTogether = kPageSize / sizeof(TlbEntry);
  for (const std::uint64_t from :
       std::initializer_list<std::uint64_t>{0x5555'5510'0000, 0x3f'ff80'0000, 0x8000'0000})
    for (const unsigned bits : kTlbBits) {
      std::set<std::size_t> slots;
      for (std::uint64_t i = 0; i < kTogether; ++i)
        slots.insert(tlb_index(from + (i << kPageShift), tlb_mask(bits)));
      EXPECT_EQ(slots.size(), kTogether);
      EXPECT_EQ(*slots.begin() / kTogether, *slots.rbegin() / kTogether);
    }
}

TEST(TlbContext, CountsWhatItHadToBringBackAndWhatItCost) {
  constexpr Vaddr kPage{0x4000'1000};
  constexpr Vaddr kRival{kPage.value + (std::uint64_t{kTlbSize} << kPageShift)};
  const auto context = std::make_unique<TlbContext>();
  const auto count = [&](TlbEvent event) { return context->counts().of(event); };
  const auto has = [&](TlbAccess access, Vaddr v) { return context->recall(access, v) != nullptr; };
  const auto insert = [&](TlbAccess access, Vaddr v) { context->insert(access, v, host, {}); };
  for (const TlbAccess a : {TlbAccess::kRead, TlbAccess::kWrite, TlbAccess::kFetch}) insert(a, kPage);
  EXPECT_EQ(count(TlbEvent::kWalked), 1u);
  EXPECT_TRUE(has(TlbAccess::kRead, kPage));
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(has(TlbAccess::kWrite, kPage));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(has(TlbAccess::kFetch, kPage));
  EXPECT_FALSE(has(TlbAccess::kRead, kRival));
  EXPECT_EQ(count(TlbEvent::kReadRecalled), 1u);
  EXPECT_EQ(count(TlbEvent::kWriteRecalled), 2u);
  EXPECT_EQ(count(TlbEvent::kFetchRecalled), 3u);
  insert(TlbAccess::kRead, kRival);
  EXPECT_EQ(count(TlbEvent::kGrown), 0u);
  for (int i = 0; i < 5000; ++i) has(TlbAccess::kRead, i % 2 == 0 ? kPage : kRival);
  EXPECT_EQ(count(TlbEvent::kGrown), 1u) << "then each has a slot of its own";
  EXPECT_EQ(count(TlbEvent::kDrivenOut), 0u);
  for (std::uint64_t i = 1; i < TlbPages::kFirst; ++i) insert(TlbAccess::kRead, kRival + (i << kPageShift));
  EXPECT_EQ(count(TlbEvent::kDrivenOut), 1u);
}

}  // namespace
}  // namespace gstage
