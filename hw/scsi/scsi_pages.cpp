// SPDX-License-Identifier: Apache-2.0
#include "hw/scsi/scsi_pages.h"

#include <bit>

namespace gstage::hw {
namespace {

enum Page : std::uint8_t {
  kSupported = 0x00,
  kSerial = 0x80,
  kIdentification = 0x83,
  kLimits = 0xb0,
  kCharacteristics = 0xb1,
  kProvisioning = 0xb2,
};
constexpr std::uint8_t kSpc3 = 5;
constexpr std::size_t kInquiryBytes = 36;

ScsiBytes supported_pages(const ScsiUnitOptions& options) {
  ScsiBytes pages{kSupported};
  if (!options.serial.empty()) pages.add(kSerial, 1);
  pages.add(kIdentification, 1);
  if (options.kind == ScsiKind::kDisk)
    for (const Page page : {kLimits, kCharacteristics, kProvisioning}) pages.add(page, 1);
  return pages;
}

/// SPC-5, 7.7.6: designators of the logical unit.
ScsiBytes identification(const ScsiUnitOptions& options) {
  constexpr std::uint8_t kBinary = 1, kText = 2, kVendorSpecific = 0, kNaa = 3;
  constexpr std::size_t kMostText = 255 - 8;
  ScsiBytes bytes;
  if (!options.device_id.empty()) {
    const std::string text = options.device_id.substr(0, kMostText);
    bytes.add({kText, kVendorSpecific, 0, static_cast<std::uint8_t>(text.size())});
    bytes.add_text(text);
  }
  if (options.wwn != 0) {
    bytes.add({kBinary, kNaa, 0, 8});
    bytes.add(options.wwn, 8);
  }
  return bytes;
}

std::uint64_t in_blocks(const ScsiUnitOptions& options, std::uint64_t bytes) {
  return bytes / options.logical_block;
}

/// SBC-4, 6.6.4: what is 0 says nothing.
ScsiBytes limits(const ScsiUnitOptions& options, bool is_writable) {
  constexpr std::uint8_t kNoZeroWriteSame = 1;
  ScsiBytes bytes{kNoZeroWriteSame, 0};
  bytes.add(in_blocks(options, options.min_io), 2);
  bytes.add(in_blocks(options, options.max_io), 4);
  bytes.add(in_blocks(options, options.opt_io), 4);
  bytes.add(0, 4);
  bytes.add(is_writable ? in_blocks(options, options.max_unmap) : 0, 4);
  bytes.add(is_writable ? kScsiMaxUnmapRanges : 0, 4);
  bytes.add(in_blocks(options, options.discard_granularity), 4);
  bytes.add(0, 4);
  bytes.add(is_writable ? kScsiMaxWriteSameBlocks : 0, 8);
  bytes.add_zeroes(60 - bytes.size());
  return bytes;
}

ScsiBytes characteristics(const ScsiUnitOptions& options) {
  ScsiBytes bytes;
  bytes.add(options.rotation_rate, 2);
  bytes.add_zeroes(58);
  return bytes;
}

/// SBC-4, 6.6.6: UNMAP and WRITE SAME unmap. What unmapped blocks read as is not said.
ScsiBytes provisioning(bool is_writable) {
  constexpr std::uint8_t kUnmapCommands = 0xe0, kThin = 2, kNotReported = 0;
  return {0, is_writable ? kUnmapCommands : std::uint8_t{0}, is_writable ? kThin : kNotReported, 0};
}

/// A mode page: what it holds, and which bits of that the initiator may change.
ScsiBytes with_head(std::uint8_t code, const ScsiBytes& body) {
  ScsiBytes page{code, static_cast<std::uint8_t>(body.size())};
  page.add(body);
  return page;
}

ScsiBytes zeroes(std::size_t count) {
  ScsiBytes bytes;
  bytes.add_zeroes(count);
  return bytes;
}

/// MMC-3, 6.3.11 (obsolete since, and read by all drivers): what the drive can do.
ScsiBytes capabilities(const ModeState& state) {
  constexpr std::uint8_t kReads = 0x3b, kSessions = 0x70, kTray = 0x20, kEjects = 0x08, kLocks = 0x01;
  constexpr std::uint16_t kSpeed = 50 * 176, kBufferKib = 2048;
  ScsiBytes bytes{kReads,
                  0,
                  kSessions,
                  0,
                  static_cast<std::uint8_t>(kTray | kEjects | kLocks | (state.is_locked ? 2 : 0)),
                  0};
  bytes.add(kSpeed, 2);
  bytes.add(0, 2);
  bytes.add(kBufferKib, 2);
  bytes.add(kSpeed, 2);
  bytes.add_zeroes(20 - bytes.size());
  return bytes;
}

ScsiBytes mode_page(const ScsiUnitOptions& options, std::uint8_t code, ModeControl control,
                    const ModeState& state) {
  constexpr std::uint8_t kErrorRecovery = 0x01, kControlPage = 0x0a, kCapabilities = 0x2a;
  constexpr std::uint8_t kReassignsWrites = 0x80, kAnyOrder = 0x10;
  const bool is_disk = options.kind == ScsiKind::kDisk;
  const bool is_mask = control == ModeControl::kChangeable;
  if (code == kErrorRecovery) {
    ScsiBytes body = zeroes(10);
    if (is_disk && !is_mask) body[0] = kReassignsWrites;
    return with_head(code, body);
  }
  if (code == kCachingPage && is_disk) {
    ScsiBytes body = zeroes(18);
    const bool is_on = control == ModeControl::kDefault ? options.is_write_cache : state.is_write_cache;
    if (is_mask || is_on) body[0] = kWriteCacheBit;
    return with_head(code, body);
  }
  if (code == kControlPage && is_disk) {
    ScsiBytes body = zeroes(10);
    if (!is_mask) body[1] = kAnyOrder;
    return with_head(code, body);
  }
  if (code == kCapabilities && !is_disk) return with_head(code, is_mask ? zeroes(20) : capabilities(state));
  return {};
}

}  // namespace

ScsiBytes standard_inquiry(const ScsiUnitOptions& options) {
  constexpr std::uint8_t kRemovable = 0x80, kFormat = 0x12, kQueues = 0x02;
  ScsiBytes bytes{static_cast<std::uint8_t>(options.kind),
                  options.is_removable ? kRemovable : std::uint8_t{0},
                  kSpc3,
                  kFormat,
                  kInquiryBytes - 5,
                  0,
                  0,
                  kQueues};
  bytes.add_padded(options.vendor, 8);
  bytes.add_padded(options.product, 16);
  bytes.add_padded(options.version, 4);
  return bytes;
}

ScsiBytes absent_inquiry() {
  constexpr std::uint8_t kNoDeviceOfAnyType = 0x7f;
  ScsiBytes bytes{kNoDeviceOfAnyType, 0, kSpc3, 0x12, kInquiryBytes - 5};
  bytes.add_zeroes(kInquiryBytes - bytes.size());
  return bytes;
}

ScsiBytes vital_product_data(const ScsiUnitOptions& options, std::uint8_t page, bool is_writable) {
  const bool is_disk = options.kind == ScsiKind::kDisk;
  if (page >= kLimits && !is_disk) return {};
  ScsiBytes body;
  switch (page) {
    case kSupported: body = supported_pages(options); break;
    case kSerial:
      if (options.serial.empty()) return {};
      body.add_text(options.serial);
      break;
    case kIdentification: body = identification(options); break;
    case kLimits: body = limits(options, is_writable); break;
    case kCharacteristics: body = characteristics(options); break;
    case kProvisioning: body = provisioning(is_writable); break;
    default: return {};
  }
  ScsiBytes bytes{static_cast<std::uint8_t>(options.kind), page};
  bytes.add(body.size(), 2);
  bytes.add(body);
  return bytes;
}

ScsiBytes mode_pages(const ScsiUnitOptions& options, std::uint8_t page, ModeControl control,
                     const ModeState& state) {
  if (page != kAllModePages) return mode_page(options, page, control, state);
  ScsiBytes all;
  for (std::uint8_t code = 1; code < kAllModePages; ++code) all.add(mode_page(options, code, control, state));
  return all;
}

}  // namespace gstage::hw
