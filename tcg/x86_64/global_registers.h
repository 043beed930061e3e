// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "tcg/region/region.h"
#include "tcg/runtime/guest.h"
#include "tcg/x86_64/allocator.h"

namespace gstage::tcg::x86_64 {

/// The global registers of a region, and how they differ from those of all other code.
struct RegionGlobalRegisters {
  /// A host register that holds another guest register than elsewhere.
  struct Swap {
    std::uint8_t host;
    std::uint8_t common;  ///< the guest register that it holds elsewhere; in the region that is in memory
    std::uint8_t own;     ///< the one that it holds in the region
    bool is_written;      ///< in the region
  };
  /// An SSE register that holds a guest's; elsewhere those are in memory.
  struct Float {
    std::uint8_t host;
    std::uint8_t f;
    bool is_written;
  };
  Allocator::GlobalRegisters hosts;
  std::vector<Swap> swaps;
  std::vector<Float> floats;
  /// Floating-point registers, one bit each, that hold boxed singles all the time if they do at the entry.
  std::uint32_t boxed = 0;
};

/// Chooses those that the region's loops use most. `has_floats`: the host can do without copies of operands
/// (AVX).
RegionGlobalRegisters choose_global_registers(const Region& region, const Allocator::GlobalRegisters& common,
                                              bool has_floats);

}  // namespace gstage::tcg::x86_64
