// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "softmmu/io/irq_line.h"
#include "softmmu/mem/address_space.h"
#include "hw/core/device.h"
#include "hw/core/msi_sink.h"
#include "hw/pci/pci_bar_map.h"
#include "hw/pci/pci_bus.h"

namespace gstage::hw {

/// What a board gives its host bridge; outlives it.
struct PciHostSetup {
  AddressSpace& memory;  ///< for DMA
  MsiSink& msis;
  std::array<IrqLine, PciIntxWires::kCount> intx;
  std::uint64_t memory32_base;  ///< of the windows: memory at equal addresses on both sides
  std::uint64_t memory64_base;
};

/// What the host bridge's FDT node needs to know.
struct PciNode {
  NodePlace place;                ///< of configuration space; its irq is that of the first wire
  std::uint32_t msi_parent = 0;   ///< phandle of the IMSICs; 0: none
  std::uint64_t io_base = 0;      ///< where the windows are on the machine's bus
  std::uint64_t io_size = 0;
  std::uint64_t memory32_base = 0;
  std::uint64_t memory32_size = 0;
  std::uint64_t memory64_base = 0;
  std::uint64_t memory64_size = 0;
};

/// What a `-device` for PCI asks for.
struct PciRequest {
  std::string driver;
  std::string id;   ///< also the name of the bus behind a bridge
  std::string bus;  ///< empty: the root's
  PciAddress address;
  std::unique_ptr<PciFunction> function;
};

/// A generic host bridge: configuration space of all buses as memory (ECAM: PCI Express Base, section 7.2.2),
/// windows for memory and I/O, four interrupt wires. It routes configuration accesses by the bus numbers that
/// the guest gave its bridges, and it says after each change of a header who answers which addresses.
class PciHost final : public Device, public MmioHandler {
 public:
  explicit PciHost(PciHostSetup setup);
  ~PciHost() override;

  [[nodiscard]] PciBus& root() { return root_; }
  /// The bus of that name; null: there is none.
  [[nodiscard]] PciBus* find_bus(const std::string& name);
  /// Names of all buses, the root's first.
  [[nodiscard]] std::vector<std::string> bus_names() const;

  void reset() override;
  static void describe(FdtBuilder& fdt, const PciNode& node);
  /// Puts the function where the request says; before the machine runs.
  Status plug(PciRequest request);

  // Configuration space.
  bool mmio_read(std::uint64_t offset, unsigned size, std::uint64_t& value) override;
  bool mmio_write(std::uint64_t offset, unsigned size, std::uint64_t value) override;
  [[nodiscard]] PciWindow& memory32() { return memory32_; }
  [[nodiscard]] PciWindow& memory64() { return memory64_; }
  [[nodiscard]] PciWindow& io() { return io_; }

  /// A function took its place (PciBus::plug).
  void wire(PciFunction& function);
  [[nodiscard]] const PciBarMap& memory_map() const { return memory_map_; }

 private:
  [[nodiscard]] PciFunction* route(std::uint64_t offset);
  /// Makes the maps anew from the headers, and says who is a bus master.
  void refresh();

  AddressSpace& memory_;
  MsiSink& msis_;
  PciIntxWires wires_;
  /// Of configuration space and of what follows from it. The leftmost in the order of locks.
  std::mutex mutex_;
  PciBus root_;
  std::vector<PciBus*> buses_;
  std::size_t bars_ = 0;  ///< of all functions
  PciBarMap memory_map_;
  PciBarMap io_map_;
  PciWindow memory32_;
  PciWindow memory64_;
  PciWindow io_;
};

}  // namespace gstage::hw
