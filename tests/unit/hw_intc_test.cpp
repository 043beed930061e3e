// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "target/riscv/cpu.h"
#include "hw/intc/aclint.h"
#include "hw/intc/plic.h"

#include "tests/unit/hw_fakes.h"

namespace gstage::hw {
namespace {

using riscv::kMei;
using riscv::kMsi;
using riscv::kMti;
using riscv::kSei;
using riscv::kSsi;

class PlicTest : public testing::Test {
 protected:
  static constexpr unsigned kM0 = 0, kS0 = 1, kS1 = 3;
  static std::uint64_t priority(unsigned source) { return source * 4; }
  static std::uint64_t enable(unsigned context, unsigned word = 0) {
    return 0x2000 + context * 0x80 + word * 4;
  }
  static std::uint64_t threshold(unsigned context) { return 0x200000 + context * 0x1000; }
  static std::uint64_t claim(unsigned context) { return threshold(context) + 4; }

  FakeLines harts_[2];
  Plic plic_{{&harts_[0], &harts_[1]}};
};

TEST_F(PlicTest, DeliversToTheEnabledContextAlone) {
  set(plic_, priority(10), 1);
  set(plic_, enable(kS1), 1u << 10);
  plic_.set_level(10, true);
  EXPECT_TRUE(harts_[1].is_high(kSei));
  EXPECT_FALSE(harts_[1].is_high(kMei));
  EXPECT_FALSE(harts_[0].is_high(kSei));
  EXPECT_EQ(get(plic_, 0x1000), 1u << 10);
  EXPECT_EQ(get(plic_, claim(kS0)), 0u);
  EXPECT_EQ(get(plic_, claim(kS1)), 10u);
  EXPECT_FALSE(harts_[1].is_high(kSei));
  EXPECT_EQ(get(plic_, 0x1000), 0u);
}

TEST_F(PlicTest, LevelIsForwardedAgainOnlyAfterCompletion) {
  set(plic_, priority(3), 1);
  set(plic_, enable(kM0), 1u << 3);
  plic_.set_level(3, true);
  EXPECT_EQ(get(plic_, claim(kM0)), 3u);
  plic_.set_level(3, true);
  EXPECT_EQ(get(plic_, claim(kM0)), 0u);
  set(plic_, claim(kM0), 3);
  EXPECT_TRUE(harts_[0].is_high(kMei));
  EXPECT_EQ(get(plic_, claim(kM0)), 3u);
  plic_.set_level(3, false);
  set(plic_, claim(kM0), 3);
  EXPECT_FALSE(harts_[0].is_high(kMei));
}

TEST_F(PlicTest, AForwardedRequestIsNotRetracted) {
  set(plic_, priority(3), 1);
  set(plic_, enable(kM0), 1u << 3);
  plic_.set_level(3, true);
  plic_.set_level(3, false);
  EXPECT_TRUE(harts_[0].is_high(kMei));
  EXPECT_EQ(get(plic_, claim(kM0)), 3u);
}

TEST_F(PlicTest, HighestPriorityFirstThenLowestNumber) {
  for (const unsigned source : {40u, 7u, 8u, 95u}) {
    set(plic_, priority(source), source == 95 ? 7 : 2);
    set(plic_, enable(kS0, source / 32), get(plic_, enable(kS0, source / 32)) | 1u << source % 32);
    plic_.set_level(source, true);
  }
  for (const unsigned expected : {95u, 7u, 8u, 40u, 0u}) EXPECT_EQ(get(plic_, claim(kS0)), expected);
}

TEST_F(PlicTest, ThresholdMasksTheNotificationButNotTheClaim) {
  set(plic_, priority(5), 3);
  set(plic_, enable(kS0), 1u << 5);
  set(plic_, threshold(kS0), 3);
  plic_.set_level(5, true);
  EXPECT_FALSE(harts_[0].is_high(kSei));
  set(plic_, threshold(kS0), 2);
  EXPECT_TRUE(harts_[0].is_high(kSei));
  set(plic_, threshold(kS0), 7);
  EXPECT_FALSE(harts_[0].is_high(kSei));
  EXPECT_EQ(get(plic_, claim(kS0)), 5u);
}

TEST_F(PlicTest, PriorityZeroNeverInterrupts) {
  set(plic_, enable(kS0), 1u << 5);
  plic_.set_level(5, true);
  EXPECT_FALSE(harts_[0].is_high(kSei));
  EXPECT_EQ(get(plic_, claim(kS0)), 0u);
  set(plic_, priority(5), 1);
  EXPECT_TRUE(harts_[0].is_high(kSei));
}

TEST_F(PlicTest, CompletionOfADisabledOrUnknownSourceIsIgnored) {
  set(plic_, priority(5), 1);
  set(plic_, enable(kS0), 1u << 5);
  plic_.set_level(5, true);
  EXPECT_EQ(get(plic_, claim(kS0)), 5u);
  set(plic_, enable(kS0), 1u << 6);  // another one of the same word
  set(plic_, claim(kS0), 5);
  set(plic_, claim(kS0), 4000000000);
  set(plic_, enable(kS0), 1u << 5);
  EXPECT_FALSE(harts_[0].is_high(kSei));
  set(plic_, claim(kS0), 5);
  EXPECT_TRUE(harts_[0].is_high(kSei));
}

TEST_F(PlicTest, FieldsAreWarlAndSourceZeroIsNot) {
  set(plic_, priority(1), 0xffffffff);
  EXPECT_EQ(get(plic_, priority(1)), 7u);
  set(plic_, threshold(kS0), 0xffffffff);
  EXPECT_EQ(get(plic_, threshold(kS0)), 7u);
  set(plic_, enable(kS0), 0xffffffff);
  EXPECT_EQ(get(plic_, enable(kS0)), 0xfffffffeu);
  set(plic_, enable(kS0, 3), 0xffffffff);
  EXPECT_EQ(get(plic_, enable(kS0, 3)), 0u);
  set(plic_, priority(0), 7);
  set(plic_, priority(96), 7);
  EXPECT_EQ(get(plic_, priority(0)), 0u);
  EXPECT_EQ(get(plic_, priority(96)), 0u);
}

TEST_F(PlicTest, ContextsThatDoNotExistReadZero) {
  set(plic_, enable(4), 0xffffffff);
  set(plic_, threshold(1000), 3);
  EXPECT_EQ(get(plic_, enable(4)), 0u);
  EXPECT_EQ(get(plic_, claim(4)), 0u);
}

TEST_F(PlicTest, OnlyWordsAreAccepted) {
  std::uint64_t value = 0;
  EXPECT_FALSE(plic_.mmio_read(4, 1, value));
  EXPECT_FALSE(plic_.mmio_write(0, 8, 1));
}

TEST_F(PlicTest, ResetForgetsConfigurationButNotLevels) {
  set(plic_, priority(5), 1);
  set(plic_, enable(kS0), 1u << 5);
  plic_.set_level(5, true);
  get(plic_, claim(kS0));
  plic_.reset();
  EXPECT_FALSE(harts_[0].is_high(kSei));
  EXPECT_EQ(get(plic_, priority(5)), 0u);
  EXPECT_EQ(get(plic_, 0x1000), 1u << 5);
}

class AclintTest : public testing::Test {
 protected:
  static std::uint64_t mtimecmp(unsigned hart) { return hart * 8; }
  static constexpr std::uint64_t kMtime = Mtimer::kMtimeOffset;

