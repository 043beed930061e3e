// SPDX-License-Identifier: Apache-2.0
#include "hw/riscv/fdt_chosen.h"

#include <array>
#include <cstring>

#include <libfdt.h>
#include <sys/random.h>

#include "softmmu/base/check.h"

namespace gstage::hw {
namespace {

/// Room for the node and the properties besides the command line.
constexpr std::size_t kExtraBytes = 1024;
constexpr std::size_t kSeedBytes = 32;

int set_properties(void* fdt, const Chosen& chosen) {
  int node = fdt_path_offset(fdt, "/chosen");
  if (node == -FDT_ERR_NOTFOUND) node = fdt_add_subnode(fdt, 0, "chosen");
  if (node < 0) return node;
  int status = 0;
  if (!chosen.bootargs.empty()) status = fdt_setprop_string(fdt, node, "bootargs", chosen.bootargs.c_str());
  if (status == 0 && chosen.initrd_size != 0) {
    status = fdt_setprop_u64(fdt, node, "linux,initrd-start", chosen.initrd_base);
    if (status == 0)
      status = fdt_setprop_u64(fdt, node, "linux,initrd-end", chosen.initrd_base + chosen.initrd_size);
  }
  if (status == 0 && chosen.has_seed) {
    std::array<std::uint8_t, kSeedBytes> seed{};
    CHECK(getrandom(seed.data(), seed.size(), 0) == static_cast<ssize_t>(seed.size()));
    status = fdt_setprop(fdt, node, "rng-seed", seed.data(), static_cast<int>(seed.size()));
  }
  return status;
}

}  // namespace

Result<std::vector<std::byte>> set_chosen(const std::string& name, const std::vector<std::byte>& blob,
                                          const Chosen& chosen) {
  if (blob.size() < sizeof(fdt_header) || fdt_check_header(blob.data()) != 0 ||
      fdt_totalsize(blob.data()) > blob.size())
    return error("%s is no flattened device tree, or a truncated one; make it with dtc", name.c_str());
  std::vector<std::byte> tree(blob.size() + chosen.bootargs.size() + kExtraBytes);
  int status = fdt_open_into(blob.data(), tree.data(), static_cast<int>(tree.size()));
  if (status == 0) status = set_properties(tree.data(), chosen);
  if (status != 0)
    return error("%s: the device tree cannot be completed (%s); make it again with dtc", name.c_str(),
                 fdt_strerror(status));
  CHECK(fdt_pack(tree.data()) == 0);
  tree.resize(fdt_totalsize(tree.data()));
  return tree;
}

}  // namespace gstage::hw
