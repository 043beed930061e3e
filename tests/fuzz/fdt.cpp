// SPDX-License-Identifier: Apache-2.0
// Device trees by -dtb: a tree that is accepted is completed, and the result is a whole tree.
#include <cstddef>
#include <cstring>
#include <vector>

#include <libfdt.h>

#include "softmmu/base/check.h"
#include "hw/riscv/fdt_chosen.h"

#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

void run(Input& input) {
  hw::Chosen chosen;
  const auto how = input.take<std::uint8_t>();
  if ((how & 1) != 0) chosen.bootargs = std::string(how, 'a');
  if ((how & 2) != 0) chosen.initrd_base = 0x8400'0000;
  if ((how & 2) != 0) chosen.initrd_size = 0x1000;
  chosen.has_seed = (how & 4) != 0;
  const auto bytes = input.rest();
  std::vector<std::byte> blob(bytes.size());
  if (!blob.empty()) std::memcpy(blob.data(), bytes.data(), blob.size());
  const auto tree = hw::set_chosen("-dtb input", blob, chosen);
  if (!tree.ok()) return CHECK(!tree.error().message.empty());
  auto whole = tree;
  CHECK(fdt_check_full(whole->data(), whole->size()) == 0);
  CHECK(fdt_path_offset(whole->data(), "/chosen") >= 0);
}

const Registration registration("fdt", run);

}  // namespace
}  // namespace gstage::fuzz
