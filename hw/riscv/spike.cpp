// SPDX-License-Identifier: Apache-2.0
// The board of the simulator Spike, as QEMU has it: harts, a CLINT, RAM, and the host-target interface for
// all that goes in and out. There is no UART, no disk and no bus for devices.
#include <string>

#include "softmmu/base/log.h"
#include "hw/core/properties.h"
#include "hw/intc/aclint.h"
#include "hw/riscv/board.h"
#include "hw/riscv/boards.h"
#include "hw/riscv/fdt_harts.h"

namespace gstage::hw {
namespace {

/// What `-machine spike,…` says.
struct SpikeOptions {
  std::string dumpdtb;
};

constexpr PropertyRow kProperties[] = {
    {"dumpdtb", "FILE", "write the device tree into the file, and end"},
    ignored_property("dump-guest-core"),
    ignored_property("graphics"),
    ignored_property("mem-merge"),
    ignored_property("usb"),
};

Result<SpikeOptions> parse_machine(const DeviceOptions& machine) {
  PropertyReader properties("-machine", machine, kProperties);
  SpikeOptions options;
  options.dumpdtb = properties.text("dumpdtb");
  if (Status status = properties.finish(); !status.ok()) return status.error();
  return options;
}

class SpikeMachine final : public Board {
 public:
  static Result<std::unique_ptr<Machine>> create(const MachineOptions& options, MachineControl& control);

 private:
  SpikeMachine(const MachineOptions& options, MachineControl& control)
      : Board(options, "spike", control), phandles_(options.harts) {}
  std::vector<std::byte> make_tree(const MachineOptions& options, const riscv::CpuConfig& config);
  Status add_devices(const MachineOptions& options);

  static constexpr Range kResetRom{"mrom", 0x1000, 0xf000};
  static constexpr Range kHtif{"htif", 0x100'0000, 0x1000};
  static constexpr Range kMswi{"mswi", 0x200'0000, 0x4000};
  static constexpr Range kMtimer{"mtimer", 0x200'4000, 0x8000};
  static constexpr std::uint64_t kClintBytes = 0x1'0000;  ///< as the device tree shows both
  static constexpr std::uint64_t kRamBase = 0x8000'0000;
  /// As many as an MSWI has words for a hart; fewer than a CLINT could have.
  static constexpr unsigned kMostHarts = 512;

  const HartPhandles phandles_;
};

/// What the board has no place for.
Status check_devices(const MachineOptions& options) {
  for (const DeviceOptions& device : options.devices)
    if (device.driver != "loader" && device.driver != "guest-loader")
      return error("-device %s: the spike board has no bus for it: use -M virt", device.driver.c_str());
  if (!options.drives.empty()) return error("-drive: the spike board has no disks: use -M virt");
  if (options.serials.size() > 1) warn("the spike board has one console: the second -serial leads nowhere");
  return Ok{};
}

Result<std::unique_ptr<Machine>> SpikeMachine::create(const MachineOptions& options,
                                                      MachineControl& control) {
  auto spike_options = parse_machine(options.machine);
  if (!spike_options.ok()) return spike_options.error();
  auto config = riscv::parse_cpu(options.cpu);
  if (!config.ok()) return config.error();
  if (options.harts < 1 || options.harts > kMostHarts)
    return error("-smp %u: the spike board has from 1 to %u harts", options.harts, kMostHarts);
  if (Status status = check_devices(options); !status.ok()) return status.error();
  std::unique_ptr<SpikeMachine> machine(new SpikeMachine(options, control));
  if (Status status = machine->add_memory(options, kResetRom, kRamBase); !status.ok()) return status.error();
  if (Status status = machine->add_harts(options, *config); !status.ok()) return status.error();
  if (Status status = machine->add_devices(options); !status.ok()) return status.error();
  auto tree = machine->make_tree(options, *config);
  if (Status status = machine->plan_boot(options, std::move(tree)); !status.ok()) return status.error();
  if (!spike_options->dumpdtb.empty()) {
    if (Status status = write_device_tree(spike_options->dumpdtb, machine->device_tree()); !status.ok())
      return status.error();
    return std::unique_ptr<Machine>();
  }
  if (Status status = machine->add_htif(options); !status.ok()) return status.error();
  machine->memory_.seal();
  return std::unique_ptr<Machine>(std::move(machine));
}

std::vector<std::byte> SpikeMachine::make_tree(const MachineOptions& options,
                                               const riscv::CpuConfig& config) {
  FdtBuilder fdt;
  {
    const auto root = fdt.node("");
    fdt.cell("#address-cells", 2);
    fdt.cell("#size-cells", 2);
    fdt.string("compatible", "ucbbar,spike-bare-dev");
    fdt.string("model", "ucbbar,spike-bare,qemu");
    describe_distances(fdt, options.numa);
    describe_memory(fdt, kRamBase, options.ram_bytes, options.numa);
    describe_cpus(fdt, phandles_, config, options.numa);
    main_bus().describe(fdt);
    const auto chosen = fdt.node("chosen");
    fdt.string("stdout-path", "/htif");
  }
  return fdt.finish();
}

/// The interface is there for programs that have its words (`add_htif`) and, as registers, for all others.
Status SpikeMachine::add_devices(const MachineOptions& options) {
  const auto place = [this](const Range& range) {
    NodePlace place;
    place.base = range.base;
    place.size = range.size;
    place.cpu_irqs = phandles_.cpu_irqs;
    return place;
  };
  auto soc = make_soc();
  auto clint = make_clint();
  NodePlace both = place(kMswi);
  both.size = kClintBytes;
  clint->set_place(both);
  Bus& members = clint->members();
  Bus& on_soc = soc->members();
  Status steps[] = {
      add(main_bus(), kHtif.name, place(kHtif), std::make_unique<Htif>(htif_setup(options))),
      main_bus().plug(std::move(soc)),
      on_soc.plug(std::move(clint)),
      add(members, kMswi.name, place(kMswi), std::make_unique<Mswi>(hart_lines())),
      add(members, kMtimer.name, place(kMtimer), std::make_unique<Mtimer>(time_, timers_, hart_lines())),
  };
  for (Status& status : steps)
    if (!status.ok()) return status;
  return Ok{};
}

}  // namespace

const MachineType kSpikeBoard{"spike", "the board of the simulator Spike: console and exit by HTIF",
                              kProperties, SpikeMachine::create};

}  // namespace gstage::hw
