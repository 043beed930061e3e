// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "softmmu/mem/address_space.h"
#include "hw/core/irq_line.h"
#include "hw/core/msi_sink.h"
#include "hw/core/system_device.h"
#include "hw/pci/pci_bar_map.h"
#include "hw/pci/pci_bus.h"

namespace gstage::hw {

class PciHotPlug;
class PcieRootPort;

/// What a board gives its host bridge; outlives it.
struct PciHostSetup {
  /// A window on the machine's bus. Memory has the same addresses on both sides, I/O begins at 0.
  struct Window {
    std::uint64_t base = 0;
    std::uint64_t size = 0;
  };
  AddressSpace& memory;  ///< for DMA
  MsiSink& msis;
  std::array<IrqLine, PciIntxWires::kCount> intx{};
  std::uint32_t msi_parent = 0;  ///< phandle of the IMSICs; 0: none
  Window io{};
  Window memory32{};
  Window memory64{};
};

/// A generic host bridge: configuration space of all buses as memory (ECAM: PCI Express Base, section 7.2.2),
/// windows for memory and I/O, four interrupt wires. It routes configuration accesses by the bus numbers that
/// the guest gave its bridges, and it says after each change of a header who answers which addresses.
class PciHost final : public SystemDevice, public MmioHandler {
 public:
  explicit PciHost(const PciHostSetup& setup);
  ~PciHost() override;

  [[nodiscard]] const char* driver() const override { return "gpex-pcihost"; }
  /// As the board that this follows has it, where the bridge has no place of its own.
  [[nodiscard]] std::string firmware_node() const override { return "pci@ffffffffffffffff"; }
  [[nodiscard]] PciBus& root() { return root_; }
  void reset() override;
  void restored() override;
  void describe(FdtBuilder& fdt) const override;

  // Configuration space.
  bool mmio_read(std::uint64_t offset, unsigned size, std::uint64_t& value) override;
  bool mmio_write(std::uint64_t offset, unsigned size, std::uint64_t value) override;
  [[nodiscard]] PciWindow& memory32() { return memory32_; }
  [[nodiscard]] PciWindow& memory64() { return memory64_; }
  [[nodiscard]] PciWindow& io() { return io_; }

  /// A function took its place (PciBus::plug).
  void wire(PciFunction& function);
  [[nodiscard]] const PciBarMap& memory_map() const { return memory_map_; }

  // Hot plug (hot_plug.h), with no hart running.
  /// What was plugged behind the port is there for software now.
  void insert_card(PcieRootPort& port);
  /// Presses the slot's button. True: the slot is off or the card let go, so that it may go at once.
  bool ask_for_card(PcieRootPort& port);
  /// Destroys what is behind the port.
  void remove_card(PcieRootPort& port);
  /// From now on `listener` hears that software has let a card go; with the lock held, on a hart's thread.
  void on_free_card(std::function<void(PcieRootPort& port)> listener) { on_free_card_ = std::move(listener); }
  /// A port's part. False: nobody will remove the card.
  [[nodiscard]] bool card_is_free(PcieRootPort& port) const {
    if (on_free_card_) on_free_card_(port);
    return on_free_card_ != nullptr;
  }
  /// Who adds and removes functions while the machine runs; null: nobody can.
  [[nodiscard]] PciHotPlug* hot_plug() const { return hot_plug_; }
  void set_hot_plug(PciHotPlug* hot_plug) { hot_plug_ = hot_plug; }

 private:
  [[nodiscard]] PciFunction* route(std::uint64_t offset);
  /// Makes the maps anew from the headers, and says who is a bus master.
  void refresh();

  const PciHostSetup setup_;
  PciIntxWires wires_;
  /// Of configuration space and of what follows from it. The leftmost in the order of locks.
  std::mutex mutex_;
  PciBus& root_;
  std::vector<PciBus*> buses_;
  std::size_t bars_ = 0;  ///< of all functions
  PciBarMap memory_map_;
  PciBarMap io_map_;
  PciWindow memory32_;
  PciWindow memory64_;
  PciWindow io_;
  std::function<void(PcieRootPort& port)> on_free_card_;
  PciHotPlug* hot_plug_ = nullptr;
};

}  // namespace gstage::hw
