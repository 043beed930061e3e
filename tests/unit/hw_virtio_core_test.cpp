// SPDX-License-Identifier: Apache-2.0
// What a driver sees of a virtio device whatever the transport and the rings.
#include <functional>

#include <gtest/gtest.h>

#include "hw/core/visitor.h"

#include "tests/unit/hw_virtio_transports.h"

namespace gstage::hw {
namespace {

constexpr std::uint64_t kRam = 0x8000'0000;
constexpr std::uint64_t kRamSize = 1 << 20;
constexpr std::uint64_t kData = kRam + 0x8'0000;
enum Status : std::uint32_t { kDriver = 3, kFeaturesOk = 8, kDriverOk = 4, kNeedsReset = 64 };

/// Writes to each buffer what it read, one more; queue 2 takes a buffer only when `give` says so.
class Adder final : public VirtioDevice {
 public:
  static constexpr std::uint64_t kFeature = 1;
  const char* driver() const override { return "adder"; }
  std::uint32_t virtio_id() const override { return 4; }
  std::uint64_t features() const override { return kFeature; }
  std::uint16_t max_queue_size(unsigned index) const override { return index < 3 ? 64 : 0; }
  void read_config(std::uint32_t offset, std::span<std::uint8_t> to) override {
    read_config_struct(value, offset, to);
  }
  void write_config(std::uint32_t offset, std::span<const std::uint8_t> from) override {
    for (std::size_t i = 0; i < from.size(); ++i)
      if (offset + i < 4) value = (value & ~(0xffu << ((offset + i) * 8))) | from[i] << ((offset + i) * 8);
  }
  void negotiated() override { ++negotiations; }
  void reset() override { ++resets; }
  Served serve(unsigned index) override {
    Chain chain;
    if (index == 2 && gifts == 0) return Served::kLater;
    while (core().pop(index, chain)) {
      if (inside) inside(index);
      std::vector<std::uint8_t> bytes(total_bytes(chain.readable));
      copy_from(chain.readable, bytes);
      for (std::uint8_t& byte : bytes) ++byte;
      const std::size_t written = copy_to(core().memory(), chain.writable, bytes);
      if (!core().is_live(index)) return Served::kAll;
      core().queue(index).push(chain, static_cast<std::uint32_t>(written));
      if (index == 2 && --gifts == 0) break;
    }
    core().notify_used(index);
    return index == 2 && gifts == 0 ? Served::kLater : Served::kAll;
  }
  VirtioCore& core_for_test() { return core(); }
  void give(unsigned count) {
    gifts = count;
    core().wake(2);
  }

  std::uint32_t value = 0x44332211;
  std::atomic<unsigned> gifts{0};
  int negotiations = 0;
  int resets = 0;
  std::function<void(unsigned)> inside;  ///< called with each buffer
};

enum class Way { kMmio, kMessages, kPin };

class VirtioCoreTest : public testing::TestWithParam<std::tuple<Way, std::uint64_t>> {
 protected:
  VirtioCoreTest() { make(0); }
  void make(unsigned threads) {
    transport_ = nullptr;
    memory_ = std::make_unique<AddressSpace>();
    EXPECT_TRUE(memory_->add_ram("ram", Paddr{kRam}, kRamSize).ok());
    memory_->seal();
    workers_ = std::make_unique<WorkerPool>(threads);
    auto device = std::make_unique<Adder>();
    device_ = device.get();
    device->set_ring_features(kDefaultFeatures | kRingPacked | kInOrder);
    VirtioParts parts{*memory_, *workers_, std::move(device)};
    if (way() == Way::kMmio)
      transport_ = std::make_unique<MmioDriver>(std::move(parts));
    else
      transport_ = std::make_unique<PciDriver>(std::move(parts), way() == Way::kMessages);
  }
  static Way way() { return std::get<0>(GetParam()); }
  static std::uint64_t ring_features() { return std::get<1>(GetParam()); }
  static bool has(std::uint64_t feature) { return (ring_features() & feature) != 0; }

