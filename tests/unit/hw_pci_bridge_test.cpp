// SPDX-License-Identifier: Apache-2.0
#include <thread>

#include "hw/core/driver.h"

#include "tests/unit/pci_fixture.h"

namespace gstage::hw {
namespace {

using namespace pci;

/// A root port at 1.0, a bridge behind it to a conventional bus, and a function on each bus.
class PciBridgeTest : public PciTest {
 protected:
  static constexpr unsigned kPort = 1 << 3;
  static constexpr unsigned kDeep = 3 << 3;  ///< the function's place on the last bus

  PciBridgeTest()
      : port_(plug(host_->root(), kPort, std::make_unique<PcieRootPort>("link", 4))),
        bridge_(plug(*port_.secondary(), 0, std::make_unique<PciePciBridge>("below"))),
        deep_(plug(*bridge_.secondary(), kDeep, std::make_unique<PciSample>(5))) {}

  void number(unsigned bus, unsigned devfn, unsigned secondary, unsigned subordinate) {
    set(bus, devfn, 0x18, bus | secondary << 8 | subordinate << 16);
  }
  void number_all() {
    number(0, kPort, 1, 2);
    number(1, 0, 2, 2);
  }
  void enable_all() {
    set(0, kPort, kCommand, kCommandAll, 2);
    set(1, 0, kCommand, kCommandAll, 2);
    set(2, kDeep, kCommand, kCommandAll, 2);
  }
  /// Windows from kMemory32 of so many MiB.
  void open(unsigned bus, unsigned devfn, unsigned mib) {
    const std::uint64_t limit = kMemory32 + (mib - 1) * 0x10'0000ull;
    set(bus, devfn, kMemoryBase, kMemory32 >> 16 | (limit >> 16) << 16);
  }

