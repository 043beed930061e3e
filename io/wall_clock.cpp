// SPDX-License-Identifier: Apache-2.0
#include "io/wall_clock.h"

#include <ctime>

namespace gstage {

namespace {

constexpr std::uint64_t kNsPerSecond = 1'000'000'000;

std::uint64_t read_ns(clockid_t id) {
  timespec t;
  clock_gettime(id, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * kNsPerSecond + static_cast<std::uint64_t>(t.tv_nsec);
}

/// What is shown minus the host's time of day, modulo 2^64.
std::uint64_t offset_ns(const RtcOptions& options) {
  const std::uint64_t now = host_wall_clock();
  switch (options.base) {
    case RtcOptions::Base::kUtc: return 0;
    case RtcOptions::Base::kDate: return static_cast<std::uint64_t>(options.date_s) * kNsPerSecond - now;
    case RtcOptions::Base::kLocalTime: break;
  }
  const auto seconds = static_cast<time_t>(now / kNsPerSecond);
  tm local;
  localtime_r(&seconds, &local);
  return static_cast<std::uint64_t>(local.tm_gmtoff) * kNsPerSecond;
}

}  // namespace

std::uint64_t host_wall_clock() { return read_ns(CLOCK_REALTIME); }

WallClock make_wall_clock(const RtcOptions& options, const Clock& clock) {
  const std::uint64_t offset = offset_ns(options);
  if (options.source == RtcOptions::Source::kHost) return [offset] { return host_wall_clock() + offset; };
  const std::uint64_t start = host_wall_clock() + offset;
  if (options.source == RtcOptions::Source::kReal) {
    const std::uint64_t begin = read_ns(CLOCK_MONOTONIC);
    return [start, begin] { return start + read_ns(CLOCK_MONOTONIC) - begin; };
  }
  return [start, &clock] { return start + static_cast<std::uint64_t>(clock.now_ns()); };
}

}  // namespace gstage
