// SPDX-License-Identifier: Apache-2.0
// What a drive of discs says of itself and of the medium (MMC-6).
#include <algorithm>

#include "hw/scsi/scsi_pages.h"

namespace gstage::hw {
namespace {

constexpr std::uint8_t kDataTrack = 0x14;
constexpr std::uint8_t kLeadOut = 0xaa;
constexpr std::uint16_t kCdRom = 0x0008, kDvdRom = 0x0010;
/// 80 minutes of 75 blocks a second: what is larger is no CD.
constexpr std::uint64_t kMostCdBlocks = 80 * 60 * 75;

/// A block's number, or where it is in minutes, seconds and frames.
void add_address(ScsiBytes& to, std::uint64_t block, bool is_msf) {
  if (!is_msf) return to.add(std::min<std::uint64_t>(block, 0xffff'ffff), 4);
  constexpr std::uint64_t kLeadIn = 150, kFrames = 75, kSeconds = 60;
  const std::uint64_t at = block + kLeadIn;
  to.add({0, static_cast<std::uint8_t>(std::min<std::uint64_t>(at / kFrames / kSeconds, 255)),
          static_cast<std::uint8_t>(at / kFrames % kSeconds), static_cast<std::uint8_t>(at % kFrames)});
}

void add_track(ScsiBytes& to, std::uint8_t track, std::uint64_t block, bool is_msf) {
  to.add({0, kDataTrack, track, 0});
  add_address(to, block, is_msf);
}

struct Feature {
  std::uint16_t number;
  std::uint8_t flags;  ///< version, persistent, current
  ScsiBytes data;
};

}  // namespace

ScsiBytes cd_contents(std::uint8_t format, bool is_msf, std::uint8_t first, std::uint64_t blocks) {
  constexpr std::uint8_t kTracks = 0, kSessions = 1;
  if (format > kSessions || (format == kTracks && first > 1 && first != kLeadOut)) return {};
  ScsiBytes bytes{0, 0, 1, 1};
  if (format == kSessions || first != kLeadOut) add_track(bytes, 1, 0, is_msf);
  if (format == kTracks) add_track(bytes, kLeadOut, blocks, is_msf);
  bytes.set(0, bytes.size() - 2, 2);
  return bytes;
}

ScsiBytes cd_configuration(std::uint8_t type, std::uint16_t first, std::uint64_t blocks) {
  constexpr std::uint8_t kOneFeature = 2, kScsi = 1, kTrayEjectsAndLocks = 0x29;
  constexpr std::uint8_t kPersistentCurrent = 0x03, kVersion2 = 0x08;
  const std::uint16_t profile = blocks == 0 ? 0 : blocks <= kMostCdBlocks ? kCdRom : kDvdRom;
  const auto is_current = [&](std::uint16_t one) {
    return static_cast<std::uint8_t>(one == profile ? 1 : 0);
  };
  const Feature features[] = {
      {0x0000, kPersistentCurrent, {0, kDvdRom, is_current(kDvdRom), 0, 0, kCdRom, is_current(kCdRom), 0}},
      {0x0001, kPersistentCurrent | kVersion2, {0, 0, 0, kScsi, 1, 0, 0, 0}},
      {0x0003, kPersistentCurrent, {kTrayEjectsAndLocks, 0, 0, 0}},
  };
  ScsiBytes bytes{0, 0, 0, 0, 0, 0};
  bytes.add(profile, 2);
  for (const Feature& feature : features) {
    if (type == kOneFeature ? feature.number != first : feature.number < first) continue;
    bytes.add(feature.number, 2);
    bytes.add({feature.flags, static_cast<std::uint8_t>(feature.data.size())});
    bytes.add(feature.data);
  }
  bytes.set(0, bytes.size() - 4, 4);
  return bytes;
}

ScsiBytes cd_events(std::uint8_t classes, bool has_medium, bool is_open) {
  constexpr std::uint8_t kMedia = 4, kMediaBit = 1 << kMedia, kNoEventAvailable = 0x80;
  if ((classes & kMediaBit) == 0) return {0, 2, kNoEventAvailable, kMediaBit};
  const auto status = static_cast<std::uint8_t>((has_medium ? 2 : 0) | (is_open ? 1 : 0));
  return {0, 6, kMedia, kMediaBit, 0, status, 0, 0};
}

ScsiBytes cd_information() {
  constexpr std::uint8_t kComplete = 0x0e, kUnrestricted = 0x20;
  ScsiBytes bytes{0, 32, kComplete, 1, 1, 1, 1, kUnrestricted};
  bytes.add_zeroes(34 - bytes.size());
  return bytes;
}

}  // namespace gstage::hw
