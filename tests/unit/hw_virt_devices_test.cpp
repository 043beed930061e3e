// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "softmmu/base/format.h"
#include "hw/riscv/virt_devices.h"

#include "tests/unit/hw_fakes.h"

namespace gstage::hw {
namespace {

constexpr std::uint32_t kBlk = 2, kConsole = 3, kRng = 4;

class VirtDevicesTest : public testing::Test {
 protected:
  VirtDevicesTest() : disk_(testing::TempDir() + format("gstage-devices-%d.img", getpid())) {
    std::ofstream(disk_, std::ios::binary) << std::string(4096, 'd');
  }
  void drive(const std::string& id, const std::string& interface) {
    DriveOptions options;
    options.id = id;
    options.file = disk_;
    options.interface = interface;
    options.is_read_only = true;  // so that one file serves two drives
    options_.drives.push_back(options);
  }
  void device(const std::string& driver, std::vector<Property> properties = {}) {
    options_.devices.push_back({driver, std::move(properties)});
  }
  /// The device ids by slot, 0 for an empty one; all zero after an error, which goes to `refusal_`.
  std::array<std::uint32_t, kVirtioSlots> make() {
    std::array<std::uint32_t, kVirtioSlots> ids{};
    slots_ = {};
    auto slots = VirtDevices(options_).make();
    refusal_ = slots.ok() ? "" : slots.error().message;
    if (!slots.ok()) return ids;
    slots_ = std::move(*slots);
    for (unsigned i = 0; i < kVirtioSlots; ++i) ids[i] = slots_[i] == nullptr ? 0 : slots_[i]->id();
    return ids;
  }
  void expect_refusal(const std::string& part) {
    make();
    EXPECT_NE(refusal_.find(part), std::string::npos) << "wanted: " << part << "\ngot: " << refusal_;
    options_.devices.clear();
  }

