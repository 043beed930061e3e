// SPDX-License-Identifier: Apache-2.0
// Limits of disks, by a clock of the test's own: each time is when a request may begin.
#include <thread>

#include <gtest/gtest.h>

#include "softmmu/base/format.h"
#include "io/block/disks.h"
#include "io/block/graph.h"
#include "io/block/throttle.h"

#include "tests/unit/hw_fakes.h"

namespace gstage {
namespace {

using Clock = ThrottleGroup::Clock;
using Milliseconds = std::chrono::milliseconds;
using Limits = std::vector<Property>;

ThrottleLimits limits_of(const std::vector<Property>& properties) {
  ThrottleLimits limits;
  for (const Property& property : properties) {
    auto is_set = set_throttle_limit("x", ThrottleNames::kOld, property, limits);
    EXPECT_TRUE(is_set.ok() && *is_set) << property.name;
  }
  const Status status = check_throttle_limits("x", limits);
  EXPECT_TRUE(status.ok()) << status.error().message;
  return limits;
}

/// A group, and when it lets requests begin, in ms since the test's begin.
class Gate {
 public:
  explicit Gate(const std::vector<Property>& properties) : group_(limits_of(properties)) {}
  long read(long at_ms, std::uint64_t bytes = 4096) { return begin(at_ms, false, bytes); }
  long write(long at_ms, std::uint64_t bytes = 4096) { return begin(at_ms, true, bytes); }

