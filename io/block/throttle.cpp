// SPDX-License-Identifier: Apache-2.0
#include "io/block/throttle.h"

#include <algorithm>

#include "softmmu/typed_property.h"

namespace gstage {

namespace {

/// Of all rates: more than any disk does, and small enough to reckon with.
constexpr std::uint64_t kMostRate = std::uint64_t{1'000'000'000'000'000};
/// What fits into a bucket without bursts: a tenth of a second's.
constexpr double kBrimSeconds = 0.1;

/// A row of throttle_limits.inc.
struct LimitRow {
  ThrottleBucket bucket;
  std::uint64_t ThrottleLimit::*member;
  const char* name;
  const char* old;
};
constexpr LimitRow kLimits[] = {
#define LIMIT(bucket, member, name, old, help) {bucket, &ThrottleLimit::member, name, old},
#include "io/block/throttle_limits.inc"
#undef LIMIT
};
constexpr char kRequestBytes[] = "iops-size";
constexpr char kOldRequestBytes[] = "iops_size";
constexpr char kRequestBytesHelp[] = "bytes; a larger request counts as several";

constexpr PropertyRow kObjectProperties[] = {
    {"id", "ID", "its name"},
#define LIMIT(bucket, member, name, old, help) {"limits." name, "N", help},
#include "io/block/throttle_limits.inc"
#undef LIMIT
    {"limits.iops-size", "N", kRequestBytesHelp},
};
constexpr PropertyRow kDriveProperties[] = {
#define LIMIT(bucket, member, name, old, help) {"throttling." name, "N", help},
#include "io/block/throttle_limits.inc"
#undef LIMIT
    {"throttling.iops-size", "N", kRequestBytesHelp},
};

constexpr const char* kBucketNames[] = {"bps-total",  "bps-read",  "bps-write",
                                        "iops-total", "iops-read", "iops-write"};
static_assert(std::size(kBucketNames) == kThrottleBuckets);

/// The name without what stands before the limits' names there; empty: it is none.
std::string bare_name(ThrottleNames names, const std::string& name) {
  if (names == ThrottleNames::kOld) return name;
  const std::string prefix = names == ThrottleNames::kObject ? "limits." : "throttling.";
  return name.starts_with(prefix) ? name.substr(prefix.size()) : "";
}

bool is_for(ThrottleBucket bucket, bool is_write) {
  switch (bucket) {
    case kBpsRead:
    case kIopsRead: return !is_write;
    case kBpsWrite:
    case kIopsWrite: return is_write;
    default: return true;
  }
}

bool counts_bytes(ThrottleBucket bucket) { return bucket <= kBpsWrite; }

bool has_long_bursts(const ThrottleLimit& limit) { return limit.burst != 0 && limit.burst_seconds > 1; }

/// How much fits in before somebody waits.
double brim(const ThrottleLimit& limit) {
  if (limit.burst == 0) return static_cast<double>(limit.rate) * kBrimSeconds;
  return static_cast<double>(limit.burst) * static_cast<double>(limit.burst_seconds);
}

}  // namespace

bool ThrottleLimits::any() const {
  return std::any_of(buckets.begin(), buckets.end(),
                     [](const ThrottleLimit& limit) { return limit.rate != 0 || limit.burst != 0; });
}

PropertyRows throttle_object_properties() { return kObjectProperties; }
PropertyRows throttle_drive_properties() { return kDriveProperties; }

Result<bool> set_throttle_limit(const std::string& what, ThrottleNames names, const Property& property,
                                ThrottleLimits& to) {
  const bool is_old = names == ThrottleNames::kOld;
  const std::string name = bare_name(names, property.name);
  std::uint64_t* member = nullptr;
  if (name == (is_old ? kOldRequestBytes : kRequestBytes)) member = &to.request_bytes;
  for (const LimitRow& row : kLimits)
    if (name == (is_old ? row.old : row.name)) member = &(to.buckets[row.bucket].*row.member);
  if (member == nullptr) return false;
  auto number = parse_property_number(property.value);
  if (!number.ok() || *number > kMostRate)
    return error("%s: %s=%s is no number up to %llu", what.c_str(), property.name.c_str(),
                 property.value.c_str(), static_cast<unsigned long long>(kMostRate));
  *member = *number;
  return true;
}

Status check_throttle_limits(const std::string& what, const ThrottleLimits& limits) {
  for (const ThrottleBucket total : {kBpsTotal, kIopsTotal}) {
    const auto is_set = [&](unsigned bucket) {
      return limits.buckets[bucket].rate != 0 || limits.buckets[bucket].burst != 0;
    };
    if (is_set(total) && (is_set(total + 1) || is_set(total + 2)))
      return error(
          "%s: %s limits reads and writes together: leave it out, or those of reads and writes alone",
          what.c_str(), kBucketNames[total]);
  }
  for (unsigned i = 0; i < kThrottleBuckets; ++i) {
    const ThrottleLimit& limit = limits.buckets[i];
    if (limit.burst != 0 && limit.rate == 0)
      return error("%s: %s-max is about bursts: add %s", what.c_str(), kBucketNames[i], kBucketNames[i]);
    if (limit.burst != 0 && limit.burst < limit.rate)
      return error("%s: %s-max is lower than %s: make it higher, or leave it out", what.c_str(),
                   kBucketNames[i], kBucketNames[i]);
    if (limit.burst_seconds == 0 || (limit.burst_seconds > 1 && limit.burst == 0))
      return error("%s: %s-max-length is at least 1, and of use with %s-max alone", what.c_str(),
                   kBucketNames[i], kBucketNames[i]);
    if (brim(limit) > static_cast<double>(kMostRate))
      return error("%s: bursts of %s-max for %s-max-length are too large", what.c_str(), kBucketNames[i],
                   kBucketNames[i]);
  }
  const bool has_iops = std::any_of(limits.buckets.begin() + kIopsTotal, limits.buckets.end(),
                                    [](const ThrottleLimit& limit) { return limit.rate != 0; });
  if (limits.request_bytes != 0 && !has_iops)
    return error("%s: iops-size is about requests: add iops-total, iops-read or iops-write", what.c_str());
  return Ok{};
}

void ThrottleGroup::set_limits(const ThrottleLimits& limits) {
  {
    const std::lock_guard lock(mutex_);
    limits_ = limits;
    buckets_ = {};
    ++generation_;
    is_limited_ = limits.any();
  }
  changed_.notify_all();
}

ThrottleLimits ThrottleGroup::limits() const {
  const std::lock_guard lock(mutex_);
  return limits_;
}

ThrottleGroup::Clock::time_point ThrottleGroup::reserve(Clock::time_point now, bool is_write,
                                                        std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  return reserve_locked(now, is_write, bytes);
}

ThrottleGroup::Clock::time_point ThrottleGroup::reserve_locked(Clock::time_point now, bool is_write,
                                                               std::uint64_t bytes) {
  const double passed = std::max(0.0, std::chrono::duration<double>(now - leaked_).count());
  leaked_ = std::max(leaked_, now);
  const std::uint64_t size = limits_.request_bytes;
  const double requests =
      size != 0 && bytes > size ? static_cast<double>(bytes) / static_cast<double>(size) : 1;
  double wait = 0;
  for (unsigned i = 0; i < kThrottleBuckets; ++i) {
    const ThrottleLimit& limit = limits_.buckets[i];
    if (limit.rate == 0) continue;
    Bucket& bucket = buckets_[i];
    const auto rate = static_cast<double>(limit.rate);
    const auto burst = static_cast<double>(limit.burst);
    bucket.level = std::max(0.0, bucket.level - rate * passed);
    bucket.burst_level = std::max(0.0, bucket.burst_level - burst * passed);
    if (!is_for(static_cast<ThrottleBucket>(i), is_write)) continue;
    wait = std::max(wait, (bucket.level - brim(limit)) / rate);
    // Within a long burst no more than its rate.
    if (has_long_bursts(limit)) wait = std::max(wait, (bucket.burst_level - burst * kBrimSeconds) / burst);
    const double units = counts_bytes(static_cast<ThrottleBucket>(i)) ? static_cast<double>(bytes) : requests;
    bucket.level += units;
    bucket.burst_level += units;
  }
  constexpr double kLongest = 1e9;  // s
  const std::chrono::duration<double> seconds(std::min(wait, kLongest));
  return now + std::chrono::duration_cast<Clock::duration>(seconds);
}

void ThrottleGroup::wait_turn(bool is_write, std::uint64_t bytes, const std::atomic<int>& is_hurried) {
  if (!is_limited()) return;
  std::unique_lock lock(mutex_);
  const Clock::time_point now = Clock::now();
  const Clock::time_point turn = reserve_locked(now, is_write, bytes);
  const unsigned generation = generation_;
  if (turn > now)
    changed_.wait_until(lock, turn, [&] { return is_hurried.load() != 0 || generation != generation_; });
}

void ThrottleGroup::wake() {
  // Whoever looked before is waiting by now.
  { const std::lock_guard lock(mutex_); }
  changed_.notify_all();
}

}  // namespace gstage