  std::string disk_;
  MachineOptions options_;
  VirtioSlots slots_;
  std::string refusal_;
};

using Ids = std::array<std::uint32_t, kVirtioSlots>;

TEST_F(VirtDevicesTest, FirstDeviceTakesTheHighestSlot) {
  drive("d", "none");
  device("virtio-rng-device");
  device("virtio-serial-device");
  device("virtio-blk-device", {{"drive", "d"}});
  EXPECT_EQ(make(), (Ids{0, 0, 0, 0, 0, kBlk, kConsole, kRng})) << refusal_;
}

TEST_F(VirtDevicesTest, BusChoosesTheSlot) {
  device("virtio-rng-device", {{"bus", "virtio-mmio-bus.7"}});
  device("virtio-serial-device");
  device("virtio-rng-device", {{"bus", "virtio-mmio-bus.0"}});
  EXPECT_EQ(make(), (Ids{kRng, 0, 0, 0, 0, 0, kConsole, kRng})) << refusal_;
}

TEST_F(VirtDevicesTest, DrivesWithoutDeviceGetOneAfterTheNamedDevices) {
  drive("", "virtio");
  drive("", "virtio");
  device("virtio-rng-device");
  EXPECT_EQ(make(), (Ids{0, 0, 0, 0, 0, kBlk, kBlk, kRng})) << refusal_;
}

TEST_F(VirtDevicesTest, DrivesThatNobodyUsesAreOpenedAllTheSame) {
  drive("d", "none");
  EXPECT_EQ(make(), Ids{});
  EXPECT_EQ(refusal_, "");
  options_.drives[0].file = "/nonexistent/disk";
  make();
  EXPECT_NE(refusal_.find("/nonexistent/disk"), std::string::npos) << refusal_;
}

TEST_F(VirtDevicesTest, PortsGoToTheirBus) {
  options_.chardevs["c"] = std::make_shared<FakeChardev>();
  device("virtio-serial-device", {{"id", "first"}});
  device("virtio-serial-device", {{"id", "second"}});
  device("virtconsole", {{"chardev", "c"}});
  device("virtconsole", {});
  device("virtserialport", {{"bus", "second.0"}, {"name", "agent"}});
  make();
  ASSERT_EQ(refusal_, "");
  const auto& first = static_cast<const VirtioConsole&>(*slots_[7]);
  const auto& second = static_cast<const VirtioConsole&>(*slots_[6]);
  EXPECT_TRUE(first.has_port(0));
  EXPECT_TRUE(first.has_port(1));
  EXPECT_FALSE(first.has_port(2));
  EXPECT_FALSE(second.has_port(0)) << "port 0 is for consoles";
  EXPECT_TRUE(second.has_port(1));
}

TEST_F(VirtDevicesTest, RandomNumbersFromAnObject) {
  options_.objects.push_back({"rng-random", {{"id", "r"}, {"filename", "/dev/urandom"}}});
  device("virtio-rng-device", {{"rng", "r"}});
  EXPECT_EQ(make()[7], kRng) << refusal_;
  options_.objects[0].properties[1].value = "/nonexistent/entropy";
  make();
  EXPECT_NE(refusal_.find("/nonexistent/entropy"), std::string::npos) << refusal_;
  options_.objects[0] = {"rng-builtin", {{"id", "r"}}};
  EXPECT_EQ(make()[7], kRng) << refusal_;
}

TEST_F(VirtDevicesTest, Refusals) {
  drive("d", "none");
  device("frobnicator");
  expect_refusal("-device frobnicator: there is no such device");
  device("virtio-net-device");
  expect_refusal("-device virtio-net-device is not supported yet");
  device("virtio-blk-device");
  expect_refusal("needs drive=");
  device("virtio-blk-device", {{"drive", "e"}});
  expect_refusal("no drive 'e'");
  device("virtio-blk-device", {{"drive", "d"}});
  device("virtio-blk-device", {{"drive", "d"}});
  expect_refusal("has a device already");
  device("virtio-blk-device", {{"drive", "d"}, {"sreial", "1"}});
  expect_refusal("no property 'sreial'");
  device("virtio-blk-device", {{"drive", "d"}, {"queue-size", "100"}});
  expect_refusal("power of two");
  device("virtio-rng-device", {{"bus", "virtio-mmio-bus.8"}});
  expect_refusal("there is no bus 'virtio-mmio-bus.8'");
  device("virtio-rng-device", {{"bus", "pcie.0"}});
  expect_refusal("there is no bus 'pcie.0'");
  device("virtio-rng-device", {{"bus", "virtio-mmio-bus.3"}});
  device("virtio-rng-device", {{"bus", "virtio-mmio-bus.3"}});
  expect_refusal("is taken already");
  for (int i = 0; i < 9; ++i) device("virtio-rng-device");
  expect_refusal("all 8 virtio slots are taken");
  device("virtconsole");
  expect_refusal("put -device virtio-serial-device before it");
  device("virtio-serial-device");
  device("virtconsole", {{"chardev", "none-such"}});
  expect_refusal("no chardev 'none-such'");
  device("virtio-serial-device", {{"max_ports", "32"}});
  expect_refusal("too large");
  device("virtio-serial-device", {{"max_ports", "1"}});
  device("virtserialport");
  expect_refusal("port 1 is taken or beyond max_ports");
  options_.drives[0].interface = "ide";
  expect_refusal("if=ide is not supported yet");
}

TEST_F(VirtDevicesTest, TwoDrivesWithOneId) {
  drive("d", "none");
  drive("d", "none");
  expect_refusal("two drives have the id 'd'");
}

TEST(VirtDevicesHelpTest, NamesEveryDriver) {
  const std::string text = *VirtDevices::help("");
  for (const char* name :
       {"virtio-blk-device", "virtio-rng-device", "virtio-serial-device", "virtconsole", "loader"})
    EXPECT_NE(text.find(name), std::string::npos) << name;
}

}  // namespace
}  // namespace gstage::hw
