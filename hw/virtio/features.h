// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace gstage::hw {

// The feature bits that are no device's own (Virtio 1.3, chapter 6).
inline constexpr std::uint64_t kIndirectDescriptors = std::uint64_t{1} << 28;
inline constexpr std::uint64_t kEventIdx = std::uint64_t{1} << 29;
inline constexpr std::uint64_t kVersion1 = std::uint64_t{1} << 32;
/// The device is behind an IOMMU, if the platform has one.
inline constexpr std::uint64_t kAccessPlatform = std::uint64_t{1} << 33;
inline constexpr std::uint64_t kRingPacked = std::uint64_t{1} << 34;
/// Buffers are used in the order in which they were offered: all devices here do that.
inline constexpr std::uint64_t kInOrder = std::uint64_t{1} << 35;
/// A notification says how far the driver is. Nothing is made of it: the rings say it, too.
inline constexpr std::uint64_t kNotificationData = std::uint64_t{1} << 38;
inline constexpr std::uint64_t kRingReset = std::uint64_t{1} << 40;

/// What a device offers where nothing else is asked for.
inline constexpr std::uint64_t kDefaultFeatures = kIndirectDescriptors | kEventIdx | kVersion1 | kRingReset;

/// The 32 bits that a transport's register shows; those from the third word on are zero.
constexpr std::uint32_t feature_word(std::uint64_t features, std::uint32_t word) {
  return word > 1 ? 0 : static_cast<std::uint32_t>(features >> (word * 32));
}

}  // namespace gstage::hw
