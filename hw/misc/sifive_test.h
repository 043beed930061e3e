// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "softmmu/machine_control.h"
#include "hw/core/register_table.h"
#include "hw/core/system_device.h"

namespace gstage::hw {

/// SiFive's test finisher: the guest ends or resets the machine with one store.
class SifiveTest final : public SystemDevice, public RegisterDevice<SifiveTest> {
 public:
  static constexpr const char* kName = "test";

  /// `control` takes what the guest asks for, and outlives the device.
  explicit SifiveTest(MachineControl& control) : control_(control) {}

  [[nodiscard]] const char* driver() const override { return "riscv.sifive.test"; }
  void reset() override {}
  static std::span<const Register<SifiveTest>> registers();
  void describe(FdtBuilder& fdt) const override;
  /// The nodes at the tree's root by which operating systems find poweroff and reboot.
  static void describe_syscon(FdtBuilder& fdt, std::uint32_t phandle);

 private:
  std::uint64_t read_finisher(Access);
  void write_finisher(Access, std::uint64_t value);

  MachineControl& control_;
};

}  // namespace gstage::hw
