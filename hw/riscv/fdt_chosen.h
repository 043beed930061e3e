// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "softmmu/base/result.h"

namespace gstage::hw {

/// What the loader tells the kernel in the tree's /chosen node.
struct Chosen {
  std::string bootargs;           ///< empty: left as it is
  std::uint64_t initrd_base = 0;  ///< physical address
  std::uint64_t initrd_size = 0;  ///< 0: none
  bool has_seed = false;          ///< a fresh rng-seed each time; else left as it is
};

/// The tree with the properties set. `name` is for messages. An error when `blob` is no flattened tree.
Result<std::vector<std::byte>> set_chosen(const std::string& name, const std::vector<std::byte>& blob,
                                          const Chosen& chosen);

}  // namespace gstage::hw
