// SPDX-License-Identifier: Apache-2.0
#include <random>

#include <gtest/gtest.h>

#include "tests/unit/hw_virtio_driver.h"

namespace gstage::hw {
namespace {

using Driver = VirtioDriver;

/// Writes to each buffer what it read, turned to upper case.
class Shouter final : public VirtioDevice {
 public:
  [[nodiscard]] const char* driver() const override { return "fake"; }
  std::uint32_t virtio_id() const override { return 42; }
  std::uint64_t features() const override { return 1; }
  std::uint16_t max_queue_size(unsigned index) const override { return index < 2 ? 256 : 0; }
  void read_config(std::uint32_t offset, std::span<std::uint8_t> to) override {
    read_config_struct(std::uint32_t{0xaabbccdd}, offset, to);
  }
  Served serve(unsigned index) override {
    Chain chain;
    while (core().pop(index, chain)) {
      std::vector<std::uint8_t> bytes(total_bytes(chain.readable));
      copy_from(chain.readable, bytes);
      for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(std::toupper(byte));
      core().queue(index).push(chain,
                               static_cast<std::uint32_t>(copy_to(core().memory(), chain.writable, bytes)));
    }
    core().notify_used(index);
    return Served::kAll;
  }
  void reset() override { ++resets; }

  int resets = 0;
};

class VirtqueueTest : public testing::Test {
 protected:
  VirtqueueTest()
      : driver_([this] {
          auto device = std::make_unique<Shouter>();
          device_ = device.get();
          return device;
        }()) {}
  void start(std::uint64_t extra = 0) { driver_.start(Driver::kVersion1 | extra); }
  /// A good request in descriptors 0 and 1.
  void prepare(const std::string& text) {
    driver_.memory.write(Paddr{Driver::kData}, text.data(), text.size());
    const auto size = static_cast<std::uint32_t>(text.size());
    driver_.put(0, 0, {Driver::kData, size, Driver::kNext, 1});
    driver_.put(0, 1, {Driver::kData + 0x1000, size, Driver::kWrite, 0});
  }
  void expect_broken(const char* what) {
    EXPECT_EQ(driver_.status() & Driver::kNeedsReset, Driver::kNeedsReset) << what;
    EXPECT_EQ(driver_.used_index(0), 0u) << what;
    EXPECT_TRUE(driver_.irq) << what;  // the configuration-change interrupt
    EXPECT_EQ(get(*driver_.slot, Driver::kInterruptStatus) & 2, 2u) << what;
  }

