// SPDX-License-Identifier: Apache-2.0
// The counters (ISA manual vol. II, "Hardware Performance Monitor", and the chapters of Sscofpmf and
// Smcntrpmf).
//
// Neither cycles nor instructions are counted: both show nanoseconds of machine time, in steps of one tick of
// `time`, as a hart of 1 GHz would that retires one instruction a cycle (docs/adr/0001). A written value
// counts on from there; mcountinhibit and the filters of privilege modes stop the clock for them.
#include "target/riscv/pmu/pmu.h"

#include <algorithm>
#include <bit>
#include <iterator>

#include "target/riscv/cpu.h"
#include "target/riscv/csr/row.h"
#include "target/riscv/trap/interrupts.h"

namespace gstage::riscv {

namespace {

constexpr EventRow kRows[] = {
#define EVENT(name, selector, text) {Event::name, selector, text},
#include "target/riscv/pmu/events.inc"
#undef EVENT
};
static_assert(std::size(kRows) == kEvents);

constexpr std::uint32_t bit_of(unsigned number) { return std::uint32_t{1} << number; }
constexpr std::uint32_t kFixed = bit_of(kCycleCounter) | bit_of(kInstretCounter);
constexpr std::uint64_t kFilters = hpmevent::Minh::kMask | hpmevent::Sinh::kMask | hpmevent::Uinh::kMask |
                                   hpmevent::Vsinh::kMask | hpmevent::Vuinh::kMask;

template <class Function>
void for_each(std::uint32_t set, Function&& function) {
  for (; set != 0; set &= set - 1) function(static_cast<unsigned>(std::countr_zero(set)));
}

std::uint64_t clock_of(const Hart& hart) {
  return hart.cpu->uptime() * static_cast<std::uint64_t>(kNsPerTick);
}

/// The filter of the hart's mode.
std::uint64_t filter_of_mode(const Hart& hart) {
  if (hart.priv == kMachine) return hpmevent::Minh::kMask;
  if (hart.priv == kSupervisor) return hart.v != 0 ? hpmevent::Vsinh::kMask : hpmevent::Sinh::kMask;
  return hart.v != 0 ? hpmevent::Vuinh::kMask : hpmevent::Uinh::kMask;
}

/// Those of `set` that mcountinhibit and the mode let count.
std::uint32_t enabled_of(const Hart& hart, std::uint32_t set) {
  const std::uint64_t filter = filter_of_mode(hart);
  std::uint32_t enabled = set & ~static_cast<std::uint32_t>(hart.mcountinhibit);
  for_each(enabled & ~bit_of(kTimeCounter), [&](unsigned i) {
    if ((hart.counters.config[i] & filter) != 0) enabled &= ~bit_of(i);
  });
  return enabled;
}

void stop(Hart& hart, std::uint32_t set) {
  Counters& counters = hart.counters;
  const std::uint64_t clock = clock_of(hart);
  for_each(set & counters.running, [&](unsigned i) { counters.base[i] += clock; });
  counters.running &= ~set;
}

void start(Hart& hart, std::uint32_t set) {
  Counters& counters = hart.counters;
  const std::uint32_t started = enabled_of(hart, set & counters.clocked) & ~counters.running;
  const std::uint64_t clock = clock_of(hart);
  for_each(started, [&](unsigned i) { counters.base[i] -= clock; });
  counters.running |= started;
}

/// Derives who counts what from the configurations. Nothing runs meanwhile.
void sort_counters(Hart& hart) {
  Counters& counters = hart.counters;
  counters.clocked = kFixed;
  counters.filtered = 0;
  std::fill(std::begin(counters.watchers), std::end(counters.watchers), 0u);
  for (unsigned i = kFirstHpmCounter; i < kCounters; ++i) {
    const std::uint64_t selector = hpmevent::Selector::get(counters.config[i]);
    for (const EventRow& row : kRows) {
      if (row.selector != selector) continue;
      if (is_clocked_event(row.event))
        counters.clocked |= bit_of(i);
      else if ((hart.mcountinhibit >> i & 1) == 0)
        counters.watchers[static_cast<unsigned>(row.event)] |= bit_of(i);
    }
  }
  for_each(counters.clocked, [&](unsigned i) {
    counters.seen[i] = counters.base[i];
    if ((counters.config[i] & kFilters) != 0) counters.filtered |= bit_of(i);
  });
}

/// OF asks for no further interrupt until software clears it.
void note_overflow(Hart& hart, unsigned number) {
  std::uint64_t& config = hart.counters.config[number];
  if (!hart.config->sscofpmf || hpmevent::Of::get(config) != 0) return;
  config |= hpmevent::Of::kMask;
  hart.mip |= interrupt_bit(kLcofi);
  // Whether it can be taken is looked at in the mode in which the hart goes on.
  hart.core.attention.fetch_or(kAttendInterrupt, std::memory_order_seq_cst);
}

/// Clocked counters whose overflow somebody waits for.
std::uint32_t awaited(const Hart& hart) {
  if (!hart.config->sscofpmf) return 0;
  std::uint32_t set = hart.counters.clocked & ~kFixed & ~static_cast<std::uint32_t>(hart.mcountinhibit);
  for_each(set, [&](unsigned i) {
    if (hpmevent::Of::get(hart.counters.config[i]) != 0) set &= ~bit_of(i);
  });
  return set;
}

}  // namespace

std::span<const EventRow> event_rows() { return kRows; }

void increment_counters(Hart& hart, std::uint32_t mask) {
  for_each(enabled_of(hart, mask), [&](unsigned i) {
    if (++hart.counters.base[i] == 0) note_overflow(hart, i);
  });
}

void reset_counters(Hart& hart) {
  hart.counters = Counters{};
  sort_counters(hart);
  hart.counters.running = kFixed;
}

std::uint64_t counter_value(const Hart& hart, unsigned number) {
  const Counters& counters = hart.counters;
  return counters.base[number] + ((counters.running & bit_of(number)) != 0 ? clock_of(hart) : 0);
}

void set_counter(Hart& hart, unsigned number, std::uint64_t value) {
  Counters& counters = hart.counters;
  counters.seen[number] = value;
  counters.base[number] = value - ((counters.running & bit_of(number)) != 0 ? clock_of(hart) : 0);
}

std::uint64_t counter_config_mask(const Hart& hart, unsigned number) {
  const bool is_fixed = number < kFirstHpmCounter;
  std::uint64_t mask = is_fixed ? 0 : hpmevent::Selector::kMask;
  if (is_fixed ? hart.config->smcntrpmf : hart.config->sscofpmf) {
    mask |= hpmevent::Minh::kMask | hpmevent::Sinh::kMask | hpmevent::Uinh::kMask;
    if (has_misa(hart, 'H')) mask |= hpmevent::Vsinh::kMask | hpmevent::Vuinh::kMask;
    if (!is_fixed) mask |= hpmevent::Of::kMask;
  }
  return mask;
}

void set_counter_config(Hart& hart, unsigned number, std::uint64_t config) {
  notice_overflows(hart);
  stop(hart, ~0u);
  hart.counters.config[number] = config & counter_config_mask(hart, number);
  sort_counters(hart);
  start(hart, ~0u);
}

void set_counter_inhibit(Hart& hart, std::uint64_t inhibit) {
  notice_overflows(hart);
  stop(hart, ~0u);
  hart.mcountinhibit = inhibit & 0xffff'ffff & ~std::uint64_t{bit_of(kTimeCounter)};
  sort_counters(hart);
  start(hart, ~0u);
}

void stop_filtered_counters(Hart& hart) { stop(hart, hart.counters.filtered); }
void resume_filtered_counters(Hart& hart) { start(hart, hart.counters.filtered); }

void notice_overflows(Hart& hart) {
  for_each(awaited(hart), [&](unsigned i) {
    const std::uint64_t value = counter_value(hart, i);
    if (value < hart.counters.seen[i]) note_overflow(hart, i);
    hart.counters.seen[i] = value;
  });
}

std::uint64_t ticks_to_overflow(const Hart& hart) {
  // A counter that the present mode stops is looked at again soon: nothing tells when the mode changes.
  constexpr std::uint64_t kLookAgain = kTimebaseHz / 1000;
  std::uint64_t ticks = ~std::uint64_t{0};
  for_each(awaited(hart), [&](unsigned i) {
    const std::uint64_t left = -counter_value(hart, i) / static_cast<std::uint64_t>(kNsPerTick) + 1;
    const bool is_running = (hart.counters.running & bit_of(i)) != 0;
    ticks = std::min(ticks, is_running ? left : std::max(left, kLookAgain));
  });
  return ticks;
}

std::uint64_t overflowed_counters(const Hart& hart) {
  std::uint64_t set = 0;
  for (unsigned i = kFirstHpmCounter; i < kCounters; ++i)
    set |= hpmevent::Of::get(hart.counters.config[i]) << i;
  return set;
}

}  // namespace gstage::riscv
