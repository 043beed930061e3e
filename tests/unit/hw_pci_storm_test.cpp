// SPDX-License-Identifier: Apache-2.0
// What a guest may do to a function while its interrupts fly: vectors are moved and masked, bars are
// remapped, the function is reset or loses the bus, all while workers serve its queues.
#include <atomic>
#include <condition_variable>
#include <random>
#include <shared_mutex>
#include <thread>

#include <gtest/gtest.h>

#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_host.h"
#include "hw/pci/pci_registers.h"
#include "hw/virtio/virtio_pci.h"

#include "tests/unit/hw_fakes.h"
#include "tests/unit/hw_virtio_rings.h"

namespace gstage::hw {
namespace {

constexpr unsigned kQueues = 2;
constexpr unsigned kVectors = kQueues + 1;
constexpr std::uint32_t kBytes = 4096;
constexpr unsigned kRounds = 30;
constexpr std::chrono::seconds kLimit{120};

/// A device whose requests take a moment, so that what the guest does meanwhile meets them.
class SlowDevice final : public VirtioDevice {
 public:
  /// How many requests are in work.
  std::atomic<unsigned> inside{0};
  /// While it is so, requests stay in work.
  std::atomic<bool> is_held{false};

  [[nodiscard]] const char* driver() const override { return "virtio-rng-device"; }
  [[nodiscard]] std::uint32_t virtio_id() const override { return 4; }
  [[nodiscard]] std::uint64_t features() const override { return 0; }
  [[nodiscard]] std::uint16_t max_queue_size(unsigned index) const override {
    return index < kQueues ? DriverRing::kSize : 0;
  }
  void read_config(std::uint32_t, std::span<std::uint8_t> to) override {
    std::fill(to.begin(), to.end(), std::uint8_t{0});
  }
  void tell_of_change() { core().notify_config(); }
  Served serve(unsigned index) override {
    Chain chain;
    while (core().pop(index, chain)) {
      ++inside;
      is_held.wait(true);
      BufferElements part;
      for (const std::uint32_t at : {0u, kBytes / 2}) {
        const std::array<std::uint8_t, kBytes / 2> bytes{1};
        slice_into(part, chain.writable, at, bytes.size());
        copy_to(core().memory(), part, bytes);
        std::this_thread::sleep_for(std::chrono::microseconds(100));
      }
      core().queue(index).push(chain, kBytes);
      core().notify_used(index);
      --inside;
    }
    return Served::kAll;
  }
};

/// Takes messages. The guest gives vector V at place P the address of the place and the data P * 256 + V.
class StormMsis final : public MsiSink {
 public:
  static constexpr std::uint64_t kBase = 0x2800'0000, kStride = 0x1000;

