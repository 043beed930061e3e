// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace gstage::hw {

// The feature bits that are no device's own (Virtio 1.3, chapter 6).
inline constexpr std::uint64_t kIndirectDescriptors = std::uint64_t{1} << 28;
inline constexpr std::uint64_t kEventIdx = std::uint64_t{1} << 29;
inline constexpr std::uint64_t kVersion1 = std::uint64_t{1} << 32;
inline constexpr std::uint64_t kRingReset = std::uint64_t{1} << 40;

/// What a device offers where nothing else is asked for.
inline constexpr std::uint64_t kDefaultFeatures = kIndirectDescriptors | kEventIdx | kVersion1 | kRingReset;

}  // namespace gstage::hw
