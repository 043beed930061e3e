// SPDX-License-Identifier: Apache-2.0
#include "tcg/runtime/dump.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "softmmu/base/format.h"
#include "tcg/ir/print.h"
#include "tcg/runtime/host_disas.h"

namespace gstage::tcg {

void dump_exec(const Guest& guest, const CpuCore& core, const Block& block) {
  const std::string text = guest.describe_mode(core);
  if (text.empty()) return;
  const std::size_t end = std::min(text.find('\n'), text.size());
  log_text(Log::kExec,
           format("exec %016llx paddr %llx flags %x [%s]", static_cast<unsigned long long>(core.pc),
                  static_cast<unsigned long long>(block.paddr.value), block.key.flags,
                  text.substr(0, end).c_str()) +
               text.substr(end) + "\n");
}

void dump_guest_code(const Guest& guest, const BlockKey& key, Paddr first, const Unit& unit) {
  std::vector<std::byte> bytes(unit.guest_bytes);
  const std::size_t in_page = kPageSize - first.page_offset();
  const std::size_t here = unit.guest_bytes < in_page ? unit.guest_bytes : in_page;
  std::memcpy(bytes.data(), key.host, here);
  if (here < bytes.size() && key.second_page != nullptr)
    std::memcpy(bytes.data() + here, key.second_page, bytes.size() - here);
  log_text(Log::kInAsm,
           format("in: paddr %llx flags %x\n", static_cast<unsigned long long>(first.value), key.flags) +
               guest.disassemble(first.value, bytes) + "\n");
}

void dump_unit(Log category, const Unit& unit) {
  log_text(category, std::string(category == Log::kOp ? "op:\n" : "op_opt:\n") + print(unit) + "\n");
}

void dump_region(const Region& region, Paddr first) {
  std::string text = format("region: paddr %llx, %u instructions\n",
                            static_cast<unsigned long long>(first.value), region.guest_insns);
  for (std::size_t i = 0; i < region.nodes.size(); ++i) {
    const RegionNode& node = region.nodes[i];
    text += format("node %zu, depth %u%s:\n", i, node.depth,
                   node.is_check       ? ", check of a versioned loop"
                   : node.is_unchecked ? ", unchecked"
                                       : "") +
            print(node.unit);
    for (const RegionEdge& edge : node.edges)
      text += edge.node == kNoNode
                  ? format("  at 0x%llx: out\n", static_cast<unsigned long long>(edge.offset))
                  : format("  at 0x%llx: node %u\n", static_cast<unsigned long long>(edge.offset), edge.node);
  }
  log_text(Log::kOpOpt, text + "\n");
}

void dump_host_code(const std::uint8_t* code, std::size_t size, std::uint64_t shown_at) {
  log_text(Log::kOutAsm, format("out: %zu bytes\n", size) + disassemble_host(code, size, shown_at) + "\n");
}

}  // namespace gstage::tcg
