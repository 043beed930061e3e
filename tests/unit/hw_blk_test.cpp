// SPDX-License-Identifier: Apache-2.0
#include <condition_variable>

#include <gtest/gtest.h>

#include "hw/virtio/blk.h"

#include "tests/unit/hw_virtio_driver.h"

namespace gstage::hw {
namespace {

using Driver = VirtioDriver;

enum Type : std::uint32_t { kIn = 0, kOut = 1, kFlush = 4, kGetId = 8, kDiscard = 11, kWriteZeroes = 13 };
enum Status : int { kOk = 0, kIoError = 1, kUnsupported = 2 };
enum Feature : std::uint64_t {
  kReadOnly = 1u << 5,
  kFlushFeature = 1u << 9,
  kConfigWce = 1u << 11,
  kDiscardFeature = 1u << 13,
  kWriteZeroesFeature = 1u << 14,
};
constexpr std::uint64_t kHeader = Driver::kData;
constexpr std::uint64_t kBuffer = Driver::kData + 0x1000;
constexpr std::uint64_t kStatusByte = Driver::kData + 0x4000;

class BlkTest : public testing::Test {
 protected:
  explicit BlkTest(bool is_read_only = false)
      : disk_(std::make_shared<FakeDisk>(64 * 512, is_read_only)),
        driver_(make_device(), WorkerPool::kDefaultThreads) {
    for (std::size_t i = 0; i < disk_->bytes.size(); ++i)
      disk_->bytes[i] = static_cast<std::byte>(i / 512 + 1);
  }
  std::unique_ptr<VirtioDevice> make_device() {
    VirtioBlkOptions options;
    options.serial = "serial-0123456789abcdef";  // longer than the 20 bytes there are
    return std::make_unique<VirtioBlk>(disk_, options);
  }
  void start(std::uint64_t features) { driver_.start(Driver::kVersion1 | features); }

  void prepare(std::uint32_t type, std::uint64_t sector, std::uint32_t size, bool is_to_guest) {
    driver_.poke(kHeader, type);
    driver_.poke(kHeader + 8, sector);
    driver_.poke(kStatusByte, std::uint8_t{0xee});
    driver_.put(0, 0, {kHeader, 16, Driver::kNext, static_cast<std::uint16_t>(size == 0 ? 2 : 1)});
    const auto flags = static_cast<std::uint16_t>(Driver::kNext | (is_to_guest ? Driver::kWrite : 0));
    driver_.put(0, 1, {kBuffer, size, flags, 2});
    driver_.put(0, 2, {kStatusByte, 1, Driver::kWrite, 0});
  }
  /// Sends the request in descriptors 0 to 2 and waits for it; returns its status.
  int send() {
    const std::uint16_t before = driver_.used_index(0);
    driver_.offer_and_kick(0, 0);
    EXPECT_TRUE(eventually([&] { return driver_.used_index(0) != before; }));
    return driver_.peek<std::uint8_t>(kStatusByte);
  }
  int request(std::uint32_t type, std::uint64_t sector, std::uint32_t size, bool is_to_guest) {
    prepare(type, sector, size, is_to_guest);
    return send();
  }
  int range(std::uint32_t type, std::uint64_t sector, std::uint32_t sectors, std::uint32_t flags) {
    driver_.poke(kBuffer, sector);
    driver_.poke(kBuffer + 8, sectors);
    driver_.poke(kBuffer + 12, flags);
    return request(type, 0, 16, false);
  }

