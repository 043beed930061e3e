// SPDX-License-Identifier: Apache-2.0
#include "tcg/region/loops.h"

#include <algorithm>
#include <utility>

namespace gstage::tcg {
namespace {

using WaysIn = std::vector<std::vector<std::uint32_t>>;

/// Compilers place a loop's head before its end, whichever block the region begins with.
bool is_back_edge(const RegionNode& from, const RegionNode& to) {
  return from.last_call == to.call && to.offset <= from.last_offset;
}

/// For each node, those that lead to it.
WaysIn find_ways_in(const Region& region) {
  WaysIn ways(region.nodes.size());
  for (std::uint32_t i = 0; i < region.nodes.size(); ++i)
    for (const RegionEdge& edge : region.nodes[i].edges)
      if (edge.node != kNoNode) ways[edge.node].push_back(i);
  return ways;
}

Loop loop_of(const Region& region, std::uint32_t header, const WaysIn& ways) {
  std::vector<std::uint8_t> is_inside(region.nodes.size(), 0);
  std::vector<std::uint32_t> open;
  const auto add = [&](std::uint32_t node) {
    if (std::exchange(is_inside[node], 1) == 0 && node != header) open.push_back(node);
  };
  for (const std::uint32_t end : ways[header]) {
    if (!is_back_edge(region.nodes[end], region.nodes[header])) continue;
    is_inside[header] = 1;
    add(end);
  }
  while (!open.empty()) {
    const std::uint32_t node = open.back();
    open.pop_back();
    for (const std::uint32_t before : ways[node]) add(before);
  }
  Loop loop{header, {}};
  for (std::uint32_t i = 0; i < region.nodes.size(); ++i)
    if (is_inside[i] != 0) loop.nodes.push_back(i);
  return loop;
}

}  // namespace

std::vector<Loop> find_loops(const Region& region) {
  const WaysIn ways = find_ways_in(region);
  std::vector<Loop> loops;
  for (std::uint32_t header = 0; header < region.nodes.size(); ++header)
    if (Loop loop = loop_of(region, header, ways); !loop.nodes.empty()) loops.push_back(std::move(loop));
  return loops;
}

}  // namespace gstage::tcg
