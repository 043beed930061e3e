// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "tests/unit/hw_state_guest.h"

namespace gstage::hw {

/// How a driver reaches the registers of a virtio device, whatever the transport.
class VirtioRegisters {
 public:
  virtual ~VirtioRegisters() = default;
  virtual std::uint64_t status(Guest& guest) = 0;
  virtual void set_status(Guest& guest, std::uint64_t value) = 0;
  virtual std::uint64_t features(Guest& guest) = 0;
  virtual void set_features(Guest& guest, std::uint64_t value) = 0;
  /// Selects a queue; answers its largest size, 0: there is none.
  virtual std::uint64_t select(Guest& guest, unsigned queue) = 0;
  /// Of the selected queue: its size, its three areas, and that it is ready.
  virtual void set_up(Guest& guest, std::uint64_t size, const std::uint64_t (&areas)[3]) = 0;
  virtual void reset_queue(Guest& guest) = 0;
  virtual void notify(Guest& guest, unsigned queue) = 0;
  /// Takes the causes of interrupts.
  virtual void take_interrupt(Guest& guest) = 0;
  /// Where the device's configuration is on the bus.
  virtual std::uint64_t config() = 0;
  /// Something else that a driver may do.
  virtual void fiddle(Guest& guest) = 0;
};

/// The driver of a virtio device: sets it up, offers buffers of a kind that it understands, takes them back,
/// resets it now and then. `scratch` is kVirtioScratch bytes of RAM of its own.
inline constexpr std::uint64_t kVirtioScratch = 0x1'0000;
void drive_virtio(Guest& guest, VirtioRegisters& registers, std::uint32_t virtio_id, std::uint64_t scratch);

}  // namespace gstage::hw
