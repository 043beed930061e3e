// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "softmmu/base/types.h"
#include "tcg/ir/unit.h"
#include "tcg/region/region.h"

namespace gstage::tcg {

/// What tells blocks apart. Guest memory is named by its host address, which the fetch table yields and which
/// stands for the physical address.
struct BlockKey {
  const std::byte* host = nullptr;         ///< first byte of guest code
  const std::byte* second_page = nullptr;  ///< of a block whose one instruction straddles two pages
  std::uint32_t flags = 0;                 ///< Guest::block_flags
  std::uint16_t limit = 0;                 ///< FetchPage::limit: such a block is never linked to or from
  bool operator==(const BlockKey&) const = default;
};

struct Block;

/// What the block of a region has besides. Its key is that of the region's first block, with kRegionFlag.
struct RegionCode {
  std::vector<Block*> headers;  ///< the blocks whose entries lead to the region
  std::vector<RegionPage> pages;
  RegionReport report;
};

/// Not one of Guest::block_flags.
inline constexpr std::uint32_t kRegionFlag = std::uint32_t{1} << 31;

/// One translated block. Its memory lives until the cache is cleared, so that whoever found it may go on
/// using it.
struct Block {
  BlockKey key;
  std::uint16_t bytes = 0;             ///< of guest code
  std::atomic<bool> is_dead{false};    ///< its guest bytes were written: no longer found
  std::atomic<bool> is_wanted{false};  ///< the dispatcher has asked for it
  bool is_forwarded = false;           ///< JIT: in the list of the block that its entry jumps to
  std::atomic<Block*> next{nullptr};   ///< in its hash bucket
  const void* code = nullptr;          ///< what jump caches hold
  Paddr paddr;                         ///< of the first byte

  // JIT: offsets in the code buffer, and the dead blocks whose entry jumps here.
  std::uint32_t entry = 0;
  std::uint32_t stale = 0;
  Block* forwarded = nullptr;
  Block* next_forwarded = nullptr;

  std::unique_ptr<Unit> unit;          ///< interpreter
  std::unique_ptr<RegionCode> region;  ///< of a region
};

}  // namespace gstage::tcg
