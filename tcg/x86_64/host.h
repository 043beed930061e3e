// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "tcg/region/region.h"
#include "tcg/runtime/guest.h"

namespace gstage::tcg::x86_64 {

/// Numbers of the general registers as encoded.
enum Gpr : std::uint8_t {
  kRax = 0,
  kRcx = 1,
  kRdx = 2,
  kRbx = 3,
  kRsp = 4,
  kRbp = 5,
  kRsi = 6,
  kRdi = 7,
  kR8 = 8,
  kR9 = 9,
  kR10 = 10,
  kR11 = 11,
  kR12 = 12,
  kR13 = 13,
  kR14 = 14,
  kR15 = 15,
};

/// rbp points this far into CpuCore, so that its fields and the first guest registers have 8-bit
/// displacements.
inline constexpr int kCoreBias = 128;

/// Host registers of the global registers, in GuestLayout's order. The first five survive a C++ call. (As
/// a base r12 and r13 need a byte more: not for the stack pointer.)
inline constexpr std::array<std::uint8_t, kGlobalRegisters> kGlobalHosts = {kR12, kRbx, kR14, kR15, kR13,
                                                                            kRdi, kR8,  kR9,  kR10, kR11};
inline constexpr unsigned kCalleeSavedGlobals = 5;

/// A set of host registers, one bit each.
using RegMask = std::uint32_t;
/// The set of one register.
constexpr RegMask reg_bit(unsigned reg) { return RegMask{1} << reg; }
/// What the allocator hands out. All of xmm0–15 are scratch too.
inline constexpr RegMask kScratchGprs = reg_bit(kRax) | reg_bit(kRcx) | reg_bit(kRdx) | reg_bit(kRsi);
inline constexpr RegMask kAllXmms = 0xffff;

/// The inline translation cache of an access in a region: the translation that it found last, for a range of
/// guest addresses that is contiguous in host memory. It holds until the hart leaves the region or calls a
/// helper, after which all are empty: nothing else takes a translation from the hart meanwhile (fences end
/// blocks, and other threads have it leave generated code).
struct InlineCache {
  std::uint64_t start;   ///< guest virtual address
  std::uint64_t addend;  ///< from guest to host address
  std::uint64_t size;    ///< addresses from `start` at which the access may begin; 0: none
  std::uint64_t misses;  ///< since the region was entered
};

/// The stack frame below generated code, from rsp. It is aligned to 16 bytes.
struct Frame {
  static constexpr unsigned kSlots = 256;  ///< for values that the registers cannot hold
  static constexpr unsigned kInlineCaches = kMaxInlineCaches;
  std::uint64_t context;  ///< RunContext*
  std::uint32_t host_mxcsr;
  std::uint32_t temp_mxcsr;
  std::uint64_t rounds_left;  ///< of a versioned loop, after the one under way
  std::uint64_t padding;
  InlineCache inline_caches[kInlineCaches];
  std::uint64_t saved_gpr[8];   ///< by register number: scratch registers around a slow path
  std::uint64_t saved_xmm[16];  ///< likewise
  std::uint64_t slots[kSlots];
};
static_assert(sizeof(Frame) % 16 == 0);

/// What the host can do beyond SSE2.
struct HostFeatures {
  bool bmi2 = false;
  bool fma = false;
  bool bit_counts = false;  ///< lzcnt, tzcnt and popcnt
};
/// The features of this machine.
HostFeatures detect_host();

}  // namespace gstage::tcg::x86_64
