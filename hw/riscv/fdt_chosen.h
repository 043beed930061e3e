// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "softmmu/base/result.h"

namespace gstage::hw {

/// The largest tree that is taken: ten times the largest that Linux reads, and far from where libfdt's
/// lengths, which are ints, overflow.
inline constexpr std::size_t kMaxFdtBytes = 20 << 20;

/// What a hypervisor finds in memory besides its own kernel (Xen, docs/misc/arm/device-tree/booting.txt).
struct BootModule {
  std::uint64_t base = 0;  ///< physical address
  std::uint64_t size = 0;
  const char* kind = "";  ///< "multiboot,kernel" or "multiboot,ramdisk"
  bool has_bootargs = false;
  std::string bootargs{};  ///< its command line
};

/// What the loader tells the kernel in the tree's /chosen node.
struct Chosen {
  std::string bootargs;           ///< empty: left as it is
  std::uint64_t initrd_base = 0;  ///< physical address
  std::uint64_t initrd_size = 0;  ///< 0: none
  bool has_seed = false;          ///< a fresh rng-seed each time; else left as it is
  std::vector<BootModule> modules{};
};

/// An error unless `blob` begins with a flattened tree that is sound in all its parts. `name` is for
/// messages.
Status check_fdt(const std::string& name, const std::vector<std::byte>& blob);

/// What a kernel will stumble over in the memory nodes of a sound tree on a machine with this RAM: the end of
/// a sentence that begins with the tree's name. Empty: nothing.
std::string doubt_fdt_memory(const std::vector<std::byte>& tree, std::uint64_t ram_base,
                             std::uint64_t ram_size);

/// The tree with the properties set. `name` is for messages. An error when `blob` is no sound tree.
Result<std::vector<std::byte>> set_chosen(const std::string& name, const std::vector<std::byte>& blob,
                                          const Chosen& chosen);

}  // namespace gstage::hw
