// SPDX-License-Identifier: Apache-2.0
#include "hw/riscv/virt_fdt.h"

#include <algorithm>
#include <string>

#include "target/riscv/cpu.h"
#include "target/riscv/pmu/pmu.h"
#include "hw/char/uart16550.h"
#include "hw/core/device.h"
#include "hw/core/fdt_builder.h"
#include "hw/intc/aclint.h"
#include "hw/intc/aplic.h"
#include "hw/intc/imsic_pages.h"
#include "hw/intc/plic.h"
#include "hw/misc/cfi_flash.h"
#include "hw/misc/fw_cfg.h"
#include "hw/misc/goldfish_rtc.h"
#include "hw/misc/sifive_test.h"
#include "hw/riscv/virt_map.h"
#include "hw/virtio/virtio_mmio.h"

namespace gstage::hw {
namespace {

/// Every phandle of the tree.
struct Phandles {
  Phandles(unsigned harts, const VirtInterrupts& choice) : interrupts(choice) {
    std::uint32_t last = 2 * harts;
    if (interrupts.has_imsic()) {
      imsic_m = ++last;
      imsic_s = ++last;
    }
    if (interrupts.has_aplic()) aplic_m = ++last;
    irqs = ++last;
    test = ++last;
    for (unsigned hart = 0; hart < harts; ++hart) {
      cpus.push_back(2 * hart + 1);
      cpu_irqs.push_back(2 * hart + 2);
    }
  }
  std::vector<std::uint32_t> cpus;
  std::vector<std::uint32_t> cpu_irqs;
  VirtInterrupts interrupts;
  std::uint32_t imsic_m = 0;
  std::uint32_t imsic_s = 0;
  std::uint32_t aplic_m = 0;
  std::uint32_t irqs;  ///< what devices are wired to: the PLIC, or the APLIC of supervisor level
  std::uint32_t test;
};

NodePlace place_of(Unit unit, const Phandles& phandles, unsigned index = 0) {
  const VirtUnit& row = virt_unit(unit);
  NodePlace place;
  place.base = row.base + index * row.size;
  place.size = row.size;
  place.irq = row.irq == 0 ? 0 : row.irq + index;
  place.irqs = phandles.irqs;
  place.has_irq_type = phandles.interrupts.has_aplic();
  return place;
}

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

void describe_cpu(FdtBuilder& fdt, unsigned hart, const Phandles& phandles, const riscv::CpuConfig& config) {
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

void describe_cpus(FdtBuilder& fdt, const Phandles& phandles, const riscv::CpuConfig& config) {
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

/// The counters, for the SBI (OpenSBI, "SBI PMU Device Tree Bindings"): which event takes which selector, and
/// which counters can count it.
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

void describe_imsics(FdtBuilder& fdt, const Phandles& phandles) {
  const auto harts = static_cast<unsigned>(phandles.cpus.size());
  const VirtInterrupts& interrupts = phandles.interrupts;
  NodePlace place = place_of(Unit::kImsicS, phandles);
  place.phandle = phandles.imsic_s;
  place.size = interrupts.supervisor_size(harts);
  ImsicPages::describe(fdt, place, {VirtInterrupts::kIdentities, interrupts.guest_index_bits(), riscv::kSei},
                       phandles.cpu_irqs);
  place = place_of(Unit::kImsicM, phandles);
  place.phandle = phandles.imsic_m;
  place.size = interrupts.machine_size(harts);
  ImsicPages::describe(fdt, place, {VirtInterrupts::kIdentities, 0, riscv::kMei}, phandles.cpu_irqs);
}

void describe_irqchip(FdtBuilder& fdt, const Phandles& phandles) {
  if (!phandles.interrupts.has_aplic()) {
    NodePlace plic = place_of(Unit::kPlic, phandles);
    plic.phandle = phandles.irqs;
    Plic::describe(fdt, plic, phandles.cpu_irqs);
    return;
  }
  NodePlace place = place_of(Unit::kAplicS, phandles);
  place.phandle = phandles.irqs;
  describe_aplic(fdt, place, {phandles.imsic_s, 0, riscv::kSei}, phandles.cpu_irqs);
  place = place_of(Unit::kAplicM, phandles);
  place.phandle = phandles.aplic_m;
  describe_aplic(fdt, place, {phandles.imsic_m, phandles.irqs, riscv::kMei}, phandles.cpu_irqs);
  if (phandles.interrupts.has_imsic()) describe_imsics(fdt, phandles);
}

/// ACLINT's devices, or the CLINT that they make up.
void describe_local(FdtBuilder& fdt, const Phandles& phandles) {
  NodePlace first = place_of(Unit::kMswi, phandles);
  if (!phandles.interrupts.has_aclint) {
    first.size += virt_unit(Unit::kMtimer).size;
    describe_clint(fdt, first, phandles.cpu_irqs);
    return;
  }
  if (phandles.interrupts.has_mswi()) describe_mswi(fdt, first, phandles.cpu_irqs);
  NodePlace timer;
  timer.base = phandles.interrupts.mtimer_base();
  timer.size = phandles.interrupts.mtimer_size();
  describe_mtimer(fdt, timer, phandles.cpu_irqs);
  if (phandles.interrupts.has_sswi()) describe_sswi(fdt, place_of(Unit::kSswi, phandles), phandles.cpu_irqs);
}

/// Everything on the bus; returns the console's path.
std::string describe_soc(FdtBuilder& fdt, const Phandles& phandles) {
  const auto soc = fdt.node("soc");
  fdt.cell("#address-cells", 2);
  fdt.cell("#size-cells", 2);
  fdt.string("compatible", "simple-bus");
  fdt.empty("ranges");
  GoldfishRtc::describe(fdt, place_of(Unit::kRtc, phandles));
  std::string console = Uart16550::describe(fdt, place_of(Unit::kUart, phandles));
  NodePlace test = place_of(Unit::kTest, phandles);
  test.phandle = phandles.test;
  SifiveTest::describe(fdt, test);
  // Linux numbers devices in the order of the tree; with the highest slot first, as on the board that this
  // follows, the first -device (which takes the highest slot) is the first disk.
  for (unsigned slot = kVirtioSlots; slot-- > 0;)
    VirtioMmio::describe(fdt, place_of(Unit::kVirtio, phandles, slot));
  describe_irqchip(fdt, phandles);
  describe_local(fdt, phandles);
  return console;
}

void describe_memory(FdtBuilder& fdt, std::uint64_t ram_bytes) {
  const auto node = fdt.node("memory", virt_unit(Unit::kRam).base);
  fdt.string("device_type", "memory");
  fdt.wide_cells("reg", {virt_unit(Unit::kRam).base, ram_bytes});
}

}  // namespace

std::vector<std::byte> make_virt_fdt(unsigned harts, std::uint64_t ram_bytes, const riscv::CpuConfig& config,
                                     const VirtInterrupts& interrupts) {
  const Phandles phandles(harts, interrupts);
  FdtBuilder fdt;
  {
    const auto root = fdt.node("");
    fdt.cell("#address-cells", 2);
    fdt.cell("#size-cells", 2);
    fdt.string("compatible", "riscv-virtio");
    fdt.string("model", "riscv-virtio,qemu");
    SifiveTest::describe_syscon(fdt, phandles.test);
    describe_memory(fdt, ram_bytes);
    describe_cpus(fdt, phandles, config);
    if (config.zihpm) describe_pmu(fdt);
    FwCfg::describe(fdt, place_of(Unit::kFwCfg, phandles));
    CfiFlash::describe(fdt, place_of(Unit::kFlash, phandles), virt_unit(Unit::kFlash).count);
    const std::string console = describe_soc(fdt, phandles);
    {
      const auto aliases = fdt.node("aliases");
      fdt.string("serial0", console);
    }
    const auto chosen = fdt.node("chosen");
    fdt.string("stdout-path", console);
  }
  return fdt.finish();
}

}  // namespace gstage::hw