  void start() {
    transport_->set_status(0);
    ASSERT_EQ(transport_->status(), 0u);
    transport_->set_status(kDriver);
    transport_->set_driver_features(kVersion1 | kRingReset | ring_features());
    transport_->set_status(kDriver | kFeaturesOk);
    ASSERT_EQ(transport_->status(), kDriver | kFeaturesOk);
    for (unsigned queue = 0; queue < 3; ++queue) set_up(queue);
    transport_->set_status(kDriver | kFeaturesOk | kDriverOk);
  }
  void set_up(unsigned queue) {
    const std::uint64_t base = kRam + queue * DriverRing::kBytes;
    if (has(kRingPacked))
      rings_[queue] = std::make_unique<PackedDriverRing>(*memory_, base, has(kEventIdx));
    else
      rings_[queue] = std::make_unique<SplitDriverRing>(*memory_, base, has(kEventIdx));
    transport_->enable_queue(queue, *rings_[queue]);
    EXPECT_TRUE(transport_->is_enabled(queue));
  }
  DriverRing& ring(unsigned queue = 0) { return *rings_[queue]; }
  void write(std::uint64_t at, const std::string& text) {
    memory_->write(Paddr{at}, text.data(), text.size());
  }
  std::string read(std::uint64_t at, std::size_t size) {
    std::string text(size, '\0');
    EXPECT_TRUE(memory_->read(Paddr{at}, text.data(), size));
    return text;
  }
  /// Each queue has memory of its own, which nobody else writes.
  static std::vector<Piece> request(unsigned queue = 0) {
    const std::uint64_t at = kData + queue * 0x4000;
    return {{at, 3}, {at + 0x1000, 3, true}};
  }
  /// A buffer of one descriptor.
  static std::vector<Piece> small() { return {{kData + 0x1'0000, 4, true}}; }
  void offer_and_notify(unsigned queue = 0) {
    ring(queue).offer(request(queue));
    transport_->notify(queue);
  }
  unsigned count_used(unsigned queue = 0) {
    UsedBuffer used;
    unsigned count = 0;
    while (ring(queue).take_used(used)) ++count;
    return count;
  }

  std::unique_ptr<AddressSpace> memory_;
  std::unique_ptr<WorkerPool> workers_;
  Adder* device_ = nullptr;
  std::unique_ptr<DriverTransport> transport_;
  std::array<std::unique_ptr<DriverRing>, 3> rings_;
};

TEST_P(VirtioCoreTest, FeaturesThatWereNotOfferedAreRefused) {
  const std::uint64_t offered = transport_->device_features();
  EXPECT_EQ(offered, Adder::kFeature | kDefaultFeatures | kRingPacked | kInOrder);
  transport_->set_status(kDriver);
  transport_->set_driver_features(offered | 2);
  transport_->set_status(kDriver | kFeaturesOk);
  EXPECT_EQ(transport_->status(), kDriver);
  EXPECT_EQ(device_->negotiations, 0);
  transport_->set_driver_features(offered);
  transport_->set_status(kDriver | kFeaturesOk);
  EXPECT_EQ(transport_->status(), kDriver | kFeaturesOk);
  EXPECT_EQ(device_->negotiations, 1);
  EXPECT_EQ(transport_->core().features(), offered);
}

TEST_P(VirtioCoreTest, FeaturesDoNotChangeOnceTheyAreAgreedOn) {
  start();
  const std::uint64_t before = transport_->core().features();
  if (way() == Way::kMmio) transport_->set_driver_features(0);
  EXPECT_EQ(transport_->core().features(), before);
}

TEST_P(VirtioCoreTest, ABufferGoesThereAndBack) {
  start();
  write(kData, "HAL");
  const std::uint16_t id = ring().offer(request());
  transport_->notify(0);
  UsedBuffer used;
  ASSERT_TRUE(ring().take_used(used));
  EXPECT_EQ(used, (UsedBuffer{id, 3}));
  EXPECT_EQ(read(kData + 0x1000, 3), "IBM");
  EXPECT_FALSE(ring().take_used(used));
  EXPECT_TRUE(transport_->take_used_interrupt(0));
  EXPECT_FALSE(transport_->take_used_interrupt(0));
  EXPECT_FALSE(transport_->take_config_interrupt());
}

TEST_P(VirtioCoreTest, ManyBuffersInTheirOrder) {
  start();
  UsedBuffer used;
  for (unsigned round = 0; round < 500; ++round) {
    std::vector<std::uint16_t> ids;
    for (unsigned i = 0; i < 1 + round % 4; ++i) ids.push_back(ring().offer(request()));
    transport_->notify(0);
    for (const std::uint16_t id : ids) {
      ASSERT_TRUE(ring().take_used(used));
      EXPECT_EQ(used, (UsedBuffer{id, 3})) << round;
    }
    ASSERT_FALSE(ring().take_used(used));
  }
  EXPECT_EQ(transport_->status() & kNeedsReset, 0u);
}

TEST_P(VirtioCoreTest, AFullRing) {
  start();
  for (unsigned round = 0; round < 3; ++round) {
    for (unsigned i = 0; i < DriverRing::kSize; ++i) ring().offer(small());
    transport_->notify(0);
    EXPECT_EQ(count_used(), DriverRing::kSize);
  }
}

TEST_P(VirtioCoreTest, ChainsOfManyPieces) {
  start();
  write(kData, "abcdef");
  ring().offer(
      {{kData, 1}, {kData + 1, 2}, {kData + 3, 3}, {kData + 0x1000, 4, true}, {kData + 0x2000, 9, true}});
  transport_->notify(0);
  UsedBuffer used;
  ASSERT_TRUE(ring().take_used(used));
  EXPECT_EQ(used.length, 6u);
  EXPECT_EQ(read(kData + 0x1000, 4) + read(kData + 0x2000, 2), "bcdefg");
}

TEST_P(VirtioCoreTest, IndirectTables) {
  if (!has(kIndirectDescriptors)) return;  // there is nothing to see
  start();
  write(kData, "abcd");
  const std::uint16_t id = ring().offer_indirect({{kData, 1}, {kData + 1, 3}, {kData + 0x1000, 9, true}});
  transport_->notify(0);
  UsedBuffer used;
  ASSERT_TRUE(ring().take_used(used));
  EXPECT_EQ(used, (UsedBuffer{id, 4}));
  EXPECT_EQ(read(kData + 0x1000, 4), "bcde");
}

TEST_P(VirtioCoreTest, InterruptsThatAreNotWantedAreNotSent) {
  start();
  ring().want_interrupts(false);
  offer_and_notify();
  EXPECT_EQ(count_used(), 1u);
  EXPECT_FALSE(transport_->take_used_interrupt(0));
  ring().want_interrupts(true);
  offer_and_notify();
  EXPECT_TRUE(transport_->take_used_interrupt(0));
}

TEST_P(VirtioCoreTest, AnInterruptForTheBufferThatIsWaitedFor) {
  if (!has(kEventIdx)) return;  // there is nothing to see
  start();
  for (unsigned round = 0; round < 10; ++round) {
    ring().want_interrupt_after(3);
    for (unsigned i = 1; i <= 3; ++i) {
      ring().offer(small());
      transport_->notify(0);
      EXPECT_EQ(transport_->take_used_interrupt(0), i == 3) << round << " " << i;
    }
    EXPECT_EQ(count_used(), 3u);
  }
}

TEST_P(VirtioCoreTest, NotificationsAreOffWhileTheQueueIsServed) {
  start();
  unsigned seen = 0;
  bool was_wanted = false;
  device_->inside = [&](unsigned) {
    if (++seen >= 3) return;
    ring().offer(request());
    was_wanted |= ring().wants_notification();
  };
  ring().offer(request());
  EXPECT_TRUE(ring().wants_notification()) << "nobody serves yet";
  transport_->notify(0);
  EXPECT_EQ(seen, 3u) << "whoever serves sees what came meanwhile";
  EXPECT_FALSE(was_wanted);
  EXPECT_EQ(count_used(), 3u);
  ring().offer(request());
  EXPECT_TRUE(ring().wants_notification());
}

TEST_P(VirtioCoreTest, ADeviceThatWaitsForItselfWantsNoNotifications) {
  start();
  ring(2).wants_notification();
  ring(2).offer(small());
  EXPECT_FALSE(ring(2).wants_notification());
  EXPECT_EQ(count_used(2), 0u);
  device_->give(1);
  EXPECT_EQ(count_used(2), 1u);
  EXPECT_TRUE(transport_->take_used_interrupt(2));
  // It has more to give than there are buffers: now it waits for the driver.
  device_->give(2);
  ring(2).offer(small());
  EXPECT_TRUE(ring(2).wants_notification());
  transport_->notify(2);
  EXPECT_EQ(count_used(2), 1u);
}

TEST_P(VirtioCoreTest, WhatWasOfferedBeforeDriverOkIsServedThen) {
  transport_->set_status(kDriver);
  transport_->set_driver_features(kVersion1 | ring_features());
  transport_->set_status(kDriver | kFeaturesOk);
  set_up(0);
  offer_and_notify();
  EXPECT_EQ(count_used(), 0u);
  transport_->set_status(kDriver | kFeaturesOk | kDriverOk);
  EXPECT_EQ(count_used(), 1u);
}

TEST_P(VirtioCoreTest, DriverOkNeedsFeaturesOk) {
  transport_->set_status(kDriver);
  transport_->set_status(kDriver | kDriverOk);
  EXPECT_NE(transport_->status() & kNeedsReset, 0u);
}

TEST_P(VirtioCoreTest, NonsenseNeedsAResetAndStopsAllQueues) {
  for (int round = 0; round < 2; ++round) {
    start();
    ring(0).offer_nonsense();
    transport_->notify(0);
    EXPECT_NE(transport_->status() & kNeedsReset, 0u);
    EXPECT_TRUE(transport_->take_config_interrupt());
    EXPECT_EQ(count_used(0), 0u);
    offer_and_notify(1);
    EXPECT_EQ(count_used(1), 0u);
  }
  start();
  EXPECT_EQ(transport_->status() & kNeedsReset, 0u);
  offer_and_notify();
  EXPECT_EQ(count_used(), 1u);
}

TEST_P(VirtioCoreTest, AResetForgetsEverything) {
  start();
  offer_and_notify();
  const int before = device_->resets;
  transport_->reset();
  EXPECT_GT(device_->resets, before);
  EXPECT_EQ(transport_->status(), 0u);
  EXPECT_EQ(transport_->core().features(), 0u);
  EXPECT_EQ(transport_->core().causes(), 0u);
  for (unsigned queue = 0; queue < 3; ++queue) EXPECT_FALSE(transport_->is_enabled(queue));
  EXPECT_EQ(transport_->max_queue_size(0), 64u);
}

TEST_P(VirtioCoreTest, AQueueIsResetAloneAndUsedAgain) {
  start();
  offer_and_notify(0);
  transport_->reset_queue(0);
  EXPECT_FALSE(transport_->is_enabled(0));
  EXPECT_TRUE(transport_->is_enabled(1));
  EXPECT_EQ(count_used(0), 1u);
  offer_and_notify(0);
  EXPECT_EQ(count_used(0), 0u);
  offer_and_notify(1);
  EXPECT_EQ(count_used(1), 1u);
  set_up(0);
  offer_and_notify(0);
  EXPECT_EQ(count_used(0), 1u);
}

TEST_P(VirtioCoreTest, AQueueResetNeedsTheFeature) {
  transport_->set_status(kDriver);
  transport_->set_driver_features(kVersion1 | ring_features());
  transport_->set_status(kDriver | kFeaturesOk);
  set_up(0);
  transport_->reset_queue(0);
  EXPECT_TRUE(transport_->is_enabled(0));
}

TEST_P(VirtioCoreTest, QueuesThatAreNotThere) {
  EXPECT_EQ(transport_->max_queue_size(2), 64u);
  EXPECT_EQ(transport_->max_queue_size(3), 0u);
  EXPECT_EQ(transport_->max_queue_size(0xffff), 0u);
  start();
  transport_->notify(3);
  transport_->notify(200);
  EXPECT_EQ(transport_->status() & kNeedsReset, 0u);
}

TEST_P(VirtioCoreTest, ConfigurationAndItsChanges) {
  EXPECT_EQ(transport_->config(0, 4), 0x44332211u);
  EXPECT_EQ(transport_->config(1, 1), 0x22u);
  EXPECT_EQ(transport_->config(4, 4), 0u);
  transport_->set_config(2, 1, 0x99);
  EXPECT_EQ(transport_->config(0, 4), 0x44992211u);
  const std::uint32_t before = transport_->generation();
  device_->core_for_test().notify_config();
  EXPECT_NE(transport_->generation(), before);
  EXPECT_FALSE(transport_->take_config_interrupt()) << "there is no driver";
  start();
  device_->core_for_test().notify_config();
  EXPECT_TRUE(transport_->take_config_interrupt());
  EXPECT_FALSE(transport_->take_used_interrupt(0));
}

TEST_P(VirtioCoreTest, QueuesDoNotWaitForEachOther) {
  make(WorkerPool::kDefaultThreads);
  std::atomic<bool> is_open{false};
  device_->inside = [&](unsigned queue) {
    if (queue == 0) eventually([&] { return is_open.load(); });
  };
  start();
  offer_and_notify(0);
  offer_and_notify(1);
  EXPECT_TRUE(eventually([&] { return count_used(1) == 1; }));
  EXPECT_EQ(count_used(0), 0u);
  EXPECT_EQ(transport_->config(0, 4), 0x44332211u) << "registers wait for no queue";
  is_open = true;
  EXPECT_TRUE(eventually([&] { return count_used(0) == 1; }));
}

TEST_P(VirtioCoreTest, AResetWaitsForTheWorkerAndDropsWhatItHas) {
  make(WorkerPool::kDefaultThreads);
  std::atomic<bool> is_open{false};
  std::atomic<bool> is_inside{false};
  std::atomic<bool> is_reset{false};
  device_->inside = [&](unsigned) {
    is_inside = true;
    eventually([&] { return is_open.load(); });
  };
  start();
  offer_and_notify(0);
  ASSERT_TRUE(eventually([&] { return is_inside.load(); }));
  std::thread hart([&] {
    transport_->set_status(0);
    is_reset = true;
  });
  ASSERT_TRUE(eventually([&] { return !transport_->core().is_live(0); }));
  EXPECT_FALSE(is_reset) << "the device still uses the driver's memory";
  is_open = true;
  hart.join();
  EXPECT_EQ(count_used(0), 0u);
  EXPECT_EQ(transport_->core().causes(), 0u);
}

/// What was saved goes on in a machine that is built alike, with the rest of the buffers.
TEST_P(VirtioCoreTest, AStateIsSavedAndGoesOnElsewhere) {
  start();
  for (unsigned i = 0; i < 11; ++i) {
    offer_and_notify(0);
    EXPECT_EQ(count_used(0), 1u);
  }
  transport_->set_config(0, 1, 1);
  ring(2).offer(small());
  transport_->notify(2);
  SavedState saved;
  Visitor saver = Visitor::saver(saved);
  visit_devices(transport_->device(), saver);
  std::vector<std::byte> ram(kRamSize);
  memory_->read(Paddr{kRam}, ram.data(), ram.size());
  make(0);
  memory_->write(Paddr{kRam}, ram.data(), ram.size());
  for (const auto& one : rings_) one->move_to(*memory_);
  Visitor loader = Visitor::loader(saved);
  visit_devices(transport_->device(), loader);
  SavedState again;
  Visitor second = Visitor::saver(again);
  visit_devices(transport_->device(), second);
  EXPECT_EQ(differences(saved, again), std::vector<std::string>{});
  EXPECT_EQ(transport_->status(), kDriver | kFeaturesOk | kDriverOk);
  for (unsigned i = 0; i < 11; ++i) {
    ring(0).want_interrupts(true);
    offer_and_notify(0);
    EXPECT_EQ(count_used(0), 1u);
    EXPECT_TRUE(transport_->take_used_interrupt(0));
  }
  device_->give(1);
  EXPECT_EQ(count_used(2), 1u);
}

/// Many harts' worth of notifications, resets of queues and of the device: nothing hangs, and all is well
/// after.
TEST_P(VirtioCoreTest, ResetsWhileEverythingIsUnderWay) {
  make(WorkerPool::kDefaultThreads);
  for (unsigned round = 0; round < 60; ++round) {
    start();
    for (unsigned i = 0; i < 4; ++i) {
      offer_and_notify(0);
      offer_and_notify(1);
      ring(2).offer(small());
      device_->give(1);
    }
    if (round % 3 == 1) transport_->reset_queue(round % 2);
    if (round % 3 == 2) transport_->reset();
  }
  start();
  offer_and_notify(0);
  EXPECT_TRUE(eventually([&] { return count_used(0) == 1; }));
}

constexpr std::uint64_t kRings[] = {
    0,
    kEventIdx | kIndirectDescriptors,
    kRingPacked,
    kRingPacked | kEventIdx | kIndirectDescriptors | kInOrder,
};
INSTANTIATE_TEST_SUITE_P(All, VirtioCoreTest,
                         testing::Combine(testing::Values(Way::kMmio, Way::kMessages, Way::kPin),
                                          testing::ValuesIn(kRings)));

}  // namespace
}  // namespace gstage::hw
