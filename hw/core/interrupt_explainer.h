// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "target/riscv/inspect/why_irq.h"

namespace gstage::hw {

/// An interrupt controller that tells why a source does not reach a hart.
class InterruptExplainer {
 public:
  virtual ~InterruptExplainer() = default;
  /// Adds each source that is asserted or pending and that goes to the hart, or would if it went anywhere:
  /// the first link that blocks it, with register and bit. Takes the device's lock; changes nothing.
  virtual void explain(unsigned hart, std::vector<riscv::WiredSource>& sources) = 0;
};

}  // namespace gstage::hw
