// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <utility>

#include <gtest/gtest.h>

#include "softmmu/mem/address_space.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_host.h"
#include "hw/pci/pci_registers.h"

#include "tests/unit/msi_recorder.h"

namespace gstage::hw {

/// A handler whose loads say where they arrived and which keeps what was stored last.
class PciEcho final : public MmioHandler {
 public:
  explicit PciEcho(std::uint64_t tag) : tag_(tag) {}
  bool mmio_read(std::uint64_t offset, unsigned, std::uint64_t& value) override {
    value = tag_ << 24 | offset;
    return true;
  }
  bool mmio_write(std::uint64_t offset, unsigned, std::uint64_t value) override {
    stored = {offset, value};
    return true;
  }
  std::pair<std::uint64_t, std::uint64_t> stored;

 private:
  std::uint64_t tag_;
};

/// A function with a register of each kind.
class PciSample final : public PciFunction {
 public:
  static constexpr unsigned kVectors = 3;
  static constexpr std::uint64_t kMemorySize = 16, kIoSize = 32, kWideSize = 64 << 10;

  [[nodiscard]] const char* driver() const override { return "sample"; }
  explicit PciSample(std::uint64_t tag)
      : PciFunction({0x1234, 0x5678, 0xff0000}), memory(tag), io(tag + 1), wide(tag + 2) {
    add_bar(0, kMemorySize, PciBarKind::kMemory32, memory);
    add_bar(1, kIoSize, PciBarKind::kIo, io);
    add_bar(2, kWideSize, PciBarKind::kMemory64Prefetchable, wide);
    add_msix(4, kVectors);
    msi_at = 0x40 + 12;
    add_msi(4);
    express_at = add_express();
    add_power();
    use_pin();
  }

  PciEcho memory, io, wide;
  unsigned msi_at;
  unsigned express_at;
  unsigned resets = 0;

 protected:
  void reset_function() override { ++resets; }
};

/// A host bridge on a machine of RAM alone.
class PciTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kRam = 0x8000'0000, kRamSize = 1 << 20;
  static constexpr std::uint64_t kMemory32 = 0x4000'0000, kMemory64 = 0x4'0000'0000;
  static constexpr std::uint64_t kCommandAll = pci::kCommandIo | pci::kCommandMemory | pci::kCommandMaster;

  PciTest() {
    EXPECT_TRUE(memory_.add_ram("ram", Paddr{kRam}, kRamSize).ok());
    memory_.seal();
    PciHostSetup setup{.memory = memory_, .msis = msis_};
    for (unsigned i = 0; i < setup.intx.size(); ++i)
      setup.intx[i] = IrqLine([this, i](bool is_high) { wires_[i] = is_high; });
    setup.memory32.base = kMemory32;
    setup.memory64.base = kMemory64;
    host_ = std::make_unique<PciHost>(setup);
  }

  template <class F>
  F& plug(PciBus& bus, unsigned devfn, std::unique_ptr<F> function, bool is_multifunction = false) {
    F& plugged = *function;
    function->set_address({{devfn}, is_multifunction});
    const Status status = bus.plug(std::move(function));
    EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().message);
    return plugged;
  }
  PciSample& plug_sample(unsigned devfn, std::uint64_t tag = 1) {
    return plug(host_->root(), devfn, std::make_unique<PciSample>(tag));
  }

  static std::uint64_t ecam(unsigned bus, unsigned devfn, unsigned at) {
    return std::uint64_t{bus} << 20 | devfn << 12 | at;
  }
  std::uint32_t get(unsigned bus, unsigned devfn, unsigned at, unsigned size = 4) {
    std::uint64_t value = 0;
    EXPECT_TRUE(host_->mmio_read(ecam(bus, devfn, at), size, value));
    return static_cast<std::uint32_t>(value & ((std::uint64_t{1} << (8 * size)) - 1));
  }
  void set(unsigned bus, unsigned devfn, unsigned at, std::uint64_t value, unsigned size = 4) {
    EXPECT_TRUE(host_->mmio_write(ecam(bus, devfn, at), size, value));
  }
  /// What a hart reads at an address of PCI's memory.
  std::uint64_t load(std::uint64_t address, unsigned size = 4) {
    const bool is_high = address >= kMemory64;
    PciWindow& window = is_high ? host_->memory64() : host_->memory32();
    std::uint64_t value = 0;
    EXPECT_TRUE(window.mmio_read(address - (is_high ? kMemory64 : kMemory32), size, value));
    return value;
  }
  void store(std::uint64_t address, std::uint64_t value, unsigned size = 4) {
    const bool is_high = address >= kMemory64;
    PciWindow& window = is_high ? host_->memory64() : host_->memory32();
    EXPECT_TRUE(window.mmio_write(address - (is_high ? kMemory64 : kMemory32), size, value));
  }
  std::uint64_t load_io(std::uint64_t address) {
    std::uint64_t value = 0;
    EXPECT_TRUE(host_->io().mmio_read(address, 4, value));
    return value;
  }

  static constexpr std::uint64_t kNobody = ~std::uint64_t{0};
  AddressSpace memory_;
  MsiRecorder msis_;
  std::array<bool, 4> wires_{};
  std::unique_ptr<PciHost> host_;
};

}  // namespace gstage::hw
