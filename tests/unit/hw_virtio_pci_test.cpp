// SPDX-License-Identifier: Apache-2.0
// What is PCI's alone about a virtio device (Virtio 1.3, 4.1); the rest is hw_virtio_core_test.cpp.
#include <gtest/gtest.h>

#include "hw/virtio/rng.h"

#include "tests/unit/hw_virtio_transports.h"

namespace gstage::hw {
namespace {

constexpr std::uint64_t kRam = 0x8000'0000;
constexpr std::uint8_t kVendorCap = 0x09;

class VirtioPciTest : public testing::Test {
 protected:
  VirtioPciTest() {
    EXPECT_TRUE(memory_.add_ram("ram", Paddr{kRam}, 1 << 20).ok());
    memory_.seal();
    make(true);
  }
  void make(bool has_messages) {
    driver_ = nullptr;
    driver_ = std::make_unique<PciDriver>(
        VirtioParts{memory_, workers_, std::make_unique<VirtioRng>(EntropySource())}, has_messages);
  }
  void start() {
    driver_->set_status(0);
    driver_->set_status(3);
    driver_->set_driver_features(kVersion1);
    driver_->set_status(11);
    ring_ = std::make_unique<SplitDriverRing>(memory_, kRam, false);
    driver_->enable_queue(0, *ring_);
    driver_->set_status(15);
  }
  void request() {
    ring_->offer({{kRam + 0x8000, 4, true}});
    driver_->notify(0);
  }
  bool is_answered() {
    UsedBuffer used;
    return ring_->take_used(used);
  }
  std::uint32_t config(unsigned offset, unsigned size) {
    return driver_->function().config_read(offset, size);
  }
  void set_config(unsigned offset, unsigned size, std::uint32_t value) {
    driver_->function().config_write(offset, size, value);
  }

