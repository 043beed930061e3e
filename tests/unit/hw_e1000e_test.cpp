// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <chrono>
#include <numeric>
#include <thread>

#include "hw/net/e1000e.h"

#include "tests/unit/pci_fixture.h"

namespace gstage::hw {
namespace {

using namespace e1000e;
using Bytes = std::vector<std::uint8_t>;

/// For what another thread does; a test that waits in vain fails.
template <class Condition>
bool eventually(Condition&& condition) {
  for (unsigned i = 0; i < 20000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

/// A wire whose far end keeps what the card sends.
class CardWire final : public NetBackend, private NetQueue, private NetLoop::Source {
 public:
  CardWire() : NetQueue(loop_), loop_("card") { loop_.add(*this); }
  ~CardWire() override { loop_.stop(); }
  NetQueue& queue(unsigned) override { return *this; }
  [[nodiscard]] std::string describe() const override { return "card"; }

  /// Whether the card took the frame.
  bool inject(Bytes frame) {
    bool is_taken = false;
    loop_.synchronize([&] {
      const iovec part{frame.data(), frame.size()};
      is_taken = send_to_device({{&part, 1}, frame.size(), {}});
    });
    loop_.wake();
    return is_taken;
  }
  std::vector<Bytes> sent() {
    std::vector<Bytes> copy;
    loop_.synchronize([&] { copy = sent_; });
    return copy;
  }
  /// The loop has looked at everything that was to be done.
  bool has_gone_round() {
    const unsigned before = rounds_;
    return eventually([&] { return loop_.wake(), rounds_ > before + 1; });
  }
  bool was_told_ready() {
    bool copy = false;
    loop_.synchronize([&] { copy = is_ready_; });
    return copy;
  }

 private:
  bool deliver(const NetFrame& frame) override {
    sent_.emplace_back(frame.size);
    copy_frame(frame, 0, sent_.back());
    return true;
  }
  void ready() override { is_ready_ = true; }
  void dispatch(const PollSet&) override { ++rounds_; }

  NetLoop loop_;
  std::atomic<unsigned> rounds_{0};
  std::vector<Bytes> sent_;
  bool is_ready_ = false;
};

class E1000eTest : public PciTest {
 protected:
  static constexpr unsigned kSlot = 1 << 3;
  static constexpr std::uint64_t kTable = kMemory32 + 0x10'0000;
  static constexpr std::uint64_t kTxRing = kRam, kRxRing = kRam + 0x1000, kBuffers = kRam + 0x10000;
  static constexpr unsigned kDescriptors = 8;
  static constexpr MacAddress kMac{0x52, 0x54, 0, 0x12, 0x34, 0x56};

  E1000eTest() {
    card_ = &plug(host_->root(), kSlot, std::make_unique<E1000e>(wire_, kMac));
    set(0, kSlot, pci::kBar0, kMemory32);
    set(0, kSlot, pci::kBar0 + 12, kTable);
    set(0, kSlot, pci::kCommand, kCommandAll, 2);
    write(kCtrl, kCtrlLinkUp);
  }
  std::uint32_t read(std::uint32_t at) { return static_cast<std::uint32_t>(load(kMemory32 + at)); }
  void write(std::uint32_t at, std::uint64_t value) { store(kMemory32 + at, value); }
  void poke(std::uint64_t at, std::uint64_t value) { EXPECT_TRUE(memory_.store(Paddr{at}, 8, value)); }
  std::uint64_t peek(std::uint64_t at) {
    std::uint64_t value = 0;
    EXPECT_TRUE(memory_.load(Paddr{at}, 8, value));
    return value;
  }
  void start_rings() {
    const auto ring = [this](std::uint32_t base, std::uint64_t at) {
      write(base, at);
      write(base + 8, kDescriptors * 16);
    };
    ring(kTdbal, kTxRing);
    ring(kRdbal, kRxRing);
    for (unsigned i = 0; i < kDescriptors; ++i) poke(kRxRing + 16 * i, kBuffers + 0x1000 * i);
    write(kRfctl, kExtendedStatus);
    write(kRctl, kRctlEnable | kRctlBroadcast | kRctlStripCrc);
    write(kTctl, kTctlEnable);
  }
  /// Vector 0 for receiving, 1 for sending, 2 for the rest, as Linux has it; messages 100 to 102.
  void start_messages() {
    read(kIcr);  // the link came up
    const unsigned msix = card_->config().find_capability(pci::kCapMsix);
    for (unsigned vector = 0; vector < 3; ++vector) {
      store(kTable + 16 * vector + 8, 100 + vector);
      store(kTable + 16 * vector + 12, 0);
    }
    set(0, kSlot, msix + 2, 1 << 15, 2);
    write(kIvar, 0x8 | 0x9 << 8 | 0xa << 16);
    write(kCtrlExt, kAutoMask);
    write(kIam, ~0u);
    write(kEiac, kRxQueue0 | kTxQueue0);
    write(kIms, kRxQueue0 | kTxQueue0 | kOther | kLinkChange);
  }
  static Bytes frame_to(const MacAddress& mac, std::size_t size = 100) {
    Bytes frame(size);
    std::iota(frame.begin(), frame.end(), std::uint8_t{0});
    std::copy(mac.begin(), mac.end(), frame.begin());
    return frame;
  }
  std::vector<std::uint32_t> messages() {
    std::vector<std::uint32_t> data;
    for (const auto& message : msis_.take()) data.push_back(message.second);
    return data;
  }

  std::shared_ptr<CardWire> wire_ = std::make_shared<CardWire>();
  E1000e* card_ = nullptr;
};

TEST_F(E1000eTest, EepromHasTheAddressAndAddsUp) {
  std::uint16_t sum = 0;
  for (unsigned word = 0; word < 64; ++word) {
    write(kEerd, word << 2 | 1);
    const std::uint32_t value = read(kEerd);
    EXPECT_EQ(value & 2, 2u) << "done";
    sum = static_cast<std::uint16_t>(sum + (value >> 16));
    if (word == 0) {
      EXPECT_EQ(value >> 16, 0x5452u);
    }
  }
  EXPECT_EQ(sum, 0xbaba);
  EXPECT_EQ(read(kRal), 0x1200'5452u);
  EXPECT_EQ(read(kRal + 4), kAddressValid | 0x5634u);
}

TEST_F(E1000eTest, PhyIsKnownToDrivers) {
  const auto phy = [this](unsigned index) {
    write(kMdic, 2u << 26 | 1u << 21 | index << 16);
    return read(kMdic);
  };
  EXPECT_EQ(phy(2) & 0xffff, 0x0141u);
  EXPECT_EQ(phy(3) & 0xffff, 0x0cb1u);
  EXPECT_NE(phy(1) & 4, 0u) << "the link is up";
  EXPECT_NE(read(kStatus) & kStatusLinkUp, 0u);
  wire_->set_link(false);
  EXPECT_EQ(phy(1) & 4, 0u);
  EXPECT_EQ(read(kStatus) & kStatusLinkUp, 0u);
  EXPECT_NE(read(kIcr) & kLinkChange, 0u);
  write(kMdic, 2u << 26 | 2u << 21);
  EXPECT_NE(read(kMdic) >> 30 & 1, 0u) << "there is one PHY";
}

TEST_F(E1000eTest, ALegacyDescriptorSendsAFrame) {
  start_rings();
  start_messages();
  const Bytes frame = frame_to({1, 2, 3, 4, 5, 6});
  EXPECT_TRUE(memory_.write(Paddr{kBuffers}, frame.data(), frame.size()));
  poke(kTxRing, kBuffers);
  poke(kTxRing + 8, 60 | 0x00ull << 24);  // the first part, without end of packet
  poke(kTxRing + 16, kBuffers + 60);
  poke(kTxRing + 24, 40 | 0x9ull << 24);  // end of packet, report
  write(kTdt, 2);
  ASSERT_TRUE(eventually([&] { return !wire_->sent().empty(); }));
  EXPECT_EQ(wire_->sent(), std::vector<Bytes>{frame});
  EXPECT_EQ(read(kTdh), 2u);
  EXPECT_EQ(peek(kTxRing + 24) >> 32 & 1, 1u) << "done";
  EXPECT_EQ(messages(), (std::vector<std::uint32_t>{101}));
}

TEST_F(E1000eTest, AMessageMasksItsCauseUntilItIsEnabledAgain) {
  start_messages();
  write(kIcs, kTxQueue0);
  write(kIcs, kTxQueue0);
  EXPECT_EQ(messages(), (std::vector<std::uint32_t>{101}));
  write(kIms, kTxQueue0);
  EXPECT_EQ(messages(), (std::vector<std::uint32_t>{101})) << "the second one was pending";
  write(kIcs, kLinkChange);
  EXPECT_EQ(messages(), (std::vector<std::uint32_t>{102}));
}

TEST_F(E1000eTest, ThePinIsHighUntilTheCausesAreRead) {
  write(kIms, kLinkChange);
  write(kIcs, kLinkChange);
  EXPECT_TRUE(wires_[1]);
  EXPECT_EQ(read(kIcr), kAsserted | kOther | kLinkChange);
  EXPECT_FALSE(wires_[1]);
}

TEST_F(E1000eTest, ThePinRestsWhileMessagesAreOn) {
  const unsigned control = card_->config().find_capability(pci::kCapMsix) + 2;
  write(kIms, kLinkChange);
  write(kIcs, kLinkChange);
  EXPECT_TRUE(wires_[1]);
  set(0, kSlot, control, 1 << 15, 2);
  EXPECT_FALSE(wires_[1]);
  set(0, kSlot, control, 0, 2);
  EXPECT_TRUE(wires_[1]);
  const unsigned msi = card_->config().find_capability(pci::kCapMsi);
  set(0, kSlot, msi + 0xc, 7, 2);
  set(0, kSlot, msi + 2, 1, 2);
  EXPECT_FALSE(wires_[1]);
  EXPECT_EQ(messages(), (std::vector<std::uint32_t>{7})) << "its cause still waits";
  write(kIcs, kLinkChange);
  EXPECT_EQ(messages(), (std::vector<std::uint32_t>{})) << "it was told";
}

TEST_F(E1000eTest, WhatWaitsForTheBusIsSentOnceItIsThere) {
  start_rings();
  set(0, kSlot, pci::kCommand, kCommandAll & ~pci::kCommandMaster, 2);
  const Bytes frame = frame_to({1, 2, 3, 4, 5, 6});
  EXPECT_TRUE(memory_.write(Paddr{kBuffers}, frame.data(), frame.size()));
  poke(kTxRing, kBuffers);
  poke(kTxRing + 8, 100 | 0x9ull << 24);
  write(kTdt, 1);
  EXPECT_TRUE(wire_->has_gone_round());
  EXPECT_EQ(read(kTdh), 0u);
  set(0, kSlot, pci::kCommand, kCommandAll, 2);
  ASSERT_TRUE(eventually([&] { return !wire_->sent().empty(); }));
  EXPECT_EQ(wire_->sent(), std::vector<Bytes>{frame});
}

TEST_F(E1000eTest, FramesToTheCardAreReceived) {
  start_rings();
  start_messages();
  write(kRdt, kDescriptors - 1);
  EXPECT_TRUE(wire_->inject(frame_to({2, 0, 0, 0, 0, 1}))) << "of no interest";
  const Bytes frame = frame_to(kMac, 1000);
  EXPECT_TRUE(wire_->inject(frame));
  EXPECT_TRUE(wire_->inject(frame_to({0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 20)));
  std::vector<std::uint32_t> told;
  ASSERT_TRUE(eventually([&] { return !(told = messages()).empty(); }));
  EXPECT_EQ(told, (std::vector<std::uint32_t>{100}));
  EXPECT_EQ(read(kRdh), 2u);
  EXPECT_EQ(peek(kRxRing + 8), 7u | 1000ull << 32) << "done, end of packet, no checksums";
  EXPECT_EQ(peek(kRxRing + 24), 7u | 60ull << 32) << "filled up to the shortest";
  Bytes received(frame.size());
  EXPECT_TRUE(memory_.read(Paddr{kBuffers}, received.data(), received.size()));
  EXPECT_EQ(received, frame);
}

TEST_F(E1000eTest, AFullRingHoldsFramesBack) {
  start_rings();
  write(kRdt, 1);
  EXPECT_TRUE(wire_->inject(frame_to(kMac)));
  EXPECT_FALSE(wire_->inject(frame_to(kMac)));
  EXPECT_FALSE(wire_->was_told_ready());
  write(kRdt, 4);
  EXPECT_TRUE(eventually([&] { return wire_->was_told_ready(); }));
  EXPECT_TRUE(wire_->inject(frame_to(kMac)));
}

TEST_F(E1000eTest, RingsThatMakeNoSenseAreEmpty) {
  start_rings();
  write(kRdt, 0xffff'ffff);
  EXPECT_FALSE(wire_->inject(frame_to(kMac)) && read(kRdh) != 0);
  write(kRdlen, 0);
  EXPECT_TRUE(wire_->inject(frame_to(kMac))) << "lost";
  write(kTdbal + 4, 0xffff'ffff);
  write(kTdlen, 0xffff'ffff);
  write(kTdt, 0xfff0);
  write(kTdt, 0);
  EXPECT_TRUE(wire_->sent().empty());
}

/// A TCP packet over IPv4 with so much payload, as a driver leaves it to the card.
E1000ePacket tcp_packet(std::size_t payload) {
  E1000ePacket packet;
  packet.bytes.resize(54 + payload);
  Bytes& b = packet.bytes;
  b[12] = 8;
  b[14] = 0x45;
  b[18] = 0x12;  // identification
  b[23] = 6;
  for (unsigned i = 0; i < 8; ++i) b[26 + i] = static_cast<std::uint8_t>(10 + i);
  b[46] = 0x50;
  b[47] = 0x19;  // FIN, PSH, ACK
  b[41] = 0xff;  // the sequence number's last byte
  for (std::size_t i = 54; i < b.size(); ++i) b[i] = static_cast<std::uint8_t>(i * 7);
  // The pseudo-header's sum without the length.
  std::uint32_t sum = 6;
  for (unsigned i = 26; i < 34; i += 2) sum += b[i] << 8 | b[i + 1];
  sum = (sum & 0xffff) + (sum >> 16);
  b[50] = static_cast<std::uint8_t>(sum >> 8);
  b[51] = static_cast<std::uint8_t>(sum);
  packet.has_ip_checksum = packet.has_tcp_checksum = packet.is_cut = true;
  return packet;
}

TEST(E1000eFramesTest, ALargePacketIsCutIntoSegments) {
  E1000eContext context;
  context.ip_start = 14;
  context.ip_offset = 24;
  context.ip_end = 33;
  context.tcp_start = 34;
  context.tcp_offset = 50;
  context.command = 3u << 24;
  context.header_bytes = 54;
  context.segment_bytes = 1000;
  std::vector<Bytes> frames;
  const E1000ePacket packet = tcp_packet(2500);
  make_frames(packet, context, [&](Bytes frame) { frames.push_back(std::move(frame)); });
  ASSERT_EQ(frames.size(), 3u);
  Bytes payload;
  for (unsigned i = 0; i < 3; ++i) {
    const Bytes& frame = frames[i];
    const std::size_t size = i == 2 ? 500 : 1000;
    ASSERT_EQ(frame.size(), 54 + size);
    const E1000eChecks checks = check_frame(frame);
    EXPECT_TRUE(checks.has_ip && checks.has_tcp && !checks.is_ip_wrong && !checks.is_tcp_wrong) << i;
    EXPECT_EQ(frame[18] << 8 | frame[19], 0x1200 + i) << "identification";
    EXPECT_EQ((frame[40] << 8 | frame[41]) - 0xff, i * 1000) << "sequence number";
    EXPECT_EQ(frame[47], i == 2 ? 0x19 : 0x10) << "FIN and PSH are the last one's";
    payload.insert(payload.end(), frame.begin() + 54, frame.end());
  }
  EXPECT_EQ(payload, Bytes(packet.bytes.begin() + 54, packet.bytes.end()));
}

TEST(E1000eFramesTest, HeadersBeyondThePacketLeaveItAlone) {
  E1000eContext context;
  context.ip_start = 200;
  context.tcp_start = 250;
  context.tcp_offset = 255;
  context.header_bytes = 255;
  context.segment_bytes = 1;
  E1000ePacket packet = tcp_packet(20);
  unsigned count = 0;
  make_frames(packet, context, [&](const Bytes& frame) {
    ++count;
    EXPECT_EQ(frame, packet.bytes);
  });
  EXPECT_EQ(count, 1u);
}

TEST(E1000eFramesTest, ATagIsInserted) {
  E1000ePacket packet;
  packet.bytes = Bytes(60, 7);
  packet.vlan = 0x123;
  make_frames(packet, {}, [&](const Bytes& frame) {
    ASSERT_EQ(frame.size(), 64u);
    EXPECT_EQ(Bytes(frame.begin() + 12, frame.begin() + 16), (Bytes{0x81, 0, 1, 0x23}));
  });
}

}  // namespace
}  // namespace gstage::hw
