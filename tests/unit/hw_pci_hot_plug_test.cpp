// SPDX-License-Identifier: Apache-2.0
// A root port's slot: cards that come and go (PCI Express Base, section 6.7).
#include "hw/pci/hot_plug.h"

#include "tests/unit/pci_fixture.h"

namespace gstage::hw {
namespace {

using namespace pci;

class HotPlugTest : public PciTest {
 protected:
  static constexpr unsigned kPort = 1 << 3;
  static constexpr unsigned kButton = 1 << 0, kPresence = 1 << 3, kPresent = 1 << 6, kLink = 1 << 8;
  static constexpr unsigned kInterrupt = 1 << 5, kLinkEnable = 1 << 12;
  static constexpr unsigned kOn = 1 << 8, kOff = 3 << 8 | 1 << 10;
  static constexpr unsigned kAllEvents = kButton | kPresence | kInterrupt | kLinkEnable;

  HotPlugTest() : port_(plug(host_->root(), kPort, std::make_unique<PcieRootPort>("link", 4))) {
    while (get(0, kPort, express_, 1) != kCapExpress) express_ = get(0, kPort, express_ + 1, 1);
    set(0, kPort, 0x18, 0x01'01'00);
    host_->on_free_card([this](PcieRootPort& port) { freed_ += &port == &port_ ? 1 : 100; });
    port_.reset();
  }
  unsigned status() { return get(0, kPort, express_ + 0x1a, 2); }
  unsigned control() { return get(0, kPort, express_ + 0x18, 2); }
  void clear(unsigned events) { set(0, kPort, express_ + 0x1a, events, 2); }
  void control(unsigned value) { set(0, kPort, express_ + 0x18, value, 2); }
  bool is_link_up() { return (get(0, kPort, express_ + 0x12, 2) & 1 << 13) != 0; }
  PciSample& insert() {
    PciSample& card = plug(*port_.secondary(), 0, std::make_unique<PciSample>(7));
    host_->insert_card(port_);
    set(0, kPort, 0x18, 0x01'01'00);
    return card;
  }

