// SPDX-License-Identifier: Apache-2.0
// Indirect jumps in a region: to the nodes where they were seen to go, or elsewhere after all.
#include <algorithm>
#include <bit>
#include <cstddef>

#include "tcg/x86_64/compiler.h"

namespace gstage::tcg::x86_64 {

using namespace Xbyak::util;  // NOLINT: register names

namespace {

/// Up to so many targets are compared one by one; hosts predict one jump by a table better than a longer row
/// of branches.
constexpr std::size_t kMaxCompared = 2;
constexpr std::size_t kMaxSlots = 512;
constexpr unsigned kSlotShift = 4;
constexpr std::size_t kSlotBytes = 1u << kSlotShift;  ///< offset of the guest's code, address of the host's
constexpr unsigned kMinShift = 1;                     ///< of offsets, which are even
constexpr unsigned kMaxShift = 8;

}  // namespace

void Compiler::region_jump_reg(const Inst& inst) {
  regs_.bring(inst.args[0], kRax);
  std::vector<RegionEdge> ways = region_->nodes[node_].edges;
  std::erase_if(ways, [](const RegionEdge& way) { return way.node == kNoNode; });
  if (ways.empty()) {
    leave_region();
    return a_.jump_back(thunks_.dispatch());
  }
  regs_.take(kRcx);
  regs_.take(kRdx);
  OutOfLine leave = out_of_line(&Compiler::jump_reg_out_of_line);
  a_.sub(rax, a_.core(offsetof(CpuCore, pc_page)));
  const std::uint32_t call = region_->nodes[node_].last_call;
  const bool is_switch = std::all_of(
      ways.begin(), ways.end(), [&](const RegionEdge& way) { return region_->nodes[way.node].call == call; });
  if (is_switch && ways.size() > kMaxCompared)
    jump_by_table(table_of(call), leave);
  else
    compare_ways(ways, leave);
}

void Compiler::compare_ways(const std::vector<RegionEdge>& ways, OutOfLine& leave) {
  const bool has_way_back =
      std::any_of(ways.begin(), ways.end(), [&](const RegionEdge& way) { return is_way_back(way.node); });
  if (has_way_back) leave.entries[1] = jump_on_attention();
  for (std::size_t i = 0; i + 1 < ways.size(); ++i) {
    a_.cmp(rax, static_cast<std::uint32_t>(ways[i].offset));
    go_to_on(Cc::e, ways[i].offset, ways[i].node);
  }
  a_.cmp(rax, static_cast<std::uint32_t>(ways.back().offset));
  leave.entries[0] = a_.jump_on(Cc::ne);
  resume(leave);
  go_to(ways.back().offset, ways.back().node);
}

/// The offset is in rax.
void Compiler::jump_by_table(JumpTable& table, OutOfLine& leave) {
  leave.entries[1] = jump_on_attention();
  a_.mov(ecx, eax);
  if (table.shift < kSlotShift) a_.shl(ecx, static_cast<int>(kSlotShift - table.shift));
  if (table.shift > kSlotShift) a_.shr(ecx, static_cast<int>(table.shift - kSlotShift));
  a_.and_(ecx, static_cast<std::uint32_t>((table.slots.size() - 1) * kSlotBytes));
  for (const std::uint8_t byte : {0x48, 0x8d, 0x15}) a_.db(byte);  // lea rdx, [rip + …]
  a_.dd(0);
  table.uses.push_back(a_.here());
  a_.cmp(rax, qword[rdx + rcx]);
  leave.entries[0] = a_.jump_on(Cc::ne);
  a_.jmp(qword[rdx + rcx + 8]);
  resume(leave);
}

void Compiler::jump_reg_out_of_line(const OutOfLine& path) {
  for (const Jump& entry : path.entries)
    if (entry.end != 0) a_.bind(entry);
  leave_region();
  a_.add(rax, a_.core(offsetof(CpuCore, pc_page)));
  a_.jump_back(thunks_.dispatch());
}

// Tables: one for all jumps of a call of a function. The slot is some of the offset's bits, so that each has
// its own.

Compiler::JumpTable& Compiler::table_of(std::uint32_t call) {
  for (JumpTable& table : tables_)
    if (table.call == call) return table;
  std::vector<RegionEdge> targets;
  for (const RegionNode& node : region_->nodes) {
    if (node.last_call != call || node.is_check || node.unit.insts.back().op != Op::jump_reg) continue;
    for (const RegionEdge& way : node.edges) {
      const bool is_known = std::any_of(targets.begin(), targets.end(), [&](const RegionEdge& target) {
        return target.offset == way.offset;
      });
      if (way.node != kNoNode && region_->nodes[way.node].call == call && !is_known) targets.push_back(way);
    }
  }
  JumpTable table{call, kMinShift, {}, {}};
  for (std::size_t slots = std::bit_ceil(2 * targets.size()); slots <= kMaxSlots; slots *= 2)
    for (table.shift = kMaxShift; table.shift >= kMinShift; --table.shift)
      if (fill_table(targets, slots, table)) return tables_.emplace_back(std::move(table));
  table.shift = kMinShift;
  fill_table(targets, kMaxSlots, table);
  return tables_.emplace_back(std::move(table));
}

/// False: some share a slot; the first one has it.
bool Compiler::fill_table(const std::vector<RegionEdge>& targets, std::size_t slots, JumpTable& table) {
  table.slots.assign(slots, {});
  bool is_perfect = true;
  for (const RegionEdge& target : targets) {
    RegionEdge& slot = table.slots[static_cast<std::uint64_t>(target.offset) >> table.shift & (slots - 1)];
    is_perfect &= slot.node == kNoNode || slot.offset == target.offset;
    if (slot.node == kNoNode) slot = target;
  }
  return is_perfect;
}

std::size_t Compiler::jump_table_bytes() const {
  std::size_t bytes = 0;
  for (const JumpTable& table : tables_) bytes += kSlotBytes * (table.slots.size() + 1);
  return bytes;
}

void Compiler::emit_jump_tables(CompiledBlock& block) {
  for (const JumpTable& table : tables_) {
    a_.align(kSlotBytes);
    for (const std::size_t use : table.uses) a_.rewrite(use - 4, a_.here() - use, 4);
    for (const RegionEdge& slot : table.slots) {
      const bool is_empty = slot.node == kNoNode;
      // No offset is odd.
      a_.dq(is_empty ? 1 : static_cast<std::uint64_t>(slot.offset));
      a_.dq(is_empty ? 0 : reinterpret_cast<std::uintptr_t>(buffer_.executable_at(starts_[slot.node])));
    }
  }
  block.out_of_line_end = a_.here();
}

}  // namespace gstage::tcg::x86_64
