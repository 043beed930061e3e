// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "hw/virtio/balloon.h"

#include "tests/unit/hw_virtio_driver.h"

namespace gstage::hw {
namespace {

using Driver = VirtioDriver;
enum Queues : unsigned { kInflate, kDeflate, kStats, kReporting };
constexpr std::uint64_t kStatsFeature = 2, kPoison = 1 << 4, kReportingFeature = 1 << 5;
constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kGiven = Driver::kRam + 0xc'0000;  ///< pages that the tests give up

class BalloonTest : public testing::Test {
 protected:
  BalloonTest()
      : driver_([this] {
          // The device looks at the memory that is there: a machine of the same size serves.
          EXPECT_TRUE(like_.add_ram("ram", Paddr{Driver::kRam}, Driver::kRamSize).ok());
          auto device = std::make_unique<VirtioBalloon>(like_, BalloonOptions{false, true, true});
          balloon_ = device.get();
          return device;
        }()) {
    for (std::uint64_t page = 0; page < 8; ++page) {
      const std::vector<std::uint8_t> bytes(kPage, static_cast<std::uint8_t>(page + 1));
      driver_.memory.write(Paddr{kGiven + page * kPage}, bytes.data(), bytes.size());
    }
  }
  void start(std::uint64_t features, unsigned queues) { driver_.start(Driver::kVersion1 | features, queues); }
  /// Which of the pages still have what was written, a letter each.
  std::string pages() {
    std::string text;
    for (std::uint64_t page = 0; page < 8; ++page) {
      const auto first = driver_.peek<std::uint8_t>(kGiven + page * kPage);
      const auto last = driver_.peek<std::uint8_t>(kGiven + page * kPage + kPage - 1);
      text += first == page + 1 && last == page + 1 ? 'x' : first == 0 && last == 0 ? '.' : '?';
    }
    return text;
  }
  void inflate(std::vector<std::uint32_t> pages) {
    driver_.memory.write(Paddr{Driver::kData}, pages.data(), pages.size() * 4);
    driver_.put(kInflate, 0, {Driver::kData, static_cast<std::uint32_t>(pages.size() * 4), 0, 0});
    driver_.offer_and_kick(kInflate, 0);
  }
  static std::uint32_t page(unsigned index) { return static_cast<std::uint32_t>(kGiven / kPage) + index; }
  void report(std::uint64_t offset, std::uint32_t size, unsigned queue = kReporting) {
    driver_.put(queue, 0, {kGiven + offset, size, Driver::kWrite, 0});
    driver_.offer_and_kick(queue, 0);
  }

