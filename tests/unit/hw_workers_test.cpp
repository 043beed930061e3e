// SPDX-License-Identifier: Apache-2.0
#include <functional>

#include <gtest/gtest.h>

#include "hw/core/worker_pool.h"

#include "tests/unit/hw_fakes.h"

namespace gstage::hw {
namespace {

class Task final : public WorkerTask {
 public:
  explicit Task(std::function<void()> body) : body_(std::move(body)) {}

 protected:
  void run() override { body_(); }

 private:
  std::function<void()> body_;
};

TEST(WorkerPoolTest, WithoutThreadsATaskRunsBeforePostReturns) {
  WorkerPool pool(0);
  int runs = 0;
  Task task([&] { ++runs; });
  pool.post(task);
  EXPECT_EQ(runs, 1);
  pool.post(task);
  EXPECT_EQ(runs, 2);
}

TEST(WorkerPoolTest, ATaskThatIsPostedWhileItRunsRunsOnceMore) {
  WorkerPool pool(0);
  int runs = 0;
  Task* self = nullptr;
  Task task([&] {
    if (++runs >= 3) return;
    pool.post(*self);
    pool.post(*self);
    EXPECT_LT(runs, 4);
  });
  self = &task;
  pool.post(task);
  EXPECT_EQ(runs, 3) << "one more for all that was posted meanwhile";
}

TEST(WorkerPoolTest, OneWorkerAtATime) {
  WorkerPool pool(4);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::atomic<int> posted{0};
  std::atomic<int> seen{0};
  Task task([&] {
    const int now = ++inside;
    if (now > most) most = now;
    seen = posted.load();
    std::this_thread::yield();
    --inside;
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&] {
      for (int k = 0; k < 2000; ++k) {
        ++posted;
        pool.post(task);
      }
    });
  for (std::thread& thread : threads) thread.join();
  pool.drain(task);
  EXPECT_EQ(most, 1);
  EXPECT_EQ(seen, 6000) << "the last run began after the last post";
}

TEST(WorkerPoolTest, TasksDoNotWaitForEachOther) {
  WorkerPool pool(2);
  std::atomic<bool> is_open{false};
  std::atomic<bool> is_done{false};
  Task slow([&] { eventually([&] { return is_open.load(); }); });
  Task fast([&] { is_done = true; });
  pool.post(slow);
  pool.post(fast);
  EXPECT_TRUE(eventually([&] { return is_done.load(); }));
  is_open = true;
  pool.drain(slow);
  pool.drain(fast);
}

TEST(WorkerPoolTest, MoreTasksThanThreadsAllRun) {
  std::atomic<int> runs{0};
  WorkerPool pool(2);
  std::vector<std::unique_ptr<Task>> tasks;
  for (int i = 0; i < 20; ++i) tasks.push_back(std::make_unique<Task>([&] { ++runs; }));
  for (const auto& task : tasks) pool.post(*task);
  for (const auto& task : tasks) pool.drain(*task);
  EXPECT_EQ(runs, 20);
}

TEST(WorkerPoolTest, DrainWaitsForTheTaskThatRuns) {
  WorkerPool pool(1);
  std::atomic<bool> is_inside{false};
  std::atomic<bool> is_over{false};
  Task task([&] {
    is_inside = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    is_over = true;
  });
  pool.post(task);
  EXPECT_TRUE(eventually([&] { return is_inside.load(); }));
  pool.drain(task);
  EXPECT_TRUE(is_over);
}

}  // namespace
}  // namespace gstage::hw
