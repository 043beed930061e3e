// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "softmmu/base/log.h"
#include "hw/char/uart16550.h"
#include "hw/core/properties.h"
#include "hw/misc/cfi_flash.h"
#include "hw/misc/fw_cfg.h"
#include "hw/misc/goldfish_rtc.h"
#include "hw/misc/sifive_test.h"
#include "hw/riscv/board.h"
#include "hw/riscv/boards.h"
#include "hw/riscv/virt_devices.h"
#include "hw/riscv/virt_fdt.h"
#include "hw/riscv/virt_irqchip.h"
#include "hw/riscv/virt_map.h"
#include "hw/virtio/virtio_mmio.h"

namespace gstage::hw {
namespace {

/// What `-machine virt,…` says.
struct VirtOptions {
  std::string dumpdtb;
  VirtInterrupts interrupts;
};

constexpr PropertyRow kProperties[] = {
    {"aclint", "on|off", "an ACLINT in place of the CLINT (default: off)"},
    {"acpi", "off|auto", "there are no ACPI tables"},
    {"aia", "none|aplic|aplic-imsic", "interrupt controllers: PLIC (the default), APLIC, APLIC with IMSICs"},
    {"aia-guests", "N", "guest interrupt files a hart with aplic-imsic, 0 to 63 (default: 0)"},
    {"dumpdtb", "FILE", "write the device tree into the file, and end"},
    ignored_property("aux-ram-share"),
    ignored_property("dump-guest-core"),
    ignored_property("graphics"),
    ignored_property("mem-merge"),
    ignored_property("suppress-vmdesc"),
    ignored_property("usb"),
    missing_property("boot"),
    missing_property("confidential-guest-support"),
    missing_property("dt-compatible"),
    missing_property("iommu-sys"),
    missing_property("memory"),
    missing_property("memory-backend"),
    missing_property("memory-encryption"),
    missing_property("pflash0"),
    missing_property("pflash1"),
    missing_property("phandle-start"),
    missing_property("shim"),
    missing_property("smp"),
    missing_property("smp-cache"),
    missing_property("x-change-vmfd-on-reset"),
};

Result<VirtOptions> parse_machine(const DeviceOptions& machine) {
  PropertyReader properties("-machine", machine, kProperties);
  VirtOptions options;
  options.dumpdtb = properties.text("dumpdtb");
  const std::string aia = properties.text("aia", "none");
  if (aia == "aplic") options.interrupts.kind = AiaKind::kAplic;
  if (aia == "aplic-imsic") options.interrupts.kind = AiaKind::kAplicImsic;
  if (!options.interrupts.has_aplic() && aia != "none")
    properties.fail(error("-machine virt: aia=%s is not one of none, aplic, aplic-imsic", aia.c_str()));
  options.interrupts.guest_files =
      static_cast<unsigned>(properties.number("aia-guests", 0, VirtInterrupts::kMaxGuestFiles));
  // As on the board that this follows, without IMSICs the number is of no consequence.
  if (!options.interrupts.has_imsic()) options.interrupts.guest_files = 0;
  options.interrupts.has_aclint = properties.flag("aclint", false);
  const std::string acpi = properties.text("acpi", "off");
  if (acpi == "on") properties.fail(error("-machine virt,acpi=on is not supported yet: say acpi=off"));
  if (acpi != "on" && acpi != "off" && acpi != "auto")
    properties.fail(error("-machine virt: acpi=%s is not one of on, off, auto", acpi.c_str()));
  if (Status status = properties.finish(); !status.ok()) return status.error();
  return options;
}

/// The harts' properties; an IMSIC is of use with the AIA's registers alone.
Result<riscv::CpuConfig> parse_harts(const DeviceOptions& cpu, const VirtInterrupts& interrupts) {
  DeviceOptions all = cpu;
  if (interrupts.has_imsic())
    all.properties.insert(all.properties.begin(), {{"smaia", "on"}, {"ssaia", "on"}});
  auto config = riscv::parse_cpu(all);
  if (config.ok() && interrupts.has_imsic() && !(config->smaia && config->ssaia))
    return error(
        "-machine virt,aia=aplic-imsic needs harts with smaia and ssaia: leave smaia=off and ssaia=off out");
  return config;
}

/// QEMU's `virt` board.
class VirtMachine final : public Board {
 public:
  static Result<std::unique_ptr<Machine>> create(const MachineOptions& options, MachineControl& control);
  /// Devices have wires to the interrupt controllers.
  ~VirtMachine() override { devices_.clear(); }

 private:
  using Board::Board;
  Status add_board_memory(const MachineOptions& options);
  Status add_devices(const MachineOptions& options);
  Status add_virtio(const MachineOptions& options);
  void reset_devices() override;

  /// Where a unit is.
  static Range range_of(Unit unit) {
    const VirtUnit& row = virt_unit(unit);
    return {row.name, row.base, row.size};
  }
  /// Maps the device at the unit's place and takes it over.
  template <class D>
  Status add_unit(Unit unit, std::unique_ptr<D> device, unsigned index = 0);

