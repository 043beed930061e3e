// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>

#include "hw/core/driver.h"
#include "hw/pci/pci_function.h"

namespace gstage::hw {

/// The peer's `pci-testdev`: two bars, memory and I/O, by which software tries stores to a function. It
/// chooses a test by its number, the header says what to store where, and counts the stores that do. The
/// header shows the test of whichever bar was asked last; without one it is all zeroes. kvm-unit-tests looks
/// for it.
class PciTestDevice final : public PciFunction {
 public:
  static constexpr std::uint64_t kMemoryBytes = 4096, kIoBytes = 256;
  static constexpr unsigned kTestCount = 3, kBarCount = 2;  ///< of each bar; bars with tests

  /// `membar`: bytes of a third bar that nothing is behind, a power of two from 16 on; 0: there is none.
  explicit PciTestDevice(std::uint64_t membar);

  [[nodiscard]] const char* driver() const override { return "pci-testdev"; }
  void visit(Visitor& visitor) override;

 private:
  static constexpr unsigned kNoTest = kTestCount * kBarCount;

  /// What a bar's accesses arrive at.
  struct Port final : MmioHandler {
    Port(PciTestDevice& d, unsigned b) : device(d), bar(b) {}
    bool mmio_read(std::uint64_t offset, unsigned size, std::uint64_t& value) override {
      return device.read(offset, size, value);
    }
    bool mmio_write(std::uint64_t offset, unsigned size, std::uint64_t value) override {
      return device.write(bar, offset, size, value);
    }
    PciTestDevice& device;
    unsigned bar;
  };
  /// Loads have all bits set.
  struct Nothing final : MmioHandler {
    bool mmio_read(std::uint64_t, unsigned, std::uint64_t& value) override {
      value = ~std::uint64_t{0};
      return true;
    }
    bool mmio_write(std::uint64_t, unsigned, std::uint64_t) override { return true; }
  };
  /// What the guest changes.
  struct State {
    unsigned test = kNoTest;  ///< of the tests of all bars
    std::uint32_t count = 0;  ///< stores that the test asks for
  };

  bool read(std::uint64_t offset, unsigned size, std::uint64_t& value);
  bool write(unsigned bar, std::uint64_t offset, unsigned size, std::uint64_t value);
  void reset_function() override;

  std::mutex mutex_;
  State state_;
  Port memory_{*this, 0};
  Port io_{*this, 1};
  Nothing nothing_;
};

/// The row of the table of drivers.
Driver pci_test_driver();

}  // namespace gstage::hw
