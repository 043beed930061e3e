// SPDX-License-Identifier: Apache-2.0
#include <deque>
#include <mutex>

#include <gtest/gtest.h>

#include "hw/virtio/net.h"

#include "tests/unit/hw_virtio_driver.h"
#include "tests/unit/hw_virtio_transports.h"

namespace gstage::hw {
namespace {

using Bytes = std::vector<std::uint8_t>;
using Driver = VirtioDriver;

struct Sent {
  Bytes bytes;
  NetOffload offload;
};

/// A wire whose far end is the test.
class FakeWire final : public NetBackend, private NetLoop::Source, private NetQueue {
 public:
  FakeWire() : NetQueue(loop_), loop_("fake") { loop_.add(*this); }
  ~FakeWire() override { loop_.stop(); }

  NetQueue& queue(unsigned /*index*/) override { return *this; }
  [[nodiscard]] unsigned offloads() const override { return offloads_; }
  void use_offloads(unsigned offloads) override { used_offloads = offloads; }
  [[nodiscard]] std::string describe() const override { return "fake"; }

  /// Sends to the device; what it refuses waits until it is ready.
  void inject(Sent frame) {
    loop_.synchronize([&] { waiting_.push_back(std::move(frame)); });
    loop_.wake();
  }
  std::size_t waiting() {
    std::size_t size = 0;
    loop_.synchronize([&] { size = waiting_.size(); });
    return size;
  }
  std::vector<Sent> sent() {
    std::vector<Sent> copy;
    loop_.synchronize([&] { copy = sent_; });
    return copy;
  }
  void set_full(bool is_full) {
    loop_.synchronize([&] {
      is_full_ = is_full;
      must_tell_ = !is_full;
    });
    loop_.wake();
  }

  std::atomic<unsigned> used_offloads{~0u};
  unsigned offloads_ = kOffloadChecksum | kOffloadTso4 | kOffloadTso6;

 private:
  bool deliver(const NetFrame& frame) override {
    if (is_full_) return false;
    Sent copy{Bytes(frame.size), frame.offload};
    EXPECT_EQ(copy_frame(frame, 0, copy.bytes), frame.size);
    sent_.push_back(std::move(copy));
    return true;
  }
  void ready() override { pass(); }
  void dispatch(const PollSet&) override {
    pass();
    if (std::exchange(must_tell_, false) && device() != nullptr) device()->ready();
  }
  void pass() {
    while (!waiting_.empty()) {
      Sent& frame = waiting_.front();
      const iovec part{frame.bytes.data(), frame.bytes.size()};
      if (!send_to_device({{&part, 1}, frame.bytes.size(), frame.offload})) return;
      waiting_.pop_front();
    }
  }

  std::deque<Sent> waiting_;
  std::vector<Sent> sent_;
  bool is_full_ = false;
  bool must_tell_ = false;
  NetLoop loop_;
};

constexpr std::size_t kHeaderBytes = 12;
constexpr unsigned kReceive = 0;
constexpr unsigned kTransmit = 1;
constexpr unsigned kControl = 2;
constexpr MacAddress kMac{0x52, 0x54, 0, 0x12, 0x34, 0x56};

Bytes frame_to(const MacAddress& target, std::size_t size) {
  Bytes frame(size);
  for (std::size_t i = 0; i < size; ++i) frame[i] = static_cast<std::uint8_t>(i * 3 + i / 256);
  std::copy(target.begin(), target.end(), frame.begin());
  frame[12] = 8, frame[13] = 0;
  return frame;
}

class NetTest : public testing::Test {
 protected:
  NetTest() : wire_(std::make_shared<FakeWire>()), driver_(make_device()) {}

  std::unique_ptr<VirtioDevice> make_device() {
    VirtioNetOptions options;
    options.mac = kMac;
    return std::make_unique<VirtioNet>(wire_, options);
  }
  void start(std::uint64_t features) { driver_.start(Driver::kVersion1 | features, 3); }

