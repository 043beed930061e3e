// SPDX-License-Identifier: Apache-2.0
#include "tcg/region/jump_profile.h"

#include <algorithm>
#include <utility>

namespace gstage::tcg {

void JumpProfile::note(const std::byte* jump, std::int64_t distance) {
  if (jumps_.size() >= kMaxJumps && !jumps_.contains(jump)) jumps_.clear();
  std::vector<JumpTarget>& targets = jumps_[jump];
  auto at = std::find_if(targets.begin(), targets.end(),
                         [&](const JumpTarget& target) { return target.distance == distance; });
  if (at == targets.end()) {
    if (targets.size() == kMaxTargets) targets.pop_back();
    at = targets.insert(targets.end(), {distance, 0});
  }
  ++at->count;
  for (; at != targets.begin() && at->count > std::prev(at)->count; --at) std::iter_swap(at, std::prev(at));
}

std::span<const JumpTarget> JumpProfile::targets(const std::byte* jump) const {
  const auto found = jumps_.find(jump);
  return found == jumps_.end() ? std::span<const JumpTarget>{} : std::span{found->second};
}

}  // namespace gstage::tcg
