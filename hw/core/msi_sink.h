// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace gstage::hw {

/// Where message-signalled interrupts go: what an APLIC and a PCI function send through.
class MsiSink {
 public:
  virtual ~MsiSink() = default;
  /// One message: a store of 32 bits that an interrupt controller takes. What goes elsewhere is the guest's
  /// fault and is logged. Any thread, also with a device's or an interrupt controller's lock held, so it
  /// takes no lock to the left of the hart in the order device → interrupt controller → hart.
  virtual void send(std::uint64_t address, std::uint32_t data) = 0;
};

/// Of a machine where nothing takes messages.
class NoMsiSink final : public MsiSink {
 public:
  void send(std::uint64_t address, std::uint32_t data) override;
};

}  // namespace gstage::hw
