// SPDX-License-Identifier: Apache-2.0
#include "hw/riscv/fdt_harts.h"

#include <algorithm>
#include <string>

#include "target/riscv/cpu.h"
#include "target/riscv/pmu/pmu.h"

namespace gstage::hw {
namespace {

/// Block sizes that go with an extension.
struct CacheBlock {
  const char* extension;
  const char* property;
};
constexpr CacheBlock kCacheBlocks[] = {
    {"zicbom", "riscv,cbom-block-size"},
    {"zicbop", "riscv,cbop-block-size"},
    {"zicboz", "riscv,cboz-block-size"},
};
constexpr std::uint32_t kCacheBlockBytes = 64;
constexpr const char* kNumaNode = "numa-node-id";

void describe_cpu(FdtBuilder& fdt, unsigned hart, const HartPhandles& phandles,
                  const riscv::CpuConfig& config, const NumaOptions& numa) {
  const auto node = fdt.node("cpu", hart);
  fdt.cell("phandle", phandles.cpus[hart]);
  if (!numa.nodes.empty()) fdt.cell(kNumaNode, numa.node_of_hart[hart]);
  fdt.string("device_type", "cpu");
  fdt.cell("reg", hart);
  fdt.string("status", "okay");
  fdt.string("compatible", "riscv");
  const auto extensions = riscv::isa_extension_names(config);
  for (const CacheBlock& row : kCacheBlocks)
    if (std::find(extensions.begin(), extensions.end(), row.extension) != extensions.end())
      fdt.cell(row.property, kCacheBlockBytes);
  fdt.strings("riscv,isa-extensions", extensions);
  fdt.string("riscv,isa-base", "rv64i");
  fdt.string("riscv,isa", riscv::isa_string(config));
  fdt.string("mmu-type", riscv::mmu_type(config));
  const auto irqs = fdt.node("interrupt-controller");
  fdt.cell("#interrupt-cells", 1);
  fdt.empty("interrupt-controller");
  fdt.string("compatible", "riscv,cpu-intc");
  fdt.cell("phandle", phandles.cpu_irqs[hart]);
}

}  // namespace

HartPhandles::HartPhandles(unsigned harts) {
  for (unsigned hart = 0; hart < harts; ++hart) {
    cpus.push_back(2 * hart + 1);
    cpu_irqs.push_back(2 * hart + 2);
  }
}

void describe_cpus(FdtBuilder& fdt, const HartPhandles& phandles, const riscv::CpuConfig& config,
                   const NumaOptions& numa) {
  const auto cpus = fdt.node("cpus");
  fdt.cell("#address-cells", 1);
  fdt.cell("#size-cells", 0);
  fdt.cell("timebase-frequency", static_cast<std::uint32_t>(riscv::kTimebaseHz));
  for (unsigned hart = 0; hart < phandles.cpus.size(); ++hart)
    describe_cpu(fdt, hart, phandles, config, numa);
  std::vector<std::vector<std::uint32_t>> clusters(std::max<std::size_t>(numa.nodes.size(), 1));
  for (unsigned hart = 0; hart < phandles.cpus.size(); ++hart)
    clusters[numa.nodes.empty() ? 0 : numa.node_of_hart[hart]].push_back(phandles.cpus[hart]);
  const auto map = fdt.node("cpu-map");
  unsigned number = 0;  // the binding numbers clusters without gaps
  for (const auto& harts : clusters) {
    if (harts.empty()) continue;
    const auto cluster = fdt.node("cluster" + std::to_string(number++));
    for (std::size_t i = 0; i < harts.size(); ++i) {
      const auto core = fdt.node("core" + std::to_string(i));
      fdt.cell("cpu", harts[i]);
    }
  }
}

void describe_pmu(FdtBuilder& fdt) {
  constexpr std::uint32_t kHpmCounters = ~0u << riscv::kFirstHpmCounter;
  constexpr std::uint32_t kAll = 0xffff'ffff;
  std::vector<std::uint32_t> selectors;
  std::vector<std::uint32_t> counters;
  for (const riscv::EventRow& row : riscv::event_rows()) {
    if (row.selector >= riscv::kFirstRawSelector && row.selector <= riscv::kLastRawSelector) continue;
    std::uint32_t able = kHpmCounters;
    if (row.event == riscv::Event::kCycles) able |= 1u << riscv::kCycleCounter;
    if (row.event == riscv::Event::kInstructions) able |= 1u << riscv::kInstretCounter;
    selectors.insert(selectors.end(), {row.selector, 0, row.selector});
    counters.insert(counters.end(), {row.selector, row.selector, able});
  }
  const auto node = fdt.node("pmu");
  fdt.string("compatible", "riscv,pmu");
  fdt.cells("riscv,event-to-mhpmevent", selectors);
  fdt.cells("riscv,event-to-mhpmcounters", counters);
  // All raw events at once: 64 bits of value, 64 bits of mask.
  constexpr std::uint32_t kVariant = riscv::kLastRawSelector - riscv::kFirstRawSelector;
  fdt.cells("riscv,raw-event-to-mhpmcounters", {0, riscv::kFirstRawSelector, kAll, ~kVariant, kHpmCounters});
}

namespace {

void describe_range(FdtBuilder& fdt, std::uint64_t base, std::uint64_t bytes, const unsigned* numa_node) {
  const auto node = fdt.node("memory", base);
  if (numa_node != nullptr) fdt.cell(kNumaNode, *numa_node);
  fdt.string("device_type", "memory");
  fdt.wide_cells("reg", {base, bytes});
}

}  // namespace

void describe_memory(FdtBuilder& fdt, std::uint64_t base, std::uint64_t bytes, const NumaOptions& numa) {
  if (numa.nodes.empty()) return describe_range(fdt, base, bytes, nullptr);
  for (unsigned node = 0; node < numa.nodes.size(); ++node) {
    const std::uint64_t part = numa.nodes[node].bytes;
    if (part != 0) describe_range(fdt, base, part, &node);
    base += part;
  }
}

void describe_distances(FdtBuilder& fdt, const NumaOptions& numa) {
  if (numa.distances.empty()) return;
  std::vector<std::uint32_t> matrix;
  const auto count = static_cast<std::uint32_t>(numa.nodes.size());
  for (std::uint32_t from = 0; from < count; ++from)
    for (std::uint32_t to = 0; to < count; ++to)
      matrix.insert(matrix.end(), {from, to, numa.distances[from * count + to]});
  const auto node = fdt.node("distance-map");
  fdt.cells("distance-matrix", matrix);
  fdt.string("compatible", "numa-distance-map-v1");
}

}  // namespace gstage::hw
