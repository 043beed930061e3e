// SPDX-License-Identifier: Apache-2.0
// The PCI transport with virtio-rng behind it: configuration space with its capabilities and its window, the
// structures, MSI-X, and rings of either layout, in any order.
#include "hw/virtio/virtio_pci.h"

#include <cstring>

#include "softmmu/base/check.h"
#include "hw/virtio/rng.h"

#include "tests/fuzz/accesses.h"
#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

constexpr std::uint64_t kRam = 0x8000'0000;
constexpr std::uint64_t kRamSize = 16 << 10;

/// Where messages go: nowhere.
struct NoMsis final : hw::MsiSink {
  void send(std::uint64_t, std::uint32_t) override {}
};

struct Machine {
  Machine() {
    CHECK(memory.add_ram("ram", Paddr{kRam}, kRamSize).ok());
    memory.seal();
    auto device = std::make_unique<hw::VirtioRng>(hw::EntropySource());
    device->set_ring_features(hw::kDefaultFeatures | hw::kRingPacked | hw::kInOrder | hw::kAccessPlatform);
    function = std::make_unique<hw::VirtioPci>(hw::VirtioParts{memory, workers, std::move(device)});
    function->master().connect(memory, msis);
    function->intx().connect(wires, 0);
  }
  AddressSpace memory;
  hw::WorkerPool workers{0};
  NoMsis msis;
  hw::PciIntxWires wires{{}};
  std::unique_ptr<hw::VirtioPci> function;
};

/// As a good driver does it, with features and rings that the input chooses.
void set_up(Input& input, hw::VirtioPci& function) {
  const auto set = [&](std::uint64_t offset, unsigned size, std::uint64_t value) {
    CHECK(function.mmio_write(offset, size, value));
  };
  const auto how = input.take<std::uint8_t>();
  const std::uint64_t high =
      1 | ((how & 1) != 0 ? 4 : 0) | ((how & 2) != 0 ? 8 : 0) | ((how & 4) != 0 ? 0x100 : 0);
  const std::uint64_t features[] = {
      ((how & 8) != 0 ? hw::kIndirectDescriptors : 0) | ((how & 16) != 0 ? hw::kEventIdx : 0), high};
  set(0x14, 1, 3);
  for (const unsigned half : {0u, 1u}) {
    set(0x08, 4, half);
    set(0x0c, 4, features[half]);
  }
  set(0x14, 1, 11);
  set(0x10, 2, 0);
  set(0x1a, 2, 1);
  const std::uint64_t places[] = {kRam, kRam + 0x200, kRam + 0x300};
  for (unsigned i = 0; i < 3; ++i) {
    set(0x20 + i * 8, 4, places[i] & 0xffffffff);
    set(0x24 + i * 8, 4, places[i] >> 32);
  }
  set(0x1c, 2, 1);
  set(0x14, 1, 15);
}

void configure(Input& input, hw::VirtioPci& function) {
  const auto how = input.take<std::uint8_t>();
  const unsigned size = (how & 3) == 0 ? 1 : (how & 3) == 1 ? 2 : 4;
  const auto offset = static_cast<unsigned>(input.below(0x100)) & ~(size - 1);
  if ((how & 0x80) == 0) return static_cast<void>(function.config_read(offset, size));
  const auto value = (how & 0x40) != 0 ? input.take<std::uint32_t>() : input.take<std::uint8_t>();
  static_cast<void>(function.config_write(offset, size, value));
}

void run(Input& input) {
  static Machine machine;
  hw::VirtioPci& function = *machine.function;
  std::byte* const ram = machine.memory.host(Paddr{kRam});
  std::memset(ram, 0, kRamSize);
  function.reset();
  function.config_write(4, 2, 6);
  function.master().enable(true);
  set_up(input, function);
  while (!input.empty()) {
    switch (input.take<std::uint8_t>() % 8) {
      case 0: configure(input, function); break;
      case 1: access_device(input, function, 0x40); break;
      case 2: access_device(input, function, 0x4000); break;
      case 3: access_device(input, *function.msix(), 0x1000); break;
      case 4: static_cast<void>(function.mmio_write(0x3000, 2, 0)); break;
      case 5: function.master().enable(input.flag()); break;
      default: {
        const std::uint64_t at = input.below(0x400);
        const auto bytes = input.take_bytes(input.below(32));
        if (!bytes.empty()) std::memcpy(ram + at, bytes.data(), bytes.size());
      }
    }
  }
  function.reset();
}

const Registration registration("virtio_pci", run);

}  // namespace
}  // namespace gstage::fuzz
