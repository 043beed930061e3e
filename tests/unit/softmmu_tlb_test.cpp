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
/// Shares the TLB slot (and so the jump group) of kPage.
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
  void jump(std::uint64_t pc) { enter_jump(c->jumps.data(), pc, &some_code); }
  bool has(TlbAccess access, Vaddr v) const {
    return c->tables[static_cast<unsigned>(access)][tlb_index(v.value)].tag == v.page().value;
  }
  bool has_jump(std::uint64_t pc) const { return find_jump(c->jumps.data(), pc) != nullptr; }
};

constexpr TlbAccess kAll[] = {TlbAccess::kRead, TlbAccess::kWrite, TlbAccess::kFetch};

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
  for (const TlbAccess a : kAll) EXPECT_EQ(t.c->table(a)[0].tag, kNoTag);
  for (const TlbAccess a : kAll) t.insert(a, kPage);
  t.jump(kPage.value + 8);
  t.c->clear();
  for (const TlbAccess a : kAll) EXPECT_FALSE(t.has(a, kPage));
  EXPECT_FALSE(t.has_jump(kPage.value + 8));
}

TEST(TlbContext, ClearDropsAllThatWasEnteredWhereverItStands) {
  std::mt19937_64 random(2);
  Context t;
  for (unsigned round = 0; round < 4; ++round) {
    for (unsigned i = 0; i < 3000; ++i) {
      const Vaddr v{(random() % 4096) << kPageShift};
      t.insert(kAll[i % 3], v, origin(v.value, random() % 2 == 0));
      if (kAll[i % 3] == TlbAccess::kFetch) t.jump(v.value + 2 * (random() % 2048));
    }
    if (round == 1) t.c->clear_non_global();
    if (round == 2) t.c->clear_page(kPage, false);
    t.c->clear();
    for (const auto& table : t.c->tables)
      for (const TlbEntry& entry : table) ASSERT_EQ(entry.tag, kNoTag);
    for (const JumpEntry& jump : t.c->jumps) ASSERT_EQ(jump.pc, kNoPc);
  }
}

TEST(TlbContext, EvictedFetchPageTakesItsJumpsAlong) {
  Context t;
  t.insert(TlbAccess::kFetch, kPage);
  t.jump(kPage.value + 0x40);
  t.jump(kPage.value - 2);  // straddles into the page
  t.insert(TlbAccess::kFetch, kRival);
  EXPECT_FALSE(t.has_jump(kPage.value + 0x40));
  EXPECT_FALSE(t.has_jump(kPage.value - 2));
}

TEST(TlbContext, ReadsAndWritesLeaveJumpsAlone) {
  Context t;
  t.insert(TlbAccess::kFetch, kPage);
  t.jump(kPage.value + 0x40);
  t.insert(TlbAccess::kRead, kPage);
  t.insert(TlbAccess::kRead, kRival);
  t.insert(TlbAccess::kFetch, kPage);  // the same translation again
  EXPECT_TRUE(t.has_jump(kPage.value + 0x40));
}

TEST(TlbContext, FetchPageWithNewHostBytesLosesItsJumps) {
  Context t;
  t.insert(TlbAccess::kFetch, kPage);
  t.jump(kPage.value + 0x40);
  t.insert(TlbAccess::kFetch, kPage, {}, host_b);
  EXPECT_FALSE(t.has_jump(kPage.value + 0x40));
}

TEST(TlbContext, ClearPageDropsThatPageAlone) {
  Context t;
  const Vaddr next = kPage + kPageSize;
  for (const TlbAccess a : kAll) {
    t.insert(a, kPage);
    t.insert(a, next);
  }
  t.jump(kPage.value - 2);
  t.jump(kPage.value);
  t.jump(kPage.value + 0xffe);
  t.jump(next.value);
  t.c->clear_page(kPage + 0x7f0, false);
  for (const TlbAccess a : kAll) {
    EXPECT_FALSE(t.has(a, kPage));
    EXPECT_TRUE(t.has(a, next));
  }
  EXPECT_FALSE(t.has_jump(kPage.value - 2)) << "an instruction that straddles into the page";
  EXPECT_FALSE(t.has_jump(kPage.value));
  EXPECT_FALSE(t.has_jump(kPage.value + 0xffe));
  EXPECT_TRUE(t.has_jump(next.value));
}

TEST(TlbContext, ClearPageOfARivalKeepsThePage) {
  Context t;
  t.insert(TlbAccess::kFetch, kPage);
  t.jump(kPage.value + 4);
  t.c->clear_page(kRival, false);
  EXPECT_TRUE(t.has(TlbAccess::kFetch, kPage));
  EXPECT_TRUE(t.has_jump(kPage.value + 4));
}

TEST(TlbContext, ClearPageFindsStraddlerWithoutAFetchEntry) {
  Context t;
  t.insert(TlbAccess::kFetch, Vaddr{kPage.value - kPageSize});
  t.jump(kPage.value - 2);
  t.c->clear_page(kPage, false);
  EXPECT_FALSE(t.has_jump(kPage.value - 2));
}

