// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "io/clock.h"
#include "io/wall_clock.h"
#include "hw/core/irq_line.h"
#include "hw/core/register_table.h"
#include "hw/core/system_device.h"

namespace gstage::hw {

/// The real-time clock of Android's goldfish board: nanoseconds since 1970 in two 32-bit halves, and an
/// alarm.
class GoldfishRtc final : public SystemDevice, public RegisterDevice<GoldfishRtc> {
 public:
  static constexpr const char* kName = "rtc";
  /// `clock` and `timers` serve the alarm and outlive the device.
  GoldfishRtc(const Clock& clock, TimerThread& timers, IrqLine irq, WallClock wall_clock = host_wall_clock);

  [[nodiscard]] const char* driver() const override { return "goldfish_rtc"; }
  void reset() override;
  void visit(Visitor& visitor) override;
  void restored() override;
  static std::span<const Register<GoldfishRtc>> registers();
  void describe(FdtBuilder& fdt) const override;

 private:
  struct State {
    std::uint32_t latched_high = 0;       ///< of the time when its low half was read
    std::uint32_t written_time_high = 0;  ///< waits for the low half
    std::uint32_t alarm_high = 0;
    std::uint32_t alarm_low = 0;
    std::uint64_t offset_ns = 0;  ///< guest's time minus host's, modulo 2^64
    bool is_alarm_running = false;
    bool is_irq_enabled = false;
    bool is_irq_pending = false;
  };

  std::uint64_t read_time_low(Access);
  void write_time_low(Access, std::uint64_t);
  std::uint64_t read_time_high(Access);
  void write_time_high(Access, std::uint64_t);
  std::uint64_t read_alarm_low(Access);
  void write_alarm_low(Access, std::uint64_t);
  std::uint64_t read_alarm_high(Access);
  void write_alarm_high(Access, std::uint64_t);
  std::uint64_t read_irq_enabled(Access);
  void write_irq_enabled(Access, std::uint64_t);
  void write_clear_alarm(Access, std::uint64_t);
  std::uint64_t read_alarm_status(Access);
  void write_clear_interrupt(Access, std::uint64_t);

  [[nodiscard]] std::uint64_t now_ns() const;
  /// Fires the alarm when it is due, else arms the timer for it.
  void check_alarm();
  void update_irq();

  State state_;
  const Clock& clock_;
  IrqLine irq_;
  WallClock wall_clock_;
  std::unique_ptr<Timer> timer_;
};

}  // namespace gstage::hw
