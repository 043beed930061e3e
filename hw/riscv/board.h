// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "target/riscv/cpu.h"
#include "target/riscv/time_counter.h"
#include "hw/core/hart_lines.h"
#include "hw/core/machine.h"
#include "hw/core/properties.h"
#include "hw/core/system_device.h"
#include "hw/core/worker_pool.h"
#include "hw/misc/htif.h"
#include "hw/riscv/boot.h"
#include "hw/riscv/signature.h"

namespace gstage::hw {

/// What the boards have in common: memory and time, harts with wires into them, devices on the bus, what is
/// loaded, the host-target interface of programs that were built for simulators, the signature of tests. A
/// board calls the steps in their order, and adds what is its own.
class Board : public Machine {
 public:
  std::vector<Cpu*> cpus() override;
  riscv::CpuCluster* harts() override { return harts_.get(); }
  AddressSpace& memory() override { return memory_; }
  Clock& clock() override { return clock_; }
  Device& devices() override { return root_; }
  [[nodiscard]] const std::vector<std::byte>& device_tree() const override { return boot_->fdt(); }
  void reset() override;
  bool send_nmi() override { return harts_->send_nmi(); }
  std::string sanitizer_summary() override { return harts_->sanitizer_summary(); }
  Status finish() override;

 protected:
  /// A range of the board's memory map.
  struct Range {
    const char* name;
    std::uint64_t base;
    std::uint64_t size;
  };

  /// `control` outlives the board.
  Board(const MachineOptions& options, const char* name, MachineControl& control)
      : control_(control), timers_(clock_), workers_(options.worker_threads), root_(name) {}
  /// ROM for the reset vector, and RAM as `options` have it.
  Status add_memory(const MachineOptions& options, const Range& rom, std::uint64_t ram_base);
  /// Names a device that holds memory as well, for what is loaded. Before `plan_boot`.
  void add_loadable(const LoadablePlace& place) { places_.devices.push_back(place); }
  /// The firmware, or what firmware starts, is in the device there already. Before `plan_boot`.
  void set_flash_firmware(std::uint64_t base) { places_.flash_firmware = base; }
  /// Places what is to be loaded into the memory that is there; `fdt` is the board's tree.
  Status plan_boot(const MachineOptions& options, std::vector<std::byte> fdt);
  Status add_harts(const MachineOptions& options, const riscv::CpuConfig& config,
                   const riscv::ImsicSetup& imsic = {});
  /// Puts the device on the bus and maps it at its place, in whole pages. `code`: what harts execute there.
  template <class D>
  Status add(Bus& bus, const char* name, const NodePlace& place, std::unique_ptr<D> device,
             const std::byte* code = nullptr) {
    D& handler = *device;
    device->set_place(place);
    if (Status status = bus.plug(std::move(device)); !status.ok()) return status;
    return memory_.add_mmio(name, Paddr{place.base}, (place.size + kPageMask) & ~kPageMask, handler, code);
  }
  /// The interface at the symbols `tohost` and `fromhost`, if the kernel or the firmware has them.
  Status add_htif(const MachineOptions& options);
  [[nodiscard]] HtifSetup htif_setup(const MachineOptions& options);
  /// The wires into the harts, in their order.
  [[nodiscard]] std::vector<HartLines*> hart_lines() const;
  /// What is directly on the board.
  [[nodiscard]] Bus& main_bus() { return root_.main; }
  /// Devices may use what a board has besides: it destroys them first.
  void destroy_devices() { root_.destroy(); }
  [[nodiscard]] const Boot& boot() const { return *boot_; }

  // In the order of dependence: what is below uses what is above, and is destroyed before it.
  MachineControl& control_;
  AddressSpace memory_;
  Clock clock_;
  riscv::TimeCounter time_{clock_};
  TimerThread timers_;
  std::unique_ptr<riscv::CpuCluster> harts_;
  std::vector<std::unique_ptr<HartLines>> lines_;
  WorkerPool workers_;

 private:
  /// The root of the tree.
  struct Root final : Device {
    explicit Root(const char* name)
        : name(name), main(add_bus(std::make_unique<Bus>("System", "main-system-bus"))) {}
    [[nodiscard]] const char* driver() const override { return name; }
    void destroy() { clear_buses(); }
    const char* const name;
    Bus& main;
  };

  Root root_;
  BootPlaces places_{};
  std::unique_ptr<Boot> boot_;
  std::unique_ptr<Signature> signature_;  ///< null: none is asked for
};

/// The bus of what is on the chip, as the device tree has it.
std::unique_ptr<DeviceGroup> make_soc();

/// `-machine dumpdtb=FILE`.
Status write_device_tree(const std::string& path, const std::vector<std::byte>& tree);

}  // namespace gstage::hw