  void send(std::uint64_t address, std::uint32_t data) override {
    const std::lock_guard lock(mutex_);
    const unsigned vector = data & 0xff;
    if (address != kBase + (data >> 8) * kStride || vector >= kVectors) return static_cast<void>(++mixed_);
    ++counts_[vector];
    changed_.notify_all();
  }
  /// Waits until a vector was told so often; false: it never was.
  bool wait(unsigned vector, unsigned count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kLimit, [&] { return counts_[vector] >= count; });
  }
  unsigned count(unsigned vector) {
    const std::lock_guard lock(mutex_);
    return counts_[vector];
  }
  unsigned total() { return count(0) + count(1) + count(2); }
  /// Messages of which address and data were never set together.
  unsigned mixed() {
    const std::lock_guard lock(mutex_);
    return mixed_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::array<unsigned, kVectors> counts_{};
  unsigned mixed_ = 0;
};

/// A host bridge, and a virtio function on its root bus or behind a port.
class PciStorm : public testing::Test {
 protected:
  static constexpr std::uint64_t kRam = 0x8000'0000, kBuffers = kRam + 0x8000;
  static constexpr std::uint64_t kMemory32 = 0x4000'0000;
  static constexpr std::uint64_t kBarPlaces[] = {0x4010'0000, 0x4020'0000, 0x4000'4000};
  static constexpr std::uint64_t kMsixPlaces[] = {0x4000'0000, 0x4000'2000};
  static constexpr unsigned kMsixBar = pci::kBar0 + 4, kBar = pci::kBar0 + 16;
  static constexpr std::uint32_t kDecodes = pci::kCommandMemory, kWorks = kDecodes | pci::kCommandMaster;
  static constexpr std::uint64_t kRootFunction = 1 << 15, kSecondaryFunction = 1 << 20;

  explicit PciStorm(bool is_behind_port) : is_behind_port_(is_behind_port) {
    EXPECT_TRUE(memory_.add_ram("ram", Paddr{kRam}, 1 << 20).ok());
    memory_.seal();
    PciHostSetup setup{.memory = memory_, .msis = msis_};
    for (IrqLine& line : setup.intx) line = IrqLine([this](bool is_high) { wires_ += is_high ? 1 : 0; });
    setup.memory32.base = kMemory32;
    setup.memory64.base = 0x4'0000'0000;
    host_ = std::make_unique<PciHost>(setup);
    auto device = std::make_unique<SlowDevice>();
    device_ = device.get();
    auto function = std::make_unique<VirtioPci>(VirtioParts{memory_, workers_, std::move(device)});
    is_behind_port_ ? plug_behind_port(std::move(function)) : plug(std::move(function));
  }

  void plug(std::unique_ptr<PciFunction> function) {
    function->set_address({{kRootFunction >> 12}});
    EXPECT_TRUE(host_->root().plug(std::move(function)).ok());
    host_->reset();
  }
  void plug_behind_port(std::unique_ptr<PciFunction> function) {
    auto port = std::make_unique<PcieRootPort>("port", PcieRootPort::Slot{});
    PciBus& link = *static_cast<PciFunction&>(*port).secondary();
    plug(std::move(port));
    EXPECT_TRUE(link.plug(std::move(function)).ok());
    host_->reset();
    constexpr unsigned kBusNumbers = 0x18;
    set_config_of(kRootFunction, kBusNumbers, 4, 0x01'01'00);
    set_config_of(kRootFunction, pci::kMemoryBase, 4, 0x40f0'4000);
    set_config_of(kRootFunction, pci::kCommand, 2, kWorks);
  }

  void set_config_of(std::uint64_t function, unsigned at, unsigned size, std::uint32_t value) {
    host_->mmio_write(function | at, size, value);
  }
  [[nodiscard]] std::uint64_t function() const {
    return is_behind_port_ ? kSecondaryFunction : kRootFunction;
  }
  void set_config(unsigned at, unsigned size, std::uint32_t value) {
    set_config_of(function(), at, size, value);
  }
  std::uint32_t config(unsigned at, unsigned size) {
    std::uint64_t value = 0;
    host_->mmio_read(function() | at, size, value);
    return static_cast<std::uint32_t>(value) & static_cast<std::uint32_t>((1ull << 8 * size) - 1);
  }
  unsigned capability(std::uint8_t id) {
    unsigned at = config(0x34, 1);
    while (at != 0 && config(at, 1) != id) at = config(at + 1, 1);
    return at;
  }
  std::uint64_t load(std::uint64_t address, unsigned size) {
    std::uint64_t value = 0;
    host_->memory32().mmio_read(address - kMemory32, size, value);
    return value & ((std::uint64_t{1} << 8 * size) - 1);
  }
  void store(std::uint64_t address, std::uint64_t value, unsigned size) {
    host_->memory32().mmio_write(address - kMemory32, size, value);
  }

  void switch_memory(bool is_on) {
    set_config(pci::kCommand, 2, is_on ? kWorks : std::uint32_t{pci::kCommandMaster});
  }
  /// The function's own bit, or that of the port above it.
  void switch_master(bool is_on) {
    set_config_of(kRootFunction, pci::kCommand, 2, is_on ? kWorks : kDecodes);
  }
  void place_vector(unsigned vector, unsigned place) {
    const std::uint64_t entry = msix_ + vector * 16;
    store(entry + 12, 1, 4);
    store(entry, StormMsis::kBase + place * StormMsis::kStride, 4);
    store(entry + 8, place << 8 | vector, 4);
    store(entry + 12, 0, 4);
  }
  /// Bars, messages, and the device up to its queues.
  void start() {
    set_config(kMsixBar, 4, static_cast<std::uint32_t>(msix_));
    set_config(kBar, 4, static_cast<std::uint32_t>(bar_));
    set_config(kBar + 4, 4, 0);
    switch_memory(true);
    switch_master(true);
    for (unsigned vector = 0; vector < kVectors; ++vector) place_vector(vector, 0);
    set_config(capability(pci::kCapMsix) + 2, 2, 0x8000);
    for (const unsigned status : {0u, 1u, 3u}) store(bar_ + 0x14, status, 1);
    store(bar_ + 0x08, 1, 4);
    store(bar_ + 0x0c, 1, 4);  // VERSION_1
    store(bar_ + 0x14, 11, 1);
    rings_.clear();
    for (unsigned queue = 0; queue < kQueues; ++queue) start_queue(queue);
    store(bar_ + 0x14, 15, 1);
  }
  void start_queue(unsigned queue) {
    rings_.push_back(std::make_unique<SplitDriverRing>(memory_, kRam + queue * DriverRing::kBytes, false));
    const DriverRing& ring = *rings_.back();
    store(bar_ + 0x16, queue, 2);
    store(bar_ + 0x1a, queue + 1, 2);
    const std::uint64_t areas[] = {ring.descriptors(), ring.driver_area(), ring.device_area()};
    for (unsigned i = 0; i < 3; ++i) store(bar_ + 0x20 + i * 8, areas[i], 4);
    store(bar_ + 0x1c, 1, 2);
  }
  void offer(unsigned queue) {
    rings_[queue]->offer({{kBuffers + queue * kBytes, kBytes, true}});
    store(bar_ + 0x3000 + queue * 4, queue, 2);
  }
  /// The driver starts, and a worker is in the middle of a request.
  void make_busy() {
    device_->is_held = true;
    start();
    for (unsigned i = 0; i < DriverRing::kSize; ++i) offer(i % kQueues);
    EXPECT_TRUE(eventually([this] { return device_->inside != 0; }));
    device_->is_held = false;
    device_->is_held.notify_all();
  }
  /// What the device could write to: rings and buffers.
  std::vector<std::uint8_t> guest_memory() {
    std::vector<std::uint8_t> bytes(kBuffers + kQueues * kBytes - kRam);
    EXPECT_TRUE(memory_.read(Paddr{kRam}, bytes.data(), bytes.size()));
    return bytes;
  }
  void fill_guest_memory() {
    const std::vector<std::uint8_t> bytes(kBuffers + kQueues * kBytes - kRam, 0xa5);
    EXPECT_TRUE(memory_.write(Paddr{kRam}, bytes.data(), bytes.size()));
  }
  /// Nothing that the function did before reaches memory or a hart any more.
  void expect_quiet() {
    fill_guest_memory();
    const auto before = guest_memory();
    const unsigned told = msis_.total();
    workers_.drain();
    EXPECT_EQ(guest_memory(), before);
    EXPECT_EQ(msis_.total(), told);
    EXPECT_EQ(wires_, 0u) << "a function that sends messages drives no wire";
  }

  const bool is_behind_port_;
  AddressSpace memory_;
  StormMsis msis_;
  WorkerPool workers_{3};
  std::atomic<unsigned> wires_{0};  ///< how often one went high
  std::unique_ptr<PciHost> host_;
  SlowDevice* device_ = nullptr;
  std::vector<std::unique_ptr<SplitDriverRing>> rings_;
  /// Where the guest believes the bars to be; changed with the lock that its drivers share.
  std::shared_mutex places_;
  std::uint64_t bar_ = kBarPlaces[0];
  std::uint64_t msix_ = kMsixPlaces[0];
};

/// On the root bus, and behind a port.
class PciStormTest : public PciStorm, public testing::WithParamInterface<bool> {
 protected:
  PciStormTest() : PciStorm(GetParam()) {}
};
class PciStormBehindPortTest : public PciStorm {
 protected:
  PciStormBehindPortTest() : PciStorm(true) {}
};

TEST_P(PciStormTest, NothingIsLostOrMixedWhileVectorsMoveAndBarsAreRemapped) {
  constexpr unsigned kRequests = 100;
  start();
  std::atomic<unsigned> busy{kQueues};
  std::vector<std::thread> threads;
  for (unsigned queue = 0; queue < kQueues; ++queue)
    threads.emplace_back([&, queue] {
      for (unsigned i = 1; i <= kRequests; ++i) {
        {
          const std::shared_lock lock(places_);
          offer(queue);
        }
        // One message for each request, whatever its vector goes through.
        if (!msis_.wait(queue + 1, i)) ADD_FAILURE() << "the interrupt of request " << i << " is lost";
        UsedBuffer used{};
        EXPECT_TRUE(rings_[queue]->take_used(used));
        EXPECT_EQ(used.length, kBytes);
      }
      --busy;
    });
  // Looks at the bar without asking where it is: it is here, or nobody is.
  threads.emplace_back([&] {
    for (unsigned i = 0; busy != 0; ++i) {
      const std::uint64_t seen = load(kBarPlaces[i % std::size(kBarPlaces)] + 0x12, 2);
      EXPECT_TRUE(seen == kQueues || seen == 0xffff) << seen;
    }
  });
  std::mt19937 random(1);
  const unsigned control = capability(pci::kCapMsix) + 2;
  while (busy != 0) {
    place_vector(random() % kVectors, random() % 4);
    set_config(control, 2, 0xc000);
    place_vector(random() % kVectors, random() % 4);
    set_config(control, 2, 0x8000);
    const std::unique_lock lock(places_);
    switch_memory(random() % 2 != 0);
    bar_ = kBarPlaces[random() % std::size(kBarPlaces)];
    msix_ = kMsixPlaces[random() % std::size(kMsixPlaces)];
    set_config(kBar, 4, static_cast<std::uint32_t>(bar_));
    set_config(kMsixBar, 4, static_cast<std::uint32_t>(msix_));
    switch_memory(true);
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(msis_.count(1), kRequests);
  EXPECT_EQ(msis_.count(2), kRequests);
  EXPECT_EQ(msis_.mixed(), 0u);
  EXPECT_EQ(wires_, 0u);
}

TEST_P(PciStormTest, AfterAFunctionLevelResetNothingIsWrittenOrSent) {
  for (unsigned round = 0; round < kRounds; ++round) {
    make_busy();
    set_config(capability(pci::kCapExpress) + 8, 2, 0x8000);
    expect_quiet();
    EXPECT_EQ(config(pci::kCommand, 2), 0u);
  }
}

TEST_F(PciStormBehindPortTest, AfterAResetOfTheBusNothingIsWrittenOrSent) {
  for (unsigned round = 0; round < kRounds; ++round) {
    make_busy();
    set_config_of(kRootFunction, pci::kBridgeControl, 2, pci::kBridgeSecondaryReset);
    expect_quiet();
    set_config_of(kRootFunction, pci::kBridgeControl, 2, 0);
    EXPECT_EQ(config(pci::kCommand, 2), 0u);
  }
}

TEST_P(PciStormTest, WithoutBusMasteringNothingIsWrittenOrSent) {
  for (unsigned round = 0; round < kRounds; ++round) {
    make_busy();
    switch_master(false);
    expect_quiet();
    // The driver starts again, as one does that finds a device in use.
    store(bar_ + 0x14, 0, 1);
  }
}

TEST_P(PciStormTest, InALowPowerStateNothingIsWrittenOrSent) {
  for (unsigned round = 0; round < kRounds; ++round) {
    make_busy();
    const unsigned control = capability(pci::kCapPower) + 4;
    set_config(control, 2, 3);
    expect_quiet();
    set_config(control, 2, 0);
    store(bar_ + 0x14, 0, 1);
  }
}

TEST_P(PciStormTest, WhatWaitsForTheBusIsServedOnceItIsThere) {
  start();
  switch_master(false);
  for (unsigned queue = 0; queue < kQueues; ++queue) offer(queue);
  workers_.drain();
  UsedBuffer used{};
  for (const auto& ring : rings_) EXPECT_FALSE(ring->take_used(used));
  switch_master(true);
  workers_.drain();
  EXPECT_EQ(msis_.count(1), 1u);
  EXPECT_EQ(msis_.count(2), 1u);
}

/// Somebody else than a worker tells of a change while the function is reset: what he has to tell is over
/// then.
TEST_P(PciStormTest, NoInterruptOutlivesAReset) {
  start();
  std::atomic<bool> is_over{false};
  std::thread other([&] {
    while (!is_over) device_->tell_of_change();
  });
  for (unsigned round = 0; round < 50 * kRounds; ++round) {
    start();
    set_config(capability(pci::kCapMsix) + 2, 2, 0);  // the pin
    set_config(capability(pci::kCapExpress) + 8, 2, 0x8000);
    EXPECT_EQ(config(pci::kStatus, 2) & pci::kStatusInterrupt, 0u) << round;
  }
  is_over = true;
  other.join();
}

/// Likewise, with messages on all the time.
TEST_P(PciStormTest, MessagesGoToNoPinWhenTheyAreReset) {
  start();
  std::atomic<bool> is_over{false};
  std::thread other([&] {
    while (!is_over) device_->tell_of_change();
  });
  for (unsigned round = 0; round < 50 * kRounds; ++round) {
    start();
    set_config(capability(pci::kCapExpress) + 8, 2, 0x8000);
  }
  is_over = true;
  other.join();
  EXPECT_EQ(wires_, 0u);
}

INSTANTIATE_TEST_SUITE_P(Places, PciStormTest, testing::Bool(), [](const auto& is_behind_port) {
  return is_behind_port.param ? "BehindPort" : "OnRootBus";
});

}  // namespace
}  // namespace gstage::hw
