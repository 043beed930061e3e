// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace gstage::hw {

/// A device that holds memory, which a loader can fill as a programmer of chips does: flash.
class Loadable {
 public:
  virtual ~Loadable() = default;
  /// Sets bytes of the contents; the range is within the device.
  virtual void load(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
};

/// Where such a device is on the bus.
struct LoadablePlace {
  const char* name;
  std::uint64_t base;
  std::uint64_t size;
  Loadable* device;
};

}  // namespace gstage::hw
