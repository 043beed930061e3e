// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "target/riscv/cpu.h"
#include "target/riscv/time_counter.h"
#include "hw/core/device.h"
#include "hw/core/hart_lines.h"
#include "hw/core/machine.h"
#include "hw/core/properties.h"
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
  AddressSpace& memory() override { return memory_; }
  Clock& clock() override { return clock_; }
  void reset() override;
  bool send_nmi() override { return harts_->send_nmi(); }
  Status finish() override;

 protected:
  /// A range of the board's memory map.
  struct Range {
    const char* name;
    std::uint64_t base;
    std::uint64_t size;
  };

  /// `control` outlives the board.
  explicit Board(MachineControl& control) : control_(control), timers_(clock_) {}
  /// `devices` hold memory as well, for what is loaded.
  Status add_memory(const Range& rom, const Range& ram, std::vector<LoadablePlace> devices = {});
  /// Places what is to be loaded into the memory that is there; `fdt` is the board's tree.
  Status plan_boot(const MachineOptions& options, std::vector<std::byte> fdt);
  Status add_harts(const MachineOptions& options, const riscv::CpuConfig& config,
                   const riscv::ImsicSetup& imsic = {});
  /// Takes the device over and maps it, in whole pages.
  template <class D>
  Status add(const Range& range, std::unique_ptr<D> device) {
    D& handler = *device;
    devices_.push_back(std::move(device));
    return memory_.add_mmio(range.name, Paddr{range.base}, (range.size + kPageMask) & ~kPageMask, handler);
  }
  /// The interface at the symbols `tohost` and `fromhost`, if the kernel or the firmware has them.
  void add_htif(const MachineOptions& options);
  [[nodiscard]] HtifSetup htif_setup(const MachineOptions& options);
  /// The wires into the harts, in their order.
  [[nodiscard]] std::vector<HartLines*> hart_lines() const;
  /// All devices to their state at power-on; a board that has others overrides it.
  virtual void reset_devices();
  [[nodiscard]] const Boot& boot() const { return *boot_; }

  // In the order of dependence: what is below uses what is above, and is destroyed before it.
  MachineControl& control_;
  AddressSpace memory_;
  Clock clock_;
  riscv::TimeCounter time_{clock_};
  TimerThread timers_;
  std::unique_ptr<riscv::CpuCluster> harts_;
  std::vector<std::unique_ptr<HartLines>> lines_;
  std::vector<std::unique_ptr<Device>> devices_;

 private:
  BootPlaces places_{};
  std::unique_ptr<Boot> boot_;
  std::unique_ptr<Signature> signature_;  ///< null: none is asked for
};

/// `-machine dumpdtb=FILE`.
Status write_device_tree(const std::string& path, const std::vector<std::byte>& tree);

}  // namespace gstage::hw
