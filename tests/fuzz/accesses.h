// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "softmmu/mem/address_space.h"

#include "tests/fuzz/input.h"

namespace gstage::fuzz {

/// One load or store of a guest within the first `window` bytes of a device, as the bus would pass it on:
/// 1, 2, 4 or 8 bytes, aligned.
inline void access_device(Input& input, MmioHandler& device, std::uint64_t window) {
  constexpr std::uint8_t kWrite = 0x80;
  const auto how = input.take<std::uint8_t>();
  const unsigned size = 1u << (how & 3);
  // Most registers have four bytes.
  const bool is_odd_size = (how & 0x40) != 0;
  const unsigned bytes = is_odd_size ? size : 4;
  const std::uint64_t offset = input.below(window) & ~std::uint64_t{bytes - 1};
  std::uint64_t value = 0;
  if ((how & kWrite) == 0) {
    static_cast<void>(device.mmio_read(offset, bytes, value));
    return;
  }
  value = (how & 0x20) != 0 ? input.take<std::uint64_t>() : input.take<std::uint8_t>();
  static_cast<void>(device.mmio_write(offset, bytes, value));
}

/// Nothing but such accesses, until the input ends.
inline void access_until_end(Input& input, MmioHandler& device, std::uint64_t window) {
  while (!input.empty()) access_device(input, device, window);
}

}  // namespace gstage::fuzz