  PcieRootPort& port_;
  PciePciBridge& bridge_;
  PciSample& deep_;
};

TEST_F(PciBridgeTest, BusNumbersRouteConfigurationSpace) {
  EXPECT_EQ(get(0, kPort, 0), 0x000c'1b36u);
  EXPECT_EQ(get(0, kPort, kHeaderType, 1), 1u);
  EXPECT_EQ(get(1, 0, 0), ~0u) << "no number yet";
  number(0, kPort, 1, 1);
  EXPECT_EQ(get(1, 0, 0), 0x000e'1b36u);
  EXPECT_EQ(get(1, 1 << 3, 0), ~0u) << "one device on a link";
  number(1, 0, 2, 2);
  EXPECT_EQ(get(2, kDeep, 0), ~0u) << "beyond the port's subordinate bus";
  number_all();
  EXPECT_EQ(get(2, kDeep, 0), 0x5678'1234u);
  number(0, kPort, 0x40, 0x80);
  EXPECT_EQ(get(1, 0, 0), ~0u);
  EXPECT_EQ(get(0x40, 0, 0), 0x000e'1b36u);
}

TEST_F(PciBridgeTest, BusNumbersThatMakeNoSenseReachNothing) {
  number(0, kPort, 0, 0xff);
  EXPECT_EQ(get(1, 0, 0), ~0u);
  number(0, kPort, 5, 1);
  EXPECT_EQ(get(5, 0, 0), ~0u);
  number(0, kPort, 1, 0xff);
  number(1, 0, 1, 0xff);  // a bus behind itself
  EXPECT_EQ(get(2, kDeep, 0), ~0u);
  EXPECT_EQ(get(1, 0, 0), 0x000e'1b36u);
}

TEST_F(PciBridgeTest, WindowsAndEnablesOfAllBridgesAreObeyed) {
  number_all();
  enable_all();
  set(2, kDeep, kBar0, kMemory32 + 0x20'0000);
  EXPECT_EQ(load(kMemory32 + 0x20'0004), kNobody);
  open(0, kPort, 4);
  EXPECT_EQ(load(kMemory32 + 0x20'0004), kNobody);
  open(1, 0, 3);
  EXPECT_EQ(load(kMemory32 + 0x20'0004), (5u << 24 | 4u));
  open(1, 0, 2);
  EXPECT_EQ(load(kMemory32 + 0x20'0004), kNobody) << "behind the bridge's window";
  open(1, 0, 3);
  set(0, kPort, kCommand, kCommandIo | kCommandMaster, 2);
  EXPECT_EQ(load(kMemory32 + 0x20'0004), kNobody);
}

TEST_F(PciBridgeTest, APrefetchableWindowPassesOnToo) {
  number_all();
  enable_all();
  for (const auto& [bus, devfn] : {std::pair{0u, kPort}, std::pair{1u, 0u}}) {
    set(bus, devfn, kPrefetchBase, 0x0000'0000);
    set(bus, devfn, kPrefetchBaseHigh, 4);
    set(bus, devfn, kPrefetchLimitHigh, 4);
    EXPECT_EQ(get(bus, devfn, kPrefetchBase, 2), 1u) << "64 bits";
  }
  set(2, kDeep, kBar0 + 8, 0);
  set(2, kDeep, kBar0 + 12, 4);
  EXPECT_EQ(load(kMemory64 + 0x10), (7u << 24 | 0x10u));
  set(0, kPort, kPrefetchBaseHigh, 5);
  EXPECT_EQ(load(kMemory64 + 0x10), kNobody);
}

TEST_F(PciBridgeTest, IoWindows) {
  number_all();
  enable_all();
  set(2, kDeep, kBar0 + 4, 0x2000);
  for (const auto& [bus, devfn] : {std::pair{0u, kPort}, std::pair{1u, 0u}})
    set(bus, devfn, kIoBase, 0x2020, 2);
  EXPECT_EQ(load_io(0x2008), (6u << 24 | 8u));
  set(1, 0, kIoBase, 0x1010, 2);
  EXPECT_EQ(load_io(0x2008), kNobody);
}

TEST_F(PciBridgeTest, ABusMasterNeedsTheBridgesAbove) {
  number_all();
  enable_all();
  EXPECT_TRUE(deep_.bus_master());
  set(0, kPort, kCommand, kCommandMemory, 2);
  EXPECT_FALSE(deep_.bus_master());
}

TEST_F(PciBridgeTest, EachBusAddsTheSlotToTheSwizzle) {
  deep_.intx().set(true);  // slot 3 of the last bus, 0 of the link, 1 of the root
  EXPECT_EQ(wires_, (std::array<bool, 4>{true, false, false, false}));
}

TEST_F(PciBridgeTest, ResetOfTheSecondaryBusReachesEverythingBehind) {
  number_all();
  enable_all();
  set(0, kPort, kBridgeControl, kBridgeSecondaryReset, 2);
  EXPECT_EQ(deep_.resets, 1u);
  set(0, kPort, kBridgeControl, kBridgeSecondaryReset | 1, 2);
  EXPECT_EQ(deep_.resets, 1u) << "it is still in reset";
  set(0, kPort, kBridgeControl, 0, 2);
  EXPECT_EQ(get(2, kDeep, 0), ~0u) << "the bridge behind the port has lost its numbers";
  number(1, 0, 2, 2);
  EXPECT_EQ(get(2, kDeep, kCommand, 2), 0u);
}

TEST_F(PciBridgeTest, ExpressFunctionsFitTheirBus) {
  number_all();
  EXPECT_EQ(get(2, kDeep, 0x100), ~0u) << "a conventional bus has no extended space";
  EXPECT_EQ(deep_.config().find_capability(kCapExpress), 0u);
  EXPECT_NE(deep_.config().find_capability(kCapPower), 0u) << "what was behind it in the list is still there";
  PcieRootPort& other = plug(host_->root(), 2 << 3, std::make_unique<PcieRootPort>("other", 1));
  PciSample& endpoint = plug(*other.secondary(), PciSlot::kAny, std::make_unique<PciSample>(9));
  number(0, 2 << 3, 9, 9);
  EXPECT_EQ(get(9, 0, endpoint.express_at + 2, 2), 2u) << "an endpoint";
  const Status status = other.secondary()->plug(std::make_unique<PciSample>(1));
  EXPECT_FALSE(status.ok()) << "a link has one slot";
}

/// What `-device` says, in the order of the command line.
class PciDriverTest : public PciTest {
 protected:
  /// The refusal, or nothing.
  std::string add(const std::string& driver, std::vector<Property> properties) {
    const Status status = add_device(*host_, world_, {driver, std::move(properties)});
    return status.ok() ? "" : status.error().message;
  }
  WorkerPool workers_{0};
  const MachineOptions options_;
  std::unique_ptr<BackEnds> back_ends_ = std::move(*BackEnds::open(options_));
  DeviceWorld world_{memory_, workers_, *back_ends_};
};

TEST_F(PciDriverTest, ABusBehindABridgeBearsItsId) {
  EXPECT_EQ(add("pcie-root-port", {{"id", "rp"}, {"addr", "1f.0"}, {"port", "3"}, {"chassis", "1"}}), "");
  EXPECT_EQ(add("pcie-pci-bridge", {{"id", "br"}, {"bus", "rp"}}), "");
  EXPECT_EQ(add("pci-bridge", {{"bus", "br"}, {"addr", "5"}}), "");
  EXPECT_EQ(get(0, 0x1f << 3, 0), 0x000c'1b36u);
  set(0, 0x1f << 3, 0x18, 0x02'01'00);
  set(1, 0, 0x18, 0x02'02'01);
  EXPECT_EQ(get(2, 5 << 3, 0), 0x0001'1b36u);
}

TEST_F(PciDriverTest, WrongPlacesAreRefusedByName) {
  EXPECT_NE(add("pcie-root-port", {{"addr", "20"}}).find("addr=20"), std::string::npos);
  EXPECT_NE(add("pcie-root-port", {{"bus", "nope"}}).find("there is no bus 'nope'"), std::string::npos);
  EXPECT_EQ(add("pcie-root-port", {{"id", "rp"}, {"addr", "4"}}), "");
  EXPECT_NE(add("pci-bridge", {{"addr", "4"}}).find("4.0 on the bus pcie.0 is taken"), std::string::npos);
  EXPECT_NE(add("pci-bridge", {{"addr", "4.1"}}).find("multifunction=on"), std::string::npos);
  EXPECT_NE(add("pci-bridge", {{"bus", "rp"}, {"addr", "1"}}).find("slot 0 alone"), std::string::npos);
}

TEST_F(PciTest, AMovedBarIsSeenAtOnceByOthers) {
  // One hart moves a bar to and fro; after each move it tells the other, which must find it in the new place.
  plug_sample(1 << 3, 5);
  set(0, 1 << 3, kCommand, kCommandAll, 2);
  constexpr unsigned kRounds = 300;
  std::atomic<unsigned> moved{0};
  std::atomic<unsigned> seen{0};
  std::atomic<unsigned> wrong{0};
  const auto place = [](unsigned round) { return kMemory32 + (round & 15) * 0x1000; };
  std::thread other([&] {
    for (unsigned round = 1; round <= kRounds; ++round) {
      moved.wait(round - 1);
      if (load(place(round) + 4) != (5u << 24 | 4u)) ++wrong;
      if (load(place(round - 1) + 4) != kNobody) ++wrong;
      seen = round;
      seen.notify_all();
    }
  });
  std::thread bystander([&] {
    // Reads while the table changes: it sees the bar or nothing, and nothing else.
    while (seen != kRounds) {
      std::this_thread::yield();
      for (unsigned i = 0; i < 16; ++i)
        if (const std::uint64_t value = load(place(i) + 8); value != kNobody && value != (5u << 24 | 8u))
          ++wrong;
    }
  });
  for (unsigned round = 1; round <= kRounds; ++round) {
    set(0, 1 << 3, kBar0, place(round));
    moved = round;
    moved.notify_all();
    seen.wait(round - 1);
  }
  other.join();
  bystander.join();
  EXPECT_EQ(wrong, 0u);
}

}  // namespace
}  // namespace gstage::hw
