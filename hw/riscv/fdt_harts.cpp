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

void describe_cpu(FdtBuilder& fdt, unsigned hart, const HartPhandles& phandles,
                  const riscv::CpuConfig& config) {
  const auto node = fdt.node("cpu", hart);
  fdt.cell("phandle", phandles.cpus[hart]);
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

void describe_cpus(FdtBuilder& fdt, const HartPhandles& phandles, const riscv::CpuConfig& config) {
  const auto cpus = fdt.node("cpus");
  fdt.cell("#address-cells", 1);
  fdt.cell("#size-cells", 0);
  fdt.cell("timebase-frequency", static_cast<std::uint32_t>(riscv::kTimebaseHz));
  for (unsigned hart = 0; hart < phandles.cpus.size(); ++hart) describe_cpu(fdt, hart, phandles, config);
  const auto map = fdt.node("cpu-map");
  const auto cluster = fdt.node("cluster0");
  for (unsigned hart = 0; hart < phandles.cpus.size(); ++hart) {
    const auto core = fdt.node("core" + std::to_string(hart));
    fdt.cell("cpu", phandles.cpus[hart]);
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

void describe_memory(FdtBuilder& fdt, std::uint64_t base, std::uint64_t bytes) {
  const auto node = fdt.node("memory", base);
  fdt.string("device_type", "memory");
  fdt.wide_cells("reg", {base, bytes});
}

}  // namespace gstage::hw