  Shouter* device_ = nullptr;
  VirtioDriver driver_;
};

TEST_F(VirtqueueTest, IdentityAndConfiguration) {
  EXPECT_EQ(get(*driver_.slot, Driver::kMagic), 0x74726976u);
  EXPECT_EQ(get(*driver_.slot, Driver::kVersion), 2u);
  EXPECT_EQ(get(*driver_.slot, Driver::kDeviceId), 42u);
  EXPECT_EQ(driver_.features(),
            1 | Driver::kVersion1 | Driver::kIndirect | Driver::kEventIdx | Driver::kRingReset);
  EXPECT_EQ(get(*driver_.slot, Driver::kConfig), 0xaabbccddu);
  EXPECT_EQ(get(*driver_.slot, Driver::kConfig + 2, 2), 0xaabbu);
  EXPECT_EQ(get(*driver_.slot, Driver::kConfig + 3, 1), 0xaau);
  EXPECT_EQ(get(*driver_.slot, Driver::kConfig + 4), 0u);
}

TEST(VirtioSlotTest, AnEmptySlotHasDeviceIdZero) {
  VirtioDriver driver(nullptr);
  EXPECT_EQ(get(*driver.slot, Driver::kMagic), 0x74726976u);
  EXPECT_EQ(get(*driver.slot, Driver::kDeviceId), 0u);
  for (std::uint64_t offset = 0; offset < 0x200; offset += 4) {
    std::uint64_t value = 0;
    driver.slot->mmio_write(offset, 4, 0xffffffff);
    driver.slot->mmio_read(offset, 4, value);
  }
  EXPECT_EQ(get(*driver.slot, Driver::kDeviceId), 0u);
}

TEST(VirtioSlotTest, AHartIsNotAloneBesideADevice) {
  VirtioDriver empty(nullptr);
  empty.memory.add_agent();  // the hart
  EXPECT_TRUE(empty.memory.has_one_agent());
  VirtioDriver driver(std::make_unique<Shouter>());
  driver.memory.add_agent();
  EXPECT_FALSE(driver.memory.has_one_agent());
}

TEST_F(VirtqueueTest, FeaturesThatWereNotOfferedAreRefused) {
  set(*driver_.slot, Driver::kStatus, 3);
  set(*driver_.slot, Driver::kDriverFeaturesSel, 1);
  set(*driver_.slot, Driver::kDriverFeatures, 1);
  set(*driver_.slot, Driver::kDriverFeaturesSel, 0);
  set(*driver_.slot, Driver::kDriverFeatures, 2);
  set(*driver_.slot, Driver::kStatus, 11);
  EXPECT_EQ(driver_.status(), 3u);
}

TEST_F(VirtqueueTest, DriversWithoutVersion1Work) {
  driver_.start(0);
  EXPECT_EQ(driver_.status(), 15u);
  prepare("hello");
  driver_.offer_and_kick(0, 0);
  EXPECT_EQ(driver_.used_index(0), 1u);
  EXPECT_EQ(driver_.text(Driver::kData + 0x1000, 5), "HELLO");
}

TEST_F(VirtqueueTest, TransfersABuffer) {
  start();
  prepare("hello");
  driver_.offer_and_kick(0, 0);
  EXPECT_EQ(driver_.used_index(0), 1u);
  EXPECT_EQ(driver_.used(0, 0).id, 0u);
  EXPECT_EQ(driver_.used(0, 0).length, 5u);
  EXPECT_EQ(driver_.text(Driver::kData + 0x1000, 5), "HELLO");
  EXPECT_TRUE(driver_.irq);
  EXPECT_EQ(get(*driver_.slot, Driver::kInterruptStatus), 1u);
  set(*driver_.slot, Driver::kInterruptAck, 1);
  EXPECT_FALSE(driver_.irq);
  EXPECT_EQ(get(*driver_.slot, Driver::kInterruptStatus), 0u);
}

/// With VIRTIO_F_NOTIFICATION_DATA (Virtio 1.3, 4.2.3.3).
TEST_F(VirtqueueTest, TheUpperHalfOfANotificationIsNotTheQueue) {
  start();
  prepare("hello");
  driver_.offer(0, 0);
  set(*driver_.slot, Driver::kQueueNotify, 0x0001'0000);
  EXPECT_EQ(driver_.used_index(0), 1u);
}

TEST_F(VirtqueueTest, RingsWrapAround) {
  start();
  prepare("x");
  for (unsigned i = 0; i < 70000; ++i) driver_.offer_and_kick(0, 0);
  EXPECT_EQ(driver_.used_index(0), 70000 % 65536);
  EXPECT_EQ(driver_.status() & Driver::kNeedsReset, 0u);
}

TEST_F(VirtqueueTest, NothingHappensBeforeDriverOk) {
  start();
  set(*driver_.slot, Driver::kStatus, 0);
  prepare("hello");
  driver_.offer_and_kick(0, 0);
  EXPECT_EQ(driver_.used_index(0), 0u);
}

TEST_F(VirtqueueTest, NoInterruptFlagIsHonoured) {
  start();
  prepare("a");
  driver_.poke(Driver::area(0) + 0x1000, std::uint16_t{1});
  driver_.offer_and_kick(0, 0);
  EXPECT_EQ(driver_.used_index(0), 1u);
  EXPECT_FALSE(driver_.irq);
}

TEST_F(VirtqueueTest, NotificationsWithoutBuffersRaiseNothing) {
  start();
  driver_.kick(0);
  EXPECT_FALSE(driver_.irq);
  start(Driver::kEventIdx);
  driver_.set_used_event(0, 0xffff);
  driver_.kick(0);
  EXPECT_FALSE(driver_.irq);
}

TEST_F(VirtqueueTest, EventIndexSaysWhenToInterruptAndToNotify) {
  start(Driver::kEventIdx);
  prepare("a");
  driver_.set_used_event(0, 2);
  driver_.offer_and_kick(0, 0);
  driver_.offer_and_kick(0, 0);
  EXPECT_FALSE(driver_.irq);
  EXPECT_EQ(driver_.available_event(0), 2u);
  driver_.offer_and_kick(0, 0);
  EXPECT_TRUE(driver_.irq);
  EXPECT_EQ(driver_.available_event(0), 3u);
}

TEST_F(VirtqueueTest, IndirectTables) {
  start(Driver::kIndirect);
  driver_.memory.write(Paddr{Driver::kData}, "indirect", 8);
  const std::uint64_t table = Driver::kData + 0x2000;
  driver_.poke(table, Driver::Descriptor{Driver::kData, 2, Driver::kNext, 2});
  driver_.poke(table + 32, Driver::Descriptor{Driver::kData + 2, 6, Driver::kNext, 1});
  driver_.poke(table + 16, Driver::Descriptor{Driver::kData + 0x1000, 8, Driver::kWrite, 0});
  driver_.put(0, 5, {table, 48, Driver::kIndirectTable, 0});
  driver_.offer_and_kick(0, 5);
  EXPECT_EQ(driver_.used(0, 0).id, 5u);
  EXPECT_EQ(driver_.text(Driver::kData + 0x1000, 8), "INDIRECT");
}

TEST_F(VirtqueueTest, QueueResetAndReuse) {
  start(Driver::kRingReset);
  prepare("abc");
  driver_.offer_and_kick(0, 0);
  set(*driver_.slot, Driver::kQueueSel, 0);
  set(*driver_.slot, Driver::kQueueReset, 1);
  EXPECT_EQ(get(*driver_.slot, Driver::kQueueReset), 0u);
  EXPECT_EQ(get(*driver_.slot, Driver::kQueueReady), 0u);
  driver_.offer_and_kick(0, 0);
  EXPECT_EQ(driver_.used_index(0), 1u);
  driver_.set_up(0);
  driver_.memory.write(Paddr{Driver::kData + 0x1000}, "...", 3);
  prepare("abc");
  driver_.offer_and_kick(0, 0);
  EXPECT_EQ(driver_.used_index(0), 1u);
  EXPECT_EQ(driver_.text(Driver::kData + 0x1000, 3), "ABC");
}

TEST_F(VirtqueueTest, ResetClearsEverything) {
  start();
  prepare("abc");
  driver_.offer_and_kick(0, 0);
  const int before = device_->resets;
  driver_.slot->reset();
  EXPECT_EQ(device_->resets, before + 1);
  EXPECT_FALSE(driver_.irq);
  EXPECT_EQ(driver_.status(), 0u);
  EXPECT_EQ(get(*driver_.slot, Driver::kQueueReady), 0u);
}

/// One way to make no sense, in the descriptors from 0 on.
struct Malformed {
  const char* what;
  std::uint64_t features;
  std::vector<VirtioDriver::Descriptor> descriptors;
};

TEST_F(VirtqueueTest, MalformedChainsNeedAReset) {
  constexpr std::uint64_t kGood = Driver::kData;
  const std::uint64_t table = Driver::kData + 0x2000;
  const Malformed cases[] = {
      {"a hole", 0, {{0x1000, 4, 0, 0}}},
      {"beyond the end of RAM", 0, {{Driver::kRam + Driver::kRamSize - 4, 8, 0, 0}}},
      {"address wraps", 0, {{~std::uint64_t{0} - 3, 8, 0, 0}}},
      {"zero length", 0, {{kGood, 0, 0, 0}}},
      {"loop to itself", 0, {{kGood, 4, Driver::kNext, 0}}},
      {"loop of two", 0, {{kGood, 4, Driver::kNext, 1}, {kGood, 4, Driver::kNext, 0}}},
      {"next beyond the table", 0, {{kGood, 4, Driver::kNext, 8}}},
      {"readable after writable", 0, {{kGood, 4, Driver::kWrite | Driver::kNext, 1}, {kGood, 4, 0, 0}}},
      {"indirect without the feature", 0, {{table, 16, Driver::kIndirectTable, 0}}},
      {"indirect with next", Driver::kIndirect, {{table, 16, Driver::kIndirectTable | Driver::kNext, 1}}},
      {"indirect table of odd size", Driver::kIndirect, {{table, 24, Driver::kIndirectTable, 0}}},
      {"empty indirect table", Driver::kIndirect, {{table, 0, Driver::kIndirectTable, 0}}},
      {"indirect table in a hole", Driver::kIndirect, {{0x1000, 16, Driver::kIndirectTable, 0}}},
      {"indirect within indirect", Driver::kIndirect, {{table, 16, Driver::kIndirectTable, 0}}},
  };
  for (const Malformed& one : cases) {
    start(one.features);
    driver_.poke(table, Driver::Descriptor{table, 16, Driver::kIndirectTable, 0});
    for (unsigned i = 0; i < one.descriptors.size(); ++i) driver_.put(0, i, one.descriptors[i]);
    driver_.put(0, Driver::kSize, {kGood, 4, 0, 0});  // good, but beyond the table
    driver_.offer_and_kick(0, 0);
    expect_broken(one.what);
    // Nothing more happens, until a reset makes all well.
    driver_.kick(0);
    expect_broken(one.what);
    start();
    prepare("ok");
    driver_.offer_and_kick(0, 0);
    EXPECT_EQ(driver_.text(Driver::kData + 0x1000, 2), "OK") << one.what;
  }
}

TEST_F(VirtqueueTest, AHeadBeyondTheTableNeedsAReset) {
  start();
  driver_.offer_and_kick(0, 8);
  expect_broken("head");
}

TEST_F(VirtqueueTest, AnAvailableIndexTooFarAheadNeedsAReset) {
  start();
  driver_.poke(Driver::area(0) + 0x1002, std::uint16_t{Driver::kSize + 1});
  driver_.kick(0);
  expect_broken("index");
}

TEST_F(VirtqueueTest, BadRingAddressesNeedAReset) {
  const std::uint64_t bad[] = {0, 0x1000, Driver::kRam + 1, Driver::kRam + Driver::kRamSize - 8};
  for (unsigned area = 0; area < 3; ++area) {
    for (const std::uint64_t address : bad) {
      set(*driver_.slot, Driver::kStatus, 0);
      set(*driver_.slot, Driver::kQueueSel, 0);
      set(*driver_.slot, Driver::kQueueSize, Driver::kSize);
      for (unsigned i = 0; i < 3; ++i) {
        const std::uint64_t place = i == area ? address : Driver::kRam + i * 0x1000;
        set(*driver_.slot, Driver::kQueueDesc + i * 16, place & 0xffffffff);
      }
      set(*driver_.slot, Driver::kQueueReady, 1);
      EXPECT_EQ(get(*driver_.slot, Driver::kQueueReady), 0u) << area << " " << address;
      EXPECT_EQ(driver_.status() & Driver::kNeedsReset, Driver::kNeedsReset);
    }
  }
}

TEST_F(VirtqueueTest, SizesOutOfRangeNeedAReset) {
  for (const std::uint64_t size : {0u, 257u, 65536u, 3u}) {
    set(*driver_.slot, Driver::kStatus, 0);
    set(*driver_.slot, Driver::kQueueSel, 1);
    set(*driver_.slot, Driver::kQueueSize, size);
    set(*driver_.slot, Driver::kQueueReady, 1);
    EXPECT_EQ(get(*driver_.slot, Driver::kQueueReady), 0u) << size;
  }
}

/// Random registers, rings and descriptors: whatever happens, a proper reset makes the device work again.
TEST_F(VirtqueueTest, RandomNonsenseHarmsNothing) {
  std::mt19937_64 random(20240601);
  const auto pick = [&](std::uint64_t below) { return random() % below; };
  for (unsigned round = 0; round < 300; ++round) {
    start(pick(2) * Driver::kIndirect | pick(2) * Driver::kEventIdx);
    for (unsigned i = 0; i < 0x3000; i += 8) {
      if (pick(4) != 0) continue;
      const std::uint64_t near = Driver::kRam + pick(Driver::kRamSize + 0x100);
      driver_.poke(Driver::area(0) + i, pick(3) == 0 ? random() : pick(2) == 0 ? near : pick(64) << pick(64));
    }
    for (unsigned i = 0; i < 20; ++i) {
      if (pick(3) == 0) {
        const std::uint64_t offset = pick(0x48) * 4;
        driver_.slot->mmio_write(offset, 4, pick(2) == 0 ? random() : pick(16));
      } else {
        driver_.offer(0, static_cast<std::uint16_t>(pick(Driver::kSize + 1)));
        driver_.kick(0);
      }
    }
  }
  start();
  prepare("well");
  driver_.offer_and_kick(0, 0);
  EXPECT_EQ(driver_.text(Driver::kData + 0x1000, 4), "WELL");
}

}  // namespace
}  // namespace gstage::hw
