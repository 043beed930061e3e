// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "softmmu/mem/address_space.h"
#include "hw/virtio/virtio_mmio.h"

#include "tests/unit/hw_fakes.h"

namespace gstage::hw {

/// Plays a guest's driver: a machine of RAM and one virtio-mmio slot.
class VirtioDriver {
 public:
  static constexpr std::uint64_t kRam = 0x8000'0000;
  static constexpr std::uint64_t kRamSize = 1 << 20;
  static constexpr std::uint64_t kData = kRam + 0x8'0000;  ///< for buffers
  static constexpr std::uint16_t kSize = 8;                ///< of each queue
  enum Register : std::uint64_t {
    kMagic = 0x0,
    kVersion = 0x4,
    kDeviceId = 0x8,
    kDeviceFeatures = 0x10,
    kDeviceFeaturesSel = 0x14,
    kDriverFeatures = 0x20,
    kDriverFeaturesSel = 0x24,
    kQueueSel = 0x30,
    kQueueSizeMax = 0x34,
    kQueueSize = 0x38,
    kQueueReady = 0x44,
    kQueueNotify = 0x50,
    kInterruptStatus = 0x60,
    kInterruptAck = 0x64,
    kStatus = 0x70,
    kQueueDesc = 0x80,
    kQueueDriver = 0x90,
    kQueueDevice = 0xa0,
    kQueueReset = 0xc0,
    kConfig = 0x100,
  };
  static constexpr std::uint64_t kIndirect = 1ull << 28;
  static constexpr std::uint64_t kEventIdx = 1ull << 29;
  static constexpr std::uint64_t kVersion1 = 1ull << 32;
  static constexpr std::uint64_t kRingReset = 1ull << 40;
  static constexpr std::uint32_t kNeedsReset = 64;
  enum Flag : std::uint16_t { kNext = 1, kWrite = 2, kIndirectTable = 4 };

  struct Descriptor {
    std::uint64_t address;
    std::uint32_t length;
    std::uint16_t flags;
    std::uint16_t next;
  };
  struct Used {
    std::uint32_t id;
    std::uint32_t length;
  };

  /// Without `threads` a notification is served before the store that sends it returns.
  explicit VirtioDriver(std::unique_ptr<VirtioDevice> device, unsigned threads = 0) : workers(threads) {
    EXPECT_TRUE(memory.add_ram("ram", Paddr{kRam}, kRamSize).ok());
    memory.seal();
    slot = std::make_unique<VirtioMmio>(VirtioParts{memory, workers, std::move(device)},
                                        IrqLine([this](bool level) { irq = level; }));
  }

  /// The driver's part of the initialization (Virtio 1.3, 3.1.1), with queues 0 to `queues` - 1.
  void start(std::uint64_t features, unsigned queues = 1) {
    set(*slot, kStatus, 0);
    set(*slot, kStatus, 3);
    for (const unsigned half : {0u, 1u}) {
      set(*slot, kDriverFeaturesSel, half);
      set(*slot, kDriverFeatures, features >> (half * 32) & 0xffffffff);
    }
    set(*slot, kStatus, 11);
    ASSERT_EQ(status() & 8, 8u) << "features refused";
    for (unsigned queue = 0; queue < queues; ++queue) set_up(queue);
    set(*slot, kStatus, 15);
  }
  void set_up(unsigned queue) {
    const std::vector<std::uint8_t> zeroes(0x3000);
    memory.write(Paddr{area(queue)}, zeroes.data(), zeroes.size());
    set(*slot, kQueueSel, queue);
    set(*slot, kQueueSize, kSize);
    const std::uint64_t places[] = {area(queue), area(queue) + 0x1000, area(queue) + 0x2000};
    for (unsigned i = 0; i < 3; ++i) {
      set(*slot, kQueueDesc + i * 0x10, places[i] & 0xffffffff);
      set(*slot, kQueueDesc + i * 0x10 + 4, places[i] >> 32);
    }
    set(*slot, kQueueReady, 1);
  }
  static std::uint64_t area(unsigned queue) { return kRam + queue * 0x3000; }

  std::uint32_t status() { return static_cast<std::uint32_t>(get(*slot, kStatus)); }
  std::uint64_t features() {
    set(*slot, kDeviceFeaturesSel, 1);
    const std::uint64_t high = get(*slot, kDeviceFeatures);
    set(*slot, kDeviceFeaturesSel, 0);
    return high << 32 | get(*slot, kDeviceFeatures);
  }

  template <class T>
  void poke(std::uint64_t at, const T& value) {
    ASSERT_TRUE(memory.write(Paddr{at}, &value, sizeof value));
  }
  template <class T>
  T peek(std::uint64_t at) {
    T value{};
    EXPECT_TRUE(memory.read(Paddr{at}, &value, sizeof value));
    return value;
  }
  void put(unsigned queue, unsigned index, const Descriptor& descriptor) {
    poke(area(queue) + index * 16, descriptor);
  }
  /// Offers the chain that begins at `head`, without a notification.
  void offer(unsigned queue, std::uint16_t head) {
    const auto at = area(queue) + 0x1000;
    const auto index = peek<std::uint16_t>(at + 2);
    poke(at + 4 + index % kSize * 2, head);
    EXPECT_TRUE(memory.store(Paddr{at + 2}, 2, static_cast<std::uint16_t>(index + 1)));
  }
  void kick(unsigned queue) { set(*slot, kQueueNotify, queue); }
  void offer_and_kick(unsigned queue, std::uint16_t head) {
    offer(queue, head);
    kick(queue);
  }
  /// As a driver must, this orders what it reads afterwards behind the index.
  std::uint16_t used_index(unsigned queue) {
    std::uint64_t value = 0;
    EXPECT_TRUE(memory.load(Paddr{area(queue) + 0x2000 + 2}, 2, value));
    return static_cast<std::uint16_t>(value);
  }
  Used used(unsigned queue, unsigned index) {
    return peek<Used>(area(queue) + 0x2000 + 4 + index % kSize * 8);
  }
  void set_used_event(unsigned queue, std::uint16_t value) {
    poke(area(queue) + 0x1000 + 4 + kSize * 2, value);
  }
  std::uint16_t available_event(unsigned queue) {
    return peek<std::uint16_t>(area(queue) + 0x2000 + 4 + kSize * 8);
  }
  std::string text(std::uint64_t at, std::size_t size) {
    std::string result(size, '\0');
    EXPECT_TRUE(memory.read(Paddr{at}, result.data(), size));
    return result;
  }

  AddressSpace memory;
  WorkerPool workers;
  std::atomic<bool> irq{false};
  std::unique_ptr<VirtioMmio> slot;
};

}  // namespace gstage::hw
