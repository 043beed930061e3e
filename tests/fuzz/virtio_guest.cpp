// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/virtio_guest.h"

#include <cstring>

#include "softmmu/base/check.h"

#include "tests/fuzz/accesses.h"

namespace gstage::fuzz {
namespace {

/// Registers of the transport (Virtio 1.3, 4.2.2).
enum Register : std::uint64_t {
  kDriverFeatures = 0x20,
  kDriverFeaturesSel = 0x24,
  kQueueSel = 0x30,
  kQueueSize = 0x38,
  kQueueReady = 0x44,
  kQueueNotify = 0x50,
  kStatus = 0x70,
  kQueueDesc = 0x80,
  kConfig = 0x100,
};
constexpr std::uint64_t kWindow = 0x200;
constexpr std::uint64_t kAvailable = 0x100;  ///< offset of the driver area in a queue's rings
constexpr std::uint64_t kUsed = 0x200;
constexpr std::uint64_t kVersion1 = std::uint64_t{1} << 32;

struct Descriptor {
  std::uint64_t address;
  std::uint32_t length;
  std::uint16_t flags;
  std::uint16_t next;
};

}  // namespace

VirtioGuest::VirtioGuest(std::unique_ptr<hw::VirtioDevice> device, unsigned queues, Other other,
                         unsigned threads)
    : workers_(threads), queues_(queues), other_(std::move(other)) {
  CHECK(memory_.add_ram("ram", Paddr{kRam}, kRamSize).ok());
  memory_.seal();
  slot_ = std::make_unique<hw::VirtioMmio>(hw::VirtioParts{memory_, workers_, std::move(device)},
                                           IrqLine([](bool) {}));
}

void VirtioGuest::set(std::uint64_t offset, std::uint64_t value) {
  CHECK(slot_->mmio_write(offset, 4, value & 0xffffffff));
}

void VirtioGuest::set_up(Input& input) {
  std::memset(memory_.host(Paddr{kRam}), 0, kRamSize);
  const auto low = input.take<std::uint32_t>();
  const auto high = input.take<std::uint16_t>();
  const std::uint64_t features = (std::uint64_t{high} << 32 | low) | kVersion1;
  set(kStatus, 3);
  for (const unsigned half : {0u, 1u}) {
    set(kDriverFeaturesSel, half);
    set(kDriverFeatures, features >> (half * 32));
  }
  set(kStatus, 11);
  for (unsigned queue = 0; queue < queues_; ++queue) {
    set(kQueueSel, queue);
    set(kQueueSize, kQueueSize);
    const std::uint64_t places[] = {area(queue), area(queue) + kAvailable, area(queue) + kUsed};
    for (unsigned i = 0; i < 3; ++i) {
      set(kQueueDesc + i * 0x10, places[i]);
      set(kQueueDesc + i * 0x10 + 4, places[i] >> 32);
    }
    set(kQueueReady, 1);
  }
  set(kStatus, 15);
}

void VirtioGuest::put_descriptor(Input& input) {
  const auto where = input.take<std::uint8_t>();
  const auto flags = input.take<std::uint8_t>();
  const auto at = input.take<std::uint16_t>();
  const auto length = input.take<std::uint16_t>();
  const auto next = input.take<std::uint8_t>();
  Descriptor descriptor{kRam + at, length, static_cast<std::uint16_t>(flags & 7), next};
  // Most lie in RAM; some are whatever they are.
  constexpr std::uint8_t kAnywhere = 0x80;
  if ((flags & kAnywhere) != 0) descriptor.address = input.take<std::uint64_t>();
  if ((flags & kAnywhere) != 0) descriptor.length = input.take<std::uint32_t>();
  const std::uint64_t to = area(where % queues_) + (where / queues_ % kQueueSize) * sizeof descriptor;
  CHECK(memory_.write(Paddr{to}, &descriptor, sizeof descriptor));
}

void VirtioGuest::offer(Input& input) {
  const auto queue = static_cast<unsigned>(input.below(queues_));
  const auto head = input.take<std::uint8_t>();
  std::uint64_t index = 0;
  const Paddr available{area(queue) + kAvailable};
  CHECK(memory_.load(available + 2, 2, index));
  CHECK(memory_.store(available + 4 + index % kQueueSize * 2, 2, head));
  CHECK(memory_.store(available + 2, 2, (index + 1) & 0xffff));
  constexpr std::uint8_t kQuietly = 0x80;
  if ((head & kQuietly) == 0) set(kQueueNotify, queue);
}

void VirtioGuest::write_ram(Input& input) {
  const std::uint64_t at = input.below(kRamSize);
  const auto bytes = input.take_bytes(input.below(64));
  static_cast<void>(memory_.write(Paddr{kRam + at}, bytes.data(), bytes.size()));
}

void VirtioGuest::step(Input& input) {
  switch (input.take<std::uint8_t>() % 8) {
    case 0: return access_device(input, *slot_, kWindow);
    case 1: return write_ram(input);
    case 2:
    case 3: return put_descriptor(input);
    case 4:
    case 5: return offer(input);
    case 6: return set(kQueueNotify, input.below(queues_ + 1));
    default:
      if (other_) other_(input);
      return;
  }
}

void VirtioGuest::run(Input& input) {
  slot_->reset();
  set_up(input);
  while (!input.empty()) step(input);
  slot_->reset();
}

}  // namespace gstage::fuzz
