// SPDX-License-Identifier: Apache-2.0
#include "tcg/x86_64/access_groups.h"

#include <algorithm>

#include "tcg/ir/op_info.h"
#include "tcg/region/region.h"

namespace gstage::tcg::x86_64 {

namespace {

/// The wider the range, the more often it crosses pages.
constexpr std::int64_t kMaxRange = 256;
constexpr std::int64_t kMaxDistance = 1 << 20;
bool is_small(std::int64_t v) { return v > -kMaxDistance && v < kMaxDistance; }

}  // namespace

void AccessGroups::find(const Unit& unit, std::span<const std::uint8_t> pointers) {
  groups_.clear();
  open_.clear();
  group_of_.assign(unit.insts.size(), kNone);
  values_.resize(unit.insts.size());
  next_root_ = 0;
  forget_registers();
  pointers_ = pointers;
  for (std::uint32_t i = 0; i < unit.insts.size(); ++i) follow(unit, i);
  drop_single_ones();
}

void AccessGroups::forget_registers() {
  for (RootOffset& value : registers_) value = {next_root_++, 0};
}

void AccessGroups::follow(const Unit& unit, std::uint32_t index) {
  const Inst& inst = unit.insts[index];
  values_[index] = {next_root_++, 0};
  switch (inst.op) {
    case Op::get_x: values_[index] = registers_[static_cast<unsigned>(inst.imm)]; break;
    case Op::set_x: registers_[static_cast<unsigned>(inst.imm)] = values_[inst.args[0].index]; break;
    case Op::add: {
      const Inst& constant = unit.insts[inst.args[1].index];
      const RootOffset& base = values_[inst.args[0].index];
      if (constant.op == Op::const_ && is_small(constant.imm) && is_small(base.offset))
        values_[index] = {base.root, base.offset + constant.imm};
      break;
    }
    case Op::load:
    case Op::store: add(unit, index); break;
    default:
      // A helper may change the regime or the registers.
      if (info(inst.op).has(kCalls) && inst.op != Op::trap_if_zero) open_.clear();
      if (touches_registers(inst)) forget_registers();
  }
}

void AccessGroups::add(const Unit& unit, std::uint32_t index) {
  const Inst& inst = unit.insts[index];
  if (!is_small(inst.imm) || (!pointers_.empty() && pointers_[index] != kNoPointer)) return;
  const RootOffset& base = values_[inst.args[0].index];
  const bool is_store = inst.op == Op::store;
  const std::int64_t low = base.offset + inst.imm;
  const std::int64_t high = low + mem_size(static_cast<MemKind>(inst.aux));
  for (Open& open : open_) {
    if (open.root != base.root || open.is_store != is_store) continue;
    AccessGroup& group = groups_[open.group];
    const std::int64_t new_low = std::min(group.low, low - open.first_offset);
    const std::int64_t new_high = std::max(group.high, high - open.first_offset);
    if (new_high - new_low > kMaxRange) continue;
    group.low = new_low;
    group.high = new_high;
    group.last = index;
    ++group.count;
    group_of_[index] = open.group;
    return;
  }
  const auto number = static_cast<std::uint16_t>(groups_.size());
  if (number == kNone) return;
  groups_.push_back({index, index, 1, low - base.offset, high - base.offset});
  open_.push_back({base.root, is_store, number, base.offset});
  group_of_[index] = number;
}

void AccessGroups::drop_single_ones() {
  for (const AccessGroup& group : groups_)
    if (group.count == 1) group_of_[group.first] = kNone;
}

}  // namespace gstage::tcg::x86_64
