// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>
#include <vector>

#include "tcg/region/form.h"

namespace gstage::tcg {
namespace {

/// An order in which what is most likely to come next does: the way straight on, which is a node's first
/// edge.
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

/// Compilers place a loop's head before its end, whichever block the region begins with.
bool is_back_edge(const RegionNode& from, const RegionNode& to) {
  return from.last_call == to.call && to.offset <= from.last_offset;
}

/// For each node, those that lead to it.
std::vector<std::vector<std::uint32_t>> ways_in(const Region& region) {
  std::vector<std::vector<std::uint32_t>> ways(region.nodes.size());
  for (std::uint32_t i = 0; i < region.nodes.size(); ++i)
    for (const RegionEdge& edge : region.nodes[i].edges)
      if (edge.node != kNoNode) ways[edge.node].push_back(i);
  return ways;
}

/// The nodes of a loop: the header, and what reaches an end of the loop without passing it.
void note_loop(Region& region, std::uint32_t header, const std::vector<std::vector<std::uint32_t>>& ways) {
  std::vector<std::uint8_t> is_inside(region.nodes.size(), 0);
  std::vector<std::uint32_t> open;
  is_inside[header] = 1;
  const auto add = [&](std::uint32_t node) {
    if (is_inside[node] != 0) return;
    is_inside[node] = 1;
    open.push_back(node);
  };
  for (const std::uint32_t end : ways[header])
    if (is_back_edge(region.nodes[end], region.nodes[header])) add(end);
  while (!open.empty()) {
    const std::uint32_t node = open.back();
    open.pop_back();
    for (const std::uint32_t before : ways[node]) add(before);
  }
  for (std::uint32_t i = 0; i < region.nodes.size(); ++i) region.nodes[i].depth += is_inside[i];
}

void note_loops(Region& region) {
  const auto ways = ways_in(region);
  for (std::uint32_t header = 0; header < region.nodes.size(); ++header) {
    RegionNode& node = region.nodes[header];
    const bool is_header = std::any_of(ways[header].begin(), ways[header].end(), [&](std::uint32_t end) {
      return is_back_edge(region.nodes[end], node);
    });
    node.is_entry = header == 0 || (is_header && node.call == 0);
    if (is_header) note_loop(region, header, ways);
  }
}

}  // namespace

void lay_out(Region& region) {
  const std::vector<std::uint32_t> order = order_of(region);
  std::vector<std::uint32_t> places(region.nodes.size(), kNoNode);
  for (std::uint32_t i = 0; i < order.size(); ++i) places[order[i]] = i;
  std::vector<RegionNode> nodes;
  nodes.reserve(order.size());
  for (const std::uint32_t index : order) nodes.push_back(std::move(region.nodes[index]));
  region.nodes = std::move(nodes);
  for (RegionNode& node : region.nodes)
    for (RegionEdge& edge : node.edges)
      if (edge.node != kNoNode) edge.node = places[edge.node];
  note_loops(region);
}

}  // namespace gstage::tcg
