// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <string_view>

#include "hw/acpi/table.h"
#include "hw/acpi/tables.h"

namespace gstage::hw::acpi {
namespace {

/// Structures of the MADT (table 5.21).
enum MadtType : std::uint8_t { kRintc = 0x18, kImsic = 0x19, kAplic = 0x1a, kPlic = 0x1b };
constexpr unsigned kVersion = 1;
constexpr unsigned kEnabled = 1;

/// The number of the one controller, and what has the hart's wire there: a PLIC's context for supervisors, an
/// APLIC's interrupt delivery control.
std::uint32_t controller_input(const WireController& wires, unsigned hart) {
  constexpr std::uint32_t kController = 0;
  const std::uint32_t input = wires.kind == WireController::Kind::kPlic ? 2 * hart + 1 : hart;
  return kController << 24 | input;
}

/// Section 5.2.12.27, "RISC-V INTC".
Bytes rintc(const Description& board, unsigned hart) {
  const bool has_imsics = board.wires.has_imsics();
  Bytes body;
  body.u8(kVersion).u8(0).u32(kEnabled).u64(hart).u32(hart);
  body.u32(controller_input(board.wires, hart));
  body.u64(has_imsics ? board.imsics.base + hart * board.imsics.hart_size() : 0);
  body.u32(has_imsics ? board.imsics.hart_size() : 0);
  return make_structure(kRintc, body);
}

/// Section 5.2.12.28, "RISC-V IMSIC".
Bytes imsic(const Imsics& imsics, unsigned harts) {
  // There is one group. Software wants the field all the same where a second one would have room.
  constexpr unsigned kGroupIndexBits = 0;
  constexpr unsigned kGroupIndexShift = 24;
  Bytes body;
  body.u8(kVersion).u8(0).u32(0);
  body.u16(imsics.identities).u16(imsics.identities);
  body.u8(imsics.guest_index_bits).u8(std::bit_width(harts - 1));
  body.u8(kGroupIndexBits).u8(kGroupIndexShift);
  return make_structure(kImsic, body);
}

/// Section 5.2.12.29, "RISC-V APLIC".
Bytes aplic(const WireController& wires, unsigned harts) {
  Bytes body;
  body.u8(kVersion).u8(0).u32(0).u64(0);
  body.u16(wires.has_imsics() ? 0 : harts).u16(wires.sources).u32(0);
  body.u64(wires.registers.base).u32(wires.registers.size);
  return make_structure(kAplic, body);
}

/// Section 5.2.12.30, "RISC-V PLIC".
Bytes plic(const WireController& wires) {
  Bytes body;
  body.u8(kVersion).u8(0).u64(0);
  body.u16(wires.sources).u16(wires.priorities).u32(0);
  body.u32(wires.registers.size).u64(wires.registers.base).u32(0);
  return make_structure(kPlic, body);
}

/// Nodes of the RHCT (section 5.2.37.1).
enum RhctType : std::uint16_t { kIsaString = 0, kCacheBlocks = 1, kMmu = 2, kHartInfo = 0xffff };

/// A node; its size is even.
Bytes rhct_node(RhctType type, const Bytes& body) {
  constexpr unsigned kRevision = 1;
  constexpr std::size_t kNodeHeader = 6;
  const std::size_t padding = body.size() % 2;
  const std::size_t size = kNodeHeader + body.size() + padding;
  return Bytes().u16(type).u16(size).u16(kRevision).append(body).zeroes(padding);
}

struct MmuRow {
  std::string_view name;
  unsigned number;
};
constexpr MmuRow kMmus[] = {{"riscv,sv39", 0}, {"riscv,sv48", 1}, {"riscv,sv57", 2}};

/// The nodes that all harts share.
std::vector<Bytes> shared_nodes(const Harts& harts) {
  const std::size_t isa_size = harts.isa.size() + 1;
  std::vector<Bytes> nodes{rhct_node(kIsaString, Bytes().u16(isa_size).text(harts.isa, isa_size))};
  if (harts.management_block + harts.prefetch_block + harts.zero_block != 0) {
    // As powers of two; 0 where there is none.
    const auto log2 = [](std::uint64_t block) { return block == 0 ? 0 : std::bit_width(block) - 1; };
    nodes.push_back(rhct_node(kCacheBlocks, Bytes()
                                                .u8(0)
                                                .u8(log2(harts.management_block))
                                                .u8(log2(harts.prefetch_block))
                                                .u8(log2(harts.zero_block))));
  }
  for (const MmuRow& row : kMmus)
    if (row.name == harts.mmu_type) nodes.push_back(rhct_node(kMmu, Bytes().u8(0).u8(row.number)));
  return nodes;
}

}  // namespace

Bytes make_madt(const Description& board) {
  constexpr unsigned kRevision = 7;
  Bytes body;
  body.u32(0).u32(0);  // no local interrupt controller at a common address, and no PC's PICs
  for (unsigned hart = 0; hart < board.harts.count; ++hart) body.append(rintc(board, hart));
  if (board.wires.has_imsics()) body.append(imsic(board.imsics, board.harts.count));
  body.append(board.wires.kind == WireController::Kind::kPlic ? plic(board.wires)
                                                              : aplic(board.wires, board.harts.count));
  return make_table("APIC", kRevision, body);
}

Bytes make_rhct(const Harts& harts) {
  constexpr unsigned kRevision = 1;
  constexpr std::size_t kNodesOffset = kHeaderSize + 20;
  const std::vector<Bytes> shared = shared_nodes(harts);
  Bytes nodes;
  Bytes offsets;
  for (const Bytes& node : shared) {
    offsets.u32(kNodesOffset + nodes.size());
    nodes.append(node);
  }
  for (unsigned hart = 0; hart < harts.count; ++hart)
    nodes.append(rhct_node(kHartInfo, Bytes().u16(shared.size()).u32(hart).append(offsets)));
  Bytes body;
  body.u32(0).u64(harts.timebase_hz).u32(shared.size() + harts.count).u32(kNodesOffset).append(nodes);
  return make_table("RHCT", kRevision, body);
}

Bytes make_pptt(const Harts& harts, const NumaOptions& numa) {
  constexpr unsigned kRevision = 3;
  constexpr unsigned kHierarchyNode = 0;
  enum Flags : std::uint32_t { kPackage = 1, kHasProcessor = 2, kLeaf = 8, kIdentical = 16 };
  const std::size_t packages = numa.nodes.empty() ? 1 : numa.nodes.size();
  Bytes body;
  const auto add = [&body](std::uint32_t flags, std::uint64_t parent, unsigned id) {
    const std::size_t offset = kHeaderSize + body.size();
    body.append(make_structure(kHierarchyNode, Bytes().u16(0).u32(flags).u32(parent).u32(id).u32(0)));
    return offset;
  };
  for (unsigned package = 0; package < packages; ++package) {
    std::size_t parent = 0;
    for (unsigned hart = 0; hart < harts.count; ++hart) {
      if (!numa.nodes.empty() && numa.node_of_hart[hart] != package) continue;
      if (parent == 0) parent = add(kPackage | kIdentical, 0, package);
      add(kHasProcessor | kLeaf, parent, hart);
    }
  }
  return make_table("PPTT", kRevision, body);
}

}  // namespace gstage::hw::acpi