  AddressSpace memory_;
  WorkerPool workers_{0};
  std::unique_ptr<PciDriver> driver_;
  std::unique_ptr<DriverRing> ring_;
};

TEST_F(VirtioPciTest, IdsOfAModernDevice) {
  EXPECT_EQ(config(0x00, 4), 0x1044'1af4u);
  EXPECT_EQ(config(0x08, 4), 0x00ff'0001u) << "class and revision";
  EXPECT_EQ(config(0x2c, 4), 0x1100'1af4u);
  EXPECT_STREQ(driver_->function().driver(), "virtio-rng-pci");
}

TEST_F(VirtioPciTest, BarsAreWhereTheBoardHasThem) {
  set_config(0x14, 4, ~0u);
  EXPECT_EQ(config(0x14, 4), 0xffff'f000u) << "MSI-X";
  set_config(0x20, 4, ~0u);
  set_config(0x24, 4, ~0u);
  EXPECT_EQ(config(0x20, 4), 0xffff'c00cu) << "64 bits, prefetchable, 16 KiB";
  EXPECT_EQ(config(0x24, 4), ~0u);
  for (const unsigned bar : {0x10u, 0x18u, 0x1cu}) {
    set_config(bar, 4, ~0u);
    EXPECT_EQ(config(bar, 4), 0u);
  }
}

TEST_F(VirtioPciTest, CapabilitiesSayWhereTheStructuresAre) {
  // Type and offset, in the order of preference.
  const std::uint32_t expected[][2] = {{1, 0}, {3, 0x1000}, {4, 0x2000}, {2, 0x3000}};
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned at = driver_->capability(kVendorCap, i);
    ASSERT_NE(at, 0u);
    EXPECT_EQ(config(at + 2, 1), i == 3 ? 20u : 16u);
    EXPECT_EQ(config(at + 3, 1), expected[i][0]);
    EXPECT_EQ(config(at + 4, 1), 4u) << "the bar";
    EXPECT_EQ(config(at + 8, 4), expected[i][1]);
    EXPECT_EQ(config(at + 12, 4), 0x1000u);
    // Nothing of it can be changed.
    for (unsigned offset = 0; offset < 16; offset += 4) {
      const std::uint32_t before = config(at + offset, 4);
      set_config(at + offset, 4, ~0u);
      EXPECT_EQ(config(at + offset, 4), before);
    }
  }
  EXPECT_EQ(config(driver_->capability(kVendorCap, 3) + 16, 4), 4u) << "notify_off_multiplier";
  const unsigned window = driver_->capability(kVendorCap, 4);
  EXPECT_EQ(config(window + 2, 1), 20u);
  EXPECT_EQ(config(window + 3, 1), 5u);
  EXPECT_EQ(driver_->capability(kVendorCap, 5), 0u);
}

TEST_F(VirtioPciTest, TheQueueSizeIsTheLargestUntilADriverChoosesOne) {
  VirtioPci& function = driver_->function();
  EXPECT_EQ(get(function, 0x12, 2), 1u) << "num_queues";
  EXPECT_EQ(get(function, 0x18, 2), 8u);
  set(function, 0x18, 4, 2);
  EXPECT_EQ(get(function, 0x18, 2), 4u);
  driver_->set_status(0);
  EXPECT_EQ(get(function, 0x18, 2), 8u);
  set(function, 0x16, 1, 2);
  EXPECT_EQ(get(function, 0x18, 2), 0u) << "there is no such queue";
}

TEST_F(VirtioPciTest, VectorsAreMappedOrRefused) {
  VirtioPci& function = driver_->function();
  ASSERT_EQ(function.msix()->vectors(), 2u) << "one for the queue and one for the configuration";
  EXPECT_EQ(get(function, 0x10, 2), 0xffffu);
  EXPECT_EQ(get(function, 0x1a, 2), 0xffffu);
  for (const unsigned offset : {0x10u, 0x1au}) {
    set(function, offset, 1, 2);
    EXPECT_EQ(get(function, offset, 2), 1u);
    set(function, offset, 2, 2);
    EXPECT_EQ(get(function, offset, 2), 0xffffu) << "beyond the table";
    set(function, offset, 0, 2);
    set(function, offset, 0xffff, 2);
    EXPECT_EQ(get(function, offset, 2), 0xffffu);
    set(function, offset, 1, 2);
  }
  driver_->set_status(0);
  EXPECT_EQ(get(function, 0x10, 2), 0xffffu) << "a reset unmaps";
  EXPECT_EQ(get(function, 0x1a, 2), 0xffffu);
  set(function, 0x16, 7, 2);
  set(function, 0x1a, 1, 2);
  EXPECT_EQ(get(function, 0x1a, 2), 0xffffu) << "there is no such queue";
}

TEST_F(VirtioPciTest, AQueueAndTheConfigurationHaveVectorsOfTheirOwn) {
  start();
  request();
  EXPECT_TRUE(driver_->take_message(1));
  EXPECT_FALSE(driver_->take_message(0));
  driver_->core().notify_config();
  EXPECT_TRUE(driver_->take_message(0));
  EXPECT_FALSE(driver_->take_message(1));
  EXPECT_FALSE(driver_->pin());
  EXPECT_EQ(get(driver_->function(), PciDriver::kIsr, 1), 2u) << "nobody looks for used buffers here";
}

TEST_F(VirtioPciTest, AnEventWithoutVectorIsNotTold) {
  start();
  set(driver_->function(), 0x16, 0, 2);
  set(driver_->function(), 0x1a, 0xffff, 2);
  request();
  EXPECT_TRUE(is_answered());
  EXPECT_FALSE(driver_->take_message(0));
  EXPECT_FALSE(driver_->take_message(1));
  EXPECT_FALSE(driver_->pin());
}

TEST_F(VirtioPciTest, ThePinIsHighUntilTheRegisterIsRead) {
  make(false);
  start();
  request();
  EXPECT_TRUE(driver_->pin());
  EXPECT_EQ(config(0x06, 2) & 8, 8u) << "the Interrupt Status bit";
  EXPECT_EQ(get(driver_->function(), PciDriver::kIsr, 1), 1u);
  EXPECT_FALSE(driver_->pin());
  EXPECT_EQ(get(driver_->function(), PciDriver::kIsr, 1), 0u);
  EXPECT_FALSE(driver_->take_message(1));
}

TEST_F(VirtioPciTest, ThePinRestsWhileMessagesAreOn) {
  make(false);
  start();
  request();
  ASSERT_TRUE(driver_->pin());
  const unsigned msix = driver_->capability(0x11);
  set_config(msix + 2, 2, 0x8000);
  EXPECT_FALSE(driver_->pin());
  set_config(msix + 2, 2, 0);
  EXPECT_TRUE(driver_->pin()) << "its cause still waits";
}

TEST_F(VirtioPciTest, WithoutVectorsThereIsThePinAlone) {
  VirtioPci function({memory_, workers_, std::make_unique<VirtioRng>(EntropySource())}, 0);
  EXPECT_EQ(function.msix(), nullptr);
  set(function, 0x10, 0, 2);
  EXPECT_EQ(get(function, 0x10, 2), 0xffffu);
}

TEST_F(VirtioPciTest, NothingIsServedWithoutBusMastering) {
  start();
  driver_->function().enable_master(false);
  request();
  EXPECT_FALSE(is_answered());
  driver_->function().enable_master(true);
  EXPECT_TRUE(is_answered()) << "what was offered meanwhile is served then";
}

TEST_F(VirtioPciTest, FunctionLevelResetResetsTheDevice) {
  start();
  const unsigned express = driver_->capability(0x10);
  ASSERT_NE(express, 0u);
  ASSERT_NE(config(express + 4, 4) & 1u << 28, 0u) << "it has one";
  set_config(express + 8, 2, 0x8000);
  EXPECT_EQ(driver_->status(), 0u);
  EXPECT_FALSE(driver_->is_enabled(0));
  EXPECT_EQ(get(driver_->function(), 0x10, 2), 0xffffu);
}

TEST_F(VirtioPciTest, AWindowInConfigurationSpace) {
  const unsigned window = driver_->capability(kVendorCap, 4);
  const auto aim = [&](unsigned bar, std::uint32_t offset, std::uint32_t length) {
    set_config(window + 4, 1, bar);
    set_config(window + 8, 4, offset);
    set_config(window + 12, 4, length);
  };
  aim(4, 0x14, 1);
  set_config(window + 16, 4, 0xffff'ff03);
  EXPECT_EQ(driver_->status(), 3u);
  EXPECT_EQ(config(window + 16, 4), 3u);
  aim(4, 0x16, 2);
  set_config(window + 16, 4, 0x0009);
  EXPECT_EQ(get(driver_->function(), 0x16, 2), 9u);
  aim(4, 0, 4);
  set_config(window + 16, 4, 1);
  aim(4, 4, 4);
  EXPECT_EQ(config(window + 16, 4), feature_word(driver_->core().offered_features(), 1));
  // What shows nothing changes nothing.
  for (const auto& [bar, offset, length] :
       {std::array{1u, 0x14u, 1u}, std::array{4u, 0x14u, 3u}, std::array{4u, 0x14u, 0u},
        std::array{4u, 0x4014u, 1u}, std::array{4u, 0xffff'fffcu, 4u}, std::array{4u, 0x15u, 2u}}) {
    aim(bar, offset, length);
    set_config(window + 16, 4, 0);
    EXPECT_EQ(driver_->status(), 3u) << bar << " " << offset << " " << length;
  }
}

TEST_F(VirtioPciTest, ANotificationNamesItsQueueByItsPlace) {
  start();
  ring_->offer({{kRam + 0x8000, 4, true}});
  set(driver_->function(), PciDriver::kNotify, 0, 4);
  EXPECT_TRUE(is_answered());
  // With VIRTIO_F_NOTIFICATION_DATA the upper half says how far the driver is.
  ring_->offer({{kRam + 0x8000, 4, true}});
  set(driver_->function(), PciDriver::kNotify, 0x0002'0000, 4);
  EXPECT_TRUE(is_answered());
  // There are no others, and none is harmed.
  set(driver_->function(), PciDriver::kNotify + 4, 0, 2);
  set(driver_->function(), PciDriver::kNotify + 0xffc, 0, 2);
  EXPECT_EQ(get(driver_->function(), PciDriver::kNotify, 2), 0u);
}

}  // namespace
}  // namespace gstage::hw
