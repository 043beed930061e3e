// SPDX-License-Identifier: Apache-2.0
#include "hw/riscv/virt_fdt.h"

#include <string>

#include "target/riscv/cpu.h"
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
#include "hw/riscv/fdt_harts.h"
#include "hw/riscv/virt_map.h"
#include "hw/virtio/virtio_mmio.h"

namespace gstage::hw {
namespace {

/// Every phandle of the tree.
struct Phandles : HartPhandles {
  Phandles(unsigned harts, const VirtInterrupts& choice) : HartPhandles(harts), interrupts(choice) {
    std::uint32_t last = HartPhandles::last();
    if (interrupts.has_imsic()) {
      imsic_m = ++last;
      imsic_s = ++last;
    }
    if (interrupts.has_aplic()) aplic_m = ++last;
    irqs = ++last;
    test = ++last;
  }
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
    describe_memory(fdt, virt_unit(Unit::kRam).base, ram_bytes);
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
