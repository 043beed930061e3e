// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/trace/host_time.h"

#include <ctime>

#include <cpuid.h>

namespace gstage::riscv {

namespace {

constexpr std::uint64_t kNsPerS = 1'000'000'000;
constexpr std::uint64_t kSettleNs = 20'000'000;

/// "Invariant TSC" of the processors' manuals: leaf 0x80000007, EDX bit 8.
bool has_invariant_counter() {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  return __get_cpuid(0x8000'0007, &eax, &ebx, &ecx, &edx) != 0 && (edx >> 8 & 1) != 0;
}

}  // namespace

HostTime::HostTime() : has_counter_(has_invariant_counter()), begin_ticks_(ticks()), begin_ns_(clock_ns()) {}

std::uint64_t HostTime::clock_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * kNsPerS + static_cast<std::uint64_t>(now.tv_nsec);
}

void HostTime::settle() {
  if (!has_counter_) return;
  const std::uint64_t spent = clock_ns() - begin_ns_;
  if (spent < kSettleNs) {
    timespec rest{0, static_cast<long>(kSettleNs - spent)};
    nanosleep(&rest, nullptr);
  }
  const std::uint64_t spent_ns = clock_ns() - begin_ns_;
  const std::uint64_t spent_ticks = ticks() - begin_ticks_;
  __extension__ using Wide = unsigned __int128;
  if (spent_ticks != 0)
    scale_ = static_cast<std::uint64_t>((static_cast<Wide>(spent_ns) << kScaleBits) / spent_ticks);
}

}  // namespace gstage::riscv