 private:
  long begin(long at_ms, bool is_write, std::uint64_t bytes) {
    const auto turn = group_.reserve(start_ + Milliseconds(at_ms), is_write, bytes);
    return static_cast<long>(std::chrono::duration_cast<std::chrono::microseconds>(turn - start_).count() +
                             500) /
           1000;
  }
  const Clock::time_point start_ = Clock::time_point(std::chrono::hours(1));
  ThrottleGroup group_;
};

TEST(ThrottleTest, WithoutLimitsNobodyWaits) {
  Gate gate(Limits{});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(gate.write(5, 1 << 30), 5);
}

TEST(ThrottleTest, RequestsASecond) {
  Gate gate(Limits{{"iops", "10"}});
  // One fits below the brim, a tenth of a second's worth, and one is poured in whole.
  EXPECT_EQ(gate.read(0), 0);
  EXPECT_EQ(gate.write(0), 0);
  EXPECT_EQ(gate.read(0), 100);
  EXPECT_EQ(gate.read(0), 200);
  EXPECT_EQ(gate.write(150), 300);
  EXPECT_EQ(gate.read(10'000), 10'000) << "it has run dry";
}

TEST(ThrottleTest, InTheLongRunNoMoreThanTheRate) {
  Gate gate(Limits{{"bps", "1000000"}});
  long now = 0;
  for (int i = 0; i < 1000; ++i) now = gate.write(now, 10'000);
  EXPECT_NEAR(now, 10'000, 120);
}

TEST(ThrottleTest, WhatIsTooMuchTheNextOneWaitsFor) {
  Gate gate(Limits{{"bps", "1M"}});
  EXPECT_EQ(gate.write(0, 4 << 20), 0);
  EXPECT_EQ(gate.write(0, 512), 3900);
}

TEST(ThrottleTest, ReadsAndWritesHaveBucketsOfTheirOwn) {
  Gate gate(Limits{{"bps_rd", "1000"}, {"iops_wr", "10"}});
  EXPECT_EQ(gate.read(0, 1100), 0);
  EXPECT_EQ(gate.read(0, 1000), 1000);
  EXPECT_EQ(gate.write(0, 1 << 20), 0) << "neither the reads' bytes nor its own";
  EXPECT_EQ(gate.write(0, 1 << 20), 0);
  EXPECT_EQ(gate.write(0, 1 << 20), 100);
}

TEST(ThrottleTest, TheTightestLimitCounts) {
  Gate gate(Limits{{"iops", "1000"}, {"bps", "1000"}});
  EXPECT_EQ(gate.read(0, 1100), 0);
  EXPECT_EQ(gate.read(0, 100), 1000);
}

TEST(ThrottleTest, AShortBurst) {
  Gate gate(Limits{{"iops", "10"}, {"iops_max", "50"}});
  for (int i = 0; i <= 50; ++i) EXPECT_EQ(gate.read(0), 0) << i;
  EXPECT_EQ(gate.read(0), 100);
  EXPECT_EQ(gate.read(0), 200);
}

TEST(ThrottleTest, ALongBurstHasARateToo) {
  Gate gate(Limits{{"iops", "10"}, {"iops_max", "100"}, {"iops_max_length", "3"}});
  // A hundred a second, until the three hundred of the burst and what leaked meanwhile are through.
  long now = 0;
  for (int i = 0; i < 311; ++i) now = gate.read(now);
  EXPECT_NEAR(now, 3000, 10);
  for (int i = 0; i < 330; ++i) now = gate.read(now);
  EXPECT_NEAR(now, 34'000, 100) << "ten a second from then on";
}

TEST(ThrottleTest, LargeRequestsCountAsSeveral) {
  Gate gate(Limits{{"iops", "10"}, {"iops_size", "4096"}});
  EXPECT_EQ(gate.read(0, 4096), 0);
  EXPECT_EQ(gate.read(0, 8192), 0);
  EXPECT_EQ(gate.read(0, 4096), 200);
}

TEST(ThrottleTest, NamesOfLimits) {
  ThrottleLimits limits;
  const auto set = [&](ThrottleNames names, const char* name, const char* value) {
    return set_throttle_limit("-drive", names, {name, value}, limits);
  };
  EXPECT_TRUE(*set(ThrottleNames::kDrive, "throttling.bps-read-max-length", "3"));
  EXPECT_EQ(limits.buckets[kBpsRead].burst_seconds, 3u);
  EXPECT_TRUE(*set(ThrottleNames::kObject, "limits.iops-write-max", "1k"));
  EXPECT_EQ(limits.buckets[kIopsWrite].burst, 1024u);
  EXPECT_TRUE(*set(ThrottleNames::kDrive, "throttling.iops-size", "4k"));
  EXPECT_EQ(limits.request_bytes, 4096u);
  EXPECT_FALSE(*set(ThrottleNames::kDrive, "limits.bps-total", "1"));
  EXPECT_FALSE(*set(ThrottleNames::kOld, "throttling.bps-total", "1"));
  EXPECT_FALSE(set(ThrottleNames::kOld, "bps", "fast").ok());
  EXPECT_FALSE(set(ThrottleNames::kOld, "bps", "10000000000000000").ok());
}

TEST(ThrottleTest, LimitsThatDoNotGoTogetherAreRefused) {
  const struct {
    std::vector<Property> properties;
    const char* says;
  } kWrong[] = {
      {{{"bps", "1"}, {"bps_rd", "1"}}, "together"},
      {{{"iops_max", "5"}}, "add iops-total"},
      {{{"iops", "5"}, {"iops_max", "4"}}, "lower"},
      {{{"iops", "5"}, {"iops_max_length", "4"}}, "iops-total-max-length"},
      {{{"iops", "5"}, {"iops_max", "6"}, {"iops_max_length", "0"}}, "at least 1"},
      {{{"bps", "5"}, {"iops_size", "4"}}, "iops-size"},
      {{{"bps", "5"}, {"bps_max", "1000000000000"}, {"bps_max_length", "1000000000000"}}, "too large"},
  };
  for (const auto& row : kWrong) {
    ThrottleLimits limits;
    for (const Property& property : row.properties)
      EXPECT_TRUE(*set_throttle_limit("x", ThrottleNames::kOld, property, limits));
    const Status status = check_throttle_limits("x", limits);
    ASSERT_FALSE(status.ok()) << row.says;
    EXPECT_NE(status.error().message.find(row.says), std::string::npos) << status.error().message;
  }
}

TEST(ThrottleTest, WhoeverIsWaitedForWaitsNoLonger) {
  const auto group = std::make_shared<ThrottleGroup>(limits_of({{"bps", "1"}}));
  const auto below = std::make_shared<hw::FakeDisk>(4096);
  const auto disk = make_throttled_disk(below, group);
  std::vector<std::byte> bytes(4096, std::byte{7});
  EXPECT_EQ(disk->write(0, bytes), 0);
  std::atomic<int> done{0};
  // It would be more than an hour.
  std::thread waiter([&] { done += disk->write(0, bytes) == 0 ? 1 : 100; });
  disk->hurry(true);
  waiter.join();
  disk->hurry(false);
  EXPECT_EQ(done, 1);
  std::thread another([&] { done += disk->write(0, bytes) == 0 ? 1 : 100; });
  group->set_limits({});
  another.join();
  EXPECT_EQ(done, 2) << "other limits let go, too";
}

TEST(ThrottleTest, DiskAndFilePassOnWhatTheyGet) {
  const auto group = std::make_shared<ThrottleGroup>();
  const auto below = std::make_shared<hw::FakeDisk>(4096);
  const auto disk = make_throttled_disk(below, group);
  std::vector<std::byte> bytes(512, std::byte{7});
  EXPECT_EQ(disk->size(), 4096u);
  EXPECT_FALSE(disk->is_read_only());
  EXPECT_EQ(disk->write(512, bytes), 0);
  EXPECT_EQ(disk->discard(1024, 512), 0);
  EXPECT_EQ(below->discarded[0], 1024u);
  EXPECT_EQ(disk->write_zeroes(600, 10), 0);
  EXPECT_EQ(disk->read(512, bytes), 0);
  EXPECT_EQ(bytes[0], std::byte{7});
  EXPECT_EQ(bytes[90], std::byte{0});
  EXPECT_EQ(disk->flush(), 0);
  EXPECT_EQ(below->flushes, 1);
  below->failure = EIO;
  EXPECT_EQ(disk->write(0, bytes), EIO);
}

}  // namespace
}  // namespace gstage
