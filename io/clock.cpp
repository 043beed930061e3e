// SPDX-License-Identifier: Apache-2.0
#include "io/clock.h"

#include <algorithm>
#include <condition_variable>
#include <ctime>
#include <thread>
#include <vector>

#include <sys/prctl.h>

#include "softmmu/base/check.h"
#include "softmmu/base/futex.h"

namespace gstage {

namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
/// While timers are in use, the thread looks at them by itself at this interval, so that nobody has to wake
/// it for a later deadline: to wake a thread costs a hart more than everything else in a guest's timer
/// interrupt. The interval is shorter than that of the usual ticks, 4 ms, and long enough for the looks to
/// cost little.
constexpr std::int64_t kLookAgainNs = 2'000'000;
/// Longest sleep without a look at the clock; keeps sums of times far from overflow.
constexpr std::int64_t kLongestSleepNs = 3600 * kNsPerSecond;

std::int64_t host_now_ns() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * kNsPerSecond + t.tv_nsec;
}

}  // namespace

std::int64_t Clock::now_ns() const {
  if (!is_running_.load(std::memory_order_acquire)) return stopped_at_ns_.load(std::memory_order_acquire);
  return host_now_ns() - offset_ns_.load(std::memory_order_acquire);
}

void Clock::start() {
  if (is_running_.load(std::memory_order_acquire)) return;
  offset_ns_.store(host_now_ns() - stopped_at_ns_.load(std::memory_order_acquire), std::memory_order_release);
  is_running_.store(true, std::memory_order_release);
  notify();
}

void Clock::stop() {
  if (!is_running_.load(std::memory_order_acquire)) return;
  stopped_at_ns_.store(now_ns(), std::memory_order_release);
  is_running_.store(false, std::memory_order_release);
  notify();
}

void Clock::on_change(std::weak_ptr<std::function<void()>> observer) const {
  const std::lock_guard lock(observers_mutex_);
  std::erase_if(observers_, [](const auto& o) { return o.expired(); });
  observers_.push_back(std::move(observer));
}

void Clock::notify() const {
  const std::lock_guard lock(observers_mutex_);
  for (const auto& weak : observers_)
    if (const auto observer = weak.lock()) (*observer)();
}

namespace {

/// A timer's deadline, shared by its owner and the timer thread.
struct Slot {
  std::function<void()> callback;
  std::atomic<std::int64_t> deadline{Timer::kNever};
};

}  // namespace

/// `arm` takes no lock: it stores the deadline, and wakes the thread only when that sleeps beyond it. There
/// are few timers (a few a hart, one a device), so the thread looks through all of them.
struct TimerThread::Impl {
  explicit Impl(const Clock& c) : clock(c) {}

  const Clock& clock;
  std::atomic<std::uint32_t> wake_word{0};
  /// The earliest deadline the sleeping thread knows of; least while it is awake and looks by itself.
  std::atomic<std::int64_t> sleeping_until{INT64_MIN};
  std::atomic<bool> is_busy{false};  ///< a timer was armed or ran out since the last sleep
  std::atomic<bool> is_ending{false};
  std::mutex mutex;  ///< of what follows
  std::condition_variable fired;
  std::vector<std::shared_ptr<Slot>> slots;
  Slot* running = nullptr;
  std::shared_ptr<std::function<void()>> observer;
  std::once_flag is_started;
  std::thread thread;

  void start() {
    std::call_once(is_started, [this] { thread = std::thread([this] { run(); }); });
  }

  void clock_changed() {
    // With the clock's first start and not before: a sandbox binds the threads that begin after it.
    if (clock.is_running()) start();
    wake();
  }

  void wake() {
    wake_word.fetch_add(1, std::memory_order_seq_cst);
    futex_wake(wake_word);
  }

  void arm(Slot& slot, std::int64_t deadline_ns) {
    // Also where it runs out just now: that comes after this, then.
    if (slot.deadline.load(std::memory_order_relaxed) == deadline_ns) return;
    is_busy.store(true, std::memory_order_relaxed);
    slot.deadline.store(deadline_ns, std::memory_order_seq_cst);
    // Either the thread's last look, which comes after its store to sleeping_until, sees the deadline, or
    // this load sees that store.
    if (deadline_ns < sleeping_until.load(std::memory_order_seq_cst)) wake();
  }

