// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "softmmu/mem/address_space.h"

namespace gstage::hw {

/// A part of a buffer, as a driver offers it.
struct Piece {
  std::uint64_t address;
  std::uint32_t length;
  bool is_writable = false;
};
/// What the device says of a buffer that it has used.
struct UsedBuffer {
  std::uint16_t id;
  std::uint32_t length;
  bool operator==(const UsedBuffer&) const = default;
};

/// The driver's side of a queue's rings, in either layout, in guest memory at `base`.
class DriverRing {
 public:
  static constexpr std::uint16_t kSize = 8;
  static constexpr std::uint64_t kBytes = 0x1000;

  DriverRing(AddressSpace& memory, std::uint64_t base, bool has_event_idx)
      : memory_(&memory), base_(base), has_event_idx_(has_event_idx) {
    const std::vector<std::uint8_t> zeroes(kBytes);
    memory_->write(Paddr{base_}, zeroes.data(), zeroes.size());
  }
  virtual ~DriverRing() = default;
  /// The guest, with its memory, is in another machine from now on.
  void move_to(AddressSpace& memory) { memory_ = &memory; }

  std::uint64_t descriptors() const { return base_; }
  std::uint64_t driver_area() const { return base_ + 0x400; }
  std::uint64_t device_area() const { return base_ + 0x600; }
  std::uint64_t table() const { return base_ + 0x800; }  ///< room for one indirect table

  /// Offers a buffer; returns its id.
  virtual std::uint16_t offer(const std::vector<Piece>& pieces) = 0;
  /// Offers a buffer that is described by an indirect table.
  virtual std::uint16_t offer_indirect(const std::vector<Piece>& pieces) = 0;
  /// Takes the next used buffer, if there is one.
  virtual bool take_used(UsedBuffer& used) = 0;
  /// Whether the device wants to be told of what was offered since the last call.
  virtual bool wants_notification() = 0;
  virtual void want_interrupts(bool is_wanted) = 0;
  /// An interrupt is wanted once `count` more buffers were used; needs the event index. Buffers are of one
  /// descriptor.
  virtual void want_interrupt_after(unsigned count) = 0;
  /// Offers a chain that never ends, or one that is as bad.
  virtual void offer_nonsense() = 0;

 protected:
  template <class T>
  void poke(std::uint64_t at, const T& value) {
    ASSERT_TRUE(memory_->write(Paddr{at}, &value, sizeof value));
  }
  template <class T>
  T peek(std::uint64_t at) {
    T value{};
    EXPECT_TRUE(memory_->read(Paddr{at}, &value, sizeof value));
    return value;
  }
  /// Ordered as a driver must.
  std::uint16_t peek_index(std::uint64_t at) {
    std::uint64_t value = 0;
    EXPECT_TRUE(memory_->load(Paddr{at}, 2, value));
    return static_cast<std::uint16_t>(value);
  }
  void poke_index(std::uint64_t at, std::uint16_t value) {
    EXPECT_TRUE(memory_->store(Paddr{at}, 2, value));
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }

  AddressSpace* memory_;
  const std::uint64_t base_;
  const bool has_event_idx_;
};

class SplitDriverRing final : public DriverRing {
 public:
  using DriverRing::DriverRing;

  std::uint16_t offer(const std::vector<Piece>& pieces) override {
    const std::uint16_t head = next_;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const std::uint16_t at = next_;
      next_ = static_cast<std::uint16_t>((next_ + 1) % kSize);
      put(descriptors() + at * 16, pieces[i], i + 1 < pieces.size(), next_);
    }
    return make_available(head);
  }
  std::uint16_t offer_indirect(const std::vector<Piece>& pieces) override {
    for (std::size_t i = 0; i < pieces.size(); ++i)
      put(table() + i * 16, pieces[i], i + 1 < pieces.size(), static_cast<std::uint16_t>(i + 1));
    const std::uint16_t head = next_;
    next_ = static_cast<std::uint16_t>((next_ + 1) % kSize);
    poke(descriptors() + head * 16,
         Descriptor{table(), static_cast<std::uint32_t>(pieces.size() * 16), kIndirect, 0});
    return make_available(head);
  }
  bool take_used(UsedBuffer& used) override {
    if (peek_index(device_area() + 2) == used_) return false;
    const auto element = peek<std::array<std::uint32_t, 2>>(device_area() + 4 + used_ % kSize * 8u);
    used = {static_cast<std::uint16_t>(element[0]), element[1]};
    ++used_;
    return true;
  }
  bool wants_notification() override {
    const std::uint16_t before = notified_;
    notified_ = available_;
    if (!has_event_idx_) return peek_index(device_area()) == 0;
    const std::uint16_t event = peek_index(device_area() + 4 + kSize * 8u);
    return static_cast<std::uint16_t>(available_ - event - 1) <
           static_cast<std::uint16_t>(available_ - before);
  }
  void want_interrupts(bool is_wanted) override {
    if (!has_event_idx_) return poke(driver_area(), static_cast<std::uint16_t>(is_wanted ? 0 : 1));
    poke_event(static_cast<std::uint16_t>(used_ + (is_wanted ? 0 : 0x8000)));
  }
  void want_interrupt_after(unsigned count) override {
    poke_event(static_cast<std::uint16_t>(used_ + count - 1));
  }
  void offer_nonsense() override {
    poke(descriptors(), Descriptor{base_, 4, kNext, 1});
    poke(descriptors() + 16, Descriptor{base_, 4, kNext, 0});
    make_available(0);
  }

