// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace gstage::tcg {

/// A place where an indirect jump was seen to go.
struct JumpTarget {
  std::int64_t distance = 0;  ///< from the virtual page of the jump, in bytes
  std::uint32_t count = 0;    ///< how often
};

/// Where indirect jumps went, and how loops went round, while somebody watched. Guest code is named by its
/// host address.
class JumpProfile {
 public:
  void note(const std::byte* jump, std::int64_t distance);
  /// The most frequent first; empty: it was not seen.
  [[nodiscard]] std::span<const JumpTarget> targets(const std::byte* jump) const;
  /// Notes that the hart came to a block, by a jump back or in another way.
  void note_block(const std::byte* code, bool is_way_back);
  /// How often in a row the block was executed, from each time that the hart came to it not by a jump back;
  /// 0: nobody saw it.
  [[nodiscard]] std::uint32_t rounds_at(const std::byte* code) const;
  void clear() {
    jumps_.clear();
    blocks_.clear();
  }

 private:
  /// A jump that goes to more places is no switch that a region could follow.
  static constexpr std::size_t kMaxTargets = 64;
  static constexpr std::size_t kMaxJumps = 8192;
  static constexpr std::size_t kMaxBlocks = 16384;
  struct Visits {
    std::uint32_t all = 0;
    std::uint32_t ways_back = 0;
  };

  std::unordered_map<const std::byte*, std::vector<JumpTarget>> jumps_;
  std::unordered_map<const std::byte*, Visits> blocks_;
};

}  // namespace gstage::tcg
