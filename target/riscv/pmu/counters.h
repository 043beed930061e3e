// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace gstage::riscv {

/// What mhpmcounter3–31 can count; the table is events.inc.
enum class Event : std::uint8_t {
#define EVENT(name, selector, text) name,
#include "target/riscv/pmu/events.inc"
#undef EVENT
};
inline constexpr unsigned kEvents = 0
#define EVENT(name, selector, text) +1
#include "target/riscv/pmu/events.inc"
#undef EVENT
    ;

inline constexpr unsigned kCounters = 32;
inline constexpr unsigned kCycleCounter = 0;
inline constexpr unsigned kTimeCounter = 1;  ///< `time`, which is no counter in this sense
inline constexpr unsigned kInstretCounter = 2;
inline constexpr unsigned kFirstHpmCounter = 3;

/// The counters of a hart, by the number that mcountinhibit and mcounteren give them. Two kinds: clocked ones
/// (cycle, instret, and others that select those events) follow the machine's time and cost nothing while
/// they do; the others are incremented by count_event.
struct Counters {
  std::uint64_t base[kCounters];    ///< the value; of what is in `running`: value minus the clock
  std::uint64_t config[kCounters];  ///< mcyclecfg, minstretcfg, mhpmevent
  std::uint64_t seen[kCounters];    ///< of clocked ones: the value when an overflow was last looked for
  std::uint32_t running;            ///< clocked ones that count now
  std::uint32_t clocked;
  std::uint32_t filtered;           ///< clocked ones that some modes do not count
  std::uint32_t watchers[kEvents];  ///< who counts the event, whatever the mode
};

}  // namespace gstage::riscv
