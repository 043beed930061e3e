// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <ctime>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace gstage {

/// Sleeps until the word changes from `seen` or the host's monotonic time is reached; also returns for no
/// reason.
inline void futex_wait_until(std::atomic<std::uint32_t>& word, std::uint32_t seen, std::int64_t host_ns) {
  constexpr std::int64_t kNsPerSecond = 1'000'000'000;
  const timespec until{host_ns / kNsPerSecond, host_ns % kNsPerSecond};
  syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, seen, &until, nullptr, FUTEX_BITSET_MATCH_ANY);
}

/// The same without an end. (std::atomic::wait yields the processor before it sleeps: on a busy host that
/// costs whole time slices of other threads.)
inline void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t seen) {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, seen, nullptr, nullptr, 0);
}

/// Between two looks at a word that another thread is about to change.
inline void relax_host() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// Wakes one thread that sleeps for the word.
inline void futex_wake(std::atomic<std::uint32_t>& word) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

}  // namespace gstage
