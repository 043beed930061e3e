// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gstage {

/// A node of `-numa`: harts and memory that are near one another.
struct NumaNode {
  std::uint64_t bytes = 0;  ///< of RAM, behind that of the nodes before
  std::string memory;       ///< the object that it is; empty: a part of what RAM is anyway
};

/// What `-numa` says, complete and checked.
struct NumaOptions {
  std::vector<NumaNode> nodes;          ///< by number; empty: the machine is not divided
  std::vector<unsigned> node_of_hart;   ///< of each hart, where there are nodes
  std::vector<std::uint8_t> distances;  ///< from each node to each; empty: nothing is said of them
};

}  // namespace gstage