TEST(TlbContext, ClearPageSparesGlobalOnlyWhenAsked) {
  Context t;
  t.insert(TlbAccess::kFetch, kPage, origin(0x1000, true));
  t.jump(kPage.value + 4);
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
  t.insert(TlbAccess::kRead, base + 0x20'0000, origin(0x8040'0000, false, 21));  // the next superpage
  t.jump(base.value + 0x1f'f010);
  t.c->clear_page(base + 0x10'0abc, false);
  EXPECT_FALSE(t.has(TlbAccess::kRead, base + 0x3000));
  EXPECT_FALSE(t.has(TlbAccess::kFetch, base + 0x1f'f000));
  EXPECT_FALSE(t.has_jump(base.value + 0x1f'f010));
  EXPECT_TRUE(t.has(TlbAccess::kRead, base + 0x5000));
  EXPECT_TRUE(t.has(TlbAccess::kRead, base + 0x20'0000));
}

TEST(TlbContext, ClearNonGlobalKeepsGlobalEntriesAndTheirJumps) {
  Context t;
  t.insert(TlbAccess::kRead, kPage, origin(0x1000, true));
  t.insert(TlbAccess::kRead, kPage + kPageSize, origin(0x2000));
  t.insert(TlbAccess::kFetch, kPage, origin(0x1000, true));
  t.insert(TlbAccess::kFetch, kPage + kPageSize, origin(0x2000));
  t.jump(kPage.value);
  t.jump(kPage.value + kPageSize - 2);  // straddles into the other
  t.jump(kPage.value + kPageSize + 8);
  t.c->clear_non_global();
  EXPECT_TRUE(t.has(TlbAccess::kRead, kPage));
  EXPECT_FALSE(t.has(TlbAccess::kRead, kPage + kPageSize));
  EXPECT_TRUE(t.has_jump(kPage.value));
  EXPECT_FALSE(t.has_jump(kPage.value + kPageSize - 2));
  EXPECT_FALSE(t.has_jump(kPage.value + kPageSize + 8));
}

TEST(TlbContext, AdoptsGlobalEntriesAndTheirJumpsAlone) {
  Context from;
  const Vaddr user = kPage + kPageSize;
  for (const TlbAccess a : kAll) {
    from.insert(a, kPage, origin(0x1000, true));
    from.insert(a, user, origin(0x2000));
  }
  TlbOrigin of_code = origin(0x3000, true);
  of_code.gpa_page = 0x1000;  // what the guest calls it does not matter
  from.insert(TlbAccess::kWrite, kPage + 2 * kPageSize, of_code);
  from.jump(kPage.value + 4);
  from.jump(kPage.value + kPageSize - 2);  // straddles: its second page might be another here
  from.jump(user.value + 4);
  CodePages pages;
  pages.add_range(Paddr{0}, 8 * kPageSize, host_a);
  for (const std::uint64_t page : {0x1000, 0x2000, 0x3000}) pages.note_writable(Paddr{page});
  pages.protect(Paddr{0x3000});
  Context to;
  to.c->adopt_global(*from.c, pages);
  for (const TlbAccess a : kAll) {
    EXPECT_TRUE(to.has(a, kPage));
    EXPECT_FALSE(to.has(a, user));
  }
  EXPECT_FALSE(to.has(TlbAccess::kWrite, kPage + 2 * kPageSize)) << "it holds code by now";
  EXPECT_TRUE(to.has_jump(kPage.value + 4));
  EXPECT_FALSE(to.has_jump(kPage.value + kPageSize - 2));
  EXPECT_FALSE(to.has_jump(user.value + 4));
  to.c->clear_gpa(Gpa{0x1000});
  EXPECT_FALSE(to.has(TlbAccess::kRead, kPage)) << "fences find what was adopted";
}

TEST(TlbContext, ClearGpaWorksOnTheGuestPhysicalPage) {
  Context t;
  t.insert(TlbAccess::kRead, kPage, origin(0x8000'0000));
  t.insert(TlbAccess::kWrite, kPage + 0x5000, origin(0x8000'0000));
  t.insert(TlbAccess::kFetch, kPage + 0x6000, origin(0x8000'0000));
  t.insert(TlbAccess::kRead, kPage + 0x7000, origin(0x8000'1000));
  t.jump(kPage.value + 0x6004);
  t.jump(kPage.value + 0x6000 - 2);
  t.c->clear_gpa(Gpa{0x8000'0ff8});
  EXPECT_FALSE(t.has(TlbAccess::kRead, kPage));
  EXPECT_FALSE(t.has(TlbAccess::kWrite, kPage + 0x5000));
  EXPECT_FALSE(t.has(TlbAccess::kFetch, kPage + 0x6000));
  EXPECT_TRUE(t.has(TlbAccess::kRead, kPage + 0x7000));
  EXPECT_FALSE(t.has_jump(kPage.value + 0x6004));
  EXPECT_FALSE(t.has_jump(kPage.value + 0x6000 - 2));
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
      model[which][slot] = {gpa, std::max<unsigned>(shift, 12)};
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
