// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "system/monitor/commands.h"
#include "system/monitor/hmp.h"

#include "tests/unit/empty_machine.h"

namespace gstage {

/// Commands on an EmptyMachine, on the test's thread.
class MonitorTest : public ::testing::Test {
 protected:
  std::string hmp(const std::string& line) { return execute_hmp(context_, line); }

  EmptyMachine machine_;
  MachineRequests requests_;
  RunState run_state_{machine_, {}, requests_};
  MonitorSubjects subjects_;
  CommandContext context_{machine_, run_state_, subjects_};
};

}  // namespace gstage
