// SPDX-License-Identifier: Apache-2.0
#include "hw/riscv/boards.h"

namespace gstage::hw {

std::span<const MachineType> machine_types() {
  static const MachineType kAll[] = {kNoBoard, kSpikeBoard, kVirtBoard};
  return kAll;
}

}  // namespace gstage::hw