  /// Offers `count` receive buffers of `size` bytes each.
  void offer_room(unsigned count, std::uint32_t size) {
    for (unsigned i = 0; i < count; ++i, ++offered_) {
      const auto slot = static_cast<std::uint16_t>(offered_ % Driver::kSize);
      driver_.put(kReceive, slot, {Driver::kData + slot * 0x2000, size, Driver::kWrite, 0});
      driver_.offer(kReceive, slot);
    }
    driver_.kick(kReceive);
  }
  void wait_received(unsigned count) {
    EXPECT_TRUE(eventually([&] { return driver_.used_index(kReceive) == static_cast<std::uint16_t>(count); }))
        << driver_.used_index(kReceive);
  }
  Bytes received(unsigned number) {
    const auto used = driver_.used(kReceive, number);
    const std::string text = driver_.text(Driver::kData + used.id * 0x2000, used.length);
    return {text.begin(), text.end()};
  }
  void transmit(const Bytes& header_and_frame) {
    const std::uint64_t at = Driver::kData + 0x10000;
    ASSERT_TRUE(driver_.memory.write(Paddr{at}, header_and_frame.data(), header_and_frame.size()));
    const auto size = static_cast<std::uint32_t>(header_and_frame.size());
    const std::uint32_t head = std::min<std::uint32_t>(size, 10);
    if (size > head) {
      driver_.put(kTransmit, 0, {at, head, Driver::kNext, 1});
      driver_.put(kTransmit, 1, {at + head, size - head, 0, 0});
    } else {
      driver_.put(kTransmit, 0, {at, head, 0, 0});
    }
    driver_.offer_and_kick(kTransmit, 0);
  }
  void wait_transmitted(unsigned count) {
    EXPECT_TRUE(
        eventually([&] { return driver_.used_index(kTransmit) == static_cast<std::uint16_t>(count); }));
  }
  /// Sends a command; returns the answer's byte.
  int command(const Bytes& bytes) {
    const std::uint64_t at = Driver::kData + 0x30000;
    const std::uint16_t before = driver_.used_index(kControl);
    EXPECT_TRUE(driver_.memory.write(Paddr{at}, bytes.data(), bytes.size()));
    driver_.poke(at + 0x8000, std::uint8_t{0xee});
    driver_.put(kControl, 0, {at, static_cast<std::uint32_t>(bytes.size()), Driver::kNext, 1});
    driver_.put(kControl, 1, {at + 0x8000, 1, Driver::kWrite, 0});
    driver_.offer_and_kick(kControl, 0);
    EXPECT_TRUE(eventually([&] { return driver_.used_index(kControl) != before; }));
    return driver_.peek<std::uint8_t>(at + 0x8000);
  }

