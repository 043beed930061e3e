// SPDX-License-Identifier: Apache-2.0
// The real-time clock, whose alarms are never served, at a time that the input names.
#include "hw/misc/goldfish_rtc.h"

#include "tests/fuzz/accesses.h"
#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

void run(Input& input) {
  static Clock clock;
  static TimerThread timers(clock);
  std::uint64_t now = input.take<std::uint64_t>();
  hw::GoldfishRtc rtc(clock, timers, IrqLine([](bool) {}), [&now] { return ++now; });
  rtc.reset();
  access_until_end(input, rtc, 0x30);
}

const Registration registration("rtc", run);

}  // namespace
}  // namespace gstage::fuzz
