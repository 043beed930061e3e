// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "tcg/region/region.h"

namespace gstage::tcg {

/// A loop of a region.
struct Loop {
  std::uint32_t header = 0;
  std::vector<std::uint32_t> nodes;  ///< in the region's order
};

/// The loops, each by its header. To a loop belongs what reaches its end without passing the header.
std::vector<Loop> find_loops(const Region& region);

}  // namespace gstage::tcg
