// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <mutex>

#include "hw/core/irq_line.h"

namespace gstage::hw {

class Visitor;

/// The four interrupt wires of the root bus, each shared by many functions: it is high while any of them
/// drives it.
class PciIntxWires {
 public:
  static constexpr unsigned kCount = 4;

  explicit PciIntxWires(std::array<IrqLine, kCount> lines) : lines_(std::move(lines)) {}
  /// One more function, or one fewer, drives the wire. Any thread; takes the interrupt controller's lock.
  void drive(unsigned wire, bool is_high);

 private:
  std::mutex mutex_;
  const std::array<IrqLine, kCount> lines_;
  std::array<unsigned, kCount> drivers_{};
};

/// The interrupt pin of a function. Its wire at the root follows from the slots on the way there: each bus
/// adds the device's number ("swizzle": PCI-to-PCI Bridge Architecture 1.2, section 9.1).
class PciIntx {
 public:
  /// What the device wants. Any thread.
  void set(bool is_high);
  /// Whether the device wants an interrupt, whatever the command register says: the Interrupt Status bit.
  [[nodiscard]] bool level() const;

  /// The host bridge's part: the wire, and the command register's Interrupt Disable.
  void connect(PciIntxWires& wires, unsigned wire);
  void disable(bool is_disabled);
  void visit(Visitor& visitor);

 private:
  void update();

  mutable std::mutex mutex_;
  PciIntxWires* wires_ = nullptr;
  unsigned wire_ = 0;
  bool is_high_ = false;
  bool is_disabled_ = false;
  bool is_driven_ = false;  ///< of the wire
};

}  // namespace gstage::hw
