// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "softmmu/exclusive.h"
#include "io/event_loop.h"
#include "hw/core/device.h"
#include "system/monitor/monitor.h"
#include "system/run_state.h"

namespace gstage {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

/// A hart that executes the test's function again and again, and sleeps in "wfi" when that says so.
class FakeCpu final : public Cpu {
 public:
  using Step = std::function<bool(FakeCpu&)>;  ///< true: wait for an interrupt

  FakeCpu(unsigned index, Step step) : index_(index), step_(std::move(step)) {}
  [[nodiscard]] unsigned index() const override { return index_; }
  CpuCore& core() override { return core_; }
  Tlb& tlb() override { return tlb_; }
  void run() override {
    while ((core_.attention.load() & kAttendStop) == 0)
      if (step_(*this)) wait_for_interrupt();
  }
  void reset() override { ++resets; }
  void kick(std::uint32_t attention) override {
    const std::lock_guard lock(mutex_);
    core_.attention.fetch_or(attention);
    wake_.notify_all();
  }
  [[nodiscard]] std::string describe() const override {
    return "hart " + std::to_string(index_) + "\npc 1234\n";
  }

  int resets = 0;

 private:
  void wait_for_interrupt() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return core_.attention.load() != 0; });
  }
  unsigned index_;
  Step step_;
  CpuCore core_;
  Tlb tlb_;
  std::mutex mutex_;
  std::condition_variable wake_;
};

class FakeMachine final : public Machine {
 public:
  FakeMachine(unsigned harts, const FakeCpu::Step& step) {
    for (unsigned i = 0; i < harts; ++i) cpus_.push_back(std::make_unique<FakeCpu>(i, step));
  }
  std::vector<Cpu*> cpus() override {
    std::vector<Cpu*> all;
    for (auto& cpu : cpus_) all.push_back(cpu.get());
    return all;
  }
  AddressSpace& memory() override { return memory_; }
  Clock& clock() override { return clock_; }
  hw::Device& devices() override { return root_; }
  [[nodiscard]] const std::vector<std::byte>& device_tree() const override { return tree_; }
  void reset() override {
    is_clock_stopped_at_reset = !clock_.is_running();
    for (auto& cpu : cpus_) cpu->reset();
    ++resets;
  }
  bool send_nmi() override {
    nmis += has_nmi ? 1 : 0;
    return has_nmi;
  }
  bool has_nmi = false;
  int nmis = 0;
  std::atomic<int> resets{0};
  bool is_clock_stopped_at_reset = false;

 private:
  struct Root final : hw::Device {
    [[nodiscard]] const char* driver() const override { return "none"; }
  } root_;
  std::vector<std::byte> tree_;
  std::vector<std::unique_ptr<FakeCpu>> cpus_;
  AddressSpace memory_;
  Clock clock_;
};

bool spin(FakeCpu&) { return false; }
bool sleep_in_wfi(FakeCpu&) { return true; }

class RunStateTest : public testing::Test {
 protected:
  MachineRequests requests;
};

TEST_F(RunStateTest, QuitWorksEveryTimeWhateverTheHartsDo) {
  for (int i = 0; i < 150; ++i) {
    MachineRequests requests;
    FakeMachine machine(3, i % 3 == 0 ? spin : sleep_in_wfi);
    RunOptions options;
    options.starts_paused = i % 5 == 0;
    RunState state(machine, options, requests);
    std::thread other([&requests, i] {
      std::this_thread::sleep_for(microseconds(i * 7));
      requests.request(MachineRequest::kQuit, i);
    });
    EXPECT_EQ(state.run(), i);
    other.join();
  }
}

TEST_F(RunStateTest, PoweroffByAHartPassesItsCodeOn) {
  FakeMachine machine(2, [this](FakeCpu& cpu) {
    if (cpu.index() == 1) requests.request(MachineRequest::kPoweroff, 42);
    return cpu.index() == 0;
  });
  RunState state(machine, {}, requests);
  EXPECT_EQ(state.run(), 42);
  EXPECT_EQ(machine.resets, 1) << "power-on";
}

TEST_F(RunStateTest, FirstEndWins) {
  FakeMachine machine(1, sleep_in_wfi);
  RunState state(machine, {}, requests);
  requests.request(MachineRequest::kPoweroff, 3);
  requests.request(MachineRequest::kQuit, 4);
  requests.request(MachineRequest::kReset);
  EXPECT_EQ(state.run(), 3);
}

