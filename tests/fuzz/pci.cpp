// SPDX-License-Identifier: Apache-2.0
// A host bridge, a root port, a bridge behind it and functions with a register of each kind: configuration
// space, what the guest makes of bars and windows, tables of messages, and interrupts that the functions
// raise.
#include <array>

#include "softmmu/base/check.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_host.h"

#include "tests/fuzz/accesses.h"
#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

constexpr std::uint64_t kRam = 0x8000'0000, kRamSize = 64 << 10;
constexpr std::uint64_t kMemory32 = 0x4000'0000, kMemory64 = 0x4'0000'0000;

/// Sees to it that no access arrives beyond the bar.
class Registers final : public MmioHandler {
 public:
  explicit Registers(std::uint64_t size) : size_(size) {}
  bool mmio_read(std::uint64_t offset, unsigned size, std::uint64_t& value) override {
    CHECK(offset + size <= size_);
    value = offset;
    return size != 2;
  }
  bool mmio_write(std::uint64_t offset, unsigned size, std::uint64_t) override {
    CHECK(offset + size <= size_);
    return size != 2;
  }

 private:
  const std::uint64_t size_;
};

class Function final : public hw::PciFunction {
 public:
  Function() : PciFunction({0x1234, 0x5678, 0xff0000}) {
    add_bar(0, 16, hw::PciBarKind::kMemory32, small_);
    add_bar(1, 4, hw::PciBarKind::kIo, io_);
    add_bar(2, 64 << 10, hw::PciBarKind::kMemory64Prefetchable, wide_);
    add_msix(4, 70);
    add_msi(8);
    add_express();
    add_power();
    use_pin();
  }
  [[nodiscard]] const char* driver() const override { return "function"; }
  /// Something that a device does of its own accord.
  void act(std::uint8_t how) {
    std::uint32_t word = how;
    switch (how & 3) {
      case 0: return msix()->notify(how >> 1);
      case 1: return msi()->notify(how >> 4);
      case 2: return intx().set((how & 4) != 0);
      default: CHECK(master().write(Paddr{kRam}, &word, sizeof word) == bus_master());
    }
  }

 protected:
  void reset_function() override {}

 private:
  Registers small_{16}, io_{4}, wide_{64 << 10};
};

class Machine {
 public:
  Machine() {
    CHECK(memory_.add_ram("ram", Paddr{kRam}, kRamSize).ok());
    memory_.seal();
    hw::PciHostSetup setup{.memory = memory_, .msis = msis_};
    setup.memory32.base = kMemory32;
    setup.memory64.base = kMemory64;
    host_ = std::make_unique<hw::PciHost>(setup);
    auto port = std::make_unique<hw::PcieRootPort>("link", 1);
    auto bridge = std::make_unique<hw::PciePciBridge>("below");
    hw::PciBus* const link = port->secondary();
    hw::PciBus* const below = bridge->secondary();
    CHECK(host_->root().plug(std::move(port)).ok() && link->plug(std::move(bridge)).ok());
    for (hw::PciBus* bus : {&host_->root(), &host_->root(), below}) {
      auto function = std::make_unique<Function>();
      functions_[count_++] = function.get();
      CHECK(bus->plug(std::move(function)).ok());
    }
  }

  void run(Input& input) {
    host_->reset();
    while (!input.empty()) step(input);
    host_->reset();
  }

 private:
  void step(Input& input) {
    switch (input.take<std::uint8_t>() % 8) {
      case 0: return access_device(input, host_->memory32(), 1 << 24);
      case 1: return access_device(input, host_->memory64(), 1 << 24);
      case 2: return access_device(input, host_->io(), 1 << 16);
      case 3: return functions_[input.below(count_)]->act(input.take<std::uint8_t>());
      case 4: return access_device(input, *host_, std::uint64_t{4} << 20);
      default: return access_function(input);
    }
  }
  /// Of one of the first slots on one of the first buses, and there mostly the header and the capabilities.
  void access_function(Input& input) {
    const std::uint64_t bus = input.below(4);
    const std::uint64_t slot = input.below(4);
    const std::uint64_t at = input.below(0x100) & ~std::uint64_t{3};
    const std::uint64_t offset = bus << 20 | slot << 15 | at;
    const auto how = input.take<std::uint8_t>();
    std::uint64_t value = how >> 1;
    if ((how & 1) != 0) value = input.take<std::uint32_t>();
    static_cast<void>(host_->mmio_write(offset, 4, value));
    static_cast<void>(host_->mmio_read(offset, 4, value));
  }

  AddressSpace memory_;
  hw::NoMsiSink msis_;
  std::unique_ptr<hw::PciHost> host_;
  std::array<Function*, 3> functions_{};
  unsigned count_ = 0;
};

void run(Input& input) {
  static Machine machine;
  machine.run(input);
}

const Registration registration("pci", run);

}  // namespace
}  // namespace gstage::fuzz