  VirtInterrupts interrupts_;
  std::unique_ptr<VirtIrqchip> irqchip_;
};

Result<std::unique_ptr<Machine>> VirtMachine::create(const MachineOptions& options, MachineControl& control) {
  auto virt_options = parse_machine(options.machine);
  if (!virt_options.ok()) return virt_options.error();
  auto config = parse_harts(options.cpu, virt_options->interrupts);
  if (!config.ok()) return config.error();
  if (options.harts < 1 || options.harts > kMaxHarts)
    return error("-smp %u: the virt board has from 1 to %u harts", options.harts, kMaxHarts);
  std::unique_ptr<VirtMachine> machine(new VirtMachine(control));
  const VirtInterrupts& interrupts = machine->interrupts_ = virt_options->interrupts;
  if (Status status = machine->add_board_memory(options); !status.ok()) return status.error();
  auto tree = make_virt_fdt(options.harts, options.ram_bytes, *config, interrupts);
  if (Status status = machine->plan_boot(options, std::move(tree)); !status.ok()) return status.error();
  if (!virt_options->dumpdtb.empty()) {
    if (Status status = write_device_tree(virt_options->dumpdtb, machine->boot().fdt()); !status.ok())
      return status.error();
    return std::unique_ptr<Machine>();
  }
  if (Status status = machine->add_harts(options, *config, interrupts.imsic()); !status.ok())
    return status.error();
  if (Status status = machine->add_devices(options); !status.ok()) return status.error();
  machine->memory_.seal();
  return std::unique_ptr<Machine>(std::move(machine));
}

Status VirtMachine::add_board_memory(const MachineOptions& options) {
  const VirtUnit& flash = virt_unit(Unit::kFlash);
  std::vector<LoadablePlace> flashes;
  for (unsigned bank = 0; bank < flash.count; ++bank) {
    auto device = std::make_unique<CfiFlash>(flash.size);
    flashes.push_back({flash.name, flash.base + bank * flash.size, flash.size, device.get()});
    if (Status status = add_unit(Unit::kFlash, std::move(device), bank); !status.ok()) return status;
  }
  Range ram = range_of(Unit::kRam);
  ram.size = options.ram_bytes;
  return add_memory(range_of(Unit::kResetRom), ram, std::move(flashes));
}

template <class D>
Status VirtMachine::add_unit(Unit unit, std::unique_ptr<D> device, unsigned index) {
  const VirtUnit& row = virt_unit(unit);
  const std::string name = row.count == 1 ? row.name : row.name + std::to_string(index);
  return add(Range{name.c_str(), row.base + index * row.size, row.size}, std::move(device));
}

Status VirtMachine::add_devices(const MachineOptions& options) {
  const std::vector<HartLines*> lines = hart_lines();
  irqchip_ =
      std::make_unique<VirtIrqchip>(VirtIrqchipSetup{memory_, time_, timers_, *harts_, lines}, interrupts_);
  const auto irq = [this](Unit unit) { return irqchip_->line(virt_unit(unit).irq); };
  if (options.serials.size() > 1) warn("the virt board has one UART: the second -serial leads nowhere");
  auto fw_cfg = std::make_unique<FwCfg>(memory_);
  fw_cfg->add_number(FwCfg::kRamSize, options.ram_bytes, 8);
  fw_cfg->add_number(FwCfg::kCpuCount, options.harts, 2);
  fw_cfg->add_number(FwCfg::kMaxCpus, options.harts, 2);
  Status steps[] = {
      irqchip_->map(),
      add_unit(Unit::kTest, std::make_unique<SifiveTest>(control_)),
      add_unit(Unit::kRtc, std::make_unique<GoldfishRtc>(clock_, timers_, irq(Unit::kRtc))),
      add_unit(Unit::kUart, std::make_unique<Uart16550>(
                                options.serials.empty() ? nullptr : options.serials[0], irq(Unit::kUart))),
      add_unit(Unit::kFwCfg, std::move(fw_cfg)),
      add_virtio(options),
  };
  add_htif(options);
  for (Status& status : steps)
    if (!status.ok()) return status;
  return Ok{};
}

Status VirtMachine::add_virtio(const MachineOptions& options) {
  auto slots = VirtDevices(options).make();
  if (!slots.ok()) return slots.error();
  for (unsigned slot = 0; slot < kVirtioSlots; ++slot) {
    IrqLine irq = irqchip_->line(virt_unit(Unit::kVirtio).irq + slot);
    auto transport = std::make_unique<VirtioMmio>(memory_, std::move(irq), std::move((*slots)[slot]));
    if (Status status = add_unit(Unit::kVirtio, std::move(transport), slot); !status.ok()) return status;
  }
  return Ok{};
}

void VirtMachine::reset_devices() {
  Board::reset_devices();
  irqchip_->reset();
}

}  // namespace

const MachineType kVirtBoard{"virt", "RISC-V VirtIO board", kProperties, VirtMachine::create};

}  // namespace gstage::hw