  Clock clock_;
  TimerThread timers_{clock_};
  FakeLines harts_[2];
  std::vector<HartLines*> lines_{&harts_[0], &harts_[1]};
  Mswi mswi_{lines_};
  Sswi sswi_{lines_};
  riscv::TimeCounter time_{clock_};
  Mtimer mtimer_{time_, timers_, lines_};
};

TEST_F(AclintTest, SoftwareInterruptFollowsBitZero) {
  set(mswi_, 4, 0xffffffff);
  EXPECT_EQ(get(mswi_, 4), 1u);
  EXPECT_TRUE(harts_[1].is_high(kMsi));
  EXPECT_FALSE(harts_[0].is_high(kMsi));
  set(mswi_, 4, 0xfffffffe);
  EXPECT_FALSE(harts_[1].is_high(kMsi));
  set(mswi_, 8, 1);  // no such hart
  EXPECT_EQ(get(mswi_, 8), 0u);
}

TEST_F(AclintTest, SupervisorSoftwareInterruptIsSetByOnesAndReadsAsZero) {
  set(sswi_, 4, 0xfffffffe);
  EXPECT_FALSE(harts_[1].is_high(kSsi));
  set(sswi_, 4, 1);
  EXPECT_TRUE(harts_[1].is_high(kSsi));
  EXPECT_FALSE(harts_[0].is_high(kSsi));
  EXPECT_EQ(get(sswi_, 4), 0u);
  set(sswi_, 4, 0);  // who clears it is the hart
  EXPECT_TRUE(harts_[1].is_high(kSsi));
  set(sswi_, 8, 1);  // no such hart
}

TEST_F(AclintTest, TimerIsDueAtOnceForThePast) {
  set(mtimer_, mtimecmp(1), 0, 8);
  EXPECT_TRUE(harts_[1].is_high(kMti));
  set(mtimer_, mtimecmp(1), ~std::uint64_t{0}, 8);
  EXPECT_FALSE(harts_[1].is_high(kMti));
}

TEST_F(AclintTest, TimerFiresWhenItsTimeComesAndNotWhileTheClockStandsStill) {
  constexpr std::uint64_t kTicks = 50'000;  // 5 ms
  set(mtimer_, mtimecmp(0), kTicks, 8);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(harts_[0].is_high(kMti));
  EXPECT_EQ(get(mtimer_, kMtime, 8), 0u);
  clock_.start();
  EXPECT_TRUE(eventually([&] { return harts_[0].is_high(kMti); }));
  EXPECT_GE(get(mtimer_, kMtime, 8), kTicks);
  EXPECT_FALSE(harts_[1].is_high(kMti));
  clock_.stop();
}

TEST_F(AclintTest, HalvesOfTheCompareRegister) {
  set(mtimer_, mtimecmp(0) + 4, 0xffffffff);
  set(mtimer_, mtimecmp(0), 0x12345678);
  EXPECT_EQ(get(mtimer_, mtimecmp(0), 8), 0xffffffff12345678u);
  EXPECT_EQ(get(mtimer_, mtimecmp(0) + 4), 0xffffffffu);
  set(mtimer_, mtimecmp(0) + 4, 0);
  EXPECT_EQ(get(mtimer_, mtimecmp(0), 8), 0x12345678u);
}

TEST_F(AclintTest, FarDeadlinesNeverCome) {
  clock_.start();
  set(mtimer_, mtimecmp(0), ~std::uint64_t{0} - 1, 8);
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_FALSE(harts_[0].is_high(kMti));
  clock_.stop();
}

TEST_F(AclintTest, WrittenTimeMovesAndGoesOn) {
  constexpr std::uint64_t kTicks = 1'000'000'000'000;
  set(mtimer_, kMtime, kTicks, 8);
  EXPECT_EQ(get(mtimer_, kMtime, 8), kTicks);
  EXPECT_EQ(time_.now(), kTicks) << "it is the harts' time";
  EXPECT_EQ(time_.uptime(), 0u);
  clock_.start();
  EXPECT_TRUE(eventually([&] { return get(mtimer_, kMtime, 8) > kTicks + 100; }));
  clock_.stop();
  set(mtimer_, kMtime, 0, 8);
  EXPECT_EQ(get(mtimer_, kMtime, 8), 0u);
  set(mtimer_, kMtime, ~std::uint64_t{0}, 8);
  EXPECT_EQ(get(mtimer_, kMtime, 8), ~std::uint64_t{0});
}

TEST_F(AclintTest, HalvesOfTheTime) {
  set(mtimer_, kMtime, 0x12345678);
  set(mtimer_, kMtime + 4, 0x9abcdef0);
  EXPECT_EQ(get(mtimer_, kMtime, 8), 0x9abcdef012345678u);
  EXPECT_EQ(get(mtimer_, kMtime + 4), 0x9abcdef0u);
  set(mtimer_, kMtime, 0);
  EXPECT_EQ(get(mtimer_, kMtime, 8), 0x9abcdef000000000u);
}

TEST_F(AclintTest, WrittenTimeRaisesAndLowersTheTimersOfAllHarts) {
  set(mtimer_, mtimecmp(0), 1000, 8);
  set(mtimer_, mtimecmp(1), 2000, 8);
  const std::tuple<std::uint64_t, bool, bool> rows[] = {
      {999, false, false}, {1000, true, false}, {2000, true, true}, {1500, true, false}, {0, false, false}};
  for (const auto& [time, first, second] : rows) {
    set(mtimer_, kMtime, time, 8);
    EXPECT_EQ(harts_[0].is_high(kMti), first) << time;
    EXPECT_EQ(harts_[1].is_high(kMti), second) << time;
  }
}

TEST_F(AclintTest, WrittenTimeArmsTheTimersAnew) {
  constexpr std::uint64_t kHour = 36'000'000'000;
  clock_.start();
  set(mtimer_, mtimecmp(0), kHour, 8);
  set(mtimer_, kMtime, kHour - 10'000, 8);  // 1 ms before
  EXPECT_TRUE(eventually([&] { return harts_[0].is_high(kMti); }));
  EXPECT_GE(get(mtimer_, kMtime, 8), kHour);
  clock_.stop();
}

TEST_F(AclintTest, TimerFallsWhenTheTimeWraps) {
  set(mtimer_, mtimecmp(0), 1u << 31, 8);
  set(mtimer_, kMtime, -std::uint64_t{20'000}, 8);  // 2 ms before
  EXPECT_TRUE(harts_[0].is_high(kMti));
  clock_.start();
  EXPECT_TRUE(eventually([&] { return !harts_[0].is_high(kMti); }));
  EXPECT_LT(get(mtimer_, kMtime, 8), std::uint64_t{1} << 40);
  clock_.stop();
}

TEST_F(AclintTest, WritersOfTheTimeTellWhoHasDeadlines) {
  unsigned times = 0;
  time_.on_set([&] { times += time_.now() == 77 ? 1 : 0; });
  set(mtimer_, kMtime, 77, 8);
  EXPECT_EQ(times, 1u) << "after the time has moved";
}

TEST_F(AclintTest, DeadlinesAreTicksAfterThePresent) {
  constexpr std::int64_t kNs = riscv::kNsPerTick;
  time_.set(5000);  // at 0 ns
  EXPECT_EQ(time_.deadline(5000, 7), 7 * kNs);
  EXPECT_EQ(time_.deadline(5003, 7), 10 * kNs);
  EXPECT_EQ(time_.deadline(5000, 0), Timer::kNever) << "2^64 ticks";
  EXPECT_EQ(time_.deadline(5000, ~std::uint64_t{0}), Timer::kNever);
  EXPECT_EQ(riscv::ticks_to_change(10, 12), 2u);
  EXPECT_EQ(riscv::ticks_to_change(12, 12), -std::uint64_t{12}) << "reached until the counter wraps";
  EXPECT_EQ(riscv::ticks_to_change(0, 0), 0u);
}

TEST_F(AclintTest, ResetLowersEverything) {
  set(mswi_, 0, 1);
  set(mtimer_, mtimecmp(0), 0, 8);
  mswi_.reset();
  set(mtimer_, kMtime, 77, 8);
  mtimer_.reset();
  EXPECT_EQ(get(mtimer_, kMtime, 8), 0u) << "ACLINT, \"MTIME Register\"";
  EXPECT_FALSE(harts_[0].is_high(kMsi));
  EXPECT_FALSE(harts_[0].is_high(kMti));
  EXPECT_EQ(get(mswi_, 0), 0u);
}

}  // namespace
}  // namespace gstage::hw
