// SPDX-License-Identifier: Apache-2.0
// The requests of virtio-blk and the queue that they come by, without the device's thread: the same input
// does the same each time. The input's first half are the rings, which a driver that means no good has
// written.
#include <cstring>

#include "softmmu/base/check.h"
#include "hw/virtio/blk.h"
#include "hw/virtio/features.h"
#include "hw/virtio/queue.h"

#include "tests/fuzz/memory_disk.h"
#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

constexpr std::uint64_t kRam = 0x8000'0000;
constexpr std::uint64_t kRamSize = 16 << 10;
constexpr std::uint64_t kRings = 0x200;
constexpr unsigned kMostRequests = 64;

/// The request's fields where a driver puts them, so that an input need not find out.
void put_request(Input& input, std::byte* ram) {
  struct Request {
    std::uint32_t type;
    std::uint32_t reserved;
    std::uint64_t sector;
  };
  const Request request{input.take<std::uint8_t>(), 0, input.take<std::uint16_t>()};
  std::memcpy(ram + kRings, &request, sizeof request);
}

void put_rings(Input& input, std::byte* ram) {
  const auto descriptors = static_cast<unsigned>(input.below(12));
  for (unsigned i = 0; i < descriptors; ++i) {
    const std::uint64_t address = kRam + input.below(kRamSize);
    const std::uint32_t length = input.take<std::uint16_t>();
    const std::uint16_t links[2] = {static_cast<std::uint16_t>(input.take<std::uint8_t>() & 7),
                                    input.take<std::uint8_t>()};
    std::memcpy(ram + i * 16, &address, 8);
    std::memcpy(ram + i * 16 + 8, &length, 4);
    std::memcpy(ram + i * 16 + 12, links, 4);
  }
}

void run(Input& input) {
  static AddressSpace memory;
  static const bool is_ready = memory.add_ram("ram", Paddr{kRam}, kRamSize).ok() && (memory.seal(), true);
  CHECK(is_ready);
  std::byte* const ram = memory.host(Paddr{kRam});
  std::memset(ram, 0, kRamSize);
  const auto how = input.take<std::uint8_t>();
  MemoryDisk disk;
  disk.behave((how & 1) != 0, (how & 2) != 0);
  hw::VirtioBlkOptions options{"serial"};
  options.can_discard = (how & 4) != 0;
  options.can_write_zeroes = (how & 8) != 0;
  hw::BlkRequests requests(disk, options);
  put_request(input, ram);
  put_rings(input, ram);
  const std::uint64_t first = input.below(kRamSize);
  const auto rest = input.rest();
  std::memcpy(ram + first, rest.data(), std::min<std::size_t>(rest.size(), kRamSize - first));
  const std::uint64_t features =
      ((how & 16) != 0 ? hw::kEventIdx : 0) | ((how & 32) != 0 ? hw::kIndirectDescriptors : 0);
  hw::Queue queue;
  CHECK(queue.start(memory, {16, kRam, kRam + 0x100, kRam + 0x180}, features) == nullptr);
  hw::BlkRequest request;
  for (unsigned i = 0; i < kMostRequests; ++i) {
    if (queue.pop(request.chain) != hw::Queue::Next::kChain) break;
    const std::int64_t written = requests.execute(memory, request, (how & 64) != 0);
    CHECK(written >= -1 && written <= static_cast<std::int64_t>(hw::total_bytes(request.chain.writable)));
    if (written < 0) break;
    queue.push(request.chain, static_cast<std::uint32_t>(written));
    static_cast<void>(queue.must_interrupt());
  }
}

const Registration registration("virtio_blk", run);

}  // namespace
}  // namespace gstage::fuzz
