// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "hw/core/device.h"
#include "hw/core/system_device.h"

namespace gstage::hw {
namespace {

/// Notes what happens to it.
class Probe : public Device {
 public:
  Probe(const char* driver, std::string& events) : driver_(driver), events_(events) {}
  ~Probe() override { events_ += std::string("~") + driver_ + " "; }
  [[nodiscard]] const char* driver() const override { return driver_; }
  void reset() override {
    events_ += std::string(driver_) + " ";
    Device::reset();
  }
  Bus& grow(const char* kind, const char* name) { return add_bus(std::make_unique<Bus>(kind, name)); }

 private:
  const char* const driver_;
  std::string& events_;
};

class DeviceTreeTest : public testing::Test {
 protected:
  Probe& put(Bus& bus, const char* driver) {
    auto device = std::make_unique<Probe>(driver, events_);
    Probe& placed = *device;
    EXPECT_TRUE(bus.plug(std::move(device)).ok());
    return placed;
  }
  std::string events_;
  std::unique_ptr<Probe> root_ = std::make_unique<Probe>("board", events_);
};

TEST_F(DeviceTreeTest, ResetReachesEverythingBelow) {
  Probe& bridge = put(root_->grow("System", "main"), "bridge");
  put(bridge.grow("PCI", "pci.1"), "leaf");
  root_->reset();
  EXPECT_EQ(events_, "board bridge leaf ");
}

TEST_F(DeviceTreeTest, ABusDestroysItsDevicesInTheirOrder) {
  Bus& bus = root_->grow("System", "main");
  put(bus, "uart");
  put(bus, "plic");
  root_.reset();
  EXPECT_EQ(events_, "~board ~uart ~plic ");
}

TEST_F(DeviceTreeTest, PathsTellLikeDevicesApart) {
  Bus& bus = root_->grow("System", "main");
  Probe& first = put(bus, "slot");
  Probe& second = put(bus, "slot");
  Probe& only = put(bus, "uart");
  Probe& inner = put(second.grow("virtio-bus", "b"), "blk");
  Probe& named = put(bus, "slot");
  named.set_id("mine");
  EXPECT_EQ(root_->path(), "");
  EXPECT_EQ(first.path(), "/slot.0");
  EXPECT_EQ(inner.path(), "/slot.1/blk");
  EXPECT_EQ(only.path(), "/uart");
  EXPECT_EQ(named.path(), "/mine");
}

TEST_F(DeviceTreeTest, AWalkVisitsParentsFirst) {
  Bus& bus = root_->grow("System", "main");
  Probe& bridge = put(bus, "bridge");
  put(bus, "uart");
  put(bridge.grow("PCI", "pci.1"), "leaf");
  std::string seen;
  for_each_device(*root_, [&](Device& device) { seen += std::string(device.driver()) + " "; });
  EXPECT_EQ(seen, "board bridge leaf uart ");
}

TEST(DeviceGroupTest, IsOneNodeWhateverItsMembersSay) {
  DeviceGroup group("chip", [](FdtBuilder& fdt, const NodePlace& place, const Bus& members) {
    const auto node = fdt.node("chip", place.base);
    fdt.cell("members", static_cast<std::uint32_t>(members.devices().size()));
  });
  group.set_place({0x1000, 0x100});
  std::string events;
  ASSERT_TRUE(group.members().plug(std::make_unique<Probe>("part", events)).ok());
  FdtBuilder fdt;
  {
    const auto root = fdt.node("");
    group.describe(fdt);
  }
  const auto blob = fdt.finish();
  const std::string text(reinterpret_cast<const char*>(blob.data()), blob.size());
  EXPECT_NE(text.find("chip@1000"), std::string::npos);
  EXPECT_EQ(text.find("part"), std::string::npos);
}

}  // namespace
}  // namespace gstage::hw
