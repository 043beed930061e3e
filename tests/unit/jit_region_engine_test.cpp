// SPDX-License-Identifier: Apache-2.0
// What a region may rely on, and what ends it: mappings of its pages, its code, the inline caches of its
// accesses.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/jit_toy.h"

namespace gstage::tcg::test {
namespace {

using namespace toy;

constexpr EngineKind kRegions{"regions", Accel::kJit, Regions::kEager};
constexpr std::uint64_t kCode = kToyRam + 0x1000;
constexpr std::uint64_t kOther = kToyRam + 0x5000;
constexpr std::uint64_t kData = kToyRam + 0x9000;

/// x12 times round a loop that begins in the first page and goes on in the second, which adds to x10.
void write_loop_over_pages(ToyMachine& m, std::uint64_t second, int summand) {
  m.write(kCode + kPageSize - 4, {addi(3, 1), jump(1)});
  m.write(second, {addi(0, summand), addi(2, -1), bnez(2, -4), halt()});
}

TEST(Regions, SpanPagesAndKeepTheirSums) {
  ToyMachine m(kRegions);
  write_loop_over_pages(m, kCode + kPageSize, 3);
  m.hart().x[12] = 1000;
  m.run(kCode + kPageSize - 4);
  EXPECT_EQ(m.hart().x[10], 3000u);
  EXPECT_EQ(m.hart().x[13], 1000u);
}

TEST(Regions, AreNotEnteredWhereTheirSecondPageIsMappedElsewhere) {
  ToyMachine m(kRegions);
  constexpr std::uint64_t kSecond = kCode + kPageSize;
  write_loop_over_pages(m, kSecond, 3);
  write_loop_over_pages(m, kOther, 5);
  for (int round = 0; round < 3; ++round) {
    const std::uint64_t summand = round % 2 == 0 ? 3 : 5;
    m.guest->remapped.clear();
    if (summand == 5) m.guest->remapped[kSecond] = kOther;
    m.cpus[0]->context().clear_page(Vaddr{kSecond}, false);
    m.hart().x[10] = 0;
    m.hart().x[12] = 100;
    m.run(kSecond - 4);
    EXPECT_EQ(m.hart().x[10], 100 * summand);
  }
}

TEST(Regions, AreNotEnteredWhereTheirSecondPageIsMappedElsewhereAndWasEnteredThere) {
  ToyMachine m(kRegions);
  constexpr std::uint64_t kSecond = kCode + kPageSize;
  write_loop_over_pages(m, kSecond, 3);
  write_loop_over_pages(m, kOther, 5);
  for (const std::uint64_t page : {kSecond, kOther}) m.write(page + 0x100, {halt()});
  for (int round = 0; round < 6; ++round) {
    const std::uint64_t summand = round % 2 == 0 ? 3 : 5;
    m.guest->remapped.clear();
    if (summand == 5) m.guest->remapped[kSecond] = kOther;
    m.cpus[0]->context().clear_page(Vaddr{kSecond}, false);
    m.run(kSecond + 0x100);  // now the page is known, but not as the region knows it
    m.hart().x[10] = 0;
    m.hart().x[12] = 100;
    m.run(kSecond - 4);
    ASSERT_EQ(m.hart().x[10], 100 * summand) << round;
  }
}

/// Two loops, one in the other, whose headers are at kCode and kCode + 0x10; what both go through, and is
/// part of neither header's block, adds to x10.
void write_nested_loops(ToyMachine& m) {
  m.write(kCode, {li(1), 3, jump(6)});
  m.write(kCode + 0x10, {addi(1, -1), jump(0x17)});
  m.write(kCode + 0x42, {bnez(1, -0x19), addi(2, -1), bnez(2, -0x23), halt()});
}

TEST(Regions, EndForAllTheirHeadersWhenOtherCodeOfTheirsIsWritten) {
  ToyMachine m(kRegions);
  write_nested_loops(m);
  for (int round = 1; round < 30; ++round) {
    m.write(kCode + 0x40, {addi(0, round)});
    m.hart().x[10] = 0;
    m.hart().x[11] = 3;
    m.hart().x[12] = 5;
    m.run(round % 3 == 1 ? kCode + 0x10 : kCode);
    ASSERT_EQ(m.hart().x[10], 15u * static_cast<unsigned>(round));
  }
}

TEST(Regions, EndWhenTheirCodeIsWritten) {
  ToyMachine m(kRegions);
  write_loop_over_pages(m, kCode + kPageSize, 3);
  for (int summand = 1; summand < 20; ++summand) {
    // In the second page, by turns with the first, which has the region's entry.
    if (summand % 2 == 0)
      m.write(kCode + kPageSize, {addi(0, summand)});
    else
      m.write(kCode + kPageSize - 4, {addi(3, summand)});
    m.hart().x[10] = m.hart().x[13] = 0;
    m.hart().x[12] = 50;
    m.run(kCode + kPageSize - 4);
    const int in_second = summand == 1 ? 3 : summand - summand % 2;
    const int in_first = summand % 2 == 0 ? summand - 1 : summand;
    ASSERT_EQ(m.hart().x[10], 50u * static_cast<unsigned>(in_second));
    ASSERT_EQ(m.hart().x[13], 50u * static_cast<unsigned>(in_first));
  }
}

TEST(Regions, StoreToCodeThatAnotherHartTranslatesMeanwhile) {
  ToyMachine m(kRegions, 0, 2);
  // Hart 0 stores an instruction for a long time, in a loop that found the page writable; hart 1 runs that
  // code. Who translates the page has to wait until hart 0 has lost sight of it.
  m.write(kCode, {store(1), addi(2, -1), bnez(2, -2), halt()});
  m.write(kData, {addi(3, 1), halt()});
  std::atomic<bool> is_done{false};
  std::thread storing([&] {
    while (!is_done.load()) {
      m.hart(0).x[10] = addi(3, 5);
      m.hart(0).x[11] = kData;
      m.hart(0).x[12] = 20000;
      m.run(kCode, 0);
    }
  });
  unsigned missed = 0;
  for (int round = 0; round < 30; ++round) {
    m.write(kData, {addi(3, 1)});
    bool is_seen = false;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!is_seen && std::chrono::steady_clock::now() < end) {
      m.hart(1).x[13] = 0;
      m.run(kData, 1);
      is_seen = m.hart(1).x[13] == 5;
      if (!is_seen) std::this_thread::yield();
    }
    missed += !is_seen;
  }
  is_done = true;
  storing.join();
  EXPECT_EQ(missed, 0u);
}

TEST(Regions, LoseTheirInlineCachesWithTheTranslation) {
  ToyMachine m(kRegions);
  // Sums a halfword over and over; between two runs its page is mapped elsewhere.
  m.write(kCode, {load(1), addi(2, -1), bnez(2, -2), halt()});
  m.write(kData, {1111});
  m.write(kOther, {2222});
  m.hart().x[11] = kData;
  for (int round = 0; round < 4; ++round) {
    m.guest->remapped.clear();
    if (round % 2 == 1) m.guest->remapped[kData] = kOther;
    m.cpus[0]->context().clear_page(Vaddr{kData}, false);
    m.hart().x[12] = 100;
    m.run(kCode);
    EXPECT_EQ(m.hart().x[10] & 0xffff, round % 2 == 1 ? 2222u : 1111u);
  }
}

/// x12 times round a loop whose head jumps to two cases in turn, which count in x13 and x14.
void write_switch(ToyMachine& m, int first, int second) {
  m.write(kCode, {jump_reg(5)});
  m.write(kCode + 0x10, {addi(3, first), addi(5, 0x10), addi(2, -1), bnez(2, -11), halt()});
  m.write(kCode + 0x20, {addi(4, second), addi(5, -0x10), addi(2, -1), bnez(2, -19), halt()});
}

TEST(Regions, FollowASwitchAndTheCodeThatItsCasesBecome) {
  ToyMachine m(kRegions);
  for (int round = 1; round < 20; ++round) {
    write_switch(m, round, 2 * round);
    m.hart().x[12] = 1000;
    m.hart().x[13] = m.hart().x[14] = 0;
    m.hart().x[15] = kCode + 0x10;
    m.run(kCode);
    ASSERT_EQ(m.hart().x[13], 500u * static_cast<unsigned>(round));
    ASSERT_EQ(m.hart().x[14], 1000u * static_cast<unsigned>(round));
  }
}

TEST(Regions, LeaveASwitchForATargetThatWasNeverSeen) {
  ToyMachine m(kRegions);
  write_switch(m, 1, 1);
  m.write(kCode + 0x30, {halt()});
  m.hart().x[12] = 1000;
  m.hart().x[15] = kCode + 0x10;
  m.run(kCode);
  m.hart().x[12] = 10;
  m.hart().x[15] = kCode + 0x30;
  m.run(kCode);
  EXPECT_EQ(m.hart().x[12], 10u);
  EXPECT_EQ(m.hart().x[13], 500u);
}

TEST(Regions, RunThroughPagesThatAreMappedHereAndThere) {
  ToyMachine m(kRegions);
  // Stores x10 at x11 and what follows it, halfword by halfword, from the end of a page on.
  m.write(kCode, {store(1), addi(1, 2), addi(2, -1), bnez(2, -3), halt()});
  for (int round = 1; round < 6; ++round) {
    m.guest->remapped.clear();
    m.guest->remapped[kData + kPageSize] = round % 2 == 1 ? kOther : kOther + kPageSize;
    for (unsigned page = 0; page < 3; ++page)
      m.cpus[0]->context().clear_page(Vaddr{kData + page * kPageSize}, false);
    m.hart().x[10] = static_cast<std::uint64_t>(round);
    m.hart().x[11] = kData + kPageSize - 200;
    m.hart().x[12] = 100 + kPageSize / 2 + 100;
    m.run(kCode);
    const auto value_at = [&](std::uint64_t paddr) {
      std::uint16_t value = 0;
      EXPECT_TRUE(m.memory.read(Paddr{paddr}, &value, sizeof value));
      return value;
    };
    const std::uint64_t middle = round % 2 == 1 ? kOther : kOther + kPageSize;
    for (const std::uint64_t at :
         {kData + kPageSize - 200, kData + kPageSize - 2, middle, middle + kPageSize - 2,
          kData + 2 * kPageSize, kData + 2 * kPageSize + 198})
      ASSERT_EQ(value_at(at), round) << at;
    EXPECT_EQ(value_at(kData + kPageSize - 202), 0);
    EXPECT_EQ(value_at(kData + 2 * kPageSize + 200), 0);
  }
}

/// Stores x10 at x11, x11 + step and so on, x12 times, on pages that lie in memory in another order.
void store_by_steps(ToyMachine& m, int step) {
  constexpr unsigned kPages = 4;
  constexpr std::uint64_t kPhysical[kPages] = {kOther + 6 * kPageSize, kOther + 8 * kPageSize,
                                               kOther + 2 * kPageSize, kOther};
  constexpr std::uint64_t kVirtual = kData + 0x100000;
  m.write(kCode, {store(1), addi(1, step), addi(2, -1), bnez(2, -3), halt()});
  std::vector<std::uint16_t> expected(kPages * kPageSize / 2);
  for (unsigned i = 0; i < kPages; ++i) m.guest->remapped[kVirtual + i * kPageSize] = kPhysical[i];
  for (unsigned i = 0; i < 10; ++i)
    for (std::uint64_t at = 0; at < kPageSize; at += 2) m.write(kOther + i * kPageSize + at, {0});
  const unsigned size = static_cast<unsigned>(std::abs(step));
  const unsigned stores = static_cast<unsigned>(expected.size()) * 2 / size - 1;
  const std::uint64_t first = step > 0 ? 2 : kPages * kPageSize - 2;
  for (unsigned i = 0; i < stores; ++i)
    expected[(first + i * static_cast<std::uint64_t>(std::int64_t{step})) / 2] = 0x5a5a;
  m.hart().x[10] = 0x5a5a;
  m.hart().x[11] = kVirtual + first;
  m.hart().x[12] = stores;
  m.run(kCode);
  for (std::uint64_t at = 0; at < kPages * kPageSize; at += 2) {
    std::uint16_t value = 0;
    EXPECT_TRUE(m.memory.read(Paddr{kPhysical[at / kPageSize] + at % kPageSize}, &value, sizeof value));
    ASSERT_EQ(value, expected[at / 2]) << "step " << step << " at " << at;
  }
}

TEST(Regions, GoByStepsThatAreNoPowerOfTwoOverScatteredPages) {
  for (const int step : {2, 6, 10, 12, 14, 18, 22, 34, 62, -2, -6, -10, -12, -14, -18, -34, -62}) {
    ToyMachine m(kRegions);
    store_by_steps(m, step);
  }
}

TEST(Regions, LeaveOnAttention) {
  ToyMachine m(kRegions);
  m.write(kCode, {addi(0, 1), store(1), addi(2, 1), bnez(2, -3), halt()});
  m.hart().x[11] = kData;
  m.hart().x[12] = 1;
  m.hart().core.pc = kCode;
  std::thread kicker([&] {
    const auto* const count = reinterpret_cast<const volatile std::uint16_t*>(m.memory.host(Paddr{kData}));
    while (*count < 2000) std::this_thread::yield();
    m.cpus[0]->kick(kAttendInterrupt);
  });
  m.engine->run(m.hart().core, m.cpus[0]->tlb());
  kicker.join();
  EXPECT_EQ(m.hart().core.attention.load(), kAttendInterrupt);
  // All that the loop counted is in the guest's registers.
  EXPECT_GT(m.hart().x[10], 1000u);
  EXPECT_EQ(m.hart().x[12], m.hart().x[10] + 1);
}

}  // namespace
}  // namespace gstage::tcg::test
