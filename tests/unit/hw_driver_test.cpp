// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "softmmu/base/format.h"
#include "hw/core/driver.h"
#include "hw/riscv/virt_map.h"
#include "hw/virtio/console.h"
#include "hw/virtio/virtio_mmio.h"

#include "tests/unit/hw_fakes.h"

namespace gstage::hw {
namespace {

constexpr std::uint32_t kBlk = 2, kConsole = 3, kRng = 4;

class DriverTest : public testing::Test {
 protected:
  DriverTest() : disk_(testing::TempDir() + format("gstage-devices-%d.img", getpid())) {
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
  /// The device ids by slot, 0 for an empty one; after an error, which goes to `refusal_`, up to there.
  std::array<std::uint32_t, kVirtioSlots> make() {
    machine_ = std::make_unique<Machine>();
    refusal_ = machine_->make(options_);
    std::array<std::uint32_t, kVirtioSlots> ids{};
    for (unsigned i = 0; i < kVirtioSlots; ++i)
      if (const VirtioDevice* const device = in_slot(i)) ids[i] = device->virtio_id();
    return ids;
  }
  const VirtioDevice* in_slot(unsigned slot) const {
    const auto& devices = machine_->slots[slot]->buses()[0]->devices();
    return devices.empty() ? nullptr : static_cast<const VirtioDevice*>(devices[0].get());
  }
  void expect_refusal(const std::string& part) {
    make();
    EXPECT_NE(refusal_.find(part), std::string::npos) << "wanted: " << part << "\ngot: " << refusal_;
    options_.devices.clear();
  }

  /// A board of virtio slots, the highest one first.
  struct Machine {
    struct Root final : Device {
      Root() : bus(add_bus(std::make_unique<Bus>("System", "main"))) {}
      ~Root() override { clear_buses(); }
      [[nodiscard]] const char* driver() const override { return "board"; }
      Bus& bus;
    };
    Machine() {
      EXPECT_TRUE(memory.add_ram("ram", Paddr{0x8000'0000}, kPageSize).ok());
      memory.seal();
      for (unsigned slot = kVirtioSlots; slot-- > 0;) {
        auto made = std::make_unique<VirtioMmio>(VirtioParts{memory, workers}, IrqLine(),
                                                 format("virtio-mmio-bus.%u", slot));
        slots[slot] = made.get();
        EXPECT_TRUE(root.bus.plug(std::move(made)).ok());
      }
    }
    /// The first refusal, or nothing.
    std::string make(const MachineOptions& options) {
      auto back_ends = BackEnds::open(options);
      if (!back_ends.ok()) return back_ends.error().message;
      DeviceWorld world{memory, workers, **back_ends, 1, options.globals};
      for (const DeviceOptions& device : options.devices)
        if (Status status = add_device(root, world, device); !status.ok()) return status.error().message;
      return "";
    }
    AddressSpace memory;
    WorkerPool workers{0};
    Root root;
    std::array<VirtioMmio*, kVirtioSlots> slots{};
  };

  std::string disk_;
  MachineOptions options_;
  std::unique_ptr<Machine> machine_;
  std::string refusal_;
};

using Ids = std::array<std::uint32_t, kVirtioSlots>;

TEST_F(DriverTest, FirstDeviceTakesTheHighestSlot) {
  drive("d", "none");
  device("virtio-rng-device");
  device("virtio-serial-device");
  device("virtio-blk-device", {{"drive", "d"}});
  EXPECT_EQ(make(), (Ids{0, 0, 0, 0, 0, kBlk, kConsole, kRng})) << refusal_;
}

TEST_F(DriverTest, BusChoosesTheSlot) {
  device("virtio-rng-device", {{"bus", "virtio-mmio-bus.7"}});
  device("virtio-serial-device");
  device("virtio-rng-device", {{"bus", "virtio-mmio-bus.0"}});
  EXPECT_EQ(make(), (Ids{kRng, 0, 0, 0, 0, 0, kConsole, kRng})) << refusal_;
}

TEST_F(DriverTest, DrivesThatNobodyUsesAreOpenedAllTheSame) {
  drive("d", "none");
  EXPECT_EQ(make(), Ids{});
  EXPECT_EQ(refusal_, "");
  options_.drives[0].file = "/nonexistent/disk";
  make();
  EXPECT_NE(refusal_.find("/nonexistent/disk"), std::string::npos) << refusal_;
}

TEST_F(DriverTest, PortsGoToTheirBus) {
  options_.chardevs["c"] = std::make_shared<FakeChardev>();
  device("virtio-serial-device", {{"id", "first"}});
  device("virtio-serial-device", {{"id", "second"}});
  device("virtconsole", {{"chardev", "c"}});
  device("virtconsole", {});
  device("virtserialport", {{"bus", "second.0"}, {"name", "agent"}});
  make();
  ASSERT_EQ(refusal_, "");
  const auto& first = static_cast<const VirtioConsole&>(*in_slot(7));
  const auto& second = static_cast<const VirtioConsole&>(*in_slot(6));
  EXPECT_TRUE(first.has_port(0));
  EXPECT_TRUE(first.has_port(1));
  EXPECT_FALSE(first.has_port(2));
  EXPECT_FALSE(second.has_port(0)) << "port 0 is for consoles";
  EXPECT_TRUE(second.has_port(1));
}

TEST_F(DriverTest, RandomNumbersFromAnObject) {
  options_.objects.push_back({"rng-random", {{"id", "r"}, {"filename", "/dev/urandom"}}});
  device("virtio-rng-device", {{"rng", "r"}});
  EXPECT_EQ(make()[7], kRng) << refusal_;
  options_.objects[0].properties[1].value = "/nonexistent/entropy";
  make();
  EXPECT_NE(refusal_.find("/nonexistent/entropy"), std::string::npos) << refusal_;
  options_.objects[0] = {"rng-builtin", {{"id", "r"}}};
  EXPECT_EQ(make()[7], kRng) << refusal_;
}

TEST_F(DriverTest, Refusals) {
  drive("d", "none");
  device("frobnicator");
  expect_refusal("-device frobnicator: there is no such device");
  device("virtio-gpu-device");
  expect_refusal("-device virtio-gpu-device is not supported yet");
  device("virtio-net-device", {{"netdev", "n"}});
  expect_refusal("there is no network 'n'; add -netdev user,id=n");
  for (const auto& [name, value] :
       {std::pair{"mac", "53:54:00:12:34:56"}, std::pair{"rx_queue_size", "100"},
        std::pair{"rx_queue_size", "8"}, std::pair{"host_mtu", "60"}, std::pair{"duplex", "x"},
        std::pair{"speed", "x"}, std::pair{"rss", "on"}, std::pair{"csum", "maybe"}}) {
    device("virtio-net-device", {{name, value}});
    expect_refusal(name);
  }
  device("virtio-blk-pci-transitional");
  expect_refusal("there is no legacy virtio interface: leave -transitional out");
  device("virtio-blk-device", {{"drive", "d"}, {"logical_block_size", "1000"}});
  expect_refusal("must be powers of two");
  device("virtio-blk-device", {{"drive", "d"}, {"logical_block_size", "4096"}, {"min_io_size", "512"}});
  expect_refusal("must be multiples of logical_block_size (4096)");
  device("virtio-blk-device");
  expect_refusal("needs drive=");
  device("virtio-blk-device", {{"drive", "e"}});
  expect_refusal("no drive 'e'");
  device("virtio-blk-device", {{"drive", "d"}});
  device("virtio-blk-device", {{"drive", "d"}});
  expect_refusal("has a device already");
  device("virtio-blk-device", {{"drive", "d"}, {"sreial", "1"}});
  expect_refusal("no property 'sreial'");
  device("virtio-blk-device", {{"drive", "d"}, {"account-failed", "on"}});
  expect_refusal("account-failed= is not supported yet");
  device("virtio-rng-device", {{"id", "r"}});
  device("virtio-rng-device", {{"id", "r"}});
  expect_refusal("another device has the id 'r'");
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
  expect_refusal("all buses for it are full (virtio-mmio-bus.7, ");
  device("virtconsole");
  expect_refusal("there is no virtio-serial-bus for it");
  device("virtio-serial-device");
  device("virtconsole", {{"chardev", "none-such"}});
  expect_refusal("no chardev 'none-such'");
  device("virtio-serial-device", {{"max_ports", "32"}});
  expect_refusal("max_ports=32 is not a number from 1 to 31");
  device("virtio-serial-device", {{"max_ports", "1"}});
  device("virtserialport");
  expect_refusal("port 1 is taken or beyond max_ports");
  options_.drives[0].interface = "ide";
  expect_refusal("if=ide is not supported yet");
}

TEST_F(DriverTest, ADriveThatNobodyNamedHasADeviceByItself) {
  drive("named", "virtio");
  drive("free", "virtio");
  drive("kept", "none");
  auto back_ends = BackEnds::open(options_);
  ASSERT_TRUE(back_ends.ok());
  ASSERT_TRUE((*back_ends)->take_drive("-device x", "named").ok());
  EXPECT_EQ((*back_ends)->implied_drives(), std::vector<std::string>{"free"});
}

TEST_F(DriverTest, ADeviceTakesANodeAsItTakesADrive) {
  auto node = read_block_options("-blockdev", {{"driver", "file"}, {"node-name", "n"}, {"filename", disk_}});
  ASSERT_TRUE(node.ok()) << node.error().message;
  options_.blockdevs.push_back(*node);
  device("virtio-blk-device", {{"drive", "n"}});
  EXPECT_EQ(make()[kVirtioSlots - 1], kBlk) << refusal_;
  device("virtio-blk-device", {{"drive", "n"}});
  machine_.reset();
  expect_refusal("the node 'n' is in use already");
  options_.blockdevs.push_back(*node);
  machine_.reset();
  expect_refusal("the node-name 'n' is given twice");
}

TEST_F(DriverTest, TwoDrivesWithOneId) {
  drive("d", "none");
  drive("d", "none");
  expect_refusal("two drives have the id 'd'");
}

TEST_F(DriverTest, RingPropertiesAreOffered) {
  device("virtio-rng-device", {{"event_idx", "off"}, {"queue_reset", "off"}});
  device("virtio-rng-device");
  make();
  EXPECT_EQ(in_slot(7)->ring_features(), kVersion1 | kIndirectDescriptors);
  EXPECT_EQ(in_slot(6)->ring_features(), kDefaultFeatures);
  options_.devices = {{"virtio-rng-device", {{"packed", "on"}, {"in_order", "on"}, {"iommu_platform", "on"}}},
                      {"virtio-rng-device", {{"notification_data", "on"}}}};
  make();
  EXPECT_EQ(in_slot(7)->ring_features(), kDefaultFeatures | kRingPacked | kInOrder | kAccessPlatform);
  EXPECT_EQ(in_slot(6)->ring_features(), kDefaultFeatures | kNotificationData);
}

TEST_F(DriverTest, AGlobalIsTheDefaultOfItsDriverAlone) {
  options_.globals = {{"virtio-rng-device", {{"packed", "on"}}}};
  device("virtio-rng-device");
  device("virtio-rng-device", {{"packed", "off"}});
  device("virtio-serial-device");
  make();
  EXPECT_EQ(refusal_, "");
  EXPECT_EQ(in_slot(7)->ring_features() & kRingPacked, kRingPacked);
  EXPECT_EQ(in_slot(6)->ring_features() & kRingPacked, 0u);
  EXPECT_EQ(in_slot(5)->ring_features() & kRingPacked, 0u);
}

TEST_F(DriverTest, UnnamedSerialBusesAreNumbered) {
  device("virtio-serial-device");
  device("virtio-serial-device");
  device("virtserialport", {{"bus", "virtio-serial-bus.1"}});
  make();
  EXPECT_EQ(refusal_, "");
  EXPECT_FALSE(static_cast<const VirtioConsole&>(*in_slot(7)).has_port(1));
  EXPECT_TRUE(static_cast<const VirtioConsole&>(*in_slot(6)).has_port(1));
}

/// Rows that disagree would show only when somebody uses them.
TEST(DriversTest, EveryRowIsWellFormed) {
  for (const Driver& driver : drivers()) {
    EXPECT_EQ(find_driver(driver.name), &driver) << "twice: " << driver.name;
    std::vector<PropertyRow> all;
    for (const PropertyRows rows : driver.properties)
      for (const PropertyRow& row : rows) {
        EXPECT_EQ(find_property(all, row.name), nullptr) << driver.name << " has " << row.name << " twice";
        EXPECT_TRUE(row.use != PropertyUse::kRead || row.help[0] != '\0') << driver.name << " " << row.name;
        all.push_back(row);
      }
    EXPECT_EQ(drivers_help(driver.name).ok(), driver.create != nullptr) << driver.name;
  }
}

TEST(DriversHelpTest, NamesEveryDriver) {
  const std::string text = *drivers_help("");
  for (const char* name :
       {"virtio-blk-device", "virtio-rng-device", "virtio-serial-device", "virtconsole", "loader"})
    EXPECT_NE(text.find(name), std::string::npos) << name;
}

}  // namespace
}  // namespace gstage::hw
