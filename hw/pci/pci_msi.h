// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>

#include "hw/core/msi_sink.h"
#include "hw/pci/pci_config.h"

namespace gstage::hw {

/// MSI of one function (PCI Local Bus 3.0, section 6.8.1), with 64-bit addresses and masks. The registers are
/// in configuration space; what a device's thread needs of them is kept here under a lock of its own.
class PciMsi {
 public:
  static constexpr unsigned kMaxVectors = 32;
  static constexpr unsigned kSize = 0x18;  ///< bytes of the capability

  /// `vectors`: a power of two, at most 32. Adds the capability to the configuration space.
  PciMsi(PciConfig& config, unsigned vectors, MsiSink& sink);

  /// As PciMsix::notify. If the guest allows fewer messages than there are vectors, they share the first.
  void notify(unsigned vector);
  [[nodiscard]] bool is_enabled() const;

  /// The function's part: takes over what the registers say, and before they are read shows what is pending.
  void take_registers(const PciConfig& config);
  void show_pending(PciConfig& config) const;
  void reset();
  void visit(Visitor& visitor);

 private:
  void send(unsigned vector);

  const unsigned vectors_;
  const unsigned offset_;
  MsiSink& sink_;
  mutable std::mutex mutex_;
  bool is_enabled_ = false;
  unsigned allowed_ = 1;  ///< messages
  std::uint64_t address_ = 0;
  std::uint32_t data_ = 0;
  std::uint32_t masks_ = 0;
  std::uint32_t pending_ = 0;
};

}  // namespace gstage::hw
