// SPDX-License-Identifier: Apache-2.0
// The ACLINT's three devices. The clock stands still; what is armed never fires.
#include "hw/intc/aclint.h"

#include "tests/fuzz/accesses.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/wires.h"

namespace gstage::fuzz {
namespace {

void run(Input& input) {
  static Clock clock;
  static TimerThread timers(clock);
  static riscv::TimeCounter time(clock);
  static Wires wires;
  static hw::Mtimer mtimer(time, timers, wires.lines());
  hw::Mswi mswi(wires.lines());
  hw::Sswi sswi(wires.lines());
  time.set(0);
  mtimer.reset();
  MmioHandler* const devices[] = {&mtimer, &mswi, &sswi};
  while (!input.empty()) {
    const auto which = input.below(4);
    // The window's last registers are far from the others.
    access_device(input, *devices[which % 3], which == 3 ? 0x8000 : 0x40);
  }
  mtimer.reset();
  mswi.reset();
  sswi.reset();
}

const Registration registration("aclint", run);

}  // namespace
}  // namespace gstage::fuzz
