// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "io/clock.h"
#include "target/riscv/time_counter.h"
#include "hw/core/hart_lines.h"
#include "hw/core/register_table.h"
#include "hw/core/system_device.h"

namespace gstage::hw {

// The devices of the RISC-V ACLINT specification. An MSWI and an MTIMER side by side are SiFive's CLINT.

/// MSWI ("Machine-level Software Interrupt Device"): one word a hart, whose bit 0 is the hart's MSIP.
class Mswi final : public SystemDevice, public RegisterDevice<Mswi> {
 public:
  static constexpr const char* kName = "mswi";

  /// Harts in the order of their ids. The lines outlive the device.
  explicit Mswi(const std::vector<HartLines*>& harts);
  [[nodiscard]] const char* driver() const override { return "riscv.aclint.mswi"; }
  void describe(FdtBuilder& fdt) const override;
  void reset() override;
  void visit(Visitor& visitor) override;
  void restored() override;
  static std::span<const Register<Mswi>> registers();

 private:
  struct Hart {
    HartLines* lines;
    bool is_pending = false;
  };
  std::uint64_t read_msip(Access);
  void write_msip(Access, std::uint64_t);
  std::vector<Hart> harts_;
};

/// SSWI ("Supervisor-level Software Interrupt Device"): writing 1 to a hart's word sets its SSIP, which the
/// hart itself clears. Reads as zero.
class Sswi final : public SystemDevice, public RegisterDevice<Sswi> {
 public:
  static constexpr const char* kName = "sswi";

  /// Harts in the order of their ids. The lines outlive the device.
  explicit Sswi(std::vector<HartLines*> harts) : harts_(std::move(harts)) {}
  [[nodiscard]] const char* driver() const override { return "riscv.aclint.sswi"; }
  void describe(FdtBuilder& fdt) const override;
  void reset() override {}
  static std::span<const Register<Sswi>> registers();

 private:
  std::uint64_t read_setssip(Access) { return 0; }
  void write_setssip(Access, std::uint64_t);
  std::vector<HartLines*> harts_;
};

/// MTIMER ("Machine-level Timer Device"): one comparand a hart, and mtime, which is the time of all harts.
class Mtimer final : public SystemDevice, public RegisterDevice<Mtimer> {
 public:
  static constexpr const char* kName = "mtimer";
  static constexpr std::uint64_t kMtimeOffset = 0x7ff8;

  /// Harts in the order of their ids. `time`, `timers` and the lines outlive the device.
  Mtimer(riscv::TimeCounter& time, TimerThread& timers, const std::vector<HartLines*>& harts);
  [[nodiscard]] const char* driver() const override { return "riscv.aclint.mtimer"; }
  void describe(FdtBuilder& fdt) const override;
  void reset() override;
  void visit(Visitor& visitor) override;
  void restored() override;
  static std::span<const Register<Mtimer>> registers();

 private:
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  struct Hart {
    HartLines* lines;
    std::uint64_t compare = kNever;
    std::unique_ptr<Timer> timer;
  };
  std::uint64_t read_mtimecmp(Access);
  void write_mtimecmp(Access, std::uint64_t);
  std::uint64_t read_mtime(Access);
  void write_mtime(Access, std::uint64_t);
  /// Sets the timer's line to what time and compare say, and arms the host's timer for the change.
  void update_timer(Hart& hart);

  riscv::TimeCounter& time_;
  std::vector<Hart> harts_;
};

/// An MSWI and an MTIMER that are one node: SiFive's CLINT.
std::unique_ptr<DeviceGroup> make_clint();

}  // namespace gstage::hw
