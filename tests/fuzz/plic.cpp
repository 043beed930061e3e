// SPDX-License-Identifier: Apache-2.0
// The PLIC's registers and the wires into it.
#include "hw/intc/plic.h"

#include "tests/fuzz/accesses.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/wires.h"

namespace gstage::fuzz {
namespace {

/// Where its groups of registers begin, so that an input finds them.
constexpr std::uint64_t kGroups[] = {0, 0x1000, 0x2000, 0x20'0000};
constexpr std::uint64_t kWindow = 0x60'0000;

/// The accesses of a group as ones of the whole device.
class Group final : public MmioHandler {
 public:
  Group(MmioHandler& device, std::uint64_t base) : device_(device), base_(base) {}
  bool mmio_read(std::uint64_t offset, unsigned size, std::uint64_t& value) override {
    return device_.mmio_read(base_ + offset, size, value);
  }
  bool mmio_write(std::uint64_t offset, unsigned size, std::uint64_t value) override {
    return device_.mmio_write(base_ + offset, size, value);
  }

 private:
  MmioHandler& device_;
  std::uint64_t base_;
};

void run(Input& input) {
  Wires wires;
  hw::Plic plic(wires.lines());
  while (!input.empty()) {
    const auto how = input.take<std::uint8_t>();
    if (how % 4 == 0) {
      plic.set_level(1 + static_cast<unsigned>(input.below(hw::Plic::kSources)), (how & 4) != 0);
    } else if (how % 4 == 1) {
      access_device(input, plic, kWindow);
    } else {
      const std::uint64_t base =
          kGroups[how / 4 % 4] + (how / 4 % 4 == 3 ? std::uint64_t{how / 16u % 4} << 12 : 0);
      Group group(plic, base);
      access_device(input, group, 0x100);
    }
  }
  plic.reset();
}

const Registration registration("plic", run);

}  // namespace
}  // namespace gstage::fuzz
