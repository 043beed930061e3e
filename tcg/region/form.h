// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "tcg/region/jump_profile.h"
#include "tcg/region/region.h"

namespace gstage::tcg {

/// What a region is formed from: the hart's code as it is mapped now.
class RegionSource {
 public:
  virtual ~RegionSource() = default;
  /// The page `delta` bytes from the region's own, or null: it is not mapped, or it must not be read now.
  virtual const RegionPage* page(std::int64_t delta) = 0;
  /// Whether the block at this offset of the page lies in that page alone.
  virtual bool is_whole(const RegionPage& page, std::uint32_t page_offset) = 0;
  /// Decodes the block there into an empty unit.
  virtual void translate(const RegionPage& page, std::uint32_t page_offset, Unit& unit) = 0;
  /// Where the indirect jump there was seen to go, the likeliest first; nowhere if it was not watched.
  virtual std::span<const JumpTarget> targets(const RegionPage& page, std::uint32_t page_offset) = 0;
};

/// Finds the loop that begins at this offset of the region's page. To it belong all blocks that lead back
/// there by direct jumps, calls and returns, and by indirect jumps that were seen to go somewhere. False:
/// there is no loop.
bool form_region(RegionSource& source, std::uint32_t first_offset, Region& region);

/// Joins blocks that follow each other without another way in, optimizes the units, and puts them in the
/// order of emission with the depths of their loops.
void join_nodes(Region& region);
void lay_out(Region& region);

}  // namespace gstage::tcg
