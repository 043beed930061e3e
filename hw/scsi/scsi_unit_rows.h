// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "hw/scsi/scsi_unit.h"

namespace gstage::hw {

/// The operation code has no service actions.
inline constexpr std::uint8_t kNoAction = 0xff;
/// Where the service action is, in byte 1 of the command.
inline constexpr std::uint8_t kActionMask = 0x1f;
/// Which kinds of units have a command.
enum ScsiKinds : std::uint8_t { kHd = 1, kDiscs = 2, kAny = 3 };
/// When a command can be executed.
enum ScsiWhen : std::uint8_t {
  kAtAnyTime,  ///< also while a unit attention waits, which it does not take
  kReady,      ///< when none waits
  kMedium,     ///< when besides there is a medium
};

/// A command.
struct ScsiUnit::Row {
  std::uint8_t opcode;
  std::uint8_t action;
  ScsiKinds kinds;
  ScsiWhen when;
  void (ScsiUnit::*run)(ScsiRequest& request);
  const char* name;
};

}  // namespace gstage::hw