  PcieRootPort& port_;
  unsigned express_ = 0x40;
  unsigned freed_ = 0;
};

TEST_F(HotPlugTest, TheSlotSaysWhatItHas) {
  EXPECT_NE(get(0, kPort, express_ + 2, 2) & 1 << 8, 0u) << "slot implemented";
  const std::uint32_t capabilities = get(0, kPort, express_ + 0x14);
  EXPECT_EQ(capabilities & 0x7f, 0x5bu) << "button, power, both indicators, hot plug";
  EXPECT_NE(capabilities & 1 << 18, 0u) << "no command completed";
  EXPECT_NE(get(0, kPort, express_ + 0x0c) & 1 << 20, 0u) << "link active reporting";
  EXPECT_EQ(control() & kOff, kOff);
  EXPECT_EQ(status(), 0u);
}

TEST_F(HotPlugTest, WithoutHotPlugThereIsNoSlot) {
  plug(host_->root(), 2 << 3,
       std::make_unique<PcieRootPort>("other", PcieRootPort::Slot{.port = 1, .has_hot_plug = false}));
  EXPECT_EQ(get(0, 2 << 3, express_ + 2, 2) & 1 << 8, 0u);
  EXPECT_EQ(get(0, 2 << 3, express_ + 0x14), 0u);
}

TEST_F(HotPlugTest, ACardThatComesIsToldAndItsLinkFollowsThePower) {
  control(kOff | kAllEvents);
  insert();
  EXPECT_EQ(status(), kPresent | kPresence | kButton);
  EXPECT_TRUE(wires_[1]) << "no messages: the pin";
  EXPECT_FALSE(is_link_up());
  clear(kPresence);
  EXPECT_TRUE(wires_[1]) << "the button";
  clear(kButton);
  EXPECT_FALSE(wires_[1]);
  control(kOn | kAllEvents);
  EXPECT_TRUE(is_link_up());
  EXPECT_EQ(status(), kPresent | kLink);
  EXPECT_TRUE(wires_[1]);
  clear(kLink);
  EXPECT_FALSE(wires_[1]);
  EXPECT_EQ(get(1, 0, 0), 0x5678'1234u);
}

TEST_F(HotPlugTest, EventsThatAreNotEnabledRaiseNoInterrupt) {
  control(kOff | kPresence);
  insert();
  EXPECT_FALSE(wires_[1]) << "hot-plug interrupts are off";
  control(kOff | kInterrupt | kLinkEnable);
  EXPECT_FALSE(wires_[1]) << "no event of these";
  control(kOff | kInterrupt | kPresence);
  EXPECT_TRUE(wires_[1]) << "it is there still";
}

TEST_F(HotPlugTest, AMessageGoesOutForEachEventThatComesUpWhileNoneIs) {
  unsigned msix = 0x40;
  while (get(0, kPort, msix, 1) != kCapMsix) msix = get(0, kPort, msix + 1, 1);
  set(0, kPort, kBar0, kMemory32);
  set(0, kPort, kCommand, kCommandAll, 2);
  for (unsigned word = 0; word < 4; ++word)
    store(kMemory32 + 4 * word, word == 0 ? 0x1000 : word == 2 ? 9 : 0);
  set(0, kPort, msix + 2, 1 << 15, 2);
  control(kOff | kAllEvents);
  insert();
  EXPECT_EQ(msis_.take().size(), 1u);
  EXPECT_FALSE(wires_[1]);
  control(kOn | kAllEvents);
  EXPECT_EQ(msis_.take().size(), 0u) << "an event was up already";
  clear(kPresence | kButton | kLink);
  EXPECT_FALSE(host_->ask_for_card(port_));
  EXPECT_EQ(msis_.take().size(), 1u);
}

TEST_F(HotPlugTest, TheButtonAsksAndPowerOffLetsTheCardGo) {
  insert();
  control(kOn | kAllEvents);
  clear(kPresence | kButton | kLink);
  EXPECT_FALSE(host_->ask_for_card(port_));
  EXPECT_EQ(status(), kPresent | kButton);
  clear(kButton);
  control(2 << 8 | kAllEvents);
  EXPECT_EQ(freed_, 0u) << "the indicator blinks";
  control(kOn | 1 << 10 | kAllEvents);
  EXPECT_EQ(freed_, 0u) << "power is off, the indicator is not";
  control(kOff | kAllEvents);
  EXPECT_EQ(freed_, 1u);
  control(kOff | kAllEvents);
  EXPECT_EQ(freed_, 1u) << "once";
  host_->remove_card(port_);
  EXPECT_EQ(status() & (kPresent | kPresence), kPresence);
  EXPECT_FALSE(is_link_up());
  EXPECT_EQ(get(1, 0, 0), ~0u);
  EXPECT_TRUE(host_->ask_for_card(port_)) << "it is off";
}

TEST_F(HotPlugTest, ACardThatWasLetGoIsGoneForSoftwareAtOnceAndForGood) {
  PciSample& card = insert();
  control(kOn | kAllEvents);
  clear(kPresence | kButton | kLink);
  const unsigned resets = card.resets;
  control(kOff | kAllEvents);
  EXPECT_EQ(card.resets, resets + 1);
  EXPECT_EQ(status() & kPresent, 0u);
  EXPECT_EQ(get(1, 0, 0), ~0u);
  control(kOn | kAllEvents);
  EXPECT_EQ(status() & kPresent, 0u) << "switched on again before it is removed";
  EXPECT_FALSE(is_link_up());
  EXPECT_EQ(get(1, 0, 0), ~0u);
  EXPECT_TRUE(port_.is_leaving());
  EXPECT_TRUE(host_->ask_for_card(port_));
  host_->remove_card(port_);
  EXPECT_FALSE(port_.is_leaving());
  insert();
  EXPECT_EQ(status() & kPresent, kPresent);
  EXPECT_EQ(get(1, 0, 0), 0x5678'1234u);
}

TEST_F(HotPlugTest, WhereNobodyRemovesCardsASlotThatIsOffKeepsIts) {
  host_->on_free_card(nullptr);
  insert();
  control(kOn);
  control(kOff);
  EXPECT_EQ(status() & kPresent, kPresent);
  control(kOn);
  EXPECT_EQ(get(1, 0, 0), 0x5678'1234u);
}

TEST_F(HotPlugTest, ACardIsBackAfterItWasTakenOut) {
  for (unsigned round = 0; round < 3; ++round) {
    PciSample& card = insert();
    EXPECT_EQ(card.resets, 1u);
    set(1, 0, kBar0, kMemory32);
    set(0, kPort, kMemoryBase, kMemory32 >> 16 | (kMemory32 >> 16) << 16);
    set(0, kPort, kCommand, kCommandAll, 2);
    set(1, 0, kCommand, kCommandAll, 2);
    EXPECT_EQ(load(kMemory32), 7u << 24);
    host_->remove_card(port_);
    EXPECT_EQ(load(kMemory32), kNobody) << "nobody answers";
  }
}

TEST_F(HotPlugTest, AfterAResetASlotWithACardIsOn) {
  insert();
  EXPECT_EQ(control() & kOff, kOff);
  host_->reset();
  EXPECT_EQ(control() & kOff, kOn);
  EXPECT_EQ(status(), kPresent);
  EXPECT_TRUE(is_link_up());
}

/// `device_add` and `device_del`.
class PlugTest : public PciTest {
 protected:
  PlugTest() {
    EXPECT_EQ(add({"pcie-root-port", {{"id", "rp"}, {"addr", "1"}}}), "");
    EXPECT_EQ(add({"pcie-root-port", {{"id", "fixed"}, {"addr", "2"}, {"hotplug", "off"}}}), "");
    host_->reset();
  }
  std::string add(const DeviceOptions& device) { return text(add_device(*host_, world_, device)); }
  std::string hot_add(const DeviceOptions& device) { return text(hot_plug_.add(device)); }
  static std::string text(const Status& status) { return status.ok() ? "" : status.error().message; }
  Device* find(const std::string& id) {
    Device* found = nullptr;
    for_each_device(*host_, [&](Device& device) { found = device.id() == id ? &device : found; });
    return found;
  }

  WorkerPool workers_{0};
  const MachineOptions options_;
  std::unique_ptr<BackEnds> back_ends_ = std::move(*BackEnds::open(options_));
  DeviceWorld world_{memory_, workers_, *back_ends_};
  PciHotPlug hot_plug_{*host_, *host_, world_, {}};
};

TEST_F(PlugTest, FunctionsComeAndGo) {
  EXPECT_TRUE(hot_plug_.has_slots());
  EXPECT_EQ(find_hot_plug(*host_), &hot_plug_);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(hot_add({"virtio-net-pci", {{"id", "n"}, {"bus", "rp"}}}), "");
    Device* const device = find("n");
    ASSERT_NE(device, nullptr);
    auto port = hot_plug_.slot_of(*device);
    ASSERT_TRUE(port.ok());
    EXPECT_TRUE(hot_plug_.ask(**port)) << "software never switched the slot on";
    const auto gone = hot_plug_.remove(**port);
    ASSERT_EQ(gone.size(), 1u);
    EXPECT_EQ(gone[0].id, "n");
    EXPECT_EQ(find("n"), nullptr);
  }
}

TEST_F(PlugTest, WhatCannotBePluggedIsRefusedByName) {
  EXPECT_NE(hot_add({"nonsense", {}}).find("'nonsense' is not a valid device model name"), std::string::npos);
  EXPECT_NE(hot_add({"virtio-net-pci", {}}).find("Bus 'pcie.0' does not support"), std::string::npos);
  EXPECT_NE(hot_add({"virtio-net-pci", {{"bus", "fixed"}}}).find("'fixed' does not support"),
            std::string::npos);
  EXPECT_NE(hot_add({"virtio-net-pci", {{"bus", "no"}}}).find("'no' does not support"), std::string::npos);
  EXPECT_NE(hot_add({"pci-bridge", {{"bus", "rp"}}}).find("does not support"), std::string::npos);
  EXPECT_NE(hot_add({"virtio-net-device", {}}).find("only functions of PCI"), std::string::npos);
  EXPECT_NE(hot_add({"virtio-net-pci", {{"bus", "rp"}, {"nope", "1"}}}).find("nope"), std::string::npos);
  EXPECT_EQ(hot_add({"virtio-rng-pci", {{"id", "r"}, {"bus", "rp"}}}), "");
  EXPECT_NE(hot_add({"virtio-rng-pci", {{"bus", "rp"}}}).find("taken already"), std::string::npos);
  EXPECT_FALSE(hot_plug_.slot_of(*find("rp")).ok()) << "a port stays";
}

}  // namespace
}  // namespace gstage::hw
