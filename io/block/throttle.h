// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>

#include "softmmu/base/result.h"
#include "softmmu/property_rows.h"

namespace gstage {

/// What is limited.
enum ThrottleBucket : std::uint8_t {
  kBpsTotal,
  kBpsRead,
  kBpsWrite,
  kIopsTotal,
  kIopsRead,
  kIopsWrite,
  kThrottleBuckets
};

/// What goes through in a second: bytes or requests.
struct ThrottleLimit {
  std::uint64_t rate = 0;           ///< 0: any number
  std::uint64_t burst = 0;          ///< in bursts, at least `rate`; 0: there are none
  std::uint64_t burst_seconds = 1;  ///< how long one may be
};

/// The limits of a group of disks.
struct ThrottleLimits {
  std::array<ThrottleLimit, kThrottleBuckets> buckets{};
  std::uint64_t request_bytes = 0;  ///< iops-size: a larger request counts as several; 0: as one

  [[nodiscard]] bool any() const;
};

/// How the limits are named.
enum class ThrottleNames : std::uint8_t {
  kObject,  ///< limits.bps-total
  kDrive,   ///< throttling.bps-total
  kOld      ///< bps
};
/// Sets the limit of that name; false: there is none. An Error: the value is no number that it can have.
Result<bool> set_throttle_limit(const std::string& what, ThrottleNames names, const Property& property,
                                ThrottleLimits& to);
/// Refuses limits that do not go together. `what` is for messages: "-drive".
Status check_throttle_limits(const std::string& what, const ThrottleLimits& limits);
/// For help and checks: those of kObject and of kDrive.
PropertyRows throttle_object_properties();
PropertyRows throttle_drive_properties();

/// A leaky bucket for each limit, which all disks of a group fill. A request waits while one of those that it
/// goes into is over its brim, and is poured in whole; so what one of them takes too much the next one waits
/// for. Any thread.
class ThrottleGroup {
 public:
  using Clock = std::chrono::steady_clock;

  explicit ThrottleGroup(const ThrottleLimits& limits = {}) { set_limits(limits); }

  /// Takes the place of what was; the buckets are empty, and nobody waits any longer.
  void set_limits(const ThrottleLimits& limits);
  [[nodiscard]] ThrottleLimits limits() const;
  [[nodiscard]] bool is_limited() const { return is_limited_.load(std::memory_order_relaxed); }

  /// When a request that comes now may begin: it is counted. `bytes` are those that it moves.
  Clock::time_point reserve(Clock::time_point now, bool is_write, std::uint64_t bytes);
  /// Returns when the request may begin, or as soon as `is_hurried` is not 0.
  void wait_turn(bool is_write, std::uint64_t bytes, const std::atomic<int>& is_hurried);
  /// An `is_hurried` has changed.
  void wake();

 private:
  /// All of it in bytes or requests.
  struct Bucket {
    double level = 0;
    double burst_level = 0;
  };
  Clock::time_point reserve_locked(Clock::time_point now, bool is_write, std::uint64_t bytes);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> is_limited_{false};
  ThrottleLimits limits_;
  std::array<Bucket, kThrottleBuckets> buckets_{};
  Clock::time_point leaked_{};  ///< when the levels were right
  unsigned generation_ = 0;     ///< of the limits
};

}  // namespace gstage