  std::shared_ptr<FakeWire> wire_;
  VirtioDriver driver_;
  unsigned offered_ = 0;
};

TEST_F(NetTest, ConfigurationShowsAddressAndLink) {
  start(kNetMac | kNetStatus);
  for (unsigned i = 0; i < 6; ++i) EXPECT_EQ(get(*driver_.slot, Driver::kConfig + i, 1), kMac[i]);
  EXPECT_EQ(get(*driver_.slot, Driver::kConfig + 6, 2), 1u);
  EXPECT_FALSE(driver_.irq);
  wire_->set_link(false);
  EXPECT_TRUE(driver_.irq);
  EXPECT_EQ(get(*driver_.slot, Driver::kConfig + 6, 2), 0u);
}

TEST_F(NetTest, OffersTheOffloadsOfTheWire) {
  EXPECT_NE(driver_.features() & kNetHostTso4, 0u);
  EXPECT_EQ(driver_.features() & (kNetHostUfo | kNetGuestUfo), 0u);
  EXPECT_EQ(driver_.features() & kNetMq, 0u);
  wire_->offloads_ = 0;
  EXPECT_EQ(driver_.features() & (kNetCsum | kNetGuestCsum | kNetHostTso4 | kNetGuestTso4), 0u);
}

TEST_F(NetTest, TellsTheWireWhatTheDriverTakes) {
  start(kNetGuestCsum | kNetGuestTso4 | kNetCtrlVq | kNetCtrlGuestOffloads);
  EXPECT_EQ(wire_->used_offloads, kOffloadChecksum | kOffloadTso4);
  EXPECT_EQ(command({5, 0, 2, 0, 0, 0, 0, 0, 0, 0}), 0);
  EXPECT_EQ(wire_->used_offloads, kOffloadChecksum + 0u);
  EXPECT_EQ(command({5, 0, 2, 1, 0, 0, 0, 0, 0, 0}), 1) << "TSO6 was not negotiated";
  set(*driver_.slot, Driver::kStatus, 0);
  EXPECT_EQ(wire_->used_offloads, 0u);
}

TEST_F(NetTest, AFrameFillsOneBufferBehindItsHeader) {
  start(kNetMrgRxbuf);
  offer_room(2, 2000);
  const Bytes frame = frame_to(kMac, 100);
  wire_->inject({frame, {}});
  wait_received(1);
  const Bytes got = received(0);
  ASSERT_EQ(got.size(), kHeaderBytes + frame.size());
  EXPECT_EQ(Bytes(got.begin() + kHeaderBytes, got.end()), frame);
  EXPECT_EQ(got[10] + got[11] * 256, 1) << "buffers";
  EXPECT_TRUE(eventually([&] { return driver_.irq.load(); }));
}

TEST_F(NetTest, ALargeFrameIsSpreadOverMergeableBuffers) {
  start(kNetMrgRxbuf | kNetGuestCsum | kNetGuestTso4);
  offer_room(4, 0x400);
  const Bytes frame = frame_to(kMac, 3000);
  NetOffload offload;
  offload.flags = NetOffload::kNeedsChecksum;
  offload.gso = NetOffload::kTcp4;
  offload.segment_bytes = 1448;
  wire_->inject({frame, offload});
  wait_received(3);
  Bytes all;
  for (unsigned i = 0; i < 3; ++i) {
    const Bytes part = received(i);
    all.insert(all.end(), part.begin(), part.end());
  }
  EXPECT_EQ(all[0], NetOffload::kNeedsChecksum);
  EXPECT_EQ(all[1], NetOffload::kTcp4);
  EXPECT_EQ(all[10], 3);
  EXPECT_EQ(Bytes(all.begin() + kHeaderBytes, all.end()), frame);
}

TEST_F(NetTest, WithoutGuestChecksumsTheHeaderIsEmpty) {
  start(kNetMrgRxbuf);
  offer_room(1, 2000);
  NetOffload offload;
  offload.flags = NetOffload::kDataValid;
  wire_->inject({frame_to(kMac, 60), offload});
  wait_received(1);
  EXPECT_EQ(received(0)[0], 0);
}

TEST_F(NetTest, AFrameThatFindsNoBuffersWaits) {
  start(kNetMrgRxbuf);
  offer_room(1, 0x400);
  const Bytes frame = frame_to(kMac, 1500);
  wire_->inject({frame, {}});
  wire_->inject({frame_to(kMac, 60), {}});
  EXPECT_TRUE(eventually([&] { return wire_->waiting() == 2; }));
  EXPECT_EQ(driver_.used_index(kReceive), 0);
  offer_room(2, 0x400);
  wait_received(3);
  EXPECT_EQ(wire_->waiting(), 0u);
  EXPECT_EQ(received(2).size(), kHeaderBytes + 60);
}

TEST_F(NetTest, AFrameThatFitsNoSingleBufferIsLostAndTheBufferIsKept) {
  start(0);
  offer_room(1, 200);
  wire_->inject({frame_to(kMac, 500), {}});
  wire_->inject({frame_to(kMac, 60), {}});
  wait_received(1);
  EXPECT_EQ(received(0).size(), kHeaderBytes + 60);
}

TEST_F(NetTest, AFrameLargerThanAllBuffersTogetherIsLost) {
  start(kNetMrgRxbuf);
  offer_room(Driver::kSize, 0x40);
  wire_->inject({frame_to(kMac, 1000), {}});
  wire_->inject({frame_to(kMac, 50), {}});
  wait_received(1);
  EXPECT_EQ(received(0).size(), kHeaderBytes + 50);
}

TEST_F(NetTest, FramesAreLostUntilTheDriverIsUp) {
  wire_->inject({frame_to(kMac, 60), {}});
  EXPECT_TRUE(eventually([&] { return wire_->waiting() == 0; }));
  start(kNetMrgRxbuf);
  offer_room(1, 200);
  wire_->set_link(false);
  wire_->inject({frame_to(kMac, 60), {}});
  EXPECT_TRUE(eventually([&] { return wire_->waiting() == 0; }));
  EXPECT_EQ(driver_.used_index(kReceive), 0);
}

TEST_F(NetTest, ResetLetsGoOfWaitingFrames) {
  start(kNetMrgRxbuf);
  wire_->inject({frame_to(kMac, 60), {}});
  EXPECT_TRUE(eventually([&] { return wire_->waiting() == 1; }));
  set(*driver_.slot, Driver::kStatus, 0);
  EXPECT_TRUE(eventually([&] { return wire_->waiting() == 0; }));
}

TEST_F(NetTest, SendsWithTheHeaderTakenOff) {
  start(kNetCsum);
  const Bytes frame = frame_to(kMac, 80);
  Bytes bytes(kHeaderBytes);
  bytes[0] = NetOffload::kNeedsChecksum | 0x80;  // and a flag that nobody knows
  bytes[6] = 34;
  bytes[8] = 16;
  bytes.insert(bytes.end(), frame.begin(), frame.end());
  transmit(bytes);
  wait_transmitted(1);
  const auto sent = wire_->sent();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].bytes, frame);
  EXPECT_EQ(sent[0].offload.flags, NetOffload::kNeedsChecksum);
  EXPECT_EQ(sent[0].offload.checksum_start, 34);
  EXPECT_EQ(driver_.used(kTransmit, 0).length, 0u);
}

