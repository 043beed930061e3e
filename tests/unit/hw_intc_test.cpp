// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/hw_fakes.h"

#include "target/riscv/cpu.h"
#include "hw/intc/aclint.h"
#include "hw/intc/plic.h"

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
  set(plic_, enable(kS0), 0);
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
  Mtimer mtimer_{clock_, timers_, lines_};
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

TEST_F(AclintTest, ResetLowersEverything) {
  set(mswi_, 0, 1);
  set(mtimer_, mtimecmp(0), 0, 8);
  mswi_.reset();
  mtimer_.reset();
  EXPECT_FALSE(harts_[0].is_high(kMsi));
  EXPECT_FALSE(harts_[0].is_high(kMti));
  EXPECT_EQ(get(mswi_, 0), 0u);
}

}  // namespace
}  // namespace gstage::hw
