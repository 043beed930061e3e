// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "hw/pci/pci_bus.h"
#include "hw/pci/pci_function.h"

namespace gstage::hw {

/// A bridge to another bus (header type 1): bus numbers, windows, the reset of what is behind it. The host
/// bridge reads the registers when it routes and decodes.
class PciBridge : public PciFunction {
 public:
  PciBus* secondary() override { return &secondary_; }

 protected:
  /// `bus` is the name of the bus behind it.
  PciBridge(const PciIds& ids, PciBus::Kind below, std::string bus);
  void reset_function() override {}
  void restored() override;
  void config_written(unsigned offset, unsigned size) override;

 private:
  PciBus& secondary_;
  bool is_in_reset_ = false;  ///< the bit of bridge control, to see it rise
};

/// `pcie-root-port`: a port of the root complex, a link with one device behind it.
class PcieRootPort final : public PciBridge {
 public:
  /// `port` is the number that the link's capabilities show.
  PcieRootPort(std::string bus, std::uint8_t port);
  [[nodiscard]] const char* driver() const override { return "pcie-root-port"; }
};

/// `pcie-pci-bridge`: from a link, or from the root bus, to a conventional bus.
class PciePciBridge final : public PciBridge {
 public:
  explicit PciePciBridge(std::string bus);
  [[nodiscard]] const char* driver() const override { return "pcie-pci-bridge"; }
};

/// `pci-bridge`: from a conventional bus, or from the root bus, to a conventional bus.
class ConventionalBridge final : public PciBridge {
 public:
  explicit ConventionalBridge(std::string bus);
  [[nodiscard]] const char* driver() const override { return "pci-bridge"; }
};

}  // namespace gstage::hw
