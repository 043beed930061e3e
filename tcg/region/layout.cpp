// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>
#include <vector>

#include "tcg/region/form.h"
#include "tcg/region/loops.h"

namespace gstage::tcg {
namespace {

/// An order in which the likeliest next node follows: the one straight on, a node's first edge.
std::vector<std::uint32_t> order_of(const Region& region) {
  std::vector<std::uint32_t> order;
  std::vector<std::uint8_t> is_placed(region.nodes.size(), 0);
  std::vector<std::uint32_t> later{0};
  while (!later.empty()) {
    std::uint32_t next = later.back();
    later.pop_back();
    while (next != kNoNode && is_placed[next] == 0) {
      is_placed[next] = 1;
      order.push_back(next);
      const RegionNode& node = region.nodes[next];
      next = kNoNode;
      for (const RegionEdge& edge : node.edges) {
        if (edge.node == kNoNode || is_placed[edge.node] != 0) continue;
        if (next == kNoNode)
          next = edge.node;
        else
          later.push_back(edge.node);
      }
    }
  }
  return order;
}

void note_loops(Region& region) {
  region.nodes[0].is_entry = true;
  for (const Loop& loop : find_loops(region)) {
    RegionNode& header = region.nodes[loop.header];
    header.is_entry |= header.call == 0;
    for (const std::uint32_t node : loop.nodes) ++region.nodes[node].depth;
  }
}

}  // namespace

void lay_out(Region& region) {
  const std::vector<std::uint32_t> order = order_of(region);
  std::vector<std::uint32_t> positions(region.nodes.size(), kNoNode);
  for (std::uint32_t i = 0; i < order.size(); ++i) positions[order[i]] = i;
  std::vector<RegionNode> nodes;
  nodes.reserve(order.size());
  for (const std::uint32_t index : order) nodes.push_back(std::move(region.nodes[index]));
  region.nodes = std::move(nodes);
  for (RegionNode& node : region.nodes)
    for (RegionEdge& edge : node.edges)
      if (edge.node != kNoNode) edge.node = positions[edge.node];
  note_loops(region);
}

}  // namespace gstage::tcg
