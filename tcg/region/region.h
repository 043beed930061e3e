// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "softmmu/base/types.h"
#include "tcg/ir/unit.h"

namespace gstage::tcg {

inline constexpr std::uint32_t kNoNode = ~0u;

/// A way from a node to another one of its region. A way that is not listed leaves the region.
struct RegionEdge {
  std::int64_t offset = 0;       ///< where the guest goes on, from the region's page
  std::uint32_t node = kNoNode;  ///< kNoNode: out of the region
};

/// A register by which a loop accesses memory: always near the address that it holds.
struct LoopPointer {
  std::uint8_t x = 0;
  bool is_store = false;
  std::uint8_t inline_cache = 0;
  /// What the accesses of one round touch: bytes from the register's value at the round's start, the last one
  /// excluded.
  std::int64_t low = 0;
  std::int64_t high = 0;
  /// How far one round moves the register at most, either way.
  std::int64_t up = 0;
  std::int64_t down = 0;
  std::int64_t insn = 0;  ///< the first guest instruction among them, by offset
};

/// A loop that has two bodies. Before a round, the loop check finds for how many rounds all pointers stay in
/// the ranges of their inline caches. So often the unchecked body goes round, which does not test for
/// attention either; each way back counts as one round. If there is no such round, the other body goes round
/// once and fills the caches anew.
struct VersionedLoop {
  std::vector<LoopPointer> pointers;
};

inline constexpr std::uint8_t kNoVersionedLoop = 0xff;
inline constexpr std::uint8_t kNoPointer = 0xff;

/// One unit of a region. Its offsets count from the region's page, which is the page of the region's entry;
/// they may lie outside of that page. The edges of a `jump_reg` are guesses, the likeliest first: where a
/// call that the region followed returns to, or where the jump was seen to go.
struct RegionNode {
  Unit unit;
  std::vector<RegionEdge> edges;
  unsigned depth = 0;       ///< how many loops are around it
  std::int64_t offset = 0;  ///< of its first instruction
  std::int64_t last_offset =
      0;  ///< of the first instruction of the last block that was joined to it, or the same
  /// The numbers of the calls by which the region came to the first and to the last block; 0: none.
  std::uint32_t call = 0;
  std::uint32_t last_call = 0;
  /// The versioned loop that it belongs to, an index of Region::versioned_loops; and for each instruction the
  /// pointer that it goes by, if it is a load or store that does.
  std::uint8_t versioned_loop = kNoVersionedLoop;
  std::vector<std::uint8_t> pointers;
  bool is_check =
      false;  ///< the versioned loop's check, without a unit; edges: the unchecked body, the other one
  bool is_unchecked = false;  ///< of the body that does not check
  std::uint32_t check =
      kNoNode;  ///< in that body, of what is jumped back to: where to go after the last round
  /// Whether a loop begins with it: then it is worth entering the region here. The first node is an entry.
  bool is_entry = false;

  /// The node at which the guest goes on at `offset`, or kNoNode.
  [[nodiscard]] std::uint32_t successor(std::int64_t offset) const {
    for (const RegionEdge& edge : edges)
      if (edge.offset == offset) return edge.node;
    return kNoNode;
  }
};

/// A page of guest code that a region was made from.
struct RegionPage {
  std::int64_t delta = 0;           ///< from the region's own page, in bytes
  const std::byte* host = nullptr;  ///< its bytes, which stand for the physical page
  Paddr paddr;
  std::uint32_t first = kPageSize;  ///< what of it the region covers: from this byte
  std::uint32_t last = 0;           ///< to this
};

/// The host address of the guest's code at this offset, which must lie in one of the pages.
inline const std::byte* host_of(std::span<const RegionPage> pages, std::int64_t offset) {
  const std::int64_t delta = offset & ~static_cast<std::int64_t>(kPageMask);
  for (const RegionPage& page : pages)
    if (page.delta == delta) return page.host + (offset - delta);
  return nullptr;
}

/// Hot blocks that form a loop, with the functions that they call, as one unit of compilation.
struct Region {
  std::vector<RegionNode> nodes;  ///< in the order in which their code is to lie
  std::vector<RegionPage> pages;  ///< the first one is the region's own
  std::vector<VersionedLoop> versioned_loops;
  /// The offsets of guest instructions whose accesses go here and there.
  std::vector<std::int64_t> scattered;
  std::uint32_t guest_insns = 0;
  /// More blocks may belong to it: nobody has seen where some of its indirect jumps go.
  bool has_unknown_jumps = false;

  void clear() {
    nodes.clear();
    pages.clear();
    versioned_loops.clear();
    scattered.clear();
    guest_insns = 0;
    has_unknown_jumps = false;
  }
};

/// How many accesses of a region may have an inline translation cache.
inline constexpr unsigned kMaxInlineCaches = 16;

/// What the code of a region reports while it runs. It lives as long as the code.
struct RegionReport {
  /// Accesses whose inline translation cache missed so often that it was given up. Set by any hart.
  std::array<std::atomic<std::uint8_t>, kMaxInlineCaches> is_given_up{};
  /// The guest instructions of these accesses, by offset. Set by the compiler.
  std::array<std::int64_t, kMaxInlineCaches> insns{};
};

}  // namespace gstage::tcg
