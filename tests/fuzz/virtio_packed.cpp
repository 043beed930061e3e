// SPDX-License-Identifier: Apache-2.0
// A packed ring by itself. The input is what a driver that means no good has in the ring and the structures
// of events, changes of it, and what the device does meanwhile.
#include <cstring>

#include "softmmu/base/check.h"
#include "hw/virtio/features.h"
#include "hw/virtio/queue.h"

#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

constexpr std::uint64_t kRam = 0x8000'0000;
constexpr std::uint64_t kRamSize = 16 << 10;
constexpr std::uint64_t kEvents = 0x200;
constexpr unsigned kMostTaken = 4;

/// A descriptor that mostly lies in RAM and mostly is available in the first round.
void put_descriptor(Input& input, std::byte* ram, unsigned size) {
  const std::uint64_t at = input.below(size);
  const auto flags = input.take<std::uint8_t>();
  const std::uint64_t address =
      (flags & 0x40) != 0 ? input.take<std::uint64_t>() : kRam + input.below(kRamSize);
  const std::uint32_t length = (flags & 0x20) != 0 ? input.take<std::uint32_t>() : input.take<std::uint8_t>();
  const std::uint16_t words[2] = {
      input.take<std::uint8_t>(),
      static_cast<std::uint16_t>((flags & 7) | (flags & 8) << 12 | (flags & 0x80))};
  std::memcpy(ram + at * 16, &address, 8);
  std::memcpy(ram + at * 16 + 8, &length, 4);
  std::memcpy(ram + at * 16 + 12, words, 4);
}

void check(const hw::BufferElements& elements) {
  for (const hw::BufferElement& element : elements)
    CHECK(element.size != 0 && element.paddr.value >= kRam && element.size <= kRamSize &&
          element.paddr.value - kRam <= kRamSize - element.size);
}

/// The device's side, which takes and returns buffers in any order.
struct DeviceSide {
  void step(std::uint8_t what) {
    switch (what % 8) {
      case 0:
        if (taken < kMostTaken && queue.pop(chains[taken]) == hw::Queue::Next::kChain) {
          check(chains[taken].readable);
          check(chains[taken].writable);
          ++taken;
        }
        return;
      case 1:
        if (taken != 0 && queue.why() == nullptr) queue.unpop(chains[--taken]);
        return;
      case 2:
      case 3:
        if (taken == 0) return;
        std::swap(chains[what / 8 % taken], chains[taken - 1]);
        what % 8 == 2 ? queue.push(chains[--taken], what) : queue.stage(chains[--taken], what);
        return;
      case 4: return queue.publish();
      case 5: return queue.disable_notifications();
      case 6: return static_cast<void>(queue.enable_notifications());
      default: return static_cast<void>(queue.must_interrupt());
    }
  }
  hw::Queue queue;
  hw::Chain chains[kMostTaken];
  unsigned taken = 0;
};

void run(Input& input) {
  static AddressSpace memory;
  static const bool is_ready = memory.add_ram("ram", Paddr{kRam}, kRamSize).ok() && (memory.seal(), true);
  CHECK(is_ready);
  std::byte* const ram = memory.host(Paddr{kRam});
  std::memset(ram, 0, kRamSize);
  const auto how = input.take<std::uint8_t>();
  const auto size = static_cast<std::uint16_t>(1 + how % 16);
  const std::uint64_t features = hw::kRingPacked | ((how & 16) != 0 ? hw::kEventIdx : 0) |
                                 ((how & 32) != 0 ? hw::kIndirectDescriptors : 0);
  DeviceSide device;
  CHECK(device.queue.start(memory, {size, kRam, kRam + kEvents, kRam + kEvents + 4}, features) == nullptr);
  while (!input.empty()) {
    const auto step = input.take<std::uint8_t>();
    if ((step & 1) != 0) {
      device.step(step / 2);
    } else if ((step & 2) != 0) {
      put_descriptor(input, ram, size);
    } else {
      const std::uint64_t at = (step & 4) != 0 ? kEvents + input.below(4) : input.below(kRamSize);
      ram[at] = std::byte{input.take<std::uint8_t>()};
    }
  }
}

const Registration registration("virtio_packed", run);

}  // namespace
}  // namespace gstage::fuzz
