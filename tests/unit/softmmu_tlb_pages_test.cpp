// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "softmmu/mem/tlb_pages.h"

namespace gstage {
namespace {

/// Pages that are no neighbours.
std::uint64_t distant_page(std::uint64_t n) { return n << 20; }

TEST(TlbPages, PlacesThatWereLeftOneByOneAreFreeAfterGivingBack) {
  TlbPages pages;
  // So many that giving back pays, each driven out by hand as a fence does it.
  for (std::uint64_t n = 1; pages.count() < 8000; ++n) {
    while (pages.is_full() && !pages.extend()) {
    }
    pages.add(distant_page(n), 0, {});
  }
  pages.for_each([&](TlbPage& page) { pages.remove(page); });
  pages.give_back();
  for (std::uint64_t n = 1; n <= TlbPages::kFirst; ++n) {
    ASSERT_FALSE(pages.is_full()) << n;
    pages.add(distant_page(n), 0, {});
  }
  EXPECT_TRUE(pages.is_full());
  // All places are where the search for the oldest page goes round.
  for (std::uint64_t n = 1; n <= TlbPages::kFirst; ++n) {
    TlbPage& oldest = pages.oldest();
    EXPECT_EQ(oldest.page, distant_page(n));
    pages.remove(oldest);
    pages.add(distant_page(100'000 + n), 0, {});
  }
}

}  // namespace
}  // namespace gstage
