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

/// `pcie-root-port`: a port of the root complex, a slot with one device behind it. Its slot is
/// hot-pluggable as PCI Express Base, section 6.7, has it: with a button, indicators and a power controller.
/// Software is told of a card that came; a card goes when software, asked by the button, has switched the
/// slot's power off.
class PcieRootPort final : public PciBridge {
 public:
  /// What `-device` says of it.
  struct Slot {
    std::uint8_t port = 0;     ///< the number that the link's capabilities show
    std::uint16_t number = 0;  ///< of the slot, for people
    bool has_hot_plug = true;
  };
  PcieRootPort(std::string bus, const Slot& slot);
  PcieRootPort(std::string bus, std::uint8_t port) : PcieRootPort(std::move(bus), Slot{.port = port}) {}
  [[nodiscard]] const char* driver() const override { return "pcie-root-port"; }
  [[nodiscard]] bool has_hot_plug() const { return has_hot_plug_; }

  // With the host bridge's lock held.
  /// The slot was filled or emptied while the machine runs.
  void card_changed();
  void press_button();
  /// Software has switched the slot off, power and indicator.
  [[nodiscard]] bool is_off() const;
  /// Software has let the card go: it sees it no more, whatever it does with the slot until it is removed.
  [[nodiscard]] bool is_leaving();
  void restored() override;

 protected:
  void reset_function() override;
  void config_written(unsigned offset, unsigned size) override;

 private:
  [[nodiscard]] bool has_card();
  void set_bits(unsigned at, std::uint32_t bits, bool is_set);
  /// The link is up while a card has power. True: that changed.
  bool update_link();
  /// Raises or lowers the interrupt as events and their enables say.
  void update_interrupt();
  [[nodiscard]] bool has_event() const;

  const bool has_hot_plug_;
  unsigned express_ = 0;       ///< offset of the capability
  bool was_off_ = false;       ///< to see the moment at which it is switched off
  bool has_notified_ = false;  ///< to see the moment at which an event comes up
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
