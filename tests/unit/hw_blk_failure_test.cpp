// SPDX-License-Identifier: Apache-2.0
// What becomes of a disk's failed requests: werror=, rerror=.
#include <gtest/gtest.h>

#include "hw/virtio/blk.h"
#include "hw/virtio/features.h"

#include "tests/unit/hw_virtio_driver.h"

namespace gstage::hw {
namespace {

using Driver = VirtioDriver;
using enum FailureAction;

enum Type : std::uint32_t { kIn = 0, kOut = 1, kFlush = 4 };
enum Status : int { kOk = 0, kIoError = 1, kNotYet = 0xee };
constexpr std::uint64_t kHeader = Driver::kData;
constexpr std::uint64_t kBuffer = Driver::kData + 0x1000;
constexpr std::uint64_t kStatusByte = Driver::kData + 0x4000;

TEST(FailureRuleTest, WhatBecomesOfAFailureFollowsFromWhatIsSaid) {
  const auto all = std::make_shared<DiskFailures>();
  const struct {
    FailureAction said;
    bool is_write;
    int error;
    FailureAction expected;
  } kRows[] = {
      {kReport, true, ENOSPC, kReport}, {kIgnore, true, EIO, kIgnore},   {kStop, true, EIO, kStop},
      {kStop, false, EIO, kStop},       {kEnospc, true, ENOSPC, kStop},  {kEnospc, true, EDQUOT, kStop},
      {kEnospc, true, EIO, kReport},    {kAuto, true, ENOSPC, kStop},    {kAuto, true, EIO, kReport},
      {kAuto, false, EIO, kReport},     {kAuto, false, ENOSPC, kReport}, {kIgnore, false, EIO, kIgnore},
  };
  for (const auto& row : kRows) {
    const FailureActions actions{row.is_write ? row.said : kReport, row.is_write ? kReport : row.said};
    const DiskFailure failure = FailureRule{all, actions, "d"}.decide(row.is_write, row.error);
    EXPECT_EQ(failure.action, row.expected) << static_cast<int>(row.said) << " " << row.error;
    EXPECT_EQ(failure.is_write, row.is_write);
    EXPECT_EQ(failure.error, row.error);
    EXPECT_EQ((FailureRule{nullptr, actions, "d"}.decide(row.is_write, row.error).action), kReport);
  }
}

TEST(FailureRuleTest, ADeviceThatSaysNothingDoesAsItsDrive) {
  const FailureActions drive{kStop, kIgnore};
  const FailureActions left = FailureActions{}.or_else(drive);
  EXPECT_EQ(left.on_write, kStop);
  EXPECT_EQ(left.on_read, kIgnore);
  const FailureActions chosen = FailureActions{kReport, kStop}.or_else(drive);
  EXPECT_EQ(chosen.on_write, kReport);
  EXPECT_EQ(chosen.on_read, kStop);
  EXPECT_FALSE(check_read_action("-drive", kEnospc).ok());
}

/// A disk with two queues; all happens on the test's thread.
class BlkFailureTest : public testing::Test {
 protected:
  BlkFailureTest() {
    failures_->on_failure([this](const DiskFailure& failure) { told_.push_back(failure); });
  }
  void start(const FailureActions& actions, std::uint64_t features = 0) {
    VirtioBlkOptions options;
    options.queues = 2;
    options.failures = {failures_, actions, "hd0"};
    driver_ = std::make_unique<VirtioDriver>(std::make_unique<VirtioBlk>(disk_, options));
    driver_->start(Driver::kVersion1 | 1u << 9 | features, 2);
  }
  /// Sends a request of a sector from or to `kBuffer`, and answers with its status as the driver sees it.
  int send(Type type, std::uint64_t sector, unsigned queue = 0) {
    const std::uint64_t header = kHeader + queue * 0x100;
    const std::uint64_t status = kStatusByte + queue;
    driver_->poke(header, static_cast<std::uint32_t>(type));
    driver_->poke(header + 8, sector);
    driver_->poke(status, std::uint8_t{kNotYet});
    const auto flags = static_cast<std::uint16_t>(Driver::kNext | (type == kIn ? Driver::kWrite : 0));
    driver_->put(queue, 0, {header, 16, Driver::kNext, static_cast<std::uint16_t>(type == kFlush ? 2 : 1)});
    driver_->put(queue, 1, {kBuffer, 512, flags, 2});
    driver_->put(queue, 2, {status, 1, Driver::kWrite, 0});
    driver_->offer_and_kick(queue, 0);
    return status_of(queue);
  }
  int status_of(unsigned queue = 0) { return driver_->peek<std::uint8_t>(kStatusByte + queue); }