  std::shared_ptr<FakeDisk> disk_;
  VirtioDriver driver_;
};

class ReadOnlyBlkTest : public BlkTest {
 protected:
  ReadOnlyBlkTest() : BlkTest(true) {}
};

TEST_F(BlkTest, Configuration) {
  EXPECT_EQ(get(*driver_.slot, Driver::kDeviceId), 2u);
  EXPECT_EQ(get(*driver_.slot, Driver::kConfig), 64u);
  EXPECT_EQ(get(*driver_.slot, Driver::kConfig + 12), 254u);   // seg_max
  EXPECT_EQ(get(*driver_.slot, Driver::kConfig + 20), 512u);   // blk_size
  EXPECT_EQ(get(*driver_.slot, Driver::kConfig + 32, 1), 1u);  // writeback
  EXPECT_EQ(driver_.features() & kReadOnly, 0u);
  EXPECT_NE(driver_.features() & kDiscardFeature, 0u);
}

TEST_F(BlkTest, Reads) {
  start(kFlushFeature);
  EXPECT_EQ(request(kIn, 5, 1024, true), kOk);
  EXPECT_EQ(driver_.used(0, 0).length, 1025u);
  EXPECT_EQ(driver_.text(kBuffer, 1024), std::string(512, 6) + std::string(512, 7));
  EXPECT_TRUE(eventually([&] { return driver_.irq.load(); }));
}

TEST_F(BlkTest, DriversWithoutVersion1ReadAndWrite) {
  driver_.start(0);
  EXPECT_EQ(request(kIn, 3, 512, true), kOk);
  EXPECT_EQ(driver_.peek<std::uint8_t>(kBuffer), 4u);
  driver_.poke(kBuffer, std::uint8_t{77});
  EXPECT_EQ(request(kOut, 5, 512, false), kOk);
  EXPECT_EQ(static_cast<unsigned>(disk_->bytes[5 * 512]), 77u);
}

TEST_F(BlkTest, ReadsIntoManyElementsOfOddSizes) {
  start(kFlushFeature);
  prepare(kIn, 1, 100, true);
  driver_.put(0, 1, {kBuffer, 100, Driver::kNext | Driver::kWrite, 3});
  driver_.put(0, 3, {kBuffer + 0x800, 413, Driver::kWrite, 0});  // the rest and the status byte, not separate
  driver_.put(0, 0, {kHeader, 16, Driver::kNext, 1});
  driver_.offer_and_kick(0, 0);
  ASSERT_TRUE(eventually([&] { return driver_.used_index(0) == 1; }));
  EXPECT_EQ(driver_.text(kBuffer, 100), std::string(100, 2));
  EXPECT_EQ(driver_.text(kBuffer + 0x800, 412), std::string(412, 2));
  EXPECT_EQ(driver_.peek<std::uint8_t>(kBuffer + 0x800 + 412), kOk);
}

TEST_F(BlkTest, WritesAndFlushes) {
  start(kFlushFeature);
  const std::string text(512, 'w');
  driver_.memory.write(Paddr{kBuffer}, text.data(), text.size());
  EXPECT_EQ(request(kOut, 63, 512, false), kOk);
  EXPECT_EQ(disk_->bytes[63 * 512], std::byte{'w'});
  EXPECT_EQ(disk_->bytes[62 * 512], std::byte{63});
  EXPECT_TRUE(disk_->unflushed) << "write-back is the default";
  EXPECT_EQ(request(kFlush, 0, 0, false), kOk);
  EXPECT_FALSE(disk_->unflushed);
}

TEST_F(BlkTest, FailedFlushIsReported) {
  start(kFlushFeature);
  disk_->failure = EIO;
  EXPECT_EQ(request(kFlush, 0, 0, false), kIoError);
}

TEST_F(BlkTest, WithoutFlushFeatureEachWriteIsFlushedBeforeItCompletes) {
  start(0);
  EXPECT_EQ(get(*driver_.slot, Driver::kConfig + 32, 1), 0u);
  EXPECT_EQ(request(kOut, 0, 512, false), kOk);
  EXPECT_FALSE(disk_->unflushed);
  EXPECT_EQ(disk_->flushes, 1);
}

TEST_F(BlkTest, WriteCacheCanBeSwitched) {
  start(kFlushFeature | kConfigWce);
  set(*driver_.slot, Driver::kConfig + 32, 0, 1);
  EXPECT_EQ(request(kOut, 0, 512, false), kOk);
  EXPECT_FALSE(disk_->unflushed);
  set(*driver_.slot, Driver::kConfig + 32, 1, 1);
  EXPECT_EQ(request(kOut, 0, 512, false), kOk);
  EXPECT_TRUE(disk_->unflushed);
}

TEST_F(BlkTest, RequestsBeyondTheEndFail) {
  start(kFlushFeature);
  EXPECT_EQ(request(kIn, 64, 512, true), kIoError);
  EXPECT_EQ(request(kIn, 63, 1024, true), kIoError);
  EXPECT_EQ(request(kOut, ~std::uint64_t{0}, 512, false), kIoError);
  EXPECT_EQ(request(kIn, 0, 100, true), kIoError);
  EXPECT_EQ(request(kIn, 63, 512, true), kOk);
}

TEST_F(BlkTest, DiskErrorsAreReported) {
  start(kFlushFeature);
  disk_->failure = EIO;
  EXPECT_EQ(request(kIn, 0, 512, true), kIoError);
  EXPECT_EQ(request(kOut, 0, 512, false), kIoError);
  EXPECT_EQ(driver_.status() & Driver::kNeedsReset, 0u);
}

TEST_F(BlkTest, IdAndUnknownRequests) {
  start(kFlushFeature);
  EXPECT_EQ(request(kGetId, 0, 20, true), kOk);
  EXPECT_EQ(driver_.text(kBuffer, 20), "serial-0123456789abc");
  EXPECT_EQ(request(99, 0, 512, true), kUnsupported);
}

TEST_F(BlkTest, DiscardAndWriteZeroes) {
  start(kFlushFeature | kDiscardFeature | kWriteZeroesFeature);
  EXPECT_EQ(range(kDiscard, 2, 3, 0), kOk);
  EXPECT_EQ(disk_->discarded[0], 1024u);
  EXPECT_EQ(disk_->discarded[1], 1536u);
  EXPECT_EQ(range(kWriteZeroes, 4, 1, 1), kOk);
  EXPECT_EQ(disk_->bytes[4 * 512], std::byte{0});
  EXPECT_EQ(disk_->bytes[5 * 512], std::byte{6});
  EXPECT_EQ(range(kDiscard, 0, 1, 1), kUnsupported);
  EXPECT_EQ(range(kWriteZeroes, 0, 1, 2), kUnsupported);
  EXPECT_EQ(range(kDiscard, 63, 2, 0), kIoError);
  EXPECT_EQ(range(kWriteZeroes, ~std::uint64_t{0}, 2, 0), kIoError);
}

/// Virtio 1.3, 5.2.6.2: without a write cache all that a request changes is stable before it completes.
TEST_F(BlkTest, WithoutAWriteCacheDiscardAndWriteZeroesAreFlushedBeforeTheyComplete) {
  start(kFlushFeature | kConfigWce | kDiscardFeature | kWriteZeroesFeature);
  for (const std::uint32_t type : {kDiscard, kWriteZeroes}) {
    set(*driver_.slot, Driver::kConfig + 32, 0, 1);
    disk_->flushes = 0;
    EXPECT_EQ(range(type, 2, 3, 0), kOk);
    EXPECT_EQ(disk_->flushes, 1) << type;
    set(*driver_.slot, Driver::kConfig + 32, 1, 1);
    EXPECT_EQ(range(type, 2, 3, 0), kOk);
    EXPECT_EQ(disk_->flushes, 1) << type;
  }
}

TEST_F(ReadOnlyBlkTest, RefusesToWrite) {
  EXPECT_NE(driver_.features() & kReadOnly, 0u);
  EXPECT_EQ(driver_.features() & (kDiscardFeature | kWriteZeroesFeature), 0u);
  start(kFlushFeature | kReadOnly);
  EXPECT_EQ(request(kOut, 0, 512, false), kIoError);
  EXPECT_EQ(range(kWriteZeroes, 0, 1, 0), kIoError);
  EXPECT_EQ(disk_->bytes[0], std::byte{1});
  EXPECT_EQ(request(kIn, 0, 512, true), kOk);
}

TEST_F(BlkTest, BuffersThatAreNoRequestNeedAReset) {
  for (const bool is_header_short : {true, false}) {
    start(kFlushFeature);
    prepare(kIn, 0, 512, true);
    if (is_header_short) {
      driver_.put(0, 0, {kHeader, 15, Driver::kNext, 2});
    } else {
      driver_.put(0, 0, {kHeader, 16, 0, 0});  // nowhere to put the status
    }
    driver_.offer_and_kick(0, 0);
    EXPECT_TRUE(eventually([&] { return (driver_.status() & Driver::kNeedsReset) != 0; }));
    EXPECT_EQ(driver_.used_index(0), 0u);
  }
  start(kFlushFeature);
  EXPECT_EQ(request(kIn, 0, 512, true), kOk);
}

TEST_F(BlkTest, ResetWaitsForTheRequestInFlightAndDropsItsCompletion) {
  std::atomic<bool> is_open{false};
  std::atomic<bool> is_inside{false};
  std::atomic<bool> is_reset{false};
  disk_->gate = [&] {
    is_inside = true;
    eventually([&] { return is_open.load(); });
  };
  start(kFlushFeature);
  prepare(kOut, 0, 512, false);
  driver_.offer_and_kick(0, 0);
  ASSERT_TRUE(eventually([&] { return is_inside.load(); }));
  std::thread resetter([&] {
    driver_.slot->reset();
    is_reset = true;
  });
  // The queue is taken back before the reset waits.
  ASSERT_TRUE(eventually([&] { return !driver_.slot->core().is_live(0); }));
  EXPECT_FALSE(is_reset) << "the device still uses the driver's memory";
  is_open = true;
  resetter.join();
  EXPECT_EQ(driver_.used_index(0), 0u);
  EXPECT_FALSE(driver_.irq);
}

TEST_F(BlkTest, HartsDoNotWaitForTheDisk) {
  std::atomic<bool> is_open{false};
  disk_->gate = [&] { eventually([&] { return is_open.load(); }); };
  start(kFlushFeature);
  prepare(kOut, 0, 512, false);
  driver_.offer_and_kick(0, 0);
  EXPECT_EQ(get(*driver_.slot, Driver::kInterruptStatus), 0u);
  EXPECT_EQ(driver_.used_index(0), 0u);
  is_open = true;
  EXPECT_TRUE(eventually([&] { return driver_.used_index(0) == 1; }));
}

TEST(BlkTopologyTest, SizesAreShownAndKept) {
  VirtioBlkOptions options;
  options.queues = 3;
  options.logical_block = 4096;
  options.physical_block = 16384;
  options.min_io = 8192;
  options.opt_io = 65536;
  options.discard_granularity = 8192;
  options.max_discard_sectors = 100;
  options.max_write_zeroes_sectors = 200;
  options.can_switch_cache = false;
  auto disk = std::make_shared<FakeDisk>(10 * 4096 + 512);
  VirtioDriver driver(std::make_unique<VirtioBlk>(disk, options));
  const auto config = [&](unsigned offset, unsigned size) {
    return get(*driver.slot, Driver::kConfig + offset, size);
  };
  EXPECT_EQ(config(0, 4), 80u) << "sectors of whole blocks";
  EXPECT_EQ(config(20, 4), 4096u);
  EXPECT_EQ(config(24, 1), 2u) << "a physical block is four logical ones";
  EXPECT_EQ(config(26, 2), 2u) << "min_io_size in logical blocks";
  EXPECT_EQ(config(28, 4), 16u);
  EXPECT_EQ(config(34, 2), 3u) << "queues";
  EXPECT_EQ(config(36, 4), 100u);
  EXPECT_EQ(config(44, 4), 16u) << "discard alignment in sectors";
  EXPECT_EQ(config(48, 4), 200u);
  EXPECT_NE(driver.features() & 1u << 12, 0u);
  EXPECT_EQ(driver.features() & kConfigWce, 0u);
  EXPECT_EQ(driver.slot->core().queue_count(), 3u);
  driver.start(Driver::kVersion1 | kFlushFeature, 3);
  // Parts of a logical block, and places within one, are no requests that the disk can serve.
  const auto status = [&](unsigned queue, std::uint64_t sector, std::uint32_t size) {
    driver.poke(kHeader, std::uint32_t{kIn});
    driver.poke(kHeader + 8, sector);
    driver.put(queue, 0, {kHeader, 16, Driver::kNext, 1});
    driver.put(queue, 1, {kBuffer, size, Driver::kNext | Driver::kWrite, 2});
    driver.put(queue, 2, {kStatusByte, 1, Driver::kWrite, 0});
    driver.offer_and_kick(queue, 0);
    return driver.peek<std::uint8_t>(kStatusByte);
  };
  EXPECT_EQ(status(0, 8, 4096), kOk);
  EXPECT_EQ(status(1, 8, 512), kIoError);
  EXPECT_EQ(status(2, 4, 4096), kIoError);
  EXPECT_EQ(status(2, 72, 4096), kOk);
  EXPECT_EQ(status(2, 80, 4096), kIoError);
}

TEST(BlkTopologyTest, QueuesDoNotWaitForEachOther) {
  VirtioBlkOptions options;
  options.queues = 2;
  auto disk = std::make_shared<FakeDisk>(64 * 512);
  std::atomic<bool> is_open{false};
  disk->gate = [&] { eventually([&] { return is_open.load(); }); };
  VirtioDriver driver(std::make_unique<VirtioBlk>(disk, options), WorkerPool::kDefaultThreads);
  driver.start(Driver::kVersion1 | kFlushFeature, 2);
  const auto send = [&](unsigned queue, Type type, std::uint16_t flags) {
    const std::uint64_t at = kHeader + queue * 0x100;
    driver.poke(at, std::uint32_t{type});
    driver.put(queue, 0, {at, 16, Driver::kNext, 1});
    driver.put(queue, 1,
               {kBuffer + queue * 0x1000, 512, static_cast<std::uint16_t>(Driver::kNext | flags), 2});
    driver.put(queue, 2, {kStatusByte + queue, 1, Driver::kWrite, 0});
    driver.offer_and_kick(queue, 0);
  };
  send(0, kOut, 0);
  send(1, kIn, Driver::kWrite);
  EXPECT_TRUE(eventually([&] { return driver.used_index(1) == 1; }));
  EXPECT_EQ(driver.used_index(0), 0u);
  is_open = true;
  EXPECT_TRUE(eventually([&] { return driver.used_index(0) == 1; }));
}

TEST_F(BlkTest, ManyRequestsInOneNotification) {
  start(kFlushFeature | Driver::kEventIdx);
  prepare(kIn, 0, 512, true);
  for (unsigned i = 0; i < Driver::kSize; ++i) driver_.offer(0, 0);
  driver_.kick(0);
  EXPECT_TRUE(eventually([&] { return driver_.used_index(0) == Driver::kSize; }));
}

}  // namespace
}  // namespace gstage::hw
