// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "softmmu/base/log.h"
#include "softmmu/machine.h"
#include "softmmu/options.h"
#include "target/riscv/cpu.h"
#include "hw/char/uart16550.h"
#include "hw/core/hart_lines.h"
#include "hw/core/properties.h"
#include "hw/misc/cfi_flash.h"
#include "hw/misc/fw_cfg.h"
#include "hw/misc/goldfish_rtc.h"
#include "hw/misc/sifive_test.h"
#include "hw/riscv/boot.h"
#include "hw/riscv/virt_devices.h"
#include "hw/riscv/virt_fdt.h"
#include "hw/riscv/virt_irqchip.h"
#include "hw/riscv/virt_map.h"
#include "hw/virtio/virtio_mmio.h"

namespace gstage::hw {
namespace {

/// The wires into one of the board's harts.
class CpuLines final : public HartLines {
 public:
  explicit CpuLines(riscv::RiscvCpu& cpu) : cpu_(cpu) {}
  void set_pending(unsigned mip_bit, bool is_high) override { cpu_.set_irq(mip_bit, is_high); }

 private:
  riscv::RiscvCpu& cpu_;
};

/// What `-machine virt,…` says.
struct VirtOptions {
  std::string dumpdtb;
  VirtInterrupts interrupts;
};

Result<VirtOptions> parse_machine(const DeviceOptions& machine) {
  PropertyReader properties("-machine", machine);
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
  for (const char* name : {"pflash0", "pflash1", "iommu-sys", "memory-backend"}) properties.not_yet(name);
  for (const char* name : {"usb", "graphics", "dump-guest-core", "mem-merge"}) properties.ignore(name);
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
class VirtMachine final : public Machine {
 public:
  static Result<std::unique_ptr<Machine>> create(const MachineOptions& options);

  std::vector<Cpu*> cpus() override;
  AddressSpace& memory() override { return memory_; }
  Clock& clock() override { return clock_; }
  void reset() override;

 private:
  VirtMachine() : timers_(clock_) {}
  Status add_memory(const MachineOptions& options);
  Status add_harts(const MachineOptions& options, const riscv::CpuConfig& config);
  Status add_devices(const MachineOptions& options);
  Status add_virtio(const MachineOptions& options);
  Status plan_boot(const MachineOptions& options, const riscv::CpuConfig& config);

  /// Maps the device at the unit's place and takes it over.
  template <class D>
  Status add(Unit unit, std::unique_ptr<D> device, unsigned index = 0);

  // In the order of dependence: what is below uses what is above, and is destroyed before it.
  AddressSpace memory_;
  Clock clock_;
  riscv::TimeCounter time_{clock_};
  TimerThread timers_;
  std::unique_ptr<riscv::CpuCluster> harts_;
  std::vector<std::unique_ptr<CpuLines>> lines_;
  VirtInterrupts interrupts_;
  std::unique_ptr<VirtIrqchip> irqchip_;
  std::vector<std::unique_ptr<Device>> devices_;
  std::vector<LoadablePlace> flash_;
  std::unique_ptr<Boot> boot_;
};

Status write_file(const std::string& path, const std::vector<std::byte>& bytes) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  const bool is_written = file != nullptr && std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  const bool is_closed = file != nullptr && std::fclose(file) == 0;
  if (is_written && is_closed) return Ok{};
  return error("-machine dumpdtb=%s: %s; name a file that can be written", path.c_str(),
               std::strerror(errno));
}

Result<std::unique_ptr<Machine>> VirtMachine::create(const MachineOptions& options) {
  auto virt_options = parse_machine(options.machine);
  if (!virt_options.ok()) return virt_options.error();
  auto config = parse_harts(options.cpu, virt_options->interrupts);
  if (!config.ok()) return config.error();
  if (options.harts < 1 || options.harts > kMaxHarts)
    return error("-smp %u: the virt board has from 1 to %u harts", options.harts, kMaxHarts);
  std::unique_ptr<VirtMachine> machine(new VirtMachine);
  machine->interrupts_ = virt_options->interrupts;
  if (Status status = machine->add_memory(options); !status.ok()) return status.error();
  if (Status status = machine->plan_boot(options, *config); !status.ok()) return status.error();
  if (!virt_options->dumpdtb.empty()) {
    if (Status status = write_file(virt_options->dumpdtb, machine->boot_->fdt()); !status.ok())
      return status.error();
    return std::unique_ptr<Machine>();
  }
  if (Status status = machine->add_harts(options, *config); !status.ok()) return status.error();
  if (Status status = machine->add_devices(options); !status.ok()) return status.error();
  machine->memory_.seal();
  return std::unique_ptr<Machine>(std::move(machine));
}

Status VirtMachine::add_memory(const MachineOptions& options) {
  const VirtUnit& rom = virt_unit(Unit::kResetRom);
  if (Status status = memory_.add_rom(rom.name, Paddr{rom.base}, rom.size); !status.ok()) return status;
  const VirtUnit& flash = virt_unit(Unit::kFlash);
  for (unsigned bank = 0; bank < flash.count; ++bank) {
    auto device = std::make_unique<CfiFlash>(flash.size);
    flash_.push_back({flash.name, flash.base + bank * flash.size, flash.size, device.get()});
    if (Status status = add(Unit::kFlash, std::move(device), bank); !status.ok()) return status;
  }
  const VirtUnit& ram = virt_unit(Unit::kRam);
  return memory_.add_ram(ram.name, Paddr{ram.base}, options.ram_bytes);
}

Status VirtMachine::plan_boot(const MachineOptions& options, const riscv::CpuConfig& config) {
  const BootPlaces places{virt_unit(Unit::kResetRom).base, virt_unit(Unit::kRam).base, options.ram_bytes,
                          flash_};
  boot_ = std::make_unique<Boot>(memory_, places);
  return boot_->plan(options, make_virt_fdt(options.harts, options.ram_bytes, config, interrupts_));
}

Status VirtMachine::add_harts(const MachineOptions& options, const riscv::CpuConfig& config) {
  riscv::CpuSetup setup{
      &memory_, &clock_, &time_, &timers_, config, virt_unit(Unit::kResetRom).base, interrupts_.imsic()};
  auto harts = riscv::make_cpus(options, setup);
  if (!harts.ok()) return harts.error();
  harts_ = std::move(*harts);
  for (unsigned hart = 0; hart < harts_->count(); ++hart)
    lines_.push_back(std::make_unique<CpuLines>(harts_->cpu(hart)));
  return Ok{};
}

template <class D>
Status VirtMachine::add(Unit unit, std::unique_ptr<D> device, unsigned index) {
  const VirtUnit& row = virt_unit(unit);
  D& handler = *device;
  devices_.push_back(std::move(device));
  const std::string name = row.count == 1 ? row.name : row.name + std::to_string(index);
  const std::uint64_t size = (row.size + kPageMask) & ~kPageMask;
  return memory_.add_mmio(name, Paddr{row.base + index * row.size}, size, handler);
}

Status VirtMachine::add_devices(const MachineOptions& options) {
  std::vector<HartLines*> lines;
  for (const auto& line : lines_) lines.push_back(line.get());
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
      add(Unit::kTest, std::make_unique<SifiveTest>(request_machine)),
      add(Unit::kRtc, std::make_unique<GoldfishRtc>(clock_, timers_, irq(Unit::kRtc))),
      add(Unit::kUart, std::make_unique<Uart16550>(options.serials.empty() ? nullptr : options.serials[0],
                                                   irq(Unit::kUart))),
      add(Unit::kFwCfg, std::move(fw_cfg)),
      add_virtio(options),
  };
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
    if (Status status = add(Unit::kVirtio, std::move(transport), slot); !status.ok()) return status;
  }
  return Ok{};
}

std::vector<Cpu*> VirtMachine::cpus() {
  std::vector<Cpu*> all;
  for (unsigned hart = 0; hart < harts_->count(); ++hart) all.push_back(&harts_->cpu(hart));
  return all;
}

void VirtMachine::reset() {
  for (const auto& device : devices_) device->reset();
  irqchip_->reset();
  for (unsigned hart = 0; hart < harts_->count(); ++hart) harts_->cpu(hart).reset();
  for (const auto& [hart, entry] : boot_->entries()) harts_->cpu(hart).core().pc = entry;
  if (Status status = boot_->load(); !status.ok()) {
    // The files were there when the machine was built; without them it cannot start again.
    std::fprintf(stderr, "gstage: %s\n", status.error().message.c_str());
    request_machine(MachineRequest::kQuit, 1);
  }
}

const bool is_registered = [] {
  register_machine_type({"virt", "RISC-V VirtIO board, as QEMU's", VirtMachine::create});
  register_device_help(VirtDevices::help);
  return true;
}();

}  // namespace
}  // namespace gstage::hw