  /// The slot with the earliest deadline, and that deadline. Of equal ones the slot that was made first.
  std::pair<std::shared_ptr<Slot>, std::int64_t> earliest() {
    const std::lock_guard lock(mutex);
    std::shared_ptr<Slot> best;
    std::int64_t deadline = Timer::kNever;
    for (const auto& slot : slots) {
      const std::int64_t d = slot->deadline.load(std::memory_order_seq_cst);
      if (d >= deadline) continue;
      best = slot;
      deadline = d;
    }
    return {best, deadline};
  }

  /// Calls the slot's callback unless its deadline was changed meanwhile.
  void fire(const std::shared_ptr<Slot>& slot, std::int64_t deadline) {
    {
      const std::lock_guard lock(mutex);
      if (std::find(slots.begin(), slots.end(), slot) == slots.end()) return;
      if (!slot->deadline.compare_exchange_strong(deadline, Timer::kNever)) return;
      running = slot.get();
    }
    is_busy.store(true, std::memory_order_relaxed);
    slot->callback();
    const std::lock_guard lock(mutex);
    running = nullptr;
    fired.notify_all();
  }

  void sleep(std::uint32_t seen, std::int64_t deadline) {
    if (is_busy.exchange(false, std::memory_order_relaxed))
      deadline = std::min(deadline, clock.now_ns() + kLookAgainNs);
    sleeping_until.store(deadline, std::memory_order_seq_cst);
    if (earliest().second >= deadline) {
      const std::int64_t wait = deadline == Timer::kNever ? kLongestSleepNs : deadline - clock.now_ns();
      // While the clock stands still no deadline comes nearer; its start wakes this thread.
      const std::int64_t bounded =
          clock.is_running() ? std::clamp<std::int64_t>(wait, 0, kLongestSleepNs) : kLongestSleepNs;
      futex_wait_until(wake_word, seen, host_now_ns() + bounded);
    }
    sleeping_until.store(INT64_MIN, std::memory_order_seq_cst);
  }

  void run() {
    pthread_setname_np(pthread_self(), "timers");
    // The kernel adds 50 µs to every sleep unless told otherwise; guests measure their timers.
    prctl(PR_SET_TIMERSLACK, 1ul, 0ul, 0ul, 0ul);
    while (!is_ending.load(std::memory_order_acquire)) {
      const std::uint32_t seen = wake_word.load(std::memory_order_seq_cst);
      const auto [slot, deadline] = earliest();
      if (slot != nullptr && deadline <= clock.now_ns())
        fire(slot, deadline);
      else
        sleep(seen, deadline);
    }
  }
};

namespace {

class ThreadTimer final : public Timer {
 public:
  using Remove = std::function<void(Slot&)>;
  using Arm = std::function<void(Slot&, std::int64_t)>;
  ThreadTimer(std::shared_ptr<Slot> slot, Arm arm, Remove remove)
      : slot_(std::move(slot)), arm_(std::move(arm)), remove_(std::move(remove)) {}
  ~ThreadTimer() override { remove_(*slot_); }
  void arm(std::int64_t deadline_ns) override { arm_(*slot_, deadline_ns); }

 private:
  std::shared_ptr<Slot> slot_;
  Arm arm_;
  Remove remove_;
};

}  // namespace

TimerThread::TimerThread(const Clock& clock) : impl_(std::make_shared<Impl>(clock)) {
  impl_->observer = std::make_shared<std::function<void()>>([impl = impl_.get()] { impl->clock_changed(); });
  clock.on_change(impl_->observer);
  if (clock.is_running()) impl_->start();
}

TimerThread::~TimerThread() {
  impl_->is_ending.store(true, std::memory_order_release);
  impl_->wake();
  CHECK(impl_->thread.get_id() != std::this_thread::get_id());
  if (impl_->thread.joinable()) impl_->thread.join();
}

void TimerThread::clock_changed() { impl_->clock_changed(); }

std::unique_ptr<Timer> TimerThread::make(std::function<void()> callback) {
  auto slot = std::make_shared<Slot>();
  slot->callback = std::move(callback);
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->slots.push_back(slot);
  }
  auto arm = [impl = impl_](Slot& s, std::int64_t deadline_ns) { impl->arm(s, deadline_ns); };
  auto remove = [impl = impl_](Slot& s) {
    std::unique_lock lock(impl->mutex);
    std::erase_if(impl->slots, [&](const auto& other) { return other.get() == &s; });
    // A callback that is under way ends before its timer goes, unless it is what destroys the timer.
    if (std::this_thread::get_id() != impl->thread.get_id())
      impl->fired.wait(lock, [&] { return impl->running != &s; });
  };
  return std::make_unique<ThreadTimer>(std::move(slot), std::move(arm), std::move(remove));
}

}  // namespace gstage
