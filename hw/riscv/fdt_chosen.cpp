// SPDX-License-Identifier: Apache-2.0
#include "hw/riscv/fdt_chosen.h"

#include <array>
#include <cinttypes>
#include <cstring>

#include <libfdt.h>
#include <sys/random.h>

#include "softmmu/base/check.h"
#include "softmmu/base/format.h"

namespace gstage::hw {
namespace {

/// Room for the node and the properties besides the command line.
constexpr std::size_t kExtraBytes = 1024;
/// Of a module, besides its command line.
constexpr std::size_t kModuleBytes = 256;
constexpr std::size_t kSeedBytes = 32;
/// Devicetree Specification, "Flattened Devicetree (DTB) Format": 17 is today's, and is read as 16.
constexpr unsigned kFirstFdtVersion = 16;

/// A module's node. Its name has the form that other emulators gave it.
int add_module(void* fdt, int chosen, const BootModule& module) {
  const std::string name = format("module@0x%" PRIx64, module.base);
  int node = fdt_subnode_offset(fdt, chosen, name.c_str());
  if (node == -FDT_ERR_NOTFOUND) node = fdt_add_subnode(fdt, chosen, name.c_str());
  if (node < 0) return node;
  const fdt64_t reg[] = {cpu_to_fdt64(module.base), cpu_to_fdt64(module.size)};
  int status = fdt_setprop(fdt, node, "reg", reg, sizeof reg);
  if (status == 0) status = fdt_setprop_string(fdt, node, "compatible", "multiboot,module");
  if (status == 0) status = fdt_appendprop_string(fdt, node, "compatible", module.kind);
  if (status == 0 && module.has_bootargs)
    status = fdt_setprop_string(fdt, node, "bootargs", module.bootargs.c_str());
  return status;
}

/// Their addresses and sizes have two cells each, whatever a node without these properties would have.
int add_modules(void* fdt, const std::vector<BootModule>& modules) {
  int status = 0;
  for (const char* const name : {"#address-cells", "#size-cells"})
    if (status == 0 && !modules.empty())
      status = fdt_setprop_u32(fdt, fdt_path_offset(fdt, "/chosen"), name, 2);
  for (const BootModule& module : modules)
    if (status == 0) status = add_module(fdt, fdt_path_offset(fdt, "/chosen"), module);
  return status;
}

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
  return status != 0 ? status : add_modules(fdt, chosen.modules);
}

/// A number of one or two cells (of more, the low two), which moves `cell` on.
std::uint64_t read_cells(const fdt32_t*& cell, int count) {
  std::uint64_t value = 0;
  for (int i = 0; i < count; ++i) value = value << 32 | fdt32_ld(cell++);
  return value;
}

}  // namespace

std::string doubt_fdt_memory(const std::vector<std::byte>& tree, std::uint64_t ram_base,
                             std::uint64_t ram_size) {
  constexpr char kMemory[] = "memory";
  const void* const fdt = tree.data();
  const int address_cells = fdt_address_cells(fdt, 0);
  const int size_cells = fdt_size_cells(fdt, 0);
  if (address_cells < 1 || size_cells < 1) return "";
  bool is_there = false;
  const auto next = [&](int node) {
    return fdt_node_offset_by_prop_value(fdt, node, "device_type", kMemory, sizeof kMemory);
  };
  for (int node = next(-1); node >= 0; node = next(node)) {
    is_there = true;
    int length = 0;
    const auto* cell = static_cast<const fdt32_t*>(fdt_getprop(fdt, node, "reg", &length));
    const int entry_cells = address_cells + size_cells;
    for (int left = cell == nullptr ? 0 : length / 4; left >= entry_cells; left -= entry_cells) {
      const std::uint64_t base = read_cells(cell, address_cells);
      const std::uint64_t size = read_cells(cell, size_cells);
      if (size != 0 && (base - ram_base >= ram_size || size > ram_size - (base - ram_base)))
        return format("says that there is RAM at 0x%" PRIx64 "–0x%" PRIx64
                      ", but the machine has it at 0x%" PRIx64 "–0x%" PRIx64
                      "; choose another -m or another tree",
                      base, base + size - 1, ram_base, ram_base + ram_size - 1);
    }
  }
  return is_there ? "" : "has no memory node: most kernels will not find their RAM";
}

Status check_fdt(const std::string& name, const std::vector<std::byte>& blob) {
  // Everything that libfdt does afterwards trusts offsets and lengths inside the tree: the header alone says
  // nothing of them.
  int status = -FDT_ERR_TRUNCATED;
  if (blob.size() > kMaxFdtBytes) status = -FDT_ERR_NOSPACE;
  if (blob.size() >= sizeof(fdt_header) && blob.size() <= kMaxFdtBytes)
    status = fdt_check_header(blob.data());
  // The full check of libfdt 1.6.1 crashes on a tree of the first formats whose root has no name.
  if (status == 0 && fdt_version(blob.data()) < kFirstFdtVersion) status = -FDT_ERR_BADVERSION;
  if (status == 0) status = fdt_check_full(blob.data(), blob.size());
  switch (status) {
    case 0: return Ok{};
    case -FDT_ERR_BADMAGIC:
      return error("%s is no flattened device tree; make one with dtc -O dtb", name.c_str());
    case -FDT_ERR_TRUNCATED:
      return error("%s is no flattened device tree, or a truncated one; make it with dtc -O dtb",
                   name.c_str());
    case -FDT_ERR_NOSPACE:
      return error("%s is larger than %zu MiB; make a smaller device tree", name.c_str(), kMaxFdtBytes >> 20);
    default:
      return error("%s is a damaged device tree (%s); make it again with dtc -O dtb", name.c_str(),
                   fdt_strerror(status));
  }
}

Result<std::vector<std::byte>> set_chosen(const std::string& name, const std::vector<std::byte>& blob,
                                          const Chosen& chosen) {
  if (Status status = check_fdt(name, blob); !status.ok()) return status.error();
  std::size_t room = blob.size() + chosen.bootargs.size() + kExtraBytes;
  for (const BootModule& module : chosen.modules) room += module.bootargs.size() + kModuleBytes;
  std::vector<std::byte> tree(room);
  int status = fdt_open_into(blob.data(), tree.data(), static_cast<int>(tree.size()));
  if (status == 0) status = set_properties(tree.data(), chosen);
  if (status == 0) status = fdt_pack(tree.data());
  if (status != 0)
    return error("%s: the device tree cannot be completed (%s); make it again with dtc", name.c_str(),
                 fdt_strerror(status));
  tree.resize(fdt_totalsize(tree.data()));
  return tree;
}

}  // namespace gstage::hw
