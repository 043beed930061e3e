// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "hw/scsi/scsi_bytes.h"

namespace gstage::hw {

/// What a unit is: the peripheral device type (SPC-5, 6.6.2).
enum class ScsiKind : std::uint8_t { kDisk = 0x00, kCd = 0x05 };

/// What `-device scsi-hd` and `scsi-cd` say besides the drive.
struct ScsiUnitOptions {
  ScsiKind kind = ScsiKind::kDisk;
  std::string vendor = "QEMU";            ///< at most 8 characters
  std::string product = "QEMU HARDDISK";  ///< at most 16
  std::string version = "2.5+";           ///< at most 4
  std::string serial;                     ///< at most 36
  std::string device_id;                  ///< the unit's name in page 0x83; empty: none
  std::uint64_t wwn = 0;                  ///< likewise; 0: none
  bool is_removable = false;
  bool has_fua = true;  ///< single writes may be asked to be on the disk when they are done
  bool is_write_cache = true;
  std::uint16_t rotation_rate = 0;  ///< 0: nothing is said of it, 1: nothing rotates
  // Bytes; those of blocks are powers of two from 512 on.
  std::uint32_t logical_block = 512;
  std::uint32_t physical_block = 512;  ///< at least logical_block
  // 0: nothing is said of it; else multiples of logical_block.
  std::uint32_t min_io = 0;
  std::uint32_t opt_io = 0;
  std::uint32_t discard_granularity = 0;
  std::uint64_t max_unmap = std::uint64_t{1} << 30;  ///< of one command
  std::uint64_t max_io = 0;                          ///< likewise
};

/// Of one UNMAP command, and of the blocks that one WRITE SAME writes.
inline constexpr std::uint32_t kScsiMaxUnmapRanges = 255;
/// Likewise.
inline constexpr std::uint64_t kScsiMaxWriteSameBlocks = 0x2'0000;

/// Standard INQUIRY data, 36 bytes.
ScsiBytes standard_inquiry(const ScsiUnitOptions& options);
/// Of a target that has no unit of that number.
ScsiBytes absent_inquiry();
/// A page of vital product data; empty: there is no such page. `is_writable`: the medium can be changed.
ScsiBytes vital_product_data(const ScsiUnitOptions& options, std::uint8_t page, bool is_writable);

/// Which values of a mode page are meant.
enum class ModeControl : std::uint8_t { kCurrent, kChangeable, kDefault, kSaved };
/// What of a mode page is not constant.
struct ModeState {
  bool is_write_cache;
  bool is_locked;  ///< the medium cannot be removed
};
inline constexpr std::uint8_t kAllModePages = 0x3f;
inline constexpr std::uint8_t kCachingPage = 0x08;
/// WCE, in byte 2 of the caching page.
inline constexpr std::uint8_t kWriteCacheBit = 0x04;
/// One page, or all of them; empty: there is none.
ScsiBytes mode_pages(const ScsiUnitOptions& options, std::uint8_t page, ModeControl control,
                     const ModeState& state);

// Of MMC; `blocks` is the size of the medium.

/// The answer to READ TOC, empty: there is no such format or track. `first` is a track.
ScsiBytes cd_contents(std::uint8_t format, bool is_msf, std::uint8_t first, std::uint64_t blocks);
/// GET CONFIGURATION: features from `first` on, as `type` (RT) wants. 0 blocks: there is no medium.
ScsiBytes cd_configuration(std::uint8_t type, std::uint16_t first, std::uint64_t blocks);
/// GET EVENT STATUS NOTIFICATION of the classes that are asked for.
ScsiBytes cd_events(std::uint8_t classes, bool has_medium, bool is_open);
/// READ DISC INFORMATION: one session of one track, complete.
ScsiBytes cd_information();

}  // namespace gstage::hw
