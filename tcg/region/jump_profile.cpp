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

void JumpProfile::note_block(const std::byte* code, bool is_way_back) {
  if (blocks_.size() >= kMaxBlocks && !blocks_.contains(code)) blocks_.clear();
  Visits& visits = blocks_[code];
  ++visits.all;
  visits.ways_back += is_way_back;
}

std::uint32_t JumpProfile::rounds_at(const std::byte* code) const {
  const auto found = blocks_.find(code);
  if (found == blocks_.end()) return 0;
  const Visits& visits = found->second;
  return visits.all / std::max(1u, visits.all - visits.ways_back);
}

}  // namespace gstage::tcg
