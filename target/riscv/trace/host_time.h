// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace gstage::riscv {

/// Time of the host for what is shorter than a tick of the guest's clock: the processor's time stamp counter
/// where that runs at one rate, else the host's monotonic clock. `ticks` of all threads are comparable.
class HostTime {
 public:
  HostTime();

  [[nodiscard]] std::uint64_t ticks() const { return has_counter_ ? __builtin_ia32_rdtsc() : clock_ns(); }
  /// Nanoseconds of a difference of ticks. After `settle`.
  [[nodiscard]] std::uint64_t ns(std::uint64_t ticks) const {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>(static_cast<Wide>(ticks) * scale_ >> kScaleBits);
  }
  /// Finds the rate of ticks. It takes 20 ms from the construction; what is left of them is waited for.
  void settle();
  /// Ticks when the object was made.
  [[nodiscard]] std::uint64_t begin() const { return begin_ticks_; }

 private:
  static constexpr unsigned kScaleBits = 32;
  static std::uint64_t clock_ns();

  bool has_counter_;
  std::uint64_t begin_ticks_;
  std::uint64_t begin_ns_;
  std::uint64_t scale_ = std::uint64_t{1} << kScaleBits;
};

}  // namespace gstage::riscv
