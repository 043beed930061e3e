// SPDX-License-Identifier: Apache-2.0
#include "hw/pci/pci_intx.h"

#include "hw/core/visitor.h"

namespace gstage::hw {

void PciIntxWires::drive(unsigned wire, bool is_high) {
  // The lock orders the wire's changes: of two functions that change it at once the later one has the word.
  const std::lock_guard lock(mutex_);
  unsigned& drivers = drivers_[wire];
  const bool was_high = drivers != 0;
  drivers = is_high ? drivers + 1 : drivers - 1;
  if ((drivers != 0) != was_high) lines_[wire].set(is_high);
}

void PciIntx::connect(PciIntxWires& wires, unsigned wire) {
  const std::lock_guard lock(mutex_);
  wires_ = &wires;
  wire_ = wire;
}

void PciIntx::set(bool is_high) {
  const std::lock_guard lock(mutex_);
  is_high_ = is_high;
  update();
}

void PciIntx::disable(bool is_disabled) {
  const std::lock_guard lock(mutex_);
  is_disabled_ = is_disabled;
  update();
}

bool PciIntx::level() const {
  const std::lock_guard lock(mutex_);
  return is_high_;
}

void PciIntx::visit(Visitor& visitor) {
  const std::lock_guard lock(mutex_);
  visitor.field("intx", is_high_);
}

void PciIntx::update() {
  const bool is_driven = is_high_ && !is_disabled_;
  if (wires_ == nullptr || is_driven == is_driven_) return;
  is_driven_ = is_driven;
  wires_->drive(wire_, is_driven);
}

}  // namespace gstage::hw