TEST_F(RunStateTest, RequestBeforeTheMachineIsThereCounts) {
  requests.request(MachineRequest::kQuit, 5);
  FakeMachine machine(1, sleep_in_wfi);
  RunState state(machine, {}, requests);
  EXPECT_EQ(state.run(), 5);
}

TEST_F(RunStateTest, ResetStopsResetsAndRestarts) {
  static std::atomic<int> steps;
  steps = 0;
  FakeMachine machine(2, [this](FakeCpu& cpu) {
    // Each life of hart 0 asks for a reset; the fifth for the end.
    if (cpu.index() != 0) return true;
    if (steps.fetch_add(1) < 4)
      requests.request(MachineRequest::kReset);
    else
      requests.request(MachineRequest::kPoweroff, 7);
    return true;
  });
  RunState state(machine, {}, requests);
  EXPECT_EQ(state.run(), 7);
  EXPECT_EQ(machine.resets, 5);
  EXPECT_TRUE(machine.is_clock_stopped_at_reset);
}

TEST_F(RunStateTest, NoRebootEndsAtReset) {
  FakeMachine machine(1, [this](FakeCpu&) {
    requests.request(MachineRequest::kReset);
    return true;
  });
  RunOptions options;
  options.can_reboot = false;
  RunState state(machine, options, requests);
  EXPECT_EQ(state.run(), 0);
  EXPECT_EQ(machine.resets, 1);
}

TEST_F(RunStateTest, NoShutdownStaysUntilQuit) {
  FakeMachine machine(1, [this](FakeCpu&) {
    requests.request(MachineRequest::kPoweroff, 9);
    return true;
  });
  RunOptions options;
  options.can_shutdown = false;
  RunState state(machine, options, requests);
  std::atomic<bool> was_paused{false};
  std::atomic<int> answers{0};
  // Each question is answered before the next, and the last before the end: none outlives what it refers to.
  std::thread driver([&] {
    for (int i = 0; i < 60000 && !was_paused; ++i) {
      EventLoop::post([&] {
        was_paused = state.is_paused();
        ++answers;
        answers.notify_one();
      });
      answers.wait(i);
      std::this_thread::sleep_for(milliseconds(1));
    }
    requests.request(MachineRequest::kQuit, 1);
  });
  EXPECT_EQ(state.run(), 1) << "the poweroff did not end the program, the quit does";
  EXPECT_TRUE(was_paused);
  driver.join();
}

TEST_F(RunStateTest, PauseStopsHartsAndClock) {
  static std::atomic<long> steps;
  steps = 0;
  FakeMachine machine(2, [](FakeCpu&) {
    ++steps;
    return false;
  });
  RunOptions options;
  options.starts_paused = true;
  RunState state(machine, options, requests);
  long while_paused = -1;
  long after_resume = -1;
  long at_pause = -1;
  long after_pause = -2;
  std::int64_t time_while_paused = -1;
  std::thread driver([&] {
    const auto wait_until = [](const std::function<bool()>& condition) {
      for (int i = 0; i < 60000 && !condition(); ++i) std::this_thread::sleep_for(milliseconds(1));
    };
    std::this_thread::sleep_for(milliseconds(20));
    while_paused = steps;
    time_while_paused = machine.clock().now_ns();
    EventLoop::post([&] { state.resume(); });
    wait_until([] { return steps > 0; });
    after_resume = steps;
    EventLoop::post([&] { state.pause(); });
    // The clock stops once all harts are parked.
    wait_until([&] { return !machine.clock().is_running(); });
    at_pause = steps;
    std::this_thread::sleep_for(milliseconds(20));
    after_pause = steps;
    requests.request(MachineRequest::kQuit);
  });
  EXPECT_EQ(state.run(), 0);
  driver.join();
  EXPECT_EQ(while_paused, 0);
  EXPECT_EQ(time_while_paused, 0);
  EXPECT_GT(after_resume, 0);
  EXPECT_EQ(at_pause, after_pause);
}

/// What is written to a device that the test is.
struct Screen final : Chardev {
  std::string text;
  void write(std::span<const std::uint8_t> bytes) override { text.append(bytes.begin(), bytes.end()); }
  void attach(Receive, CanReceive) override {}
  void resume_input() override {}
};

