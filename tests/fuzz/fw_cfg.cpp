// SPDX-License-Identifier: Apache-2.0
// fw_cfg's registers and its DMA, whose requests lie in guest memory.
#include "hw/misc/fw_cfg.h"

#include <algorithm>
#include <cstring>

#include "softmmu/base/check.h"

#include "tests/fuzz/accesses.h"
#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

constexpr std::uint64_t kRam = 0x8000'0000;
constexpr std::uint64_t kRamSize = 64 << 10;
constexpr std::uint64_t kDmaAddress = 0x10;
constexpr std::uint32_t kSourceSize = 5000;

/// A request like those of firmware, and the store that starts it.
void start_dma(Input& input, AddressSpace& memory, hw::FwCfg& device) {
  struct Request {
    std::uint32_t control;
    std::uint32_t length;
    std::uint64_t address;
  };
  const std::uint32_t control = std::uint32_t{input.take<std::uint8_t>()} << 16 | input.take<std::uint8_t>();
  const std::uint32_t length = input.take<std::uint16_t>();
  const std::uint64_t address = kRam + input.take<std::uint16_t>();
  const std::uint64_t at = kRam + input.below(kRamSize);
  const Request request{__builtin_bswap32(control), __builtin_bswap32(length), __builtin_bswap64(address)};
  static_cast<void>(memory.write(Paddr{at}, &request, sizeof request));
  CHECK(device.mmio_write(kDmaAddress, 8, __builtin_bswap64(at)));
}

void write_ram(Input& input, AddressSpace& memory) {
  const Paddr at{kRam + input.below(kRamSize)};
  const auto bytes = input.take_bytes(16);
  static_cast<void>(memory.write(at, bytes.data(), bytes.size()));
}

void run(Input& input) {
  static AddressSpace memory;
  static const bool is_ready = memory.add_ram("ram", Paddr{kRam}, kRamSize).ok() && (memory.seal(), true);
  CHECK(is_ready);
  hw::FwCfg device(memory);
  device.add_number(hw::FwCfg::kCpuCount, 2, 2);
  device.add_file("opt/org.example/file", {1, 2, 3});
  device.add_source(hw::FwCfg::kKernelData, kSourceSize, [](std::uint64_t offset, std::span<std::byte> to) {
    CHECK(!to.empty() && offset + to.size() <= kSourceSize);
    std::fill(to.begin(), to.end(), std::byte{1});
    return true;
  });
  std::memset(memory.host(Paddr{kRam}), 0, kRamSize);
  while (!input.empty()) {
    switch (input.below(3)) {
      case 0: start_dma(input, memory, device); break;
      case 1: write_ram(input, memory); break;
      default: access_device(input, device, 0x18);
    }
  }
}

const Registration registration("fw_cfg", run);

}  // namespace
}  // namespace gstage::fuzz
