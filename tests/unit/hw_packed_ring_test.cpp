// SPDX-License-Identifier: Apache-2.0
// The packed ring (Virtio 1.3, 2.8) seen from a driver that writes descriptors by hand.
#include <gtest/gtest.h>

#include "hw/virtio/features.h"
#include "hw/virtio/queue.h"

namespace gstage::hw {
namespace {

constexpr std::uint64_t kRam = 0x8000'0000;
constexpr std::uint64_t kRamSize = 1 << 20;
constexpr std::uint64_t kRing = kRam;
constexpr std::uint64_t kDriverEvent = kRam + 0x1000;
constexpr std::uint64_t kDeviceEvent = kRam + 0x1004;
constexpr std::uint64_t kData = kRam + 0x8000;
constexpr std::uint16_t kSize = 5;  // need not be a power of two
enum Flag : std::uint16_t { kNext = 1, kWrite = 2, kIndirect = 4, kAvailable = 1 << 7, kUsed = 1 << 15 };

struct Descriptor {
  std::uint64_t address;
  std::uint32_t length;
  std::uint16_t id;
  std::uint16_t flags;
};
struct Event {
  std::uint16_t position;
  std::uint16_t flags;
  bool operator==(const Event&) const = default;
};

class PackedRingTest : public testing::Test {
 protected:
  PackedRingTest() {
    EXPECT_TRUE(memory_.add_ram("ram", Paddr{kRam}, kRamSize).ok());
    memory_.seal();
  }
  void start(std::uint64_t features = 0, std::uint16_t size = kSize) {
    size_ = size;
    next_ = 0;
    wrap_ = true;
    const std::vector<std::uint8_t> zeroes(0x2000);
    memory_.write(Paddr{kRing}, zeroes.data(), zeroes.size());
    queue_.stop();
    ASSERT_EQ(queue_.start(memory_, {size, kRing, kDriverEvent, kDeviceEvent}, kRingPacked | features),
              nullptr);
  }
  template <class T>
  void poke(std::uint64_t at, const T& value) {
    ASSERT_TRUE(memory_.write(Paddr{at}, &value, sizeof value));
  }
  template <class T>
  T peek(std::uint64_t at) {
    T value{};
    EXPECT_TRUE(memory_.read(Paddr{at}, &value, sizeof value));
    return value;
  }
  Descriptor at(unsigned index) { return peek<Descriptor>(kRing + index * 16); }
  /// Offers a chain, its first descriptor last, as a driver must.
  void offer(std::vector<Descriptor> chain) {
    std::vector<std::uint64_t> places;
    for (Descriptor& one : chain) {
      one.flags |= wrap_ ? kAvailable : kUsed;
      places.push_back(kRing + next_ * 16u);
      if (++next_ == size_) next_ = 0, wrap_ = !wrap_;
    }
    for (std::size_t i = chain.size(); i-- > 0;) poke(places[i], chain[i]);
  }
  void offer_one(std::uint16_t id) { offer({{kData, 16, id, kWrite}}); }
  Queue::Next pop() { return queue_.pop(chain_); }
  /// Takes a buffer and uses it.
  void use(std::uint32_t written = 1) {
    ASSERT_EQ(pop(), Queue::Next::kChain);
    queue_.push(chain_, written);
  }
  void expect_broken(const char* what) {
    EXPECT_EQ(pop(), Queue::Next::kBroken) << what;
    EXPECT_NE(queue_.why(), nullptr) << what;
    EXPECT_EQ(pop(), Queue::Next::kBroken) << what << ", again";
    EXPECT_FALSE(queue_.enable_notifications()) << what;
  }

