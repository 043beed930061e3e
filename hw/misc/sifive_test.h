// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "softmmu/machine.h"
#include "hw/core/device.h"
#include "hw/core/register_table.h"

namespace gstage::hw {

/// SiFive's test finisher: the guest ends or resets the machine with one store.
class SifiveTest final : public Device, public RegisterDevice<SifiveTest> {
 public:
  static constexpr const char* kName = "test";
  using Request = std::function<void(MachineRequest request, int exit_code)>;

  /// `request` takes what the guest asks for; the board passes gstage::request_machine.
  explicit SifiveTest(Request request);

  void reset() override {}
  static std::span<const Register<SifiveTest>> registers();
  static void describe(FdtBuilder& fdt, const NodePlace& place);
  /// The nodes at the tree's root by which operating systems find poweroff and reboot.
  static void describe_syscon(FdtBuilder& fdt, std::uint32_t phandle);

 private:
  std::uint64_t read_finisher(Access);
  void write_finisher(Access, std::uint64_t value);

  Request request_;
};

}  // namespace gstage::hw
