// SPDX-License-Identifier: Apache-2.0
// Requests that harts do themselves, because a guest waits for each of them and the host has the bytes.
#include <gtest/gtest.h>

#include "hw/virtio/blk.h"

#include "tests/unit/hw_virtio_driver.h"

namespace gstage::hw {
namespace {

using Driver = VirtioDriver;

enum Type : std::uint32_t { kIn = 0, kOut = 1 };
constexpr std::uint64_t kHeader = Driver::kData;
constexpr std::uint64_t kBuffer = Driver::kData + 0x1000;
constexpr std::uint64_t kStatusByte = Driver::kData + 0x8000;

/// A disk that has all of its bytes, or none, at hand.
class CachedDisk final : public BlockBackend {
 public:
  std::uint64_t size() const override { return below.size(); }
  bool is_read_only() const override { return false; }
  int read(std::uint64_t offset, std::span<std::byte> to) override {
    ++waited;
    return below.read(offset, to);
  }
  int read_at_once(std::uint64_t offset, std::span<std::byte> to) override {
    if (!is_cached) return EAGAIN;
    ++at_once;
    return below.read(offset, to);
  }
  int write(std::uint64_t offset, std::span<const std::byte> from) override {
    ++waited;
    return below.write(offset, from);
  }
  int discard(std::uint64_t, std::uint64_t) override { return 0; }
  int write_zeroes(std::uint64_t, std::uint64_t) override { return 0; }
  int flush() override { return 0; }

  FakeDisk below{256 * 512};
  bool is_cached = true;
  unsigned waited = 0;
  unsigned at_once = 0;
};

class BlkAtOnceTest : public testing::Test {
 protected:
  BlkAtOnceTest() : driver_(std::make_unique<VirtioBlk>(disk_, VirtioBlkOptions{})) {
    for (std::size_t i = 0; i < disk_->below.bytes.size(); ++i)
      disk_->below.bytes[i] = static_cast<std::byte>(i / 512);
    driver_.start(Driver::kVersion1);
  }
  /// Prepares a request in three descriptors from `head` on.
  void prepare(std::uint16_t head, Type type, std::uint64_t sector, std::uint32_t size) {
    const std::uint64_t header = kHeader + head * 0x20;
    driver_.poke(header, static_cast<std::uint32_t>(type));
    driver_.poke(header + 8, sector);
    driver_.poke(kStatusByte + head, std::uint8_t{0xee});
    const auto flags = static_cast<std::uint16_t>(Driver::kNext | (type == kIn ? Driver::kWrite : 0));
    driver_.put(0, head, {header, 16, Driver::kNext, static_cast<std::uint16_t>(head + 1)});
    driver_.put(0, head + 1u, {kBuffer, size, flags, static_cast<std::uint16_t>(head + 2)});
    driver_.put(0, head + 2u, {kStatusByte + head, 1, Driver::kWrite, 0});
  }
  /// The status of a request that is sent alone; the sector's number is in its first byte.
  int send(Type type, std::uint64_t sector, std::uint32_t size = 512) {
    prepare(0, type, sector, size);
    driver_.offer_and_kick(0, 0);
    return driver_.peek<std::uint8_t>(kStatusByte);
  }
  void come_alone(unsigned times) {
    for (unsigned i = 0; i < times; ++i) EXPECT_EQ(send(kIn, i), 0);
  }

  static constexpr unsigned kLone = 8;
  static constexpr unsigned kAtOnce = 256;
  std::shared_ptr<CachedDisk> disk_ = std::make_shared<CachedDisk>();
  VirtioDriver driver_;
};

TEST_F(BlkAtOnceTest, WhoWaitsForEachRequestIsServedAtOnceAndLookedAtAgain) {
  come_alone(kLone);
  EXPECT_EQ(disk_->waited, kLone);
  come_alone(1);
  EXPECT_EQ(disk_->at_once, 1u);
  EXPECT_EQ(send(kIn, 77), 0);
  EXPECT_EQ(driver_.peek<std::uint8_t>(kBuffer), 77u);
  EXPECT_TRUE(driver_.irq.load());
  come_alone(kAtOnce - 2);
  EXPECT_EQ(disk_->at_once, kAtOnce);
  EXPECT_EQ(disk_->waited, kLone);
  come_alone(kLone);
  EXPECT_EQ(disk_->waited, 2 * kLone) << "by a worker, to see whether it still comes alone";
  come_alone(1);
  EXPECT_EQ(disk_->at_once, kAtOnce + 1);
}

TEST_F(BlkAtOnceTest, WhoHasSeveralUnderWayIsServedByAWorker) {
  for (unsigned i = 0; i < 4 * kLone; ++i) {
    prepare(0, kIn, 5, 512);
    prepare(3, kIn, 6, 512);
    driver_.offer(0, 0);
    driver_.offer_and_kick(0, 3);
  }
  EXPECT_EQ(disk_->waited, 8 * kLone);
  EXPECT_EQ(disk_->at_once, 0u);
}

TEST_F(BlkAtOnceTest, WhatWouldWaitGoesToAWorker) {
  come_alone(kLone);
  disk_->is_cached = false;
  EXPECT_EQ(send(kIn, 9), 0);
  EXPECT_EQ(driver_.peek<std::uint8_t>(kBuffer), 9u);
  EXPECT_EQ(disk_->waited, kLone + 1);
  disk_->is_cached = true;
  EXPECT_EQ(send(kOut, 9), 0);
  EXPECT_EQ(send(kIn, 0, 24 << 10), 0) << "a long one";
  EXPECT_EQ(disk_->waited, kLone + 3);
  EXPECT_EQ(disk_->at_once, 0u);
  EXPECT_EQ(send(kIn, 1000), 1) << "beyond the end";
  EXPECT_EQ(driver_.used_index(0), kLone + 4);
}

TEST_F(BlkAtOnceTest, ABufferThatIsNoRequestNeedsAReset) {
  come_alone(kLone);
  prepare(0, kIn, 0, 512);
  driver_.put(0, 0, {kHeader, 16, 0, 0});
  driver_.offer_and_kick(0, 0);
  EXPECT_NE(driver_.status() & Driver::kNeedsReset, 0u);
}

}  // namespace
}  // namespace gstage::hw
