// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "softmmu/base/format.h"
#include "softmmu/base/log.h"
#include "hw/char/uart16550.h"
#include "hw/core/driver.h"
#include "hw/core/properties.h"
#include "hw/misc/cfi_flash.h"
#include "hw/misc/fw_cfg.h"
#include "hw/misc/goldfish_rtc.h"
#include "hw/misc/sifive_test.h"
#include "hw/pci/hot_plug.h"
#include "hw/pci/pci_host.h"
#include "hw/riscv/board.h"
#include "hw/riscv/boards.h"
#include "hw/riscv/fdt_harts.h"
#include "hw/riscv/virt_acpi.h"
#include "hw/riscv/virt_fw_cfg.h"
#include "hw/riscv/virt_irqchip.h"
#include "hw/riscv/virt_wiring.h"
#include "hw/virtio/virtio_mmio.h"

namespace gstage::hw {
namespace {

/// What `-machine virt,…` says.
struct VirtOptions {
  std::string dumpdtb;
  VirtInterrupts interrupts;
  bool has_acpi = true;
  std::string
      flash[virt_part(Part::kFlash).count];  ///< the disk whose image each bank has; empty: none is named
};
constexpr const char* kFlashProperties[] = {"pflash0", "pflash1"};
static_assert(std::size(kFlashProperties) == virt_part(Part::kFlash).count);

constexpr PropertyRow kProperties[] = {
    {"aclint", "on|off", "an ACLINT in place of the CLINT (default: off)"},
    {"acpi", "on|off|auto", "ACPI tables, for firmware that hands them on (default: auto, which is on)"},
    {"aia", "none|aplic|aplic-imsic", "interrupt controllers: PLIC (the default), APLIC, APLIC with IMSICs"},
    {"aia-guests", "N", "guest interrupt files a hart with aplic-imsic, 0 to 63 (default: 0)"},
    {"dumpdtb", "FILE", "write the device tree into the file, and end"},
    {"pflash0", "ID", "the -drive that is the first flash bank: firmware, or what firmware starts"},
    {"pflash1", "ID", "the second one: the firmware's variables"},
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
    missing_property("memory-encryption"),
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
  for (std::size_t bank = 0; bank < std::size(kFlashProperties); ++bank)
    options.flash[bank] = properties.text(kFlashProperties[bank]);
  const std::string acpi = properties.text("acpi", "auto");
  options.has_acpi = acpi != "off";
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
  ~VirtMachine() override { destroy_devices(); }
  BackEnds* back_ends() override { return back_ends_.get(); }
  void reset() override;

 private:
  VirtMachine(const MachineOptions& options, MachineControl& control, const VirtOptions& virt_options)
      : Board(options, "virt", control),
        virt_options_(virt_options),
        firmware_(options.firmware),
        wiring_(options.harts, virt_options.interrupts) {}
  Status add_board_memory(const MachineOptions& options);
  Status add_devices(const MachineOptions& options);
  Status add_flash();
  Status add_flash_bank(Bus& banks, unsigned number);
  Status add_pci(std::uint64_t ram_bytes, Bus& soc);
  Status add_virtio_slots(Bus& soc);
  /// What `-device` and `-drive` ask for.
  Status add_asked(const MachineOptions& options);
  /// Maps the device at the part's place and puts it on the bus.
  template <class D>
  Status add_part(Bus& bus, Part part, std::unique_ptr<D> device, unsigned index = 0,
                  const std::byte* code = nullptr);
  std::vector<std::byte> make_tree(const MachineOptions& options, const riscv::CpuConfig& config);

  const VirtOptions virt_options_;
  const FirmwareOptions firmware_;
  const VirtWiring wiring_;
  std::unique_ptr<VirtIrqchip> irqchip_;
  FwCfg* fw_cfg_ = nullptr;
  PciHost* pci_ = nullptr;
  std::unique_ptr<BackEnds> back_ends_;
  std::unique_ptr<DeviceWorld> world_;
  std::unique_ptr<PciHotPlug> hot_plug_;
};

Result<std::unique_ptr<Machine>> VirtMachine::create(const MachineOptions& options, MachineControl& control) {
  auto virt_options = parse_machine(options.machine);
  if (!virt_options.ok()) return virt_options.error();
  const VirtInterrupts& interrupts = virt_options->interrupts;
  auto config = parse_harts(options.cpu, interrupts);
  if (!config.ok()) return config.error();
  if (options.harts < 1 || options.harts > kMaxHarts)
    return error("-smp %u: the virt board has from 1 to %u harts", options.harts, kMaxHarts);
  std::unique_ptr<VirtMachine> machine(new VirtMachine(options, control, *virt_options));
  if (Status status = machine->add_board_memory(options); !status.ok()) return status.error();
  if (Status status = machine->add_harts(options, *config, interrupts.imsic()); !status.ok())
    return status.error();
  if (Status status = machine->add_devices(options); !status.ok()) return status.error();
  if (virt_options->has_acpi) add_acpi_tables(*machine->fw_cfg_, describe_virt(options, *config, interrupts));
  auto tree = machine->make_tree(options, *config);
  if (Status status = machine->plan_boot(options, std::move(tree)); !status.ok()) return status.error();
  hand_over(*machine->fw_cfg_, machine->boot().handover());
  if (!virt_options->dumpdtb.empty()) {
    if (Status status = write_device_tree(virt_options->dumpdtb, machine->device_tree()); !status.ok())
      return status.error();
    return std::unique_ptr<Machine>();
  }
  if (Status status = machine->add_htif(options); !status.ok()) return status.error();
  machine->memory_.seal();
  return std::unique_ptr<Machine>(std::move(machine));
}

void VirtMachine::reset() {
  // Cards may have come and gone.
  set_boot_order(*fw_cfg_, devices(), firmware_);
  Board::reset();
}

Status VirtMachine::add_board_memory(const MachineOptions& options) {
  const VirtPart& rom = virt_part(Part::kResetRom);
  return add_memory(options, {rom.name, rom.base, rom.size}, virt_part(Part::kRam).base);
}

template <class D>
Status VirtMachine::add_part(Bus& bus, Part part, std::unique_ptr<D> device, unsigned index,
                             const std::byte* code) {
  const VirtPart& row = virt_part(part);
  const std::string name = row.count == 1 ? row.name : row.name + std::to_string(index);
  NodePlace place = wiring_.place(part, index);
  if (part == Part::kTest) place.phandle = wiring_.test;
  return add(bus, name.c_str(), place, std::move(device), code);
}

/// Two banks, which are one node.
Status VirtMachine::add_flash() {
  const VirtPart& row = virt_part(Part::kFlash);
  auto flash =
      std::make_unique<DeviceGroup>("flash", [](FdtBuilder& fdt, const NodePlace& place, const Bus& banks) {
        CfiFlash::describe_banks(fdt, place, static_cast<unsigned>(banks.devices().size()));
      });
  flash->set_place(wiring_.place(Part::kFlash));
  Bus& banks = flash->members();
  if (Status status = main_bus().plug(std::move(flash)); !status.ok()) return status;
  for (unsigned bank = 0; bank < row.count; ++bank)
    if (Status status = add_flash_bank(banks, bank); !status.ok()) return status;
  return Ok{};
}

/// Its image is what -machine names, or the -drive if=pflash of its number.
Status VirtMachine::add_flash_bank(Bus& banks, unsigned number) {
  const VirtPart& row = virt_part(Part::kFlash);
  const std::uint64_t base = row.base + number * row.size;
  auto bank = std::make_unique<CfiFlash>(row.size);
  const std::string& named = virt_options_.flash[number];
  const std::string plugged = back_ends_->flash_drive(number);
  if (!named.empty() && !plugged.empty())
    return error(
        "-machine %s=%s: the bank has the image of a -drive if=pflash already; leave one of them out",
        kFlashProperties[number], named.c_str());
  if (!named.empty() || !plugged.empty()) {
    const std::string what = named.empty()
                                 ? format("-drive if=pflash,unit=%u", number)
                                 : format("-machine %s=%s", kFlashProperties[number], named.c_str());
    auto image = back_ends_->take_drive(what, named.empty() ? plugged : named);
    if (!image.ok()) return image.error();
    if (Status status = bank->use_image(what, std::move(*image)); !status.ok()) return status;
    if (number == 0) set_flash_firmware(base);
  }
  bank->set_changed(
      [this, base](std::uint64_t offset, std::uint64_t size) { memory_.dirty(Paddr{base + offset}, size); });
  add_loadable({row.name, base, row.size, bank.get()});
  const std::byte* const code = bank->contents();
  return add_part(banks, Part::kFlash, std::move(bank), number, code);
}

/// In the order of the device tree, which is that of the board that this follows: Linux numbers devices by
/// it.
Status VirtMachine::add_devices(const MachineOptions& options) {
  auto back_ends = BackEnds::open(options);
  if (!back_ends.ok()) return back_ends.error();
  back_ends_ = std::move(*back_ends);
  const std::vector<HartLines*> lines = hart_lines();
  irqchip_ =
      std::make_unique<VirtIrqchip>(VirtIrqchipSetup{memory_, time_, timers_, *harts_, lines, wiring_});
  const auto irq = [this](Part part) { return irqchip_->line(virt_part(part).irq); };
  if (options.serials.size() > 1) warn("the virt board has one UART: the second -serial leads nowhere");
  auto fw_cfg = std::make_unique<FwCfg>(memory_);
  fw_cfg_ = fw_cfg.get();
  if (Status status = fill_fw_cfg(*fw_cfg, options); !status.ok()) return status;
  auto group = make_soc();
  Bus& soc = group->members();
  Status steps[] = {
      add_part(main_bus(), Part::kFwCfg, std::move(fw_cfg)),
      add_flash(),
      main_bus().plug(std::move(group)),
      add_part(soc, Part::kRtc,
               std::make_unique<GoldfishRtc>(clock_, timers_, irq(Part::kRtc),
                                             make_wall_clock(options.rtc, clock_))),
      add_part(soc, Part::kUart,
               std::make_unique<Uart16550>(options.serials.empty() ? nullptr : options.serials[0],
                                           irq(Part::kUart))),
      add_part(soc, Part::kTest, std::make_unique<SifiveTest>(control_)),
      add_pci(options.ram_bytes, soc),
      add_virtio_slots(soc),
      irqchip_->put_on(soc),
      add_asked(options),
  };
  for (Status& status : steps)
    if (!status.ok()) return status;
  return Ok{};
}

Status VirtMachine::add_pci(std::uint64_t ram_bytes, Bus& soc) {
  const VirtPart& io = virt_part(Part::kPciIo);
  const VirtPart& memory = virt_part(Part::kPciMemory);
  PciHostSetup setup{.memory = memory_, .msis = irqchip_->msis()};
  for (unsigned wire = 0; wire < kPciWires; ++wire)
    setup.intx[wire] = irqchip_->line(virt_part(Part::kPciEcam).irq + wire);
  setup.msi_parent = wiring_.imsic_s;
  setup.io = {io.base, io.size};
  setup.memory32 = {memory.base, memory.size};
  setup.memory64 = {pci_high_base(ram_bytes), kPciHighSize};
  auto host = std::make_unique<PciHost>(setup);
  PciHost& pci = *host;
  pci_ = &pci;
  Status steps[] = {
      add_part(soc, Part::kPciEcam, std::move(host)),
      memory_.add_mmio(io.name, Paddr{io.base}, io.size, pci.io()),
      memory_.add_mmio(memory.name, Paddr{memory.base}, memory.size, pci.memory32()),
      memory_.add_mmio("pcie-high", Paddr{setup.memory64.base}, kPciHighSize, pci.memory64()),
  };
  for (Status& status : steps)
    if (!status.ok()) return status;
  return Ok{};
}

Status VirtMachine::add_virtio_slots(Bus& soc) {
  // The highest slot comes first: it is what the first -device takes, and so the guest's first disk.
  for (unsigned slot = kVirtioSlots; slot-- > 0;) {
    IrqLine irq = irqchip_->line(virt_part(Part::kVirtio).irq + slot);
    auto transport = std::make_unique<VirtioMmio>(VirtioParts{memory_, workers_}, std::move(irq),
                                                  format("virtio-mmio-bus.%u", slot));
    if (Status status = add_part(soc, Part::kVirtio, std::move(transport), slot); !status.ok()) return status;
  }
  return Ok{};
}

Status VirtMachine::add_asked(const MachineOptions& options) {
  world_ = std::make_unique<DeviceWorld>(
      DeviceWorld{memory_, workers_, *back_ends_, options.harts, options.globals});
  DeviceWorld& world = *world_;
  for (const DeviceOptions& device : options.devices)
    if (Status status = add_device(devices(), world, device); !status.ok()) return status;
  for (const std::string& id : world.back_ends.implied_drives())
    if (Status status = add_device(devices(), world, {"virtio-blk-pci", {{"drive", id}}}); !status.ok())
      return status;
  hot_plug_ = std::make_unique<PciHotPlug>(*pci_, devices(), *world_, options.devices);
  // Code that is translated before a card comes must not count on being alone in memory.
  if (hot_plug_->has_slots()) memory_.add_agent();
  return Ok{};
}

std::vector<std::byte> VirtMachine::make_tree(const MachineOptions& options, const riscv::CpuConfig& config) {
  const std::string console =
      format("/soc/serial@%llx", static_cast<unsigned long long>(virt_part(Part::kUart).base));
  FdtBuilder fdt;
  {
    const auto root = fdt.node("");
    fdt.cell("#address-cells", 2);
    fdt.cell("#size-cells", 2);
    fdt.string("compatible", "riscv-virtio");
    fdt.string("model", "riscv-virtio,qemu");
    SifiveTest::describe_syscon(fdt, wiring_.test);
    describe_distances(fdt, options.numa);
    describe_memory(fdt, virt_part(Part::kRam).base, options.ram_bytes, options.numa);
    describe_cpus(fdt, wiring_.harts, config, options.numa);
    if (config.zihpm) describe_pmu(fdt);
    main_bus().describe(fdt);
    {
      const auto aliases = fdt.node("aliases");
      fdt.string("serial0", console);
    }
    const auto chosen = fdt.node("chosen");
    fdt.string("stdout-path", console);
  }
  return fdt.finish();
}

}  // namespace

const MachineType kVirtBoard{"virt", "RISC-V VirtIO board", kProperties, VirtMachine::create};

}  // namespace gstage::hw
