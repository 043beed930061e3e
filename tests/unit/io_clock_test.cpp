// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "io/clock.h"

namespace gstage {
namespace {

using std::chrono::milliseconds;
constexpr std::int64_t kMs = 1'000'000;

/// Waits, for at most a minute, until the condition holds.
template <class Condition>
bool eventually(Condition&& condition) {
  for (int i = 0; i < 60000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(milliseconds(1));
  }
  return false;
}

TEST(Clock, StandsStillUntilStartedAndWhileStopped) {
  Clock clock;
  EXPECT_EQ(clock.now_ns(), 0);
  clock.start();
  EXPECT_TRUE(eventually([&] { return clock.now_ns() > 2 * kMs; }));
  clock.stop();
  const std::int64_t stopped = clock.now_ns();
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_EQ(clock.now_ns(), stopped);
  const auto before = std::chrono::steady_clock::now();
  clock.start();
  const std::int64_t resumed = clock.now_ns();
  const std::chrono::nanoseconds since = std::chrono::steady_clock::now() - before;
  EXPECT_GE(resumed, stopped);
  EXPECT_LE(resumed - stopped, since.count()) << "the pause does not count";
}

TEST(Timer, FireInOrderOfDeadlines) {
  Clock clock;
  TimerThread thread(clock);
  std::mutex mutex;
  std::vector<int> fired;
  std::vector<std::unique_ptr<Timer>> timers;
  for (int i = 0; i < 5; ++i)
    timers.push_back(thread.make([&, i] {
      const std::lock_guard lock(mutex);
      fired.push_back(i);
    }));
  // Armed out of order while the clock stands still, so that all are due in its first milliseconds.
  const int order[] = {3, 0, 4, 1, 2};
  for (int place = 4; place >= 0; --place)
    timers[static_cast<std::size_t>(order[place])]->arm(kMs + place * 1000);
  clock.start();
  ASSERT_TRUE(eventually([&] {
    const std::lock_guard lock(mutex);
    return fired.size() == 5;
  }));
  EXPECT_EQ(fired, std::vector<int>(std::begin(order), std::end(order)));
}

TEST(Timer, NotBeforeItsTimeAndOnce) {
  Clock clock;
  clock.start();
  TimerThread thread(clock);
  std::atomic<std::int64_t> at{0};
  std::atomic<int> count{0};
  const auto timer = thread.make([&] {
    at = clock.now_ns();
    ++count;
  });
  const std::int64_t deadline = clock.now_ns() + 20 * kMs;
  timer->arm(deadline);
  ASSERT_TRUE(eventually([&] { return count == 1; }));
  EXPECT_GE(at, deadline);
  std::this_thread::sleep_for(milliseconds(30));
  EXPECT_EQ(count, 1);
}

TEST(Timer, EarlierLaterAndNever) {
  Clock clock;
  clock.start();
  TimerThread thread(clock);
  std::atomic<int> count{0};
  const auto timer = thread.make([&] { ++count; });
  timer->arm(clock.now_ns() + 3'600'000 * kMs);
  timer->arm(clock.now_ns() + kMs);  // must wake the thread
  EXPECT_TRUE(eventually([&] { return count == 1; }));
  // What comes after the deadline that was taken back shows that it has passed.
  std::atomic<bool> is_later{false};
  const auto later = thread.make([&] { is_later = true; });
  clock.stop();
  timer->arm(clock.now_ns() + kMs);
  later->arm(clock.now_ns() + 2 * kMs);
  timer->arm(Timer::kNever);
  clock.start();
  EXPECT_TRUE(eventually([&] { return is_later.load(); }));
  EXPECT_EQ(count, 1);
  timer->arm(0);  // the past is due at once
  EXPECT_TRUE(eventually([&] { return count == 2; }));
}

TEST(Timer, WaitsWhileTheClockIsStopped) {
  Clock clock;
  clock.start();
  TimerThread thread(clock);
  std::atomic<int> count{0};
  const auto timer = thread.make([&] { ++count; });
  clock.stop();
  timer->arm(clock.now_ns() + kMs);
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_EQ(count, 0);
  clock.start();
  EXPECT_TRUE(eventually([&] { return count == 1; }));
}

TEST(Timer, CallbackMayArmItsTimer) {
  Clock clock;
  clock.start();
  TimerThread thread(clock);
  std::atomic<int> count{0};
  std::unique_ptr<Timer> timer;
  timer = thread.make([&] {
    if (++count < 100) timer->arm(clock.now_ns() + 10'000);
  });
  timer->arm(clock.now_ns());
  EXPECT_TRUE(eventually([&] { return count == 100; }));
}

TEST(Timer, DestructionWaitsForTheCallback) {
  Clock clock;
  clock.start();
  TimerThread thread(clock);
  for (int i = 0; i < 50; ++i) {
    std::atomic<bool> is_inside{false};
    std::atomic<bool> is_started{false};
    auto timer = thread.make([&] {
      is_inside = true;
      is_started = true;
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      is_inside = false;
    });
    timer->arm(0);
    while (!is_started) std::this_thread::yield();
    timer.reset();
    ASSERT_FALSE(is_inside);
  }
}

TEST(Timer, ArmFromManyThreadsLosesNothing) {
  Clock clock;
  clock.start();
  TimerThread thread(clock);
  constexpr int kThreads = 4;
  constexpr int kRounds = 300;
  std::vector<std::thread> threads;
  std::atomic<int> lost{0};
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&] {
      std::atomic<int> count{0};
      const auto timer = thread.make([&] { ++count; });
      for (int i = 1; i <= kRounds; ++i) {
        timer->arm(clock.now_ns() + (i % 3) * 20'000);
        if (!eventually([&] { return count >= i; })) {
          ++lost;
          return;
        }
      }
    });
  for (auto& t : threads) t.join();
  EXPECT_EQ(lost, 0);
}

}  // namespace
}  // namespace gstage
