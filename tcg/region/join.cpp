// SPDX-License-Identifier: Apache-2.0
#include <utility>
#include <vector>

#include "tcg/ir/op_info.h"
#include "tcg/opt/pipeline.h"
#include "tcg/region/form.h"

namespace gstage::tcg {
namespace {

/// Longer units keep values waiting for longer than registers can hold them.
constexpr std::size_t kMaxUnit = 1500;

std::vector<unsigned> count_ways_in(const Region& region) {
  std::vector<unsigned> count(region.nodes.size(), 0);
  count[0] = 1;  // the region's entry
  for (const RegionNode& node : region.nodes)
    for (const RegionEdge& edge : node.edges)
      if (edge.node != kNoNode) ++count[edge.node];
  return count;
}

/// Puts the second unit in place of the first one's jump.
void append(RegionNode& first, RegionNode& second) {
  std::vector<Inst>& insts = first.unit.insts;
  insts.pop_back();
  const auto base = static_cast<std::uint32_t>(insts.size());
  for (Inst inst : second.unit.insts) {
    for (unsigned k = 0; k < inst.argument_count; ++k) inst.args[k].index += base;
    insts.push_back(inst);
  }
  first.unit.guest_insns += second.unit.guest_insns;
  first.last_offset = second.last_offset;
  first.last_call = second.last_call;
  first.edges = std::move(second.edges);
  second.unit.clear();
  second.edges.clear();
}

/// Joins the node with each next one that can only be reached from it. Returns whether there was any.
bool join(Region& region, std::uint32_t index, const std::vector<unsigned>& ways_in) {
  bool is_joined = false;
  RegionNode& node = region.nodes[index];
  while (!node.unit.insts.empty() && node.unit.insts.back().op == Op::jump) {
    const std::uint32_t next = node.successor(node.unit.insts.back().imm);
    if (next == kNoNode || next == 0 || next == index || ways_in[next] != 1) return is_joined;
    RegionNode& second = region.nodes[next];
    if (node.unit.insts.size() + second.unit.insts.size() > kMaxUnit) return is_joined;
    append(node, second);
    is_joined = true;
  }
  return is_joined;
}

/// Ways that the optimized unit does not take any more.
void drop_edges(RegionNode& node) {
  const Inst& end = node.unit.insts.back();
  if (end.op != Op::jump || node.edges.empty()) return;
  const std::uint32_t next = node.successor(end.imm);
  node.edges.assign(1, {end.imm, next});
}

}  // namespace

void join_nodes(Region& region) {
  for (bool is_changed = true; is_changed;) {
    is_changed = false;
    const std::vector<unsigned> ways_in = count_ways_in(region);
    for (std::uint32_t i = 0; i < region.nodes.size(); ++i) is_changed |= join(region, i, ways_in);
    for (RegionNode& node : region.nodes) {
      if (node.unit.insts.empty()) continue;
      optimize(node.unit);
      drop_edges(node);
    }
  }
}

}  // namespace gstage::tcg