  std::shared_ptr<FakeDisk> disk_ = std::make_shared<FakeDisk>(64 * 512);
  std::shared_ptr<DiskFailures> failures_ = std::make_shared<DiskFailures>();
  std::vector<DiskFailure> told_;
  std::unique_ptr<VirtioDriver> driver_;
};

TEST_F(BlkFailureTest, AWriteForWhichThereIsNoRoomIsDoneOnceTheMachineGoesOn) {
  start({});
  driver_->poke(kBuffer, std::uint8_t{0x5a});
  disk_->failure = ENOSPC;
  EXPECT_EQ(send(kOut, 7), kNotYet);
  EXPECT_EQ(driver_->used_index(0), 0u) << "the guest hears nothing of it";
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0].action, kStop);
  EXPECT_EQ(told_[0].disk, "hd0");
  EXPECT_TRUE(told_[0].is_write);
  disk_->failure = 0;
  driver_->kick(0);
  EXPECT_EQ(status_of(), kNotYet) << "not before";
  failures_->resume();
  EXPECT_EQ(status_of(), kOk);
  EXPECT_EQ(driver_->used_index(0), 1u);
  EXPECT_EQ(disk_->bytes[7 * 512], std::byte{0x5a});
  failures_->resume();
  EXPECT_EQ(driver_->used_index(0), 1u) << "once";
}

TEST_F(BlkFailureTest, ARequestThatFailsAgainStopsAgain) {
  start({kStop, kStop});
  disk_->failure = EIO;
  EXPECT_EQ(send(kIn, 0), kNotYet);
  failures_->resume();
  EXPECT_EQ(status_of(), kNotYet);
  ASSERT_EQ(told_.size(), 2u);
  EXPECT_FALSE(told_[1].is_write);
  disk_->failure = 0;
  failures_->resume();
  EXPECT_EQ(status_of(), kOk);
}

TEST_F(BlkFailureTest, WhileOneQueueWaitsNoneIsServed) {
  start({kStop, kReport});
  disk_->failure = EIO;
  EXPECT_EQ(send(kFlush, 0, 1), kNotYet);
  disk_->failure = 0;
  EXPECT_EQ(send(kOut, 3, 0), kNotYet);
  failures_->resume();
  EXPECT_EQ(status_of(0), kOk);
  EXPECT_EQ(status_of(1), kOk);
  EXPECT_EQ(told_.size(), 1u);
}

TEST_F(BlkFailureTest, AResetForgetsWhatWaits) {
  start({kStop, kReport});
  disk_->failure = EIO;
  EXPECT_EQ(send(kOut, 3), kNotYet);
  disk_->failure = 0;
  driver_->slot->reset();
  failures_->resume();
  EXPECT_EQ(driver_->used_index(0), 0u);
  driver_->start(Driver::kVersion1 | 1u << 9, 2);
  EXPECT_EQ(send(kOut, 3), kOk) << "and the device works";
}

TEST_F(BlkFailureTest, WhatIsIgnoredOrReportedIsToldToo) {
  start({kIgnore, kReport});
  disk_->failure = EIO;
  EXPECT_EQ(send(kOut, 0), kOk);
  EXPECT_EQ(send(kFlush, 0), kOk);
  EXPECT_EQ(send(kIn, 0), kIoError);
  ASSERT_EQ(told_.size(), 3u);
  EXPECT_EQ(told_[1].action, kIgnore);
  EXPECT_EQ(told_[2].action, kReport);
}

TEST_F(BlkFailureTest, WhatTheGuestDoesWrongStopsNothing) {
  start({kStop, kStop});
  EXPECT_EQ(send(kOut, 1000), kIoError);
  EXPECT_EQ(send(kIn, 1000), kIoError);
  EXPECT_TRUE(told_.empty());
}

TEST_F(BlkFailureTest, ADeviceThatIsGoneIsNotWoken) {
  start({kStop, kStop});
  disk_->failure = EIO;
  EXPECT_EQ(send(kOut, 0), kNotYet);
  driver_.reset();
  failures_->resume();
}

}  // namespace
}  // namespace gstage::hw
