// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "softmmu/io/clock.h"
#include "hw/core/device.h"
#include "hw/core/hart_lines.h"
#include "hw/core/register_table.h"

namespace gstage::hw {

/// SiFive's CLINT, which is also the layout of an ACLINT MSWI followed by an MTIMER (RISC-V ACLINT
/// specification, chapters 2 and 3): software interrupts, one timer a hart, and mtime. mtime follows the
/// machine's clock and cannot be written.
class Clint final : public Device, public RegisterDevice<Clint> {
 public:
  static constexpr const char* kName = "clint";

  /// Harts in the order of their ids. `clock`, `timers` and the lines outlive the device.
  Clint(const Clock& clock, TimerThread& timers, std::vector<HartLines*> harts);

  void reset() override;
  static std::span<const Register<Clint>> registers();
  /// `cpu_irqs`: phandle of each hart's interrupt controller.
  static void describe(FdtBuilder& fdt, const NodePlace& place, std::span<const std::uint32_t> cpu_irqs);

 private:
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  struct Hart {
    HartLines* lines;
    std::uint64_t compare = kNever;
    bool is_software_pending = false;
    std::unique_ptr<Timer> timer;
  };

  std::uint64_t read_msip(Access);
  void write_msip(Access, std::uint64_t);
  std::uint64_t read_mtimecmp(Access);
  void write_mtimecmp(Access, std::uint64_t);
  std::uint64_t read_mtime(Access);

  [[nodiscard]] std::uint64_t now_ticks() const;
  /// The hart of a register, or null (logged) when there is none.
  Hart* hart(const char* register_name, unsigned index);
  /// Sets the timer's line to what time and compare say, and arms the host's timer for the change.
  void update_timer(Hart& hart);

  const Clock& clock_;
  std::vector<Hart> harts_;
};

}  // namespace gstage::hw
