// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

/// Offsets and bits of configuration space (PCI Local Bus 3.0, chapter 6; PCI Express Base, chapter 7). What
/// nobody reads or writes but software has no name here: it is in the rows alone.
namespace gstage::hw::pci {

enum : unsigned {
  kVendorId = 0x00,
  kDeviceId = 0x02,
  kCommand = 0x04,
  kStatus = 0x06,
  kRevision = 0x08,
  kClass = 0x0a,
  kHeaderType = 0x0e,
  kBar0 = 0x10,
  kSubsystemVendor = 0x2c,
  kSubsystem = 0x2e,
  kCapabilityPointer = 0x34,
  kInterruptPin = 0x3d,
  kHeaderEnd = 0x40,
  // Of a bridge (header type 1):
  kSecondaryBus = 0x19,
  kSubordinateBus = 0x1a,
  kIoBase = 0x1c,
  kIoLimit = 0x1d,
  kMemoryBase = 0x20,
  kMemoryLimit = 0x22,
  kPrefetchBase = 0x24,
  kPrefetchLimit = 0x26,
  kPrefetchBaseHigh = 0x28,
  kPrefetchLimitHigh = 0x2c,
  kBridgeControl = 0x3e,
};

inline constexpr std::uint32_t kCommandIo = 1 << 0;
inline constexpr std::uint32_t kCommandMemory = 1 << 1;
inline constexpr std::uint32_t kCommandMaster = 1 << 2;
inline constexpr std::uint32_t kCommandParity = 1 << 6;
inline constexpr std::uint32_t kCommandSerr = 1 << 8;
inline constexpr std::uint32_t kCommandIntxDisable = 1 << 10;
inline constexpr std::uint32_t kStatusInterrupt = 1 << 3;
inline constexpr std::uint32_t kStatusCapabilities = 1 << 4;
inline constexpr std::uint32_t kStatusErrors = 0xf900;  ///< written ones clear
inline constexpr std::uint32_t kMultifunction = 0x80;   ///< of the header type
inline constexpr std::uint32_t kBridgeSecondaryReset = 1 << 6;

inline constexpr std::uint32_t kBarIo = 1;
inline constexpr std::uint32_t kBarMemory64 = 4;
inline constexpr std::uint32_t kBarPrefetchable = 8;

/// Capability ids.
enum : std::uint8_t {
  kCapPower = 0x01,
  kCapMsi = 0x05,
  kCapVendor = 0x09,
  kCapBridgeSubsystem = 0x0d,
  kCapExpress = 0x10,
  kCapMsix = 0x11,
};

}  // namespace gstage::hw::pci
