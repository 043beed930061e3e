// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "target/riscv/hart.h"

namespace gstage::riscv {

/// A row of events.inc.
struct EventRow {
  Event event;
  std::uint32_t selector;  ///< what mhpmevent holds to count it
  const char* text;
};
std::span<const EventRow> event_rows();
/// Selectors from here on are raw events for the SBI; those below are its event_idx.
inline constexpr std::uint32_t kFirstRawSelector = 0x100;
inline constexpr std::uint32_t kLastRawSelector = 0x1ff;
/// Whether the selector is one of the two that follow the clock.
inline bool is_clocked_event(Event event) { return event == Event::kCycles || event == Event::kInstructions; }

/// Increments the counters of `mask`, as far as they count in the hart's mode.
void increment_counters(Hart& hart, std::uint32_t mask);
/// An event that happened in the hart's present mode. To be called in slow paths only: it costs a load and a
/// branch where nobody counts.
inline void count_event(Hart& hart, Event event) {
  const std::uint32_t watchers = hart.counters.watchers[static_cast<unsigned>(event)];
  if (watchers != 0) [[unlikely]]
    increment_counters(hart, watchers);
}

/// All counters to zero, all running, nothing selected; `mcountinhibit` is the caller's.
void reset_counters(Hart& hart);
/// A counter's value now, and its change. Numbers are those of mcountinhibit, without kTimeCounter.
std::uint64_t counter_value(const Hart& hart, unsigned number);
void set_counter(Hart& hart, unsigned number, std::uint64_t value);
/// Bits of mcyclecfg, minstretcfg and mhpmevent that there are.
std::uint64_t counter_config_mask(const Hart& hart, unsigned number);
void set_counter_config(Hart& hart, unsigned number, std::uint64_t config);
void set_counter_inhibit(Hart& hart, std::uint64_t inhibit);

/// Around a change of the hart's mode: clocked counters that some modes do not count stop, and go on.
void stop_filtered_counters(Hart& hart);
void resume_filtered_counters(Hart& hart);

/// Looks for overflows of clocked counters.
void notice_overflows(Hart& hart);
/// Ticks of `time` after which a clocked counter may overflow, or all ones.
std::uint64_t ticks_to_overflow(const Hart& hart);
/// scountovf, whole.
std::uint64_t overflowed_counters(const Hart& hart);

}  // namespace gstage::riscv