 private:
  struct Descriptor {
    std::uint64_t address;
    std::uint32_t length;
    std::uint16_t flags;
    std::uint16_t next;
  };
  enum Flag : std::uint16_t { kNext = 1, kWrite = 2, kIndirect = 4 };

  void put(std::uint64_t at, const Piece& piece, bool has_next, std::uint16_t next) {
    const auto flags = static_cast<std::uint16_t>((has_next ? kNext : 0) | (piece.is_writable ? kWrite : 0));
    poke(at, Descriptor{piece.address, piece.length, flags, next});
  }
  std::uint16_t make_available(std::uint16_t head) {
    poke(driver_area() + 4 + available_ % kSize * 2u, head);
    poke_index(driver_area() + 2, ++available_);
    return head;
  }
  void poke_event(std::uint16_t value) { poke(driver_area() + 4 + kSize * 2u, value); }

  std::uint16_t next_ = 0;
  std::uint16_t available_ = 0;
  std::uint16_t notified_ = 0;
  std::uint16_t used_ = 0;
};

class PackedDriverRing final : public DriverRing {
 public:
  using DriverRing::DriverRing;

  std::uint16_t offer(const std::vector<Piece>& pieces) override {
    const std::uint16_t id = next_id_++;
    slots_[id] = static_cast<unsigned>(pieces.size());
    std::vector<std::pair<std::uint16_t, std::uint16_t>> flags;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const unsigned kind = (i + 1 < pieces.size() ? kNext : 0) | (pieces[i].is_writable ? kWrite : 0);
      flags.push_back(put(pieces[i].address, pieces[i].length, id, kind));
    }
    publish(flags);
    return id;
  }
  std::uint16_t offer_indirect(const std::vector<Piece>& pieces) override {
    for (std::size_t i = 0; i < pieces.size(); ++i)
      poke(table() + i * 16, Descriptor{pieces[i].address, pieces[i].length, 0,
                                        static_cast<std::uint16_t>(pieces[i].is_writable ? kWrite : 0)});
    const std::uint16_t id = next_id_++;
    slots_[id] = 1;
    publish({put(table(), static_cast<std::uint32_t>(pieces.size() * 16), id, kIndirect)});
    return id;
  }
  bool take_used(UsedBuffer& used) override {
    const std::uint16_t flags = peek_index(descriptors() + used_.index * 16u + 14);
    if (((flags & kAvailable) != 0) != used_.wrap || ((flags & kUsed) != 0) != used_.wrap) return false;
    const auto descriptor = peek<Descriptor>(descriptors() + used_.index * 16u);
    used = {descriptor.id, (flags & kWrite) != 0 ? descriptor.length : 0};
    for (unsigned i = 0; i < slots_.at(used.id); ++i) used_.step();
    return true;
  }
  bool wants_notification() override {
    const unsigned offered = std::exchange(unnotified_, 0u);
    const auto event = peek<std::array<std::uint16_t, 2>>(device_area());
    if (event[1] != 2) return event[1] == 0;
    const int at = (event[0] & 0x7fff) - (((event[0] >> 15) != 0) == available_.wrap ? 0 : kSize);
    const int behind = available_.index - 1 - at;
    return behind >= 0 && static_cast<unsigned>(behind) < offered;
  }
  void want_interrupts(bool is_wanted) override {
    poke(driver_area() + 2, static_cast<std::uint16_t>(is_wanted ? 0 : 1));
  }
  void want_interrupt_after(unsigned count) override {
    Position at = used_;
    for (unsigned i = 1; i < count; ++i) at.step();
    poke(driver_area(), static_cast<std::uint16_t>(at.index | (at.wrap ? 0x8000 : 0)));
    poke(driver_area() + 2, std::uint16_t{2});
  }
  void offer_nonsense() override {
    publish({put(base_, 4, 0, kNext)});  // and nothing behind it
  }

 private:
  struct Descriptor {
    std::uint64_t address;
    std::uint32_t length;
    std::uint16_t id;
    std::uint16_t flags;
  };
  enum Flag : std::uint16_t { kNext = 1, kWrite = 2, kIndirect = 4, kAvailable = 1 << 7, kUsed = 1 << 15 };
  struct Position {
    void step() {
      if (++index == kSize) index = 0, wrap = !wrap;
    }
    std::uint16_t index = 0;
    bool wrap = true;
  };
  using Flags = std::pair<std::uint16_t, std::uint16_t>;

  /// Writes all but the flags, which it returns with their place.
  Flags put(std::uint64_t address, std::uint32_t length, std::uint16_t id, unsigned kind) {
    const std::uint16_t at = available_.index;
    const unsigned flags = kind | (available_.wrap ? kAvailable : kUsed);
    poke(descriptors() + at * 16u, address);
    poke(descriptors() + at * 16u + 8, length);
    poke(descriptors() + at * 16u + 12, id);
    available_.step();
    ++unnotified_;
    return {at, static_cast<std::uint16_t>(flags)};
  }
  /// The first one last.
  void publish(const std::vector<Flags>& flags) {
    for (std::size_t i = flags.size(); i-- > 0;)
      poke_index(descriptors() + flags[i].first * 16u + 14, flags[i].second);
  }

  Position available_;
  Position used_;
  unsigned unnotified_ = 0;
  std::uint16_t next_id_ = 100;
  std::map<std::uint16_t, unsigned> slots_;
};

}  // namespace gstage::hw
