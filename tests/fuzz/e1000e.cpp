// SPDX-License-Identifier: Apache-2.0
// The network card: its registers, rings in RAM, and frames from the wire, while its loop sends what it is
// told.
#include "hw/net/e1000e.h"

#include "softmmu/base/check.h"
#include "hw/pci/pci_host.h"
#include "hw/pci/pci_registers.h"

#include "tests/fuzz/accesses.h"
#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

constexpr std::uint64_t kRam = 0x8000'0000, kRamSize = 64 << 10;

/// A wire that swallows what it gets.
class Wire final : public NetBackend, private NetQueue {
 public:
  Wire() : NetQueue(loop_), loop_("fuzz") {}
  ~Wire() override { loop_.stop(); }
  NetQueue& queue(unsigned) override { return *this; }
  [[nodiscard]] std::string describe() const override { return "fuzz"; }
  void inject(std::span<const std::uint8_t> bytes) {
    loop_.synchronize([&] {
      const iovec part{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
      static_cast<void>(send_to_device({{&part, 1}, bytes.size(), {}}));
    });
  }
  void settle() {
    loop_.synchronize([] {});
  }

 private:
  bool deliver(const NetFrame& frame) override {
    CHECK(frame.size <= NetFrame::kMaxBytes);
    return true;
  }
  void ready() override {}
  NetLoop loop_;
};

class Machine {
 public:
  Machine() {
    CHECK(memory_.add_ram("ram", Paddr{kRam}, kRamSize).ok());
    memory_.seal();
    hw::PciHostSetup setup{.memory = memory_, .msis = msis_};
    host_ = std::make_unique<hw::PciHost>(setup);
    auto card = std::make_unique<hw::E1000e>(wire_, hw::MacAddress{2, 0, 0, 0, 0, 1});
    card_ = card.get();
    CHECK(host_->root().plug(std::move(card)).ok());
  }
  void run(Input& input) {
    host_->reset();
    CHECK(host_->mmio_write(1 << 15 | hw::pci::kCommand, 2, hw::pci::kCommandMaster));
    put(hw::e1000e::kCtrl, hw::e1000e::kCtrlLinkUp);
    for (const std::uint32_t base : {hw::e1000e::kTdbal, hw::e1000e::kRdbal}) {
      put(base, base == hw::e1000e::kTdbal ? kRam : kRam + 0x1000);
      put(base + 8, 0x80);
    }
    put(hw::e1000e::kRctl, hw::e1000e::kRctlEnable | hw::e1000e::kRctlAll);
    put(hw::e1000e::kTctl, hw::e1000e::kTctlEnable);
    while (!input.empty()) step(input);
    host_->reset();
    wire_->settle();
  }

 private:
  void put(std::uint64_t at, std::uint64_t value) { CHECK(card_->mmio_write(at, 4, value)); }
  void step(Input& input) {
    switch (input.take<std::uint8_t>() % 6) {
      case 0: return access_device(input, *card_, hw::e1000e::kEnd);
      case 1: return put(hw::e1000e::kTdt, input.below(8));
      case 2: return put(hw::e1000e::kRdt, input.below(8));
      case 3: return wire_->inject(input.take_bytes(input.below(200)));
      case 4: return descriptor(input);
      default: {
        const std::uint64_t at = input.below(kRamSize);
        const auto bytes = input.take_bytes(input.below(64));
        static_cast<void>(memory_.write(Paddr{kRam + at}, bytes.data(), bytes.size()));
      }
    }
  }
  /// One of sixteen, whose buffer mostly lies in RAM.
  void descriptor(Input& input) {
    const std::uint64_t slot = input.below(16);
    const std::uint64_t words[] = {kRam + input.take<std::uint16_t>(), input.take<std::uint64_t>()};
    const std::uint64_t at = kRam + (slot < 8 ? 0 : 0x1000) + slot % 8 * 16;
    CHECK(memory_.write(Paddr{at}, words, sizeof words));
  }

  AddressSpace memory_;
  hw::NoMsiSink msis_;
  std::shared_ptr<Wire> wire_ = std::make_shared<Wire>();
  std::unique_ptr<hw::PciHost> host_;
  hw::E1000e* card_ = nullptr;
};

void run(Input& input) {
  static Machine machine;
  machine.run(input);
}

const Registration registration("e1000e", run);

}  // namespace
}  // namespace gstage::fuzz
