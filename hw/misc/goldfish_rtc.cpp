// SPDX-License-Identifier: Apache-2.0
#include "hw/misc/goldfish_rtc.h"

#include <utility>

#include "hw/core/visitor.h"

namespace gstage::hw {
namespace {

/// The alarm's timer looks again at least this often, so that a step of the host's time of day is noticed.
constexpr std::uint64_t kLongestSleepNs = 60'000'000'000;

}  // namespace

std::span<const Register<GoldfishRtc>> GoldfishRtc::registers() {
  using R = GoldfishRtc;
  static constexpr Register<R> kTable[] = {
      {0x00, 4, "time low", &R::read_time_low, &R::write_time_low},
      {0x04, 4, "time high", &R::read_time_high, &R::write_time_high},
      {0x08, 4, "alarm low", &R::read_alarm_low, &R::write_alarm_low},
      {0x0c, 4, "alarm high", &R::read_alarm_high, &R::write_alarm_high},
      {0x10, 4, "interrupt enable", &R::read_irq_enabled, &R::write_irq_enabled},
      {0x14, 4, "clear alarm", nullptr, &R::write_clear_alarm},
      {0x18, 4, "alarm status", &R::read_alarm_status, nullptr},
      {0x1c, 4, "clear interrupt", nullptr, &R::write_clear_interrupt},
  };
  static_assert(is_well_formed(kTable));
  return kTable;
}

GoldfishRtc::GoldfishRtc(const Clock& clock, TimerThread& timers, IrqLine irq, WallClock wall_clock)
    : clock_(clock), irq_(std::move(irq)), wall_clock_(std::move(wall_clock)) {
  timer_ = timers.make([this] {
    const std::lock_guard lock(mutex_);
    check_alarm();
  });
}

void GoldfishRtc::reset() {
  const std::lock_guard lock(mutex_);
  // The battery keeps the time that the guest set; everything else starts afresh.
  const std::uint64_t offset_ns = state_.offset_ns;
  state_ = State{};
  state_.offset_ns = offset_ns;
  timer_->arm(Timer::kNever);
  update_irq();
}

void GoldfishRtc::visit(Visitor& visitor) {
  visitor.field("latched_high", state_.latched_high);
  visitor.field("written_time_high", state_.written_time_high);
  visitor.field("alarm_high", state_.alarm_high);
  visitor.field("alarm_low", state_.alarm_low);
  visitor.field("offset_ns", state_.offset_ns);
  visitor.field("is_alarm_running", state_.is_alarm_running);
  visitor.field("is_irq_enabled", state_.is_irq_enabled);
  visitor.field("is_irq_pending", state_.is_irq_pending);
}

void GoldfishRtc::restored() {
  // It looks at the alarm as soon as the clock goes on.
  timer_->arm(state_.is_alarm_running ? clock_.now_ns() : Timer::kNever);
  update_irq();
}

std::uint64_t GoldfishRtc::now_ns() const { return wall_clock_() + state_.offset_ns; }

void GoldfishRtc::check_alarm() {
  if (!state_.is_alarm_running) return timer_->arm(Timer::kNever);
  const std::uint64_t alarm = (std::uint64_t{state_.alarm_high} << 32) | state_.alarm_low;
  const std::uint64_t now = now_ns();
  if (alarm <= now) {
    state_.is_alarm_running = false;
    state_.is_irq_pending = true;
    timer_->arm(Timer::kNever);
    return update_irq();
  }
  const std::uint64_t wait = alarm - now < kLongestSleepNs ? alarm - now : kLongestSleepNs;
  timer_->arm(clock_.now_ns() + static_cast<std::int64_t>(wait));
}

void GoldfishRtc::update_irq() { irq_.set(state_.is_irq_pending && state_.is_irq_enabled); }

std::uint64_t GoldfishRtc::read_time_low(Access) {
  const std::uint64_t now = now_ns();
  state_.latched_high = static_cast<std::uint32_t>(now >> 32);
  return now & 0xffffffff;
}

void GoldfishRtc::write_time_low(Access, std::uint64_t value) {
  const std::uint64_t wanted = (std::uint64_t{state_.written_time_high} << 32) | value;
  state_.offset_ns = wanted - wall_clock_();
  check_alarm();
}

std::uint64_t GoldfishRtc::read_time_high(Access) { return state_.latched_high; }
void GoldfishRtc::write_time_high(Access, std::uint64_t value) {
  state_.written_time_high = static_cast<std::uint32_t>(value);
}

std::uint64_t GoldfishRtc::read_alarm_low(Access) { return state_.alarm_low; }
void GoldfishRtc::write_alarm_low(Access, std::uint64_t value) {
  state_.alarm_low = static_cast<std::uint32_t>(value);
  state_.is_alarm_running = true;
  check_alarm();
}

std::uint64_t GoldfishRtc::read_alarm_high(Access) { return state_.alarm_high; }
void GoldfishRtc::write_alarm_high(Access, std::uint64_t value) {
  state_.alarm_high = static_cast<std::uint32_t>(value);
}

std::uint64_t GoldfishRtc::read_irq_enabled(Access) { return state_.is_irq_enabled ? 1 : 0; }
void GoldfishRtc::write_irq_enabled(Access, std::uint64_t value) {
  state_.is_irq_enabled = (value & 1) != 0;
  update_irq();
}

void GoldfishRtc::write_clear_alarm(Access, std::uint64_t) {
  state_.is_alarm_running = false;
  check_alarm();
}

std::uint64_t GoldfishRtc::read_alarm_status(Access) { return state_.is_alarm_running ? 1 : 0; }

void GoldfishRtc::write_clear_interrupt(Access, std::uint64_t) {
  state_.is_irq_pending = false;
  update_irq();
}

void GoldfishRtc::describe(FdtBuilder& fdt) const {
  const auto node = fdt.node("rtc", place().base);
  describe_irq(fdt, place());
  fdt.wide_cells("reg", {place().base, place().size});
  fdt.string("compatible", "google,goldfish-rtc");
}

}  // namespace gstage::hw
