// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

/// Offsets and bits of the registers of Intel's 82574 that do something here (82574 GbE Controller Family
/// Datasheet, chapter 10); the others are rows that keep what is written.
namespace gstage::hw::e1000e {

enum : std::uint32_t {
  kCtrl = 0x0000,
  kStatus = 0x0008,
  kEecd = 0x0010,
  kEerd = 0x0014,
  kCtrlExt = 0x0018,
  kMdic = 0x0020,
  kIcr = 0x00c0,
  kIcs = 0x00c8,
  kIms = 0x00d0,
  kImc = 0x00d8,
  kEiac = 0x00dc,
  kIam = 0x00e0,
  kIvar = 0x00e4,
  kRctl = 0x0100,
  kTctl = 0x0400,
  kEemngctl = 0x1010,
  kRing = 0x100,  ///< from a register of ring 0 to that of ring 1
  kRdbal = 0x2800,
  kRdbah = 0x2804,
  kRdlen = 0x2808,
  kRdh = 0x2810,
  kRdt = 0x2818,
  kTdbal = 0x3800,
  kTdbah = 0x3804,
  kTdlen = 0x3808,
  kTdh = 0x3810,
  kTdt = 0x3818,
  kStatistics = 0x4000,
  kReceivedPackets = 0x4074,
  kSentPackets = 0x4080,
  kReceivedBytes = 0x4088,
  kSentBytes = 0x4090,
  kRxcsum = 0x5000,
  kRfctl = 0x5008,
  kMta = 0x5200,
  kRal = 0x5400,
  kVfta = 0x5600,
  kEnd = 0xb700,  ///< behind the last register
};

inline constexpr std::uint32_t kCtrlMasterDisable = 1 << 2;
inline constexpr std::uint32_t kCtrlLinkUp = 1 << 6;
inline constexpr std::uint32_t kCtrlReset = 1 << 26;
inline constexpr std::uint32_t kCtrlVlan = 1 << 30;
inline constexpr std::uint32_t kCtrlPhyReset = 1u << 31;
inline constexpr std::uint32_t kStatusFixed = 0x81;  ///< full duplex at 1000 Mbit/s
inline constexpr std::uint32_t kStatusLinkUp = 1 << 1;
inline constexpr std::uint32_t kStatusMaster = 1 << 19;
inline constexpr std::uint32_t kEecdPresent = 0x300;  ///< the EEPROM is there, and was read
inline constexpr std::uint32_t kConfigDone = 1 << 18;
inline constexpr std::uint32_t kAutoMask = 1 << 24;  ///< of CTRL_EXT: a message masks its cause
inline constexpr std::uint32_t kIamEnable = 1 << 27;

inline constexpr std::uint32_t kTxWritten = 1 << 0;
inline constexpr std::uint32_t kLinkChange = 1 << 2;
inline constexpr std::uint32_t kRxOverrun = 1 << 6;
inline constexpr std::uint32_t kRxTimer = 1 << 7;
inline constexpr std::uint32_t kRxQueue0 = 1 << 20;
inline constexpr std::uint32_t kTxQueue0 = 1 << 22;
inline constexpr std::uint32_t kOther = 1 << 24;
inline constexpr std::uint32_t kAsserted = 1u << 31;

inline constexpr std::uint32_t kRctlEnable = 1 << 1;
inline constexpr std::uint32_t kRctlAll = 1 << 3;
inline constexpr std::uint32_t kRctlAllMulticast = 1 << 4;
inline constexpr std::uint32_t kRctlLong = 1 << 5;
inline constexpr std::uint32_t kRctlBroadcast = 1 << 15;
inline constexpr std::uint32_t kRctlVlanFilter = 1 << 18;
inline constexpr std::uint32_t kRctlStripCrc = 1 << 26;
inline constexpr std::uint32_t kTctlEnable = 1 << 1;
inline constexpr std::uint32_t kExtendedStatus = 1 << 15;  ///< of RFCTL
inline constexpr std::uint32_t kAddressValid = 1u << 31;

}  // namespace gstage::hw::e1000e
