// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "target/riscv/hart.h"
#include "target/riscv/trace/exit_totals.h"
#include "target/riscv/trace/host_time.h"
#include "target/riscv/trap/entry.h"

namespace gstage::riscv {

/// One line of the timeline. Times are ticks of HostTime.
struct ExitEvent {
  enum class Kind : std::uint8_t {
    kExit,  ///< from V=1 until V=1
    kStay,  ///< a part of an exit that was spent below or above the hypervisor, or asleep
  };
  Kind kind = Kind::kExit;
  ExitPlace place = ExitPlace::kHypervisor;  ///< of a stay
  bool has_returned = true;                  ///< else the hart was reset, or the machine ended
  bool is_to_hypervisor = false;             ///< the exit came to HS-mode; else M-mode dealt with it alone
  std::uint16_t next_vmid = 0;               ///< of the guest that was entered then
  ExitKey key;                               ///< of a stay in M-mode: why; of other stays: of its exit
  std::uint64_t entered = 0;                 ///< when the guest had been entered; 0: not known
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t pc = 0;       ///< guest pc
  std::uint64_t address = 0;  ///< guest-page faults: guest physical; else stval or mtval
  std::array<std::uint64_t, kExitPlaces> ns{};
};

/// Events of one hart on their way to the writer. What finds no room is lost and counted: the hart never
/// waits.
class ExitRing {
 public:
  /// `capacity` is a power of two.
  explicit ExitRing(std::size_t capacity)
      : events_(std::make_unique<ExitEvent[]>(capacity)), mask_(capacity - 1) {}
  /// The hart's own thread.
  void push(const ExitEvent& event) {
    const std::uint64_t at = put_.load(std::memory_order_relaxed);
    if (at - taken_.load(std::memory_order_acquire) > mask_) {
      add_to(lost_, 1);
      return;
    }
    events_[at & mask_] = event;
    put_.store(at + 1, std::memory_order_release);
  }
  /// The oldest event, or null. The writer's thread, which calls `pop` once it is done with it.
  [[nodiscard]] const ExitEvent* front() const {
    const std::uint64_t at = taken_.load(std::memory_order_relaxed);
    return at == put_.load(std::memory_order_acquire) ? nullptr : &events_[at & mask_];
  }
  void pop() { taken_.store(taken_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }
  /// Any thread.
  [[nodiscard]] std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

 private:
  const std::unique_ptr<ExitEvent[]> events_;
  const std::size_t mask_;
  std::atomic<std::uint64_t> put_{0};
  std::atomic<std::uint64_t> taken_{0};
  std::atomic<std::uint64_t> lost_{0};
};

/// Watches one hart leave and enter guests: every trap from V=1 that comes to M- or HS-mode is an exit, which
/// lasts until the hart is in V=1 again, in the same guest or another. `Hart::exits` names it; what has no
/// other thread said is for the hart's own.
class ExitRecorder {
 public:
  /// `time` and `ring` outlive it; null: there is no timeline.
  ExitRecorder(const HostTime& time, ExitRing* ring) : time_(time), ring_(ring) {}

  /// A trap is about to be taken, in the mode that the hart is in.
  void trap(const Hart& hart, TrapTarget target, const TrapEntry& entry);
  /// A non-maskable interrupt is.
  void non_maskable(const Hart& hart, std::uint64_t cause);
  /// The hart is about to enter the mode.
  void mode(const Hart& hart, Privilege priv, bool v);
  /// The hart goes to sleep (wfi), or has woken up.
  void sleep(const Hart& hart, bool is_asleep);
  /// The hart is reset, or its machine has ended: an exit that is under way does not return, and counts.
  void end(const Hart& hart);

  /// Any thread.
  [[nodiscard]] const ExitTotals& totals() const { return totals_; }

 private:
  /// Of one exit so many stays are shown; the sums go on.
  static constexpr unsigned kMaxStays = 512;

  void begin(std::uint64_t now, ExitPlace place);
  void move(std::uint64_t now, ExitPlace place);
  void finish(const Hart& hart, std::uint64_t now);

  const HostTime& time_;
  ExitRing* const ring_;
  ExitTotals totals_;
  bool is_out_ = false;  ///< an exit is under way
  ExitPlace place_ = ExitPlace::kHypervisor;
  unsigned stays_ = 0;
  std::uint64_t since_ = 0;    ///< when the hart came to `place_`
  std::uint64_t entered_ = 0;  ///< when it entered a guest
  std::array<std::uint64_t, kExitPlaces> ticks_{};
  ExitEvent exit_;  ///< under way
  ExitKey below_;   ///< what M-mode was entered for
};

}  // namespace gstage::riscv
