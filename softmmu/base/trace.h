// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "softmmu/base/result.h"

namespace gstage {

/// The events of `-trace`, rows of trace_events.inc.
enum class TraceEvent : std::uint8_t {
#define TRACE_EVENT(name, arguments, help) name,
#include "softmmu/base/trace_events.inc"
#undef TRACE_EVENT
};
inline constexpr std::size_t kTraceEvents = 0
#define TRACE_EVENT(name, arguments, help) +1
#include "softmmu/base/trace_events.inc"
#undef TRACE_EVENT
    ;

/// Which events are wanted.
extern std::array<std::atomic<bool>, kTraceEvents> trace_wanted;

/// Whether somebody wants the event.
inline bool trace_enabled(TraceEvent event) {
  return trace_wanted[static_cast<std::size_t>(event)].load(std::memory_order_relaxed);
}

/// An argument of an event: a number or a text that outlives the call.
struct TraceValue {
  TraceValue(std::integral auto value) : number(static_cast<std::uint64_t>(value)) {}  // NOLINT: implicit
  TraceValue(const char* value) : text(value) {}                                       // NOLINT: implicit
  std::uint64_t number = 0;
  const char* text = "";
};

/// Writes the event's line, with as many arguments as its row has. Any thread.
void trace_write(TraceEvent event, std::initializer_list<TraceValue> values);

/// The same if it is wanted: what devices call.
template <class... Values>
inline void trace(TraceEvent event, const Values&... values) {
  if (trace_enabled(event)) [[unlikely]]
    trace_write(event, {TraceValue(values)...});
}

/// An Error if no event matches: "*" stands for any characters, "?" for one. "-" may be in front.
Status check_trace_pattern(const std::string& pattern);
/// Turns on the events that match; with "-" in front: off.
void trace_enable(const std::string& pattern);
/// Where the lines go; without it to standard error.
Status trace_set_file(const std::string& path);
/// What `-trace help` prints.
std::string trace_help();

}  // namespace gstage