  AddressSpace memory_;
  Queue queue_;
  Chain chain_;
  std::uint16_t size_ = kSize;
  std::uint16_t next_ = 0;
  bool wrap_ = true;
};

TEST_F(PackedRingTest, NothingIsAvailableInAZeroedRing) {
  start();
  EXPECT_EQ(pop(), Queue::Next::kEmpty);
  // Nor where the flags are those of the round before.
  poke(kRing, Descriptor{kData, 16, 0, kUsed});
  EXPECT_EQ(pop(), Queue::Next::kEmpty);
  poke(kRing, Descriptor{kData, 16, 0, kUsed | kAvailable});
  EXPECT_EQ(pop(), Queue::Next::kEmpty);
}

TEST_F(PackedRingTest, ABufferOfOneDescriptor) {
  start();
  offer({{kData, 16, 7, kWrite}});
  ASSERT_EQ(pop(), Queue::Next::kChain);
  EXPECT_EQ(chain_.id, 7);
  EXPECT_EQ(chain_.writable.size(), 1u);
  EXPECT_EQ(chain_.readable.size(), 0u);
  queue_.push(chain_, 12);
  EXPECT_EQ(at(0).id, 7);
  EXPECT_EQ(at(0).length, 12u);
  EXPECT_EQ(at(0).flags, kAvailable | kUsed | kWrite);
  EXPECT_EQ(pop(), Queue::Next::kEmpty);
}

TEST_F(PackedRingTest, ABufferThatNothingWasWrittenToIsNotMarkedWritten) {
  start();
  offer({{kData, 16, 7, 0}});
  use(0);
  EXPECT_EQ(at(0).flags, kAvailable | kUsed);
}

TEST_F(PackedRingTest, TheLastDescriptorOfAChainHasTheId) {
  start();
  offer({{kData, 1, 11, kNext}, {kData + 8, 2, 12, kNext}, {kData + 16, 3, 13, kWrite}});
  ASSERT_EQ(pop(), Queue::Next::kChain);
  EXPECT_EQ(chain_.id, 13);
  EXPECT_EQ(chain_.slots, 3);
  ASSERT_EQ(chain_.readable.size(), 2u);
  EXPECT_EQ(chain_.readable[1].size, 2u);
  ASSERT_EQ(chain_.writable.size(), 1u);
  // One used descriptor for the chain; the next one is written behind it.
  queue_.push(chain_, 3);
  EXPECT_EQ(at(0).id, 13);
  EXPECT_EQ(at(1).id, 12);
  offer_one(20);
  use();
  EXPECT_EQ(at(3).id, 20);
}

TEST_F(PackedRingTest, WrapCountersTurnWithEachRound) {
  start();
  for (unsigned i = 0; i < 40; ++i) {
    const unsigned place = i * 3 % kSize;
    const bool is_odd_round = i * 3 / kSize % 2 == 1;
    const auto id = static_cast<std::uint16_t>(100 + i);
    offer({{kData, 1, 0, kNext}, {kData, 1, 0, kNext}, {kData, 1, id, kWrite}});
    use();
    EXPECT_EQ(at(place).id, id);
    EXPECT_EQ(at(place).flags, (is_odd_round ? 0 : kAvailable | kUsed) | kWrite) << i;
    ASSERT_EQ(pop(), Queue::Next::kEmpty) << i;
  }
}

TEST_F(PackedRingTest, BuffersMayBeUsedOutOfOrder) {
  start();
  offer_one(1);
  offer({{kData, 1, 0, kNext}, {kData, 1, 2, kWrite}});
  Chain first;
  Chain second;
  ASSERT_EQ(queue_.pop(first), Queue::Next::kChain);
  ASSERT_EQ(queue_.pop(second), Queue::Next::kChain);
  queue_.push(second, 5);
  queue_.push(first, 6);
  EXPECT_EQ(at(0).id, 2);
  EXPECT_EQ(at(2).id, 1);
}

TEST_F(PackedRingTest, WhatIsStagedIsSeenAllAtOnce) {
  start();
  for (const std::uint16_t id : {1, 2, 3}) offer_one(id);
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(pop(), Queue::Next::kChain);
    queue_.stage(chain_, 1);
    EXPECT_EQ(at(0).flags & kUsed, 0) << "the driver looks at the first one";
  }
  queue_.publish();
  for (unsigned i = 0; i < 3; ++i) EXPECT_EQ(at(i).flags, kAvailable | kUsed | kWrite) << i;
  EXPECT_EQ(at(2).id, 3);
}

TEST_F(PackedRingTest, APopCanBeUndone) {
  start();
  for (unsigned i = 0; i < 12; ++i) {
    const auto id = static_cast<std::uint16_t>(i);
    offer({{kData, 1, 0, kNext}, {kData, 1, id, kWrite}});
    ASSERT_EQ(pop(), Queue::Next::kChain);
    queue_.unpop(chain_);
    ASSERT_EQ(pop(), Queue::Next::kChain) << i;
    EXPECT_EQ(chain_.id, id);
    queue_.push(chain_, 0);
  }
}

TEST_F(PackedRingTest, IndirectTablesHaveNoLinks) {
  start(kIndirectDescriptors);
  const std::uint64_t table = kData + 0x1000;
  // Flags but "writable" mean nothing in a table, nor do ids.
  poke(table, Descriptor{kData, 1, 9, kNext | kIndirect | kAvailable | kUsed});
  poke(table + 16, Descriptor{kData + 1, 2, 9, 0});
  poke(table + 32, Descriptor{kData + 3, 3, 9, kWrite});
  offer({{table, 48, 4, kIndirect | kWrite}});
  ASSERT_EQ(pop(), Queue::Next::kChain);
  EXPECT_EQ(chain_.id, 4);
  EXPECT_EQ(chain_.slots, 1);
  EXPECT_EQ(chain_.readable.size(), 2u);
  ASSERT_EQ(chain_.writable.size(), 1u);
  EXPECT_EQ(chain_.writable[0].size, 3u);
}

TEST_F(PackedRingTest, NotificationsAreAskedForOrNot) {
  start();
  queue_.disable_notifications();
  EXPECT_EQ(peek<Event>(kDeviceEvent).flags, 1);
  EXPECT_FALSE(queue_.enable_notifications());
  EXPECT_EQ(peek<Event>(kDeviceEvent).flags, 0);
  offer_one(0);
  EXPECT_TRUE(queue_.enable_notifications()) << "it came before the driver could know";
}

TEST_F(PackedRingTest, WithEventIdxTheNextDescriptorIsNamed) {
  start(kEventIdx);
  EXPECT_FALSE(queue_.enable_notifications());
  EXPECT_EQ(peek<Event>(kDeviceEvent), (Event{0x8000, 2}));
  for (int i = 0; i < kSize + 2; ++i) offer_one(0), use();
  EXPECT_FALSE(queue_.enable_notifications());
  EXPECT_EQ(peek<Event>(kDeviceEvent), (Event{2, 2})) << "the wrap counter is in the top bit";
  queue_.disable_notifications();
  EXPECT_EQ(peek<Event>(kDeviceEvent).flags, 1);
}

TEST_F(PackedRingTest, InterruptsAsTheDriverWantsThem) {
  start();
  EXPECT_FALSE(queue_.must_interrupt()) << "nothing was used";
  offer_one(0), use();
  EXPECT_TRUE(queue_.must_interrupt());
  EXPECT_FALSE(queue_.must_interrupt()) << "once";
  poke(kDriverEvent, Event{0, 1});
  offer_one(0), use();
  EXPECT_FALSE(queue_.must_interrupt());
  poke(kDriverEvent, Event{0, 0});
  EXPECT_FALSE(queue_.must_interrupt()) << "that one is over";
}

TEST_F(PackedRingTest, AnInterruptAtADescriptor) {
  // The driver wants to know when the descriptor `event` of the round `wrap` was used.
  for (unsigned event = 0; event < 2 * kSize; ++event) {
    for (unsigned step = 1; step <= 3; ++step) {
      start(kEventIdx);
      const bool wrap = event < kSize;
      poke(kDriverEvent, Event{static_cast<std::uint16_t>(event % kSize | (wrap ? 0x8000u : 0u)), 2});
      unsigned used = 0;
      while (used < 2 * kSize) {
        for (unsigned i = 0; i < step; ++i) offer_one(0), use();
        used += step;
        const bool is_reached = used > event && used - step <= event;
        // Only then: long before it, and when it is past.
        EXPECT_EQ(queue_.must_interrupt(), is_reached) << event << " by " << step << " at " << used;
        if (is_reached) break;
      }
    }
  }
}

TEST_F(PackedRingTest, AnInterruptAtADescriptorNeedsTheFeature) {
  start();
  poke(kDriverEvent, Event{3 | 0x8000, 2});
  offer_one(0), use();
  EXPECT_TRUE(queue_.must_interrupt());
}

TEST_F(PackedRingTest, NonsenseBreaksTheQueue) {
  const std::uint64_t table = kData + 0x1000;
  const auto available = [](unsigned flags) { return static_cast<std::uint16_t>(flags | kAvailable); };
  struct Case {
    const char* what;
    std::uint64_t features;
    std::vector<Descriptor> ring;
  };
  const Descriptor link{kData, 4, 0, available(kNext)};
  const Case cases[] = {
      {"a hole", 0, {{0x1000, 4, 0, available(0)}}},
      {"beyond the end of RAM", 0, {{kRam + kRamSize - 4, 8, 0, available(0)}}},
      {"address wraps", 0, {{~std::uint64_t{0} - 3, 8, 0, available(0)}}},
      {"zero length", 0, {{kData, 0, 0, available(0)}}},
      {"a chain as long as the ring and on", 0, {link, link, link, link, link}},
      {"a chain that is not all available", 0, {link, {kData, 4, 0, 0}}},
      {"a chain with a lie about the round", 0, {link, {kData, 4, 0, kUsed}}},
      {"a chain whose end was used", 0, {link, {kData, 4, 0, kUsed | kAvailable}}},
      {"readable after writable", 0, {{kData, 4, 0, available(kWrite | kNext)}, {kData, 4, 0, available(0)}}},
      {"indirect without the feature", 0, {{table, 16, 0, available(kIndirect)}}},
      {"indirect with a successor",
       kIndirectDescriptors,
       {{table, 16, 0, available(kIndirect | kNext)}, link}},
      {"indirect as a successor", kIndirectDescriptors, {link, {table, 16, 0, available(kIndirect)}}},
      {"indirect table of odd size", kIndirectDescriptors, {{table, 24, 0, available(kIndirect)}}},
      {"empty indirect table", kIndirectDescriptors, {{table, 0, 0, available(kIndirect)}}},
      {"indirect table in a hole", kIndirectDescriptors, {{0x1000, 16, 0, available(kIndirect)}}},
      {"indirect table that is far too long",
       kIndirectDescriptors,
       {{table, 16 * 2000, 0, available(kIndirect)}}},
  };
  for (const Case& one : cases) {
    start(one.features);
    for (unsigned i = 0; i < 2000; ++i) poke(table + i * 16, Descriptor{kData, 1, 0, 0});
    for (unsigned i = 0; i < one.ring.size(); ++i) poke(kRing + i * 16, one.ring[i]);
    expect_broken(one.what);
  }
}

TEST_F(PackedRingTest, ADriverCannotOfferWhatIsUnderWay) {
  start();
  for (unsigned i = 0; i < kSize; ++i) offer_one(0);
  for (unsigned i = 0; i < kSize; ++i) ASSERT_EQ(pop(), Queue::Next::kChain);
  // The next round, although none of this one was used.
  offer_one(0);
  expect_broken("a sixth of five");
}

TEST_F(PackedRingTest, SizesAndPlaces) {
  Queue queue;
  const auto why = [&](QueueSetup setup) { return queue.start(memory_, setup, kRingPacked); };
  EXPECT_EQ(why({3, kRing, kDriverEvent, kDeviceEvent}), nullptr);
  EXPECT_NE(why({0, kRing, kDriverEvent, kDeviceEvent}), nullptr);
  EXPECT_EQ(why({32768, kRing, kData + 0x80000, kData + 0x80004}), nullptr);
  EXPECT_NE(why({32769, kRing, kData + 0x90000, kData + 0x90004}), nullptr);
  EXPECT_NE(why({3, kRing + 8, kDriverEvent, kDeviceEvent}), nullptr);
  EXPECT_NE(why({3, kRing, kDriverEvent + 2, kDeviceEvent}), nullptr);
  EXPECT_NE(why({3, kRing, kDriverEvent, kDeviceEvent + 2}), nullptr);
  EXPECT_NE(why({3, kRam + kRamSize - 32, kDriverEvent, kDeviceEvent}), nullptr);
  EXPECT_NE(why({3, kRing, 0x1000, kDeviceEvent}), nullptr);
  EXPECT_NE(why({3, kRing, kDriverEvent, kRam + kRamSize}), nullptr);
  EXPECT_FALSE(queue.is_started());
}

}  // namespace
}  // namespace gstage::hw
