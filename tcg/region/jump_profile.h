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

/// Where indirect jumps went while somebody watched. A jump is named by its guest code's host address.
class JumpProfile {
 public:
  void note(const std::byte* jump, std::int64_t distance);
  /// The most frequent first; empty: it was not seen.
  [[nodiscard]] std::span<const JumpTarget> targets(const std::byte* jump) const;
  void clear() { jumps_.clear(); }

 private:
  /// What goes to more places is no switch that a region could follow.
  static constexpr std::size_t kMaxTargets = 64;
  static constexpr std::size_t kMaxJumps = 8192;

  std::unordered_map<const std::byte*, std::vector<JumpTarget>> jumps_;
};

}  // namespace gstage::tcg
