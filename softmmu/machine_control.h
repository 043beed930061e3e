// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace gstage {

/// What the guest or the user asks of the whole machine.
enum class MachineRequest : std::uint8_t { kNone, kPoweroff, kReset, kQuit };

/// Whoever a device or a hart asks to end or reset the machine that it is part of.
class MachineControl {
 public:
  virtual ~MachineControl() = default;
  /// Any thread, also a hart's from within a device access. The first poweroff or quit wins; its `exit_code`
  /// becomes the program's.
  virtual void request(MachineRequest request, int exit_code = 0) = 0;
};

}  // namespace gstage
