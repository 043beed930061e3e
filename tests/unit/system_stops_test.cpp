// SPDX-License-Identifier: Apache-2.0
// Harts that stop and go one by one (system/run_state.h), on real harts with threads.
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "io/event_loop.h"
#include "system/run_state.h"

#include "tests/unit/debug_machine.h"

namespace gstage::riscv {
namespace {

using namespace rv;  // NOLINT: instructions

/// Two harts: hart 0 counts in x10 and memory at kData, hart 1 at kData + 0x1000.
class StopsTest : public testing::TestWithParam<DebugEngine> {
 protected:
  static constexpr std::uint64_t kCode = DebugMachine::kCode;
  static constexpr std::uint64_t kData = DebugMachine::kData;
  static constexpr std::uint64_t kHandler = DebugMachine::kHandler;
  static constexpr std::uint64_t kOther = kCode + 0x2000;  ///< hart 1's loop

  StopsTest() : machine(GetParam(), 2, requests), state(machine, paused(), requests) {
    state.on_stopped([this](const StopEvent& event) {
      const std::lock_guard lock(mutex_);
      events_.push_back(event);
      changed_.notify_all();
    });
    for (const std::uint64_t code : {kCode, kOther})
      machine.write(code, {addi(10, 10, 1), sd(10, 11, 0), jal(0, -8)});
    machine.write(kHandler, {kSelf});
  }
  static RunOptions paused() {
    RunOptions options;
    options.starts_paused = true;
    return options;
  }
  /// Runs the machine; `script` plays its user on another thread, from when it is reset and paused.
  void run(const std::function<void()>& script) {
    std::thread user([&] {
      in_loop([this] {
        machine.hart(0).x[11] = kData;
        machine.hart(1).x[11] = kData + 0x1000;
        machine.hart(1).core.pc = kOther;
      });
      script();
      requests.request(MachineRequest::kQuit, 3);
    });
    EXPECT_EQ(state.run(), 3);
    user.join();
  }
  /// On the event loop's thread; waits until it is done.
  void in_loop(const std::function<void()>& what) {
    std::mutex mutex;
    std::condition_variable done;
    bool is_done = false;
    EventLoop::post([&] {
      what();
      const std::lock_guard lock(mutex);
      is_done = true;
      done.notify_all();
    });
    std::unique_lock lock(mutex);
    done.wait(lock, [&] { return is_done; });
  }
  /// The next stop as text: "0 breakpoint 80001000".
  std::string next() {
    static constexpr const char* kNames[] = {"breakpoint", "watchpoint", "step", "halted"};
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::seconds(60), [this] { return !events_.empty(); }))
      return "none";
    const StopEvent event = events_.front();
    events_.pop_front();
    char text[64];
    std::snprintf(text, sizeof text, "%u %s %llx", event.hart, kNames[static_cast<unsigned>(event.cause)],
                  static_cast<unsigned long long>(event.address));
    return text;
  }
  std::size_t waiting_events() {
    const std::lock_guard lock(mutex_);
    return events_.size();
  }
  std::uint64_t count(unsigned hart) {
    const std::byte* const host = machine.memory().host(Paddr{kData + hart * 0x1000});
    return __atomic_load_n(reinterpret_cast<const std::uint64_t*>(host), __ATOMIC_SEQ_CST);
  }
  /// Until the hart has counted on; 60 s at most.
  bool counts_on(unsigned hart) {
    const std::uint64_t before = count(hart);
    for (int i = 0; i < 60000; ++i) {
      if (count(hart) != before) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }
  void resume() {
    in_loop([this] { state.resume(); });
  }
  bool is_paused() {
    bool result = false;
    in_loop([&] { result = state.is_paused(); });
    return result;
  }

  MachineRequests requests;
  DebugMachine machine;
  RunState state;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<StopEvent> events_;
};

TEST_P(StopsTest, OneHartsStopHoldsTheOthersAndTheClock) {
  run([&] {
    EXPECT_TRUE(machine.debugger().insert(Breakpoint{AddressKind::kVirtual, kCode + 4, {}}).ok());
    for (std::uint64_t round = 1; round <= 3; ++round) {
      resume();
      EXPECT_EQ(next(), "0 breakpoint 80001004");
      EXPECT_TRUE(is_paused());
      EXPECT_FALSE(machine.clock().is_running());
      EXPECT_EQ(machine.hart(0).x[10], round);
      in_loop([&] {
        const std::uint64_t before = count(1);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        EXPECT_EQ(count(1), before);
      });
    }
  });
}

TEST_P(StopsTest, ABreakpointStopsHartsThatRun) {
  run([&] {
    resume();
    EXPECT_TRUE(counts_on(0));
    EXPECT_TRUE(counts_on(1));
    EXPECT_TRUE(machine.debugger().insert(Breakpoint{AddressKind::kVirtual, kOther + 8, {}}).ok());
    EXPECT_EQ(next(), "1 breakpoint 80003008");
    machine.debugger().remove_all();
    resume();
    EXPECT_TRUE(counts_on(1));
    EXPECT_TRUE(machine.debugger()
                    .insert(Watchpoint{AddressKind::kPhysical, kData + 4, 1, WatchKind::kWrite, {}})
                    .ok());
    EXPECT_EQ(next(), "0 watchpoint 80020004");
  });
}

TEST_P(StopsTest, HartsThatStopAtTheSameTimeAreEachToldOf) {
  // Both go through the same loop, kRounds times each: no crossing is lost, and none told of twice.
  constexpr std::uint64_t kRounds = 40;
  run([&] {
    EXPECT_TRUE(machine.debugger().insert(Breakpoint{AddressKind::kVirtual, kCode + 4, {}}).ok());
    in_loop([&] { machine.hart(1).core.pc = kCode; });
    std::uint64_t told[2] = {};
    while (told[0] + told[1] < 2 * kRounds) {
      resume();
      const std::string stop = next();
      ASSERT_EQ(stop.substr(1), " breakpoint 80001004");
      const unsigned hart = stop[0] - '0';
      EXPECT_EQ(machine.hart(hart).x[10], ++told[hart]);
    }
    EXPECT_EQ(waiting_events(), 0u);
  });
}

TEST_P(StopsTest, InNonStopModeTheOthersAndTheClockGoOn) {
  run([&] {
    in_loop([&] { state.set_stop_mode(StopMode::kNonStop); });
    EXPECT_TRUE(machine.debugger().insert(Breakpoint{AddressKind::kVirtual, kCode + 4, {}}).ok());
    resume();
    EXPECT_EQ(next(), "0 breakpoint 80001004");
    EXPECT_FALSE(is_paused());
    EXPECT_TRUE(counts_on(1));
    EXPECT_TRUE(machine.clock().is_running());
    in_loop([&] { state.let_go(0); });
    EXPECT_EQ(next(), "0 breakpoint 80001004");
    EXPECT_EQ(machine.hart(0).x[10], 2u);
    in_loop([&] { state.hold(1); });
    EXPECT_EQ(next(), "1 halted 0");
    in_loop([&] { EXPECT_FALSE(machine.clock().is_running()) << "all are stopped"; });
    in_loop([&] { state.let_go(1); });
    EXPECT_TRUE(counts_on(1));
    in_loop([&] { EXPECT_TRUE(machine.clock().is_running()); });
    EXPECT_EQ(count(0), 1u);
    EXPECT_EQ(waiting_events(), 0u);
  });
}

TEST_P(StopsTest, OneHartIsSteppedWhileTheOtherIsHeld) {
  run([&] {
    for (std::uint64_t round = 0; round < 3; ++round) {
      in_loop([&] {
        state.hold(1);
        machine.debugger().step(0, StepMode::kIntoTraps);
        state.resume();
      });
      EXPECT_EQ(next(), "0 step " + std::string(round == 0   ? "80001004"
                                                : round == 1 ? "80001008"
                                                             : "80001000"));
      EXPECT_TRUE(is_paused());
    }
    EXPECT_EQ(machine.hart(1).x[10], 0u);
    EXPECT_EQ(waiting_events(), 0u) << "a hart that is held while the machine is paused has not stopped";
    in_loop([&] { state.let_go(1); });
    resume();
    EXPECT_TRUE(counts_on(0));
    EXPECT_TRUE(counts_on(1));
  });
}

TEST_P(StopsTest, AHartThatSleepsIsHeldAndLetGo) {
  run([&] {
    machine.write(kOther, {kWfi, jal(0, -4)});
    in_loop([&] { state.set_stop_mode(StopMode::kNonStop); });
    resume();
    for (int round = 0; round < 20; ++round) {
      in_loop([&] { state.hold(1); });
      EXPECT_EQ(next(), "1 halted 0");
      EXPECT_TRUE(counts_on(0));
      in_loop([&] { state.let_go(1); });
    }
  });
}

TEST_P(StopsTest, APauseIsToldOfOnceAndEndsSteps) {
  run([&] {
    machine.write(kCode, {kEcall, kSelf});
    in_loop([&] {
      machine.debugger().step(0, StepMode::kOverTraps);  // never comes back
      state.resume();
    });
    EXPECT_TRUE(counts_on(1));
    in_loop([&] { state.pause(); });
    EXPECT_EQ(next(), "0 halted 0");
    in_loop([&] {
      state.pause();
      // The handler comes back now.
      machine.hart(0).core.pc = kCode + 4;
    });
    resume();
    EXPECT_TRUE(counts_on(1));
    EXPECT_EQ(waiting_events(), 0u);
  });
}

TEST_P(StopsTest, AResetWhileStoppedLeavesTheMachineStopped) {
  run([&] {
    EXPECT_TRUE(machine.debugger().insert(Breakpoint{AddressKind::kVirtual, kCode + 4, {}}).ok());
    resume();
    EXPECT_EQ(next(), "0 breakpoint 80001004");
    requests.request(MachineRequest::kReset);
    for (int i = 0; i < 60000 && machine.resets.load() < 2; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_TRUE(is_paused());
    EXPECT_EQ(machine.hart(0).core.pc, kCode);
    in_loop([&] { machine.hart(1).core.pc = kOther; });
    resume();
    EXPECT_EQ(next(), "0 breakpoint 80001004");
    // And the program ends from here.
  });
}

TEST_P(StopsTest, WhoDoesNotListenAnyMoreIsNotTold) {
  run([&] {
    in_loop([&] { state.forget_listener(state.on_stopped([](const StopEvent&) { ADD_FAILURE(); })); });
    EXPECT_TRUE(machine.debugger().insert(Breakpoint{AddressKind::kVirtual, kCode + 4, {}}).ok());
    resume();
    EXPECT_EQ(next(), "0 breakpoint 80001004");
  });
}

INSTANTIATE_TEST_SUITE_P(Engines, StopsTest, testing::ValuesIn(kDebugEngines), name_of_engine);

}  // namespace
}  // namespace gstage::riscv