TEST_F(NetTest, WhatIsNoFrameIsNotSent) {
  start(0);
  transmit(Bytes(kHeaderBytes + 13));
  wait_transmitted(1);
  transmit(Bytes(5));
  wait_transmitted(2);
  EXPECT_EQ(wire_->sent().size(), 0u);
  EXPECT_EQ(driver_.status() & Driver::kNeedsReset, 0u);
}

TEST_F(NetTest, AFullWireHoldsBuffersBack) {
  start(0);
  wire_->set_full(true);
  transmit(Bytes(kHeaderBytes + 60));
  EXPECT_EQ(driver_.used_index(kTransmit), 0);
  wire_->set_full(false);
  wait_transmitted(1);
  EXPECT_EQ(wire_->sent().size(), 1u);
}

TEST_F(NetTest, ResetForgetsWhatAFullWireHeldBack) {
  start(0);
  wire_->set_full(true);
  transmit(Bytes(kHeaderBytes + 60));
  start(0);
  wire_->set_full(false);
  transmit(Bytes(kHeaderBytes + 70));
  wait_transmitted(1);
  EXPECT_TRUE(eventually([&] { return !wire_->sent().empty(); }));
  EXPECT_EQ(wire_->sent().back().bytes.size(), 70u);
}

TEST_F(NetTest, ABufferOfTheWrongDirectionBreaksTheDevice) {
  start(0);
  driver_.put(kTransmit, 0, {Driver::kData, 100, Driver::kWrite, 0});
  driver_.offer_and_kick(kTransmit, 0);
  EXPECT_TRUE(eventually([&] { return (driver_.status() & Driver::kNeedsReset) != 0; }));
}

