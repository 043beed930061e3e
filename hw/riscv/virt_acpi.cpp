// SPDX-License-Identifier: Apache-2.0
#include "hw/riscv/virt_acpi.h"

#include "target/riscv/cpu.h"
#include "target/riscv/mmu/mmu.h"
#include "hw/acpi/loader.h"
#include "hw/acpi/table_files.h"
#include "hw/char/uart16550.h"
#include "hw/intc/aplic.h"
#include "hw/intc/plic.h"
#include "hw/riscv/virt_map.h"

namespace gstage::hw {
namespace {

acpi::Range range(Part part) { return {virt_part(part).base, virt_part(part).size}; }

acpi::Harts describe_harts(unsigned count, const riscv::CpuConfig& config) {
  acpi::Harts harts;
  harts.count = count;
  harts.timebase_hz = riscv::kTimebaseHz;
  harts.isa = riscv::isa_string(config);
  harts.mmu_type = riscv::mmu_type(config);
  const auto block = [](bool is_there) { return is_there ? riscv::kCacheBlockBytes : 0; };
  harts.management_block = block(config.zicbom);
  harts.prefetch_block = block(config.zicbop);
  harts.zero_block = block(config.zicboz);
  return harts;
}

acpi::WireController describe_wires(const VirtInterrupts& interrupts) {
  using Kind = acpi::WireController::Kind;
  if (!interrupts.has_aplic())
    return {Kind::kPlic, range(Part::kPlic), Plic::kSources, Plic::kHighestPriority};
  const Kind kind = interrupts.has_imsic() ? Kind::kAplicWithImsics : Kind::kAplic;
  return {kind, range(Part::kAplicS), AplicDomain::kSources, 0};
}

}  // namespace

acpi::Description describe_virt(const MachineOptions& options, const riscv::CpuConfig& config,
                                const VirtInterrupts& interrupts) {
  acpi::Description board;
  board.harts = describe_harts(options.harts, config);
  board.wires = describe_wires(interrupts);
  board.imsics = {virt_part(Part::kImsicS).base, VirtInterrupts::kIdentities, interrupts.guest_index_bits()};
  board.uart = {range(Part::kUart), virt_part(Part::kUart).irq};
  board.uart_clock_hz = Uart16550::kClockHz;
  board.fw_cfg = range(Part::kFwCfg);
  const VirtPart& virtio = virt_part(Part::kVirtio);
  for (unsigned slot = 0; slot < virtio.count; ++slot)
    board.virtio_slots.push_back({{virtio.base + slot * virtio.size, virtio.size}, virtio.irq + slot});
  board.pci.ecam = range(Part::kPciEcam);
  board.pci.io = range(Part::kPciIo);
  board.pci.memory32 = range(Part::kPciMemory);
  board.pci.memory64 = {pci_high_base(options.ram_bytes), kPciHighSize};
  board.pci.first_gsi = virt_part(Part::kPciEcam).irq;
  board.ram_base = virt_part(Part::kRam).base;
  board.numa = options.numa;
  return board;
}

void add_acpi_tables(FwCfg& fw_cfg, const acpi::Description& board) {
  acpi::TableFiles files = acpi::make_table_files(board);
  fw_cfg.add_file(acpi::kRsdpFile, std::move(files.rsdp).take());
  fw_cfg.add_file(acpi::kTablesFile, std::move(files.tables).take());
  fw_cfg.add_file(acpi::kLoaderFile, std::move(files.loader).take());
}

}  // namespace gstage::hw