TEST(Monitor, Commands) {
  MachineRequests requests;
  FakeMachine machine(2, spin);
  ASSERT_TRUE(machine.memory().add_ram("ram", Paddr{0x8000'0000}, kPageSize).ok());
  RunState state(machine, {}, requests);
  const auto screen = std::make_shared<Screen>();
  MonitorSubjects subjects;
  Monitor monitor(screen, {machine, state, subjects});
  const auto answer = [&](const char* line) {
    screen->text.clear();
    monitor.execute(line);
    return screen->text;
  };
  std::thread driver([&] {
    EventLoop::post([&] {
      EXPECT_NE(answer("help").find("system_reset"), std::string::npos);
      EXPECT_NE(answer("  info   status ").find("running"), std::string::npos);
      EXPECT_NE(answer("info mtree").find("0000000080000000-0000000080000fff ram ram"), std::string::npos);
      const std::string registers = answer("info registers");
      EXPECT_NE(registers.find("hart 1\r\npc 1234\r\n"), std::string::npos) << registers;
      EXPECT_NE(answer("info tlb-flushes").find("fence by address"), std::string::npos);
      EXPECT_NE(answer("info tlb-flushes").find("loads recalled"), std::string::npos);
      EXPECT_NE(answer("nmi").find("no non-maskable interrupts"), std::string::npos);
      machine.has_nmi = true;
      EXPECT_EQ(answer("nmi"), "");
      EXPECT_EQ(machine.nmis, 1);
      EXPECT_NE(answer("frobnicate").find("unknown command"), std::string::npos);
      answer("stop");
      EXPECT_NE(answer("info status").find("paused"), std::string::npos);
      answer("cont");
      EXPECT_NE(answer("info status").find("running"), std::string::npos);
      answer("quit");
    });
  });
  EXPECT_EQ(state.run(), 0);
  driver.join();
}

/// Harts go in and out of "generated code" while all of them ask for exclusive sections.
TEST(Exclusive, NobodyIsInsideDuringASection) {
  constexpr unsigned kHarts = 4;
  constexpr int kSections = 300;
  Exclusive exclusive;
  std::vector<std::unique_ptr<FakeCpu>> cpus;
  for (unsigned i = 0; i < kHarts; ++i) cpus.push_back(std::make_unique<FakeCpu>(i, spin));
  for (auto& cpu : cpus) exclusive.add_hart(*cpu);
  std::atomic<int> inside{0};
  std::atomic<int> violations{0};
  std::atomic<int> sections{0};
  std::vector<std::thread> threads;
  for (auto& cpu : cpus)
    threads.emplace_back([&, core = &cpu->core()] {
      for (int mine = 0; mine < kSections;) {
        exclusive.enter_guest(*core);
        ++inside;
        for (int i = 0; i < 50 && core->attention.load() == 0; ++i) std::this_thread::yield();
        --inside;
        exclusive.leave_guest(*core);
        exclusive.run(*core, [&] {
          if (inside.load() != 0) ++violations;
          ++sections;
          if (inside.load() != 0) ++violations;
        });
        ++mine;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(sections, static_cast<int>(kHarts) * kSections);
  EXPECT_EQ(violations, 0);
  for (auto& cpu : cpus) EXPECT_EQ(cpu->core().attention.load() & kAttendExclusive, 0u);
}

TEST(Exclusive, HartInsideIsKickedAndSleepersCountAsOutside) {
  Exclusive exclusive;
  FakeCpu running(0, spin);
  FakeCpu asleep(1, spin);
  exclusive.add_hart(running);
  exclusive.add_hart(asleep);
  std::atomic<bool> is_in{false};
  std::thread hart([&] {
    exclusive.enter_guest(running.core());
    is_in = true;
    // Leaves only because it is asked to.
    while ((running.core().attention.load() & kAttendExclusive) == 0) std::this_thread::yield();
    exclusive.leave_guest(running.core());
  });
  while (!is_in) std::this_thread::yield();
  bool is_run = false;
  exclusive.run([&] { is_run = true; });
  hart.join();
  EXPECT_TRUE(is_run);
}

}  // namespace
}  // namespace gstage
