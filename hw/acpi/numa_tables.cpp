// SPDX-License-Identifier: Apache-2.0
#include "hw/acpi/table.h"
#include "hw/acpi/tables.h"

namespace gstage::hw::acpi {

/// Section 5.2.16.
Bytes make_srat(const Description& board) {
  constexpr unsigned kRevision = 3;
  constexpr unsigned kMemory = 1;
  constexpr unsigned kRintc = 7;
  constexpr unsigned kEnabled = 1;
  Bytes body;
  body.u32(1).u64(0);  // reserved: must be 1, and 0
  for (unsigned hart = 0; hart < board.harts.count; ++hart) {
    const unsigned node = board.numa.node_of_hart[hart];
    body.append(make_structure(kRintc, Bytes().u16(0).u32(node).u32(hart).u32(kEnabled).u32(0)));
  }
  std::uint64_t base = board.ram_base;
  for (unsigned node = 0; node < board.numa.nodes.size(); ++node) {
    const std::uint64_t size = board.numa.nodes[node].bytes;
    if (size == 0) continue;
    body.append(
        make_structure(kMemory, Bytes().u32(node).u16(0).u64(base).u64(size).u32(0).u32(kEnabled).u64(0)));
    base += size;
  }
  return make_table("SRAT", kRevision, body);
}

/// Section 5.2.17.
Bytes make_slit(const NumaOptions& numa) {
  constexpr unsigned kRevision = 1;
  Bytes body;
  body.u64(numa.nodes.size());
  for (const std::uint8_t distance : numa.distances) body.u8(distance);
  return make_table("SLIT", kRevision, body);
}

}  // namespace gstage::hw::acpi
