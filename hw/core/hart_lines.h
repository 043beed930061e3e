// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace gstage::hw {

/// The interrupt wires into one hart, as the interrupt controllers see them. The board adapts its harts.
class HartLines {
 public:
  virtual ~HartLines() = default;
  /// Drives one wire. Any thread; called with an interrupt controller's lock held, so it must take no lock to
  /// the left of the hart in the order device → interrupt controller → hart.
  virtual void set_pending(unsigned mip_bit, bool is_high) = 0;
};

}  // namespace gstage::hw
