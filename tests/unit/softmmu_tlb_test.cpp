// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <atomic>
#include <iterator>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "softmmu/mem/code_pages.h"
#include "softmmu/mem/tlb.h"

namespace gstage {
namespace {

alignas(kPageSize) std::byte host_a[kPageSize];
alignas(kPageSize) std::byte host_b[kPageSize];
const int some_code = 0;

constexpr Vaddr kPage{0x4000'1000};
/// Shares the slot of kPage in a table that has not grown.
constexpr Vaddr kRival{kPage.value + (std::uint64_t{kTlbSize} << kPageShift)};

TlbOrigin origin(std::uint64_t gpa, bool is_global = false, std::uint8_t page_shift = 12,
                 std::uint8_t gpa_shift = 12) {
  return TlbOrigin{gpa, gpa, page_shift, gpa_shift, is_global};
}

/// A context with what the tests ask of it.
struct Context {
  std::unique_ptr<TlbContext> c = std::make_unique<TlbContext>();

  void insert(TlbAccess access, Vaddr v, const TlbOrigin& o = {}, const void* host = host_a) {
    c->insert(access, v, host, o);
  }
  TlbEntry& slot(TlbEntry* table, std::uint64_t v) const { return table[tlb_index(v, c->mask())]; }
  void straddle(std::uint64_t pc) { c->straddlers()[straddler_index(pc)] = {pc, &some_code}; }
  /// In the first level, where generated code looks.
  bool hits(TlbAccess access, Vaddr v) const { return slot(c->table(access), v.value).tag == v.page().value; }
  /// In either level.
  bool has(TlbAccess access, Vaddr v) const { return c->recall(access, v) != nullptr; }
  /// The dispatcher finds the page.
  bool has_jump(std::uint64_t pc) const { return hits(TlbAccess::kFetch, Vaddr{pc}); }
  bool has_straddler(std::uint64_t pc) const { return c->straddlers()[straddler_index(pc)].pc == pc; }
};

constexpr TlbAccess kAll[] = {TlbAccess::kRead, TlbAccess::kWrite, TlbAccess::kFetch};

/// Memory that was never written looks like page 0: an access of the last page may end there, too.
bool is_page_0_absent(const TlbContext& c) {
  for (const TlbAccess a : kAll)
    for (const std::uint64_t from : {std::uint64_t{0}, ~std::uint64_t{0}})
      if (c.table(a)[tlb_index(from, c.mask())].tag == 0) return false;
  return true;
}

TEST(TlbContext, InsertedPageLeadsToItsHostBytes) {
  Context t;
  t.insert(TlbAccess::kRead, kPage + 0x123);
  const TlbEntry& e = t.c->table(TlbAccess::kRead)[tlb_index(kPage.value)];
  EXPECT_EQ(e.tag, kPage.value);
  EXPECT_EQ(kPage.value + 0x10 + e.addend, reinterpret_cast<std::uint64_t>(host_a + 0x10));
  EXPECT_FALSE(t.has(TlbAccess::kWrite, kPage)) << "permissions are entered one by one";
}

TEST(TlbContext, NewContextIsEmptyAndClearEmptiesIt) {
  Context t;
  EXPECT_TRUE(t.c->is_empty() && is_page_0_absent(*t.c));
  for (const TlbAccess a : kAll)
    for (const std::uint64_t page : {std::uint64_t{0}, kPage.value, ~kPageMask})
      EXPECT_FALSE(t.hits(a, Vaddr{page}));
  for (const TlbAccess a : kAll) t.insert(a, kPage);
  t.straddle(kPage.value - 2);
  EXPECT_FALSE(t.c->is_empty());
  t.c->clear();
  for (const TlbAccess a : kAll) {
    EXPECT_FALSE(t.hits(a, kPage));
    EXPECT_FALSE(t.has(a, kPage));
  }
  EXPECT_FALSE(t.has_jump(kPage.value + 8));
  EXPECT_FALSE(t.has_straddler(kPage.value - 2));
  EXPECT_TRUE(t.c->is_empty());
}

TEST(TlbContext, ClearDropsAllThatWasEnteredWhereverItStands) {
  std::mt19937_64 random(2);
  Context t;
  for (unsigned round = 0; round < 4; ++round) {
    std::vector<Vaddr> pages;
    for (unsigned i = 0; i < 6000; ++i) {
      const Vaddr v{(random() % 8192) << kPageShift};
      t.insert(kAll[i % 3], v, origin(v.value, random() % 2 == 0, random() % 4 == 0 ? 21 : 12));
      pages.push_back(v);
    }
    if (round == 1) t.c->clear_non_global();
    if (round == 2) t.c->clear_page(kPage, false);
    t.c->clear();
    for (const Vaddr v : pages)
      for (const TlbAccess a : kAll) ASSERT_FALSE(t.hits(a, v) || t.has(a, v) || t.has_jump(v.value));
  }
}

TEST(TlbContext, PagesInTheWayOfEachOtherStayBothPresent) {
  Context t;
  for (const TlbAccess a : kAll) {
    t.insert(a, kPage, origin(0x1000), host_a);
    t.insert(a, kRival, origin(0x2000), host_b);
    EXPECT_FALSE(t.hits(a, kPage)) << "they share a slot";
    const TlbPage* const page = t.c->recall(a, kPage);
    ASSERT_NE(page, nullptr);
    EXPECT_EQ(page->page + page->addend, reinterpret_cast<std::uint64_t>(host_a));
    EXPECT_TRUE(t.hits(a, kPage)) << "the first level has it again";
    EXPECT_TRUE(t.has(a, kRival));
  }
}

TEST(TlbContext, RecallIsOfTheAccessThatWasEntered) {
  Context t;
  t.insert(TlbAccess::kRead, kPage);
  EXPECT_FALSE(t.has(TlbAccess::kWrite, kPage));
  EXPECT_FALSE(t.has(TlbAccess::kFetch, kPage));
  t.insert(TlbAccess::kFetch, kPage + kPageSize);
  EXPECT_FALSE(t.has(TlbAccess::kRead, kPage + kPageSize));
}

TEST(TlbContext, GrowsUntilPagesInUseAreInNobodysWay) {
  Context t;
  constexpr unsigned kPages = 40;
  const std::uint64_t distance = std::uint64_t{1} << 40;  // the worst: in one slot until the last growth
  const auto page = [&](unsigned i) { return Vaddr{(i % 4) * distance + (i / 4) * 0x40'0000 + 0x5000}; };
  for (unsigned i = 0; i < kPages; ++i) t.insert(TlbAccess::kRead, page(i), origin(0x1000));
  for (unsigned round = 0; round < 300; ++round) {
    ASSERT_TRUE(is_page_0_absent(*t.c));
    for (unsigned i = 0; i < kPages; ++i)
      ASSERT_TRUE(t.hits(TlbAccess::kRead, page(i)) || t.has(TlbAccess::kRead, page(i)));
  }
  EXPECT_EQ(t.c->mask(), tlb_mask(kTlbBits.back()));
  for (unsigned i = 0; i < kPages; ++i) EXPECT_TRUE(t.hits(TlbAccess::kRead, page(i))) << i;
  // Fences find them there.
  t.c->clear_page(page(7), false);
  EXPECT_FALSE(t.hits(TlbAccess::kRead, page(7)));
  t.c->clear();
  for (unsigned i = 0; i < kPages; ++i) EXPECT_FALSE(t.hits(TlbAccess::kRead, page(i)));
}

TEST(TlbContext, FewConflictsLeaveTheFirstLevelSmall) {
  Context t;
  for (unsigned i = 0; i < 5; ++i) {
    t.insert(TlbAccess::kRead, kPage);
    t.insert(TlbAccess::kRead, kRival);
  }
  for (unsigned i = 0; i < 10'000; ++i) t.insert(TlbAccess::kRead, kPage + kPageSize);
  EXPECT_EQ(t.c->mask(), kTlbFirstMask);
}

TEST(TlbContext, APageInTheWayTakesNoJumpsFromAnother) {
  Context t;
  t.insert(TlbAccess::kFetch, kPage);
  t.straddle(kPage.value - 2);
  t.insert(TlbAccess::kFetch, kRival);
  EXPECT_TRUE(t.has_straddler(kPage.value - 2));
}

TEST(TlbContext, MoreThanTheSecondLevelHoldsDropsTheOldestWithItsJumps) {
  Context t;
  t.insert(TlbAccess::kFetch, kPage);
  t.straddle(kPage.value - 2);
  const auto other = [](std::uint64_t i) { return Vaddr{(std::uint64_t{1} << 40) + (i << kPageShift)}; };
  for (std::uint64_t i = 1; i < TlbPages::kFirst; ++i) t.insert(TlbAccess::kRead, other(i));
  EXPECT_TRUE(t.has(TlbAccess::kFetch, kPage) && t.has_straddler(kPage.value - 2));
  t.insert(TlbAccess::kRead, other(0));
  EXPECT_FALSE(t.has(TlbAccess::kFetch, kPage));
  EXPECT_FALSE(t.has_jump(kPage.value));
  EXPECT_FALSE(t.has_straddler(kPage.value - 2));
  EXPECT_TRUE(t.has(TlbAccess::kRead, other(0)) && t.has(TlbAccess::kRead, other(1)));
  t.c->clear();
  EXPECT_TRUE(t.c->is_empty());
  EXPECT_FALSE(t.has(TlbAccess::kRead, other(1)));
}

Vaddr far_page(std::uint64_t number) { return Vaddr{(std::uint64_t{1} << 37) + (number << kPageShift)}; }

TEST(TlbContext, ASweepLeavesTheSecondLevelSmall) {
  Context t;
  constexpr unsigned kPages = 2 * TlbPages::kFirst;
  for (unsigned i = 0; i < kPages; ++i) t.insert(TlbAccess::kRead, far_page(i));
  for (unsigned i = 0; i < kPages; ++i)
    EXPECT_EQ(t.has(TlbAccess::kRead, far_page(i)), i >= kPages - TlbPages::kFirst) << i;
}

TEST(TlbContext, PagesThatAreUsedAgainAllFindRoom) {
  Context t;
  constexpr unsigned kPages = 5000;
  unsigned missing = 1;
  for (unsigned round = 0; round < 20 && missing != 0; ++round) {
    missing = 0;
    for (unsigned i = 0; i < kPages; ++i) {
      if (t.has(TlbAccess::kRead, far_page(i))) continue;
      ++missing;
      t.insert(TlbAccess::kRead, far_page(i));
    }
  }
  EXPECT_EQ(missing, 0u);
  t.c->clear_page(far_page(77), false);
  EXPECT_FALSE(t.has(TlbAccess::kRead, far_page(77)));
  t.c->clear();
  for (unsigned i = 0; i < kPages; ++i) ASSERT_FALSE(t.has(TlbAccess::kRead, far_page(i)));
}

TEST(TlbContext, ReadsAndWritesLeaveJumpsAlone) {
  Context t;
  t.insert(TlbAccess::kFetch, kPage);
  t.insert(TlbAccess::kRead, kPage);
  t.insert(TlbAccess::kRead, kRival);
  t.insert(TlbAccess::kFetch, kPage);  // the same translation again
  EXPECT_TRUE(t.has_jump(kPage.value + 0x40));
}

TEST(TlbContext, AnotherTranslationOfThePageTakesTheFirstOneAway) {
  Context t;
  for (const TlbAccess a : kAll) t.insert(a, kPage);
  t.straddle(kPage.value + 0xffe);
  t.insert(TlbAccess::kFetch, kPage, {}, host_b);
  EXPECT_FALSE(t.has_straddler(kPage.value + 0xffe));
  EXPECT_FALSE(t.has(TlbAccess::kRead, kPage));
  EXPECT_FALSE(t.has(TlbAccess::kWrite, kPage));
  // The same bytes by another leaf: fences are to find it by that one.
  t.insert(TlbAccess::kRead, kPage, origin(0x3000, false, 21, 12), host_b);
  EXPECT_FALSE(t.has(TlbAccess::kFetch, kPage));
}

TEST(TlbContext, ClearPageDropsThatPageAlone) {
  Context t;
  const Vaddr next = kPage + kPageSize;
  for (const TlbAccess a : kAll) {
    t.insert(a, kPage);
    t.insert(a, next);
    t.insert(a, kRival);
  }
  for (const std::uint64_t pc : {kPage.value - 2, kPage.value + 0xffe, next.value + 0xffe}) t.straddle(pc);
  t.c->clear_page(kPage + 0x7f0, false);
  for (const TlbAccess a : kAll) {
    EXPECT_FALSE(t.hits(a, kPage));
    EXPECT_FALSE(t.has(a, kPage));
    EXPECT_TRUE(t.has(a, next));
    EXPECT_TRUE(t.has(a, kRival));
  }
  EXPECT_FALSE(t.has_straddler(kPage.value - 2)) << "an instruction that straddles into the page";
  EXPECT_FALSE(t.has_jump(kPage.value));
  EXPECT_FALSE(t.has_straddler(kPage.value + 0xffe));
  EXPECT_TRUE(t.has_jump(next.value));
  EXPECT_TRUE(t.has_straddler(next.value + 0xffe));
}

TEST(TlbContext, FencesFindWhatTheSecondLevelAloneHolds) {
  const auto check = [](const char* what, auto&& fence) {
    Context t;
    t.insert(TlbAccess::kRead, kPage, origin(0x8000'0000));
    t.insert(TlbAccess::kRead, kRival, origin(0x9000'0000, true));
    ASSERT_FALSE(t.hits(TlbAccess::kRead, kPage));
    fence(*t.c);
    EXPECT_FALSE(t.has(TlbAccess::kRead, kPage)) << what;
    EXPECT_TRUE(t.has(TlbAccess::kRead, kRival)) << what;
  };
  check("address", [](TlbContext& c) { c.clear_page(kPage, false); });
  check("address and ASID", [](TlbContext& c) { c.clear_page(kPage, true); });
  check("ASID", [](TlbContext& c) { c.clear_non_global(); });
  check("guest physical address", [](TlbContext& c) { c.clear_gpa(Gpa{0x8000'0123}); });
}

TEST(TlbContext, ClearPageSparesGlobalOnlyWhenAsked) {
  Context t;
  t.insert(TlbAccess::kFetch, kPage, origin(0x1000, true));
  t.c->clear_page(kPage, true);
  EXPECT_TRUE(t.has(TlbAccess::kFetch, kPage));
  EXPECT_TRUE(t.has_jump(kPage.value + 4));
  t.c->clear_page(kPage, false);
  EXPECT_FALSE(t.has(TlbAccess::kFetch, kPage));
  EXPECT_FALSE(t.has_jump(kPage.value + 4));
}

TEST(TlbContext, ClearPageDropsTheWholeSuperpage) {
  Context t;
  const Vaddr base{0x4020'0000};
  t.insert(TlbAccess::kRead, base + 0x3000, origin(0x8020'3000, false, 21));
  t.insert(TlbAccess::kFetch, base + 0x1f'f000, origin(0x803f'f000, false, 21));
  t.insert(TlbAccess::kRead, base + 0x5000, origin(0x9000'5000));  // a 4 KiB leaf of an older table
  t.insert(TlbAccess::kRead, base + 0x6000, origin(0x8020'6000, true, 21));
  t.insert(TlbAccess::kRead, base + 0x20'0000, origin(0x8040'0000, false, 21));  // the next superpage
  t.c->clear_page(base + 0x10'0abc, true);
  EXPECT_FALSE(t.has(TlbAccess::kRead, base + 0x3000));
  EXPECT_FALSE(t.has(TlbAccess::kFetch, base + 0x1f'f000));
  EXPECT_FALSE(t.has_jump(base.value + 0x1f'f010));
  EXPECT_TRUE(t.has(TlbAccess::kRead, base + 0x5000));
  EXPECT_TRUE(t.has(TlbAccess::kRead, base + 0x6000)) << "global";
  EXPECT_TRUE(t.has(TlbAccess::kRead, base + 0x20'0000));
  t.c->clear_page(base + 0x10'0abc, false);
  EXPECT_FALSE(t.has(TlbAccess::kRead, base + 0x6000));
}

TEST(TlbContext, ClearNonGlobalKeepsGlobalEntriesAndTheirJumps) {
  Context t;
  t.insert(TlbAccess::kRead, kPage, origin(0x1000, true));
  t.insert(TlbAccess::kRead, kPage + kPageSize, origin(0x2000));
  t.insert(TlbAccess::kFetch, kPage, origin(0x1000, true));
  t.insert(TlbAccess::kFetch, kPage + kPageSize, origin(0x2000));
  t.straddle(kPage.value + kPageSize - 2);  // straddles into the other
  t.c->clear_non_global();
  EXPECT_TRUE(t.has(TlbAccess::kRead, kPage));
  EXPECT_FALSE(t.has(TlbAccess::kRead, kPage + kPageSize));
  EXPECT_TRUE(t.has_jump(kPage.value));
  EXPECT_FALSE(t.has_straddler(kPage.value + kPageSize - 2));
  EXPECT_FALSE(t.has_jump(kPage.value + kPageSize + 8));
}

TEST(TlbContext, AdoptsGlobalPagesAlone) {
  Context from;
  const Vaddr user = kPage + kPageSize;
  for (const TlbAccess a : kAll) {
    from.insert(a, kPage, origin(0x1000, true));
    from.insert(a, user, origin(0x2000));
  }
  const Vaddr code = kPage + 2 * kPageSize;
  TlbOrigin of_code = origin(0x3000, true);
  of_code.gpa_page = 0x1000;  // what the guest calls it does not matter
  from.insert(TlbAccess::kRead, code, of_code);
  from.insert(TlbAccess::kWrite, code, of_code);
  CodePages pages;
  pages.add_range(Paddr{0}, 8 * kPageSize, host_a);
  for (const std::uint64_t page : {0x1000, 0x2000, 0x3000}) pages.note_writable(Paddr{page});
  pages.protect(Paddr{0x3000});
  Context to;
  EXPECT_TRUE(to.c->adopt_global(*from.c, kPage, pages));
  EXPECT_FALSE(to.c->adopt_global(*from.c, user, pages));
  EXPECT_TRUE(to.c->adopt_global(*from.c, code, pages));
  EXPECT_FALSE(to.c->adopt_global(*from.c, code + kPageSize, pages)) << "nobody has it";
  for (const TlbAccess a : kAll) {
    EXPECT_TRUE(to.has(a, kPage));
    EXPECT_FALSE(to.has(a, user));
  }
  EXPECT_TRUE(to.has(TlbAccess::kRead, code));
  EXPECT_FALSE(to.has(TlbAccess::kWrite, code)) << "it holds code by now";
  to.c->clear_gpa(Gpa{0x1000});
  EXPECT_FALSE(to.has(TlbAccess::kRead, kPage)) << "fences find what was adopted";
}

TEST(TlbContext, AdoptsNothingOfAPageThatItHas) {
  Context from;
  Context to;
  CodePages pages;
  pages.add_range(Paddr{0}, 8 * kPageSize, host_a);
  from.insert(TlbAccess::kFetch, kPage, origin(0x1000, true), host_a);
  to.insert(TlbAccess::kRead, kPage, origin(0x2000), host_b);
  EXPECT_FALSE(to.c->adopt_global(*from.c, kPage, pages));
  EXPECT_TRUE(to.has(TlbAccess::kRead, kPage));
}

TEST(TlbContext, ClearGpaWorksOnTheGuestPhysicalPage) {
  Context t;
  t.insert(TlbAccess::kRead, kPage, origin(0x8000'0000));
  t.insert(TlbAccess::kWrite, kPage + 0x5000, origin(0x8000'0000));
  t.insert(TlbAccess::kFetch, kPage + 0x6000, origin(0x8000'0000));
  t.insert(TlbAccess::kRead, kPage + 0x7000, origin(0x8000'1000));
  t.straddle(kPage.value + 0x6000 - 2);
  t.c->clear_gpa(Gpa{0x8000'0ff8});
  EXPECT_FALSE(t.has(TlbAccess::kRead, kPage));
  EXPECT_FALSE(t.has(TlbAccess::kWrite, kPage + 0x5000));
  EXPECT_FALSE(t.has(TlbAccess::kFetch, kPage + 0x6000));
  EXPECT_TRUE(t.has(TlbAccess::kRead, kPage + 0x7000));
  EXPECT_FALSE(t.has_jump(kPage.value + 0x6004));
  EXPECT_FALSE(t.has_straddler(kPage.value + 0x6000 - 2));
}

TEST(TlbContext, ClearGpaDropsTheGStageSuperpage) {
  Context t;
  t.insert(TlbAccess::kRead, kPage, origin(0x8000'3000, false, 12, 21));
  t.insert(TlbAccess::kRead, kPage + 0x1000, origin(0x8020'0000, false, 12, 21));
  t.c->clear_gpa(Gpa{0x801f'ffff});
  EXPECT_FALSE(t.has(TlbAccess::kRead, kPage));
  EXPECT_TRUE(t.has(TlbAccess::kRead, kPage + 0x1000));
}

TEST(TlbContext, ClearGpaDropsTheSameAsALookAtEveryEntry) {
  std::mt19937_64 random(1);
  Context t;
  struct Entry {
    std::uint64_t gpa = 0;
    unsigned shift = 0;  // 0: none
    std::uint8_t entered = 0;
  };
  std::array<std::array<Entry, 64>, 3> model{};
  const auto page = [](unsigned slot) { return kPage + 64 * kPageSize + slot * kPageSize; };
  for (unsigned round = 0; round < 20'000; ++round) {
    const unsigned which = random() % 3;
    const unsigned slot = random() % 64;
    constexpr std::uint8_t kShifts[] = {0, 12, 12, 16, 21, 30};
    const std::uint8_t shift = kShifts[random() % std::size(kShifts)];
    const std::uint64_t gpa = (random() % 3 << 30) | (random() % 3 << 21) | (random() % 20 << 12);
    if (round % 4 != 0) {
      t.insert(kAll[which], page(slot), origin(gpa, false, 12, shift));
      // By another leaf: what came by the old one goes.
      for (auto& entries : model)
        if (entries[slot].gpa != gpa || entries[slot].entered != shift) entries[slot].shift = 0;
      model[which][slot] = {gpa, std::max<unsigned>(shift, 12), shift};
      continue;
    }
    t.c->clear_gpa(Gpa{gpa | (random() & kPageMask)});
    for (unsigned w = 0; w < 3; ++w)
      for (unsigned s = 0; s < 64; ++s) {
        Entry& e = model[w][s];
        if (e.shift != 0 && ((e.gpa ^ gpa) >> e.shift) == 0) e.shift = 0;
        ASSERT_EQ(t.has(kAll[w], page(s)), e.shift != 0) << "round " << round;
      }
  }
}

TlbKey key(std::uint64_t n) { return TlbKey{{n, 0, ~n}}; }

TEST(Tlb, ContextsAreKeptByKey) {
  Tlb tlb;
  TlbContext& a = tlb.context(key(1));
  a.insert(TlbAccess::kRead, kPage, host_a, {});
  TlbContext& b = tlb.context(key(2));
  EXPECT_NE(&a, &b);
  EXPECT_EQ(&tlb.context(key(1)), &a);
  EXPECT_EQ(a.table(TlbAccess::kRead)[tlb_index(kPage.value)].tag, kPage.value) << "a switch drops nothing";
  EXPECT_EQ(tlb.flushes(TlbFlush::kEviction), 0u);
}

TEST(Tlb, AllWordsOfTheKeyCount) {
  Tlb tlb;
  TlbContext& a = tlb.context(TlbKey{{1, 2, 3}});
  EXPECT_NE(&tlb.context(TlbKey{{1, 2, 4}}), &a);
  EXPECT_NE(&tlb.context(TlbKey{{1, 0, 3}}), &a);
  EXPECT_NE(&tlb.context(TlbKey{{0, 2, 3}}), &a);
}

TEST(Tlb, LeastRecentlyUsedIsRecycledEmpty) {
  Tlb tlb;
  std::vector<TlbContext*> contexts;
  for (unsigned i = 0; i < Tlb::kContexts; ++i) contexts.push_back(&tlb.context(key(i)));
  contexts[1]->insert(TlbAccess::kRead, kPage, host_a, {});
  tlb.context(key(0));  // now 1 is the one not used for longest
  TlbContext& fresh = tlb.context(key(100));
  EXPECT_EQ(&fresh, contexts[1]);
  EXPECT_EQ(fresh.table(TlbAccess::kRead)[tlb_index(kPage.value)].tag, kNoTag);
  EXPECT_EQ(tlb.flushes(TlbFlush::kEviction), 1u);
  EXPECT_EQ(&tlb.context(key(0)), contexts[0]);
  for (unsigned i = 2; i < Tlb::kContexts; ++i) EXPECT_EQ(&tlb.context(key(i)), contexts[i]);
  EXPECT_EQ(tlb.flushes(TlbFlush::kEviction), 1u);
}

TEST(Tlb, ClearEmptiesAllAndKeepsThemInPlace) {
  Tlb tlb;
  TlbContext& a = tlb.context(key(1));
  TlbContext& b = tlb.context(key(2));
  a.insert(TlbAccess::kWrite, kPage, host_a, {});
  b.insert(TlbAccess::kFetch, kPage, host_a, {});
  tlb.clear(TlbFlush::kFenceAll);
  EXPECT_EQ(a.table(TlbAccess::kWrite)[tlb_index(kPage.value)].tag, kNoTag);
  EXPECT_EQ(b.table(TlbAccess::kFetch)[tlb_index(kPage.value)].tag, kNoTag);
  EXPECT_EQ(&tlb.context(key(1)), &a) << "the hart's pointers into it stay good";
  EXPECT_EQ(tlb.flushes(TlbFlush::kFenceAll), 1u);
  a.insert(TlbAccess::kWrite, kPage, host_a, {});
  tlb.clear(TlbFlush::kFenceAll);
  EXPECT_EQ(a.table(TlbAccess::kWrite)[tlb_index(kPage.value)].tag, kNoTag) << "and clearing works again";
}

TEST(Tlb, WithholdWritesFindsEveryAliasInEveryContext) {
  Tlb tlb;
  TlbContext& a = tlb.context(key(1));
  TlbContext& b = tlb.context(key(2));
  a.insert(TlbAccess::kWrite, kPage, host_a, {});
  a.insert(TlbAccess::kWrite, kPage + 0x3000, host_a, {});
  a.insert(TlbAccess::kWrite, kPage + 0x4000, host_b, {});
  a.insert(TlbAccess::kRead, kPage, host_a, {});
  b.insert(TlbAccess::kWrite, kPage, host_a, {});
  tlb.withhold_writes(host_a);
  EXPECT_EQ(a.table(TlbAccess::kWrite)[tlb_index(kPage.value)].tag, kNoTag);
  EXPECT_EQ(a.table(TlbAccess::kWrite)[tlb_index(kPage.value + 0x3000)].tag, kNoTag);
  EXPECT_EQ(b.table(TlbAccess::kWrite)[tlb_index(kPage.value)].tag, kNoTag);
  EXPECT_NE(a.table(TlbAccess::kWrite)[tlb_index(kPage.value + 0x4000)].tag, kNoTag);
  EXPECT_NE(a.table(TlbAccess::kRead)[tlb_index(kPage.value)].tag, kNoTag);
  EXPECT_EQ(tlb.flushes(TlbFlush::kCodePage), 1u);
  tlb.withhold_writes(host_a);
  EXPECT_EQ(tlb.flushes(TlbFlush::kCodePage), 1u) << "nothing was dropped the second time";
}

TEST(CodePages, ProtectWithholdsAndReports) {
  CodePages pages;
  Tlb tlb;
  pages.add_range(Paddr{0x8000'0000}, 4 * kPageSize, host_a);
  pages.add_tlb(tlb);
  TlbContext& c = tlb.context(key(1));
  pages.note_writable(Paddr{0x8000'0000});
  c.insert(TlbAccess::kWrite, kPage, host_a, {});
  EXPECT_FALSE(pages.has_code(Paddr{0x8000'0000}));
  pages.protect(Paddr{0x8000'0000});
  EXPECT_TRUE(pages.has_code(Paddr{0x8000'0abc}));
  EXPECT_FALSE(pages.has_code(Paddr{0x8000'1000}));
  EXPECT_EQ(c.table(TlbAccess::kWrite)[tlb_index(kPage.value)].tag, kNoTag);
  pages.unprotect(Paddr{0x8000'0000});
  EXPECT_FALSE(pages.has_code(Paddr{0x8000'0000}));
  // A second round: the page is noted, entered and withheld again.
  pages.note_writable(Paddr{0x8000'0000});
  c.insert(TlbAccess::kWrite, kPage, host_a, {});
  pages.protect(Paddr{0x8000'0000});
  EXPECT_EQ(c.table(TlbAccess::kWrite)[tlb_index(kPage.value)].tag, kNoTag);
}

/// Nobody would look for the entry when the page holds code the next time.
TEST(CodePages, AnEntryMadeWhileThePageHadCodeMayNotStayWhenItHasNone) {
  CodePages pages;
  pages.add_range(Paddr{0x8000'0000}, kPageSize, host_a);
  pages.note_writable(Paddr{0x8000'0000});
  pages.protect(Paddr{0x8000'0000});
  EXPECT_FALSE(pages.may_write(Paddr{0x8000'0000}));
  pages.unprotect(Paddr{0x8000'0000});
  EXPECT_FALSE(pages.may_write(Paddr{0x8000'0000}));
  pages.note_writable(Paddr{0x8000'0000});
  EXPECT_TRUE(pages.may_write(Paddr{0x8000'0000}));
}

TEST(CodePages, OutsideRamIsIgnored) {
  CodePages pages;
  pages.add_range(Paddr{0x8000'0000}, kPageSize, host_a);
  pages.protect(Paddr{0x1000});
  pages.note_writable(Paddr{0x8000'1000});
  EXPECT_FALSE(pages.has_code(Paddr{0x1000}));
  EXPECT_FALSE(pages.has_code(Paddr{0x8000'1000}));
}

TEST(CodePages, WrittenReportsRunsOfCodePagesClipped) {
  CodePages pages;
  pages.add_range(Paddr{0x8000'0000}, 8 * kPageSize, host_a);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> hits;
  pages.set_invalidate([&](Paddr first, std::uint64_t size) { hits.emplace_back(first.value, size); });
  pages.written(Paddr{0x8000'0000}, 8 * kPageSize);
  pages.written(Paddr{0x8000'0000}, 0);
  EXPECT_TRUE(hits.empty());
  for (const unsigned page : {1u, 2u, 5u}) pages.protect(Paddr{0x8000'0000 + page * kPageSize});
  pages.written(Paddr{0x8000'0ffc}, 4);
  EXPECT_TRUE(hits.empty());
  pages.written(Paddr{0x8000'0ffc}, 8);
  ASSERT_EQ(hits.size(), 1u);
  EXPECT_EQ(hits[0], std::pair(std::uint64_t{0x8000'1000}, std::uint64_t{4}));
  hits.clear();
  pages.written(Paddr{0x8000'1800}, 0x4000);
  ASSERT_EQ(hits.size(), 2u);
  EXPECT_EQ(hits[0], std::pair(std::uint64_t{0x8000'1800}, std::uint64_t{0x1800}));
  EXPECT_EQ(hits[1], std::pair(std::uint64_t{0x8000'5000}, std::uint64_t{0x800}));
}

/// A hart enters and re-checks while another thread protects: never may both believe that all is well.
TEST(CodePages, RaceOfInsertAndProtectLeavesNoWriteEntry) {
  CodePages pages;
  Tlb tlb;
  pages.add_range(Paddr{0x8000'0000}, kPageSize, host_a);
  pages.add_tlb(tlb);
  TlbContext& c = tlb.context(key(1));
  TlbEntry& entry = c.table(TlbAccess::kWrite)[tlb_index(kPage.value)];
  std::atomic<int> round{0};
  std::atomic<int> done{0};
  constexpr int kRounds = 5000;
  std::thread hart([&] {
    for (int i = 1; i <= kRounds; ++i) {
      while (round.load() < i) std::this_thread::yield();
      pages.note_writable(Paddr{0x8000'0000});
      c.insert(TlbAccess::kWrite, kPage, host_a, {});
      std::atomic_thread_fence(std::memory_order_seq_cst);
      if (!pages.may_write(Paddr{0x8000'0000})) c.drop_write(kPage);
      done.store(i);
    }
  });
  int failures = 0;
  for (int i = 1; i <= kRounds; ++i) {
    round.store(i);
    pages.protect(Paddr{0x8000'0000});
    while (done.load() < i) std::this_thread::yield();
    if (std::atomic_ref(entry.tag).load() != kNoTag) ++failures;
    pages.unprotect(Paddr{0x8000'0000});
    c.clear();
  }
  hart.join();
  EXPECT_EQ(failures, 0);
}

}  // namespace
}  // namespace gstage