  AddressSpace like_;
  VirtioBalloon* balloon_ = nullptr;
  VirtioDriver driver_;
};

TEST_F(BalloonTest, PagesThatAreGivenUpReadAsZero) {
  start(0, 2);
  inflate({page(6), page(1), page(2), page(4)});
  EXPECT_EQ(pages(), "x..x.x.x");
  EXPECT_EQ(driver_.used_index(kInflate), 1u);
  EXPECT_EQ(balloon_->returned_bytes(), 4 * kPage);
}

TEST_F(BalloonTest, WhatComesOutOfTheBalloonCanBeUsed) {
  start(0, 2);
  inflate({page(0)});
  driver_.put(kDeflate, 0, {Driver::kData, 4, 0, 0});
  driver_.offer_and_kick(kDeflate, 0);
  EXPECT_EQ(driver_.used_index(kDeflate), 1u);
  driver_.poke(kGiven, std::uint8_t{7});
  EXPECT_EQ(driver_.peek<std::uint8_t>(kGiven), 7u);
  EXPECT_EQ(pages().substr(1), "xxxxxxx");
}

TEST_F(BalloonTest, WhatIsNoMemoryIsLeftAlone) {
  start(0, 2);
  inflate({0, 0xffff'ffff, page(0), static_cast<std::uint32_t>((Driver::kRam + Driver::kRamSize) / kPage)});
  EXPECT_EQ(pages(), ".xxxxxxx");
  EXPECT_EQ(driver_.status() & Driver::kNeedsReset, 0u);
}

TEST_F(BalloonTest, TranslatedCodeGoesWithItsPage) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> invalidated;
  driver_.memory.code_pages().set_invalidate(
      [&](Paddr first, std::uint64_t size) { invalidated.emplace_back(first.value, size); });
  driver_.memory.code_pages().protect(Paddr{kGiven + kPage});
  start(0, 2);
  inflate({page(0), page(1)});
  ASSERT_EQ(invalidated.size(), 1u);
  EXPECT_EQ(invalidated[0], (std::pair<std::uint64_t, std::uint64_t>{kGiven + kPage, kPage}));
}

TEST_F(BalloonTest, ReportedPagesGoBackWhereTheyAreWhole) {
  start(kStatsFeature | kReportingFeature, 4);
  report(100, 3 * kPage);
  EXPECT_EQ(pages(), "x..xxxxx");
  report(5 * kPage, kPage);
  EXPECT_EQ(pages(), "x..xx.xx");
  report(6 * kPage + 1, kPage);
  EXPECT_EQ(pages(), "x..xx.xx");
  EXPECT_EQ(driver_.used_index(kReporting), 3u);
}

TEST_F(BalloonTest, WithoutStatisticsReportsAreTheThirdQueue) {
  start(kReportingFeature, 3);
  report(0, kPage, 2);
  EXPECT_EQ(pages(), ".xxxxxxx");
}

TEST_F(BalloonTest, PoisonedPagesKeepTheirPoison) {
  start(kStatsFeature | kReportingFeature | kPoison, 4);
  set(*driver_.slot, Driver::kConfig + 12, 0xaaaa'aaaa);
  report(0, kPage);
  EXPECT_EQ(pages(), "xxxxxxxx");
  set(*driver_.slot, Driver::kConfig + 12, 0);
  report(0, kPage);
  EXPECT_EQ(pages(), ".xxxxxxx");
}

TEST_F(BalloonTest, TheTargetIsInTheConfiguration) {
  start(0, 2);
  EXPECT_EQ(get(*driver_.slot, Driver::kConfig), 0u);
  const std::uint64_t generation = get(*driver_.slot, 0xfc);
  balloon_->set_target(Driver::kRamSize / 4);
  EXPECT_EQ(get(*driver_.slot, Driver::kConfig), Driver::kRamSize * 3 / 4 / kPage);
  EXPECT_NE(get(*driver_.slot, 0xfc), generation);
  EXPECT_EQ(get(*driver_.slot, Driver::kInterruptStatus), 2u);
  set(*driver_.slot, Driver::kConfig + 4, 10);
  EXPECT_EQ(balloon_->guest_bytes(), Driver::kRamSize - 10 * kPage);
  balloon_->set_target(~std::uint64_t{0});
  EXPECT_EQ(get(*driver_.slot, Driver::kConfig), 0u) << "no more than there is";
  set(*driver_.slot, Driver::kConfig + 4, 0xffff'ffff);
  EXPECT_EQ(balloon_->guest_bytes(), 0u) << "whatever the guest says";
}

TEST_F(BalloonTest, StatisticsAreAskedForByReturningTheBuffer) {
  start(kStatsFeature, 3);
  const auto tell = [&](std::uint16_t tag, std::uint64_t value) {
    driver_.poke(Driver::kData, tag);
    driver_.poke(Driver::kData + 2, value);
    driver_.put(kStats, 0, {Driver::kData, 10, 0, 0});
    driver_.offer_and_kick(kStats, 0);
  };
  EXPECT_TRUE(balloon_->statistics().empty());
  tell(4, 1000);
  EXPECT_EQ(driver_.used_index(kStats), 0u) << "kept until figures are wanted";
  const auto first = balloon_->statistics();
  ASSERT_EQ(first.size(), 1u);
  EXPECT_STREQ(first[0].name, "stat-free-memory");
  EXPECT_EQ(first[0].value, 1000u);
  EXPECT_EQ(driver_.used_index(kStats), 1u);
  tell(4, 2000);
  tell(999, 1);  // a second buffer is none of the device's business, nor are tags that nobody knows
  EXPECT_EQ(balloon_->statistics()[0].value, 2000u);
  EXPECT_EQ(driver_.status() & Driver::kNeedsReset, 0u);
}

}  // namespace
}  // namespace gstage::hw