TEST_F(NetTest, FiltersByAddressOnceTheDriverLeavesPromiscuousMode) {
  start(kNetMrgRxbuf | kNetCtrlVq | kNetCtrlRx | kNetCtrlRxExtra | kNetCtrlMacAddr);
  const MacAddress other{2, 0, 0, 0, 0, 1};
  const MacAddress group{1, 0, 0x5e, 0, 0, 1};
  const MacAddress all{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  offer_room(Driver::kSize, 200);
  EXPECT_EQ(command({0, 0, 0}), 0);
  wire_->inject({frame_to(other, 61), {}});
  wire_->inject({frame_to(group, 62), {}});
  wire_->inject({frame_to(all, 63), {}});
  wire_->inject({frame_to(kMac, 64), {}});
  wait_received(2);
  EXPECT_EQ(received(0).size(), kHeaderBytes + 63);
  EXPECT_EQ(received(1).size(), kHeaderBytes + 64);
  Bytes table{1, 0, 1, 0, 0, 0};
  table.insert(table.end(), other.begin(), other.end());
  table.insert(table.end(), {1, 0, 0, 0});
  table.insert(table.end(), group.begin(), group.end());
  EXPECT_EQ(command(table), 0);
  EXPECT_EQ(command({0, 5, 1}), 0);
  wire_->inject({frame_to(all, 65), {}});
  wire_->inject({frame_to(other, 66), {}});
  wire_->inject({frame_to(group, 67), {}});
  wait_received(4);
  EXPECT_EQ(received(3).size(), kHeaderBytes + 67);
  EXPECT_EQ(command({1, 1, 2, 2, 2, 2, 2, 2}), 0);
  EXPECT_EQ(get(*driver_.slot, Driver::kConfig, 1), 2u);
}

TEST_F(NetTest, CommandsOfTheWrongLengthOrWithoutTheirFeatureAreRefused) {
  start(kNetMrgRxbuf | kNetCtrlVq | kNetCtrlRx | kNetCtrlVlan);
  for (const Bytes& bad :
       {Bytes{0}, Bytes{0, 0}, Bytes{0, 0, 1, 1}, Bytes{0, 6, 1}, Bytes{0, 2, 1}, Bytes{9, 0, 0}, Bytes{1, 0},
        Bytes{1, 0, 1, 0, 0, 0}, Bytes{1, 0, 0, 0, 0, 0}, Bytes{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7},
        Bytes{1, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, Bytes{1, 1, 2, 2, 2, 2, 2, 2}, Bytes{2, 0, 1},
        Bytes{2, 0, 0, 0x10}, Bytes{3, 0}, Bytes{4, 0, 1, 0}, Bytes{5, 0, 0, 0, 0, 0, 0, 0, 0, 0}})
    EXPECT_EQ(command(bad), 1) << int{bad[0]} << " " << bad.size();
  EXPECT_EQ(command({2, 0, 5, 0}), 0);
  EXPECT_EQ(driver_.status() & Driver::kNeedsReset, 0u);
}

TEST_F(NetTest, TheDriverIsAskedToAnnounceItselfWhenTheLinkComesUp) {
  start(kNetStatus | kNetCtrlVq | kNetGuestAnnounce);
  EXPECT_EQ(command({3, 0}), 1) << "nobody asked";
  wire_->set_link(false);
  wire_->set_link(true);
  EXPECT_EQ(get(*driver_.slot, Driver::kConfig + 6, 2), 3u);
  EXPECT_EQ(command({3, 0}), 0);
  EXPECT_EQ(get(*driver_.slot, Driver::kConfig + 6, 2), 1u);
}

TEST(NetMultiqueue, AllQueuesAreThereAfterAResetWhateverWasNegotiated) {
  class TwoQueues final : public NetBackend {
   public:
    [[nodiscard]] unsigned queues() const override { return 2; }
    NetQueue& queue(unsigned index) override { return wires_[index].queue(0); }
    [[nodiscard]] std::string describe() const override { return "two"; }

   private:
    FakeWire wires_[2];
  };
  VirtioNetOptions options;
  options.has_multiqueue = true;
  VirtioDriver driver(std::make_unique<VirtioNet>(std::make_shared<TwoQueues>(), options));
  EXPECT_NE(driver.features() & kNetMq, 0u);
  for (const std::uint64_t features : {std::uint64_t{0}, kNetCtrlVq | kNetMq}) {
    driver.start(Driver::kVersion1 | features, features == 0 ? 2 : 5);
    EXPECT_EQ(driver.status() & Driver::kNeedsReset, 0u);
    set(*driver.slot, Driver::kStatus, 0);
    for (unsigned index = 0; index < 6; ++index) {
      set(*driver.slot, Driver::kQueueSel, index);
      EXPECT_EQ(get(*driver.slot, Driver::kQueueSizeMax) != 0, index < 5) << index;
    }
  }
}

TEST(NetFilterTest, VlansAreFilteredByTheirTableAndUntaggedFramesPass) {
  NetFilter filter;
  filter.mac = kMac;
  filter.is_promiscuous = false;
  filter.filters_vlans = true;
  Bytes tagged = frame_to(kMac, 64);
  tagged[12] = 0x81, tagged[13] = 0, tagged[14] = 0x20, tagged[15] = 5;
  EXPECT_FALSE(filter.passes(tagged));
  filter.vlans[5] = true;
  EXPECT_TRUE(filter.passes(tagged));
  EXPECT_FALSE(filter.passes(std::span(tagged).first(15))) << "a tag that is cut off";
  EXPECT_TRUE(filter.passes(frame_to(kMac, 64)));
  filter.vlans[5] = false;
  filter.is_promiscuous = true;
  EXPECT_TRUE(filter.passes(tagged));
}

TEST(NetProperties, AddressesCountUpPastThoseThatAreUsed) {
  MacAddresses macs;
  macs.use({0x52, 0x54, 0, 0x12, 0x34, 0x57});
  EXPECT_EQ(macs.next(), kMac);
  EXPECT_EQ(macs.next()[5], 0x58);
}

TEST(NetProperties, AddressesAreWrittenWithColonsOrDashes) {
  for (const char* const good : {"52:54:00:12:34:56", "52-54-00-12-34-56"}) {
    MacAddress mac{};
    EXPECT_TRUE(parse_mac(good, mac));
    EXPECT_EQ(mac, kMac);
  }
  for (const char* const bad : {"", "52:54:00:12:34", "52:54:00:12:34:5g", "52:54:00:12:34:567",
                                "525400123456", "52:54:00:12:34:-1"}) {
    MacAddress mac{};
    EXPECT_FALSE(parse_mac(bad, mac)) << bad;
  }
}

/// A function has buffers in its ring and is no bus master: nobody may look for them for ever, nor take the
/// frame as a reason to write.
TEST(NetOnPci, FramesThatComeWithoutBusMasteringAreLost) {
  constexpr std::uint64_t kRam = 0x8000'0000, kBuffer = kRam + 0x8000;
  constexpr MacAddress kBroadcast{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  AddressSpace memory;
  ASSERT_TRUE(memory.add_ram("ram", Paddr{kRam}, 1 << 20).ok());
  memory.seal();
  WorkerPool workers{0};
  const auto wire = std::make_shared<FakeWire>();
  PciDriver driver({memory, workers, std::make_unique<VirtioNet>(wire, VirtioNetOptions{})}, true);
  driver.set_status(3);
  driver.set_driver_features(kVersion1);
  driver.set_status(11);
  SplitDriverRing ring(memory, kRam, false);
  driver.enable_queue(kReceive, ring);
  driver.set_status(15);
  ring.offer({{kBuffer, 2000, true}});
  driver.function().enable_master(false);
  wire->inject({frame_to(kBroadcast, 100), {}});
  EXPECT_TRUE(eventually([&] { return wire->waiting() == 0; }));
  driver.function().enable_master(true);
  UsedBuffer used{};
  EXPECT_FALSE(ring.take_used(used));
  wire->inject({frame_to(kBroadcast, 200), {}});
  EXPECT_TRUE(eventually([&] { return ring.take_used(used); }));
  EXPECT_EQ(used.length, kHeaderBytes + 200);
}

}  // namespace
}  // namespace gstage::hw
