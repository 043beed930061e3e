// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "io/clock.h"

namespace gstage {

/// What real-time clocks show (`-rtc`).
struct RtcOptions {
  enum class Base : std::uint8_t { kUtc, kLocalTime, kDate };
  enum class Source : std::uint8_t {
    kHost,     ///< the host's time of day, with all its steps
    kReal,     ///< goes on evenly from the start, also while the machine stands still
    kMachine,  ///< goes on with the machine alone
  };
  Base base = Base::kUtc;
  std::int64_t date_s = 0;  ///< what it shows at the start (kDate), seconds since 1970
  Source source = Source::kHost;
};

/// Nanoseconds since 1970. Any thread.
using WallClock = std::function<std::uint64_t()>;

/// The host's time of day, nanoseconds since 1970.
std::uint64_t host_wall_clock();

/// A clock that shows what `options` say from now on. `clock` is the machine's and outlives it.
WallClock make_wall_clock(const RtcOptions& options, const Clock& clock);

}  // namespace gstage
