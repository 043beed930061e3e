// SPDX-License-Identifier: Apache-2.0
// Failures of disks stop the machine, and QMP tells of them.
#include <cerrno>

#include "io/event_loop.h"
#include "system/qmp/disk_events.h"
#include "system/qmp/run_events.h"

#include "tests/unit/io_loop.h"
#include "tests/unit/monitor_fixture.h"

namespace gstage {
namespace {

class DiskEventsTest : public MonitorTest {
 protected:
  DiskEventsTest() {
    g_main_context_acquire(nullptr);
    run_state_.resume();
  }
  ~DiskEventsTest() override { g_main_context_release(nullptr); }

  /// Has the loop done what was posted.
  static void turn() {
    bool is_done = false;
    EventLoop::post([&] { is_done = true; });
    EXPECT_TRUE(turn_until([&] { return is_done; }));
  }

  DiskFailures failures_;
  std::vector<std::string> events_;
  EventHub::Subscription subscription_ =
      subjects_.events.subscribe([this](const std::string& name, const Json& data) {
        events_.push_back(data.is_null() ? name : name + " " + data.dump());
      });
  const RunEvents run_events_{run_state_, subjects_};
  const DiskEvents disk_events_{failures_, run_state_, subjects_};
};

TEST_F(DiskEventsTest, AStopIsToldAndLastsUntilCont) {
  unsigned resumed = 0;
  failures_.on_resume([&] { ++resumed; });
  failures_.tell({"hd0", true, ENOSPC, FailureAction::kStop});
  turn();
  EXPECT_TRUE(run_state_.is_paused());
  ASSERT_EQ(events_.size(), 2u);
  EXPECT_EQ(events_[0],
            "BLOCK_IO_ERROR {\"device\":\"hd0\",\"operation\":\"write\",\"action\":\"stop\",\"nospace\":true,"
            "\"reason\":\"No space left on device\"}");
  EXPECT_EQ(events_[1], "STOP");
  EXPECT_EQ(hmp("info status"), "VM status: io-error\n");
  EXPECT_EQ(resumed, 0u);
  hmp("cont");
  EXPECT_EQ(resumed, 1u);
  EXPECT_EQ(events_.back(), "RESUME");
  EXPECT_EQ(hmp("info status"), "VM status: running\n");
}

TEST_F(DiskEventsTest, WhatFailsWhileTheMachineStandsChangesNoStatus) {
  hmp("stop");
  failures_.tell({"hd0", false, EIO, FailureAction::kStop});
  turn();
  EXPECT_EQ(hmp("info status"), "VM status: paused\n");
  EXPECT_EQ(events_.back(),
            "BLOCK_IO_ERROR {\"device\":\"hd0\",\"operation\":\"read\",\"action\":\"stop\",\"nospace\":false,"
            "\"reason\":\"Input/output error\"}");
}

TEST_F(DiskEventsTest, ReportsComeAsFastAsTheyAreRead) {
  for (int i = 0; i < 1000; ++i) failures_.tell({"hd0", false, EIO, FailureAction::kReport});
  turn();
  EXPECT_EQ(events_.size(), 1u);
  EXPECT_FALSE(run_state_.is_paused());
  failures_.tell({"hd0", false, EIO, FailureAction::kReport});
  turn();
  EXPECT_EQ(events_.size(), 2u);
}

}  // namespace
}  // namespace gstage
