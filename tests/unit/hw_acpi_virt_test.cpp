// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "hw/misc/fw_cfg.h"
#include "hw/riscv/boards.h"

#include "tests/unit/aml_reader.h"
#include "tests/unit/hw_fakes.h"

namespace gstage::hw::acpi {
namespace {

/// The files of a machine's fw_cfg by name, read as a guest reads them.
std::map<std::string, Octets> read_files(Device& root) {
  std::map<std::string, Octets> files;
  for_each_device(root, [&files](Device& device) {
    if (std::string(device.driver()) != "fw_cfg_mem") return;
    auto& fw_cfg = static_cast<FwCfg&>(device);
    const auto number = [&fw_cfg](unsigned bytes) {
      std::uint64_t value = 0;
      for (unsigned i = 0; i < bytes; ++i) value = value << 8 | get(fw_cfg, 0, 1);
      return value;
    };
    const auto select = [&fw_cfg](std::uint64_t key) {
      set(fw_cfg, 8, __builtin_bswap16(static_cast<std::uint16_t>(key)), 2);
    };
    struct File {
      std::uint64_t size, key;
      std::string name;
    };
    std::vector<File> directory;
    select(FwCfg::kFileDirectory);
    for (std::uint64_t left = number(4); left > 0; --left) {
      File file{number(4), number(2), ""};
      number(2);
      for (unsigned i = 0; i < 56; ++i)
        if (const auto character = static_cast<char>(number(1)); character != 0) file.name += character;
      directory.push_back(file);
    }
    for (const File& file : directory) {
      select(file.key);
      for (std::uint64_t i = 0; i < file.size; ++i)
        files[file.name].push_back(static_cast<std::uint8_t>(number(1)));
    }
  });
  return files;
}

std::map<std::string, Octets> files_of(std::vector<Property> properties, unsigned harts = 2,
                                       const NumaOptions& numa = {}) {
  MachineOptions options;
  options.engine.accel = Accel::kInterp;
  options.machine.properties = std::move(properties);
  options.harts = harts;
  options.numa = numa;
  options.bios = "none";
  FakeControl control;
  auto machine = kVirtBoard.create(options, control);
  EXPECT_TRUE(machine.ok()) << machine.error().message;
  return machine.ok() ? read_files((*machine)->devices()) : std::map<std::string, Octets>{};
}

/// The namespace of a board.
AmlReader names_of(std::vector<Property> properties, unsigned harts = 2) {
  return AmlReader(AcpiFirmware(files_of(std::move(properties), harts)).table("DSDT"));
}

TEST(VirtAcpiTest, TablesAreThereUnlessTheyAreSwitchedOff) {
  for (const char* choice : {"on", "auto"})
    EXPECT_EQ(files_of({{"acpi", choice}}).count("etc/table-loader"), 1u) << choice;
  EXPECT_EQ(files_of({}).count("etc/acpi/rsdp"), 1u);
  const auto files = files_of({{"acpi", "off"}});
  for (const char* file : {"etc/acpi/rsdp", "etc/acpi/tables", "etc/table-loader"})
    EXPECT_EQ(files.count(file), 0u) << file;
}

TEST(VirtAcpiTest, OtherChoicesAreRefused) {
  MachineOptions options;
  options.machine.properties = {{"acpi", "maybe"}};
  FakeControl control;
  const auto machine = kVirtBoard.create(options, control);
  ASSERT_FALSE(machine.ok());
  EXPECT_EQ(machine.error().message, "-machine virt: acpi=maybe is not one of on, off, auto");
}

TEST(VirtAcpiTest, NamespaceHasTheDevicesThatNoBusEnumerates) {
  const AmlReader names = names_of({});
  EXPECT_EQ(names.text("_SB_.C000._HID"), "ACPI0007");
  EXPECT_EQ(names.integer("_SB_.C001._UID"), 1u);
  EXPECT_FALSE(names.has("_SB_.C002._HID"));
  EXPECT_EQ(names.text("_SB_.COM0._HID"), "RSCV0003");
  EXPECT_EQ(names.text("_SB_.FWCF._HID"), "QEMU0002");
  EXPECT_EQ(names.text("_SB_.VR07._HID"), "LNRO0005");
  EXPECT_EQ(names.integer("_SB_.VR07._UID"), 7u);
  EXPECT_EQ(names.integer("_SB_.VR07._CCA"), 1u);
  const Octets slot = names.buffer("_SB_.VR07._CRS");
  EXPECT_EQ(number_at(slot, 4, 4), 0x1000'8000u);
  EXPECT_EQ(number_at(slot, 8, 4), 0x1000u);
  EXPECT_EQ(number_at(slot, 12 + 5, 4), 8u) << "the wire";
  const Octets console = names.buffer("_SB_.COM0._CRS");
  EXPECT_EQ(number_at(console, 4, 4), 0x1000'0000u);
  EXPECT_EQ(number_at(console, 12 + 5, 4), 10u);
}

TEST(VirtAcpiTest, InterruptControllerOfSupervisorsIsADevice) {
  const struct {
    const char* aia;
    const char* id;
    std::uint64_t base;
  } rows[] = {{"none", "RSCV0001", 0xc00'0000},
              {"aplic", "RSCV0002", 0xd00'0000},
              {"aplic-imsic", "RSCV0002", 0xd00'0000}};
  for (const auto& row : rows) {
    const AmlReader names = names_of({{"aia", row.aia}});
    EXPECT_EQ(names.text("_SB_.IC00._HID"), row.id);
    EXPECT_EQ(names.integer("_SB_.IC00._GSB"), 0u);
    EXPECT_EQ(number_at(names.buffer("_SB_.IC00._CRS"), 4, 4), row.base) << row.aia;
  }
}

TEST(VirtAcpiTest, HostBridge) {
  const AmlReader names = names_of({});
  const std::string bridge = "_SB_.PCI0.";
  EXPECT_EQ(names.integer(bridge + "_HID"), 0x080a'd041u) << "PNP0A08";
  EXPECT_EQ(names.integer(bridge + "_CBA"), 0x3000'0000u);
  EXPECT_EQ(names.integer(bridge + "_CCA"), 1u);
  const Octets windows = names.buffer(bridge + "_CRS");
  EXPECT_EQ(windows.size(), 16u + 26 + 26 + 46 + 2);
  EXPECT_EQ(number_at(windows, 16 + 10, 4), 0x4000'0000u);
  EXPECT_EQ(number_at(windows, 16 + 26 + 18, 4), 0x300'0000u) << "where I/O is";
  EXPECT_EQ(number_at(windows, 16 + 26 + 26 + 14, 8), 0x4'0000'0000u);
  EXPECT_EQ(number_at(names.buffer(bridge + "RES0._CRS"), 14, 8), 0x3000'0000u);
  EXPECT_TRUE(names.has(bridge + "_OSC"));
}

TEST(VirtAcpiTest, PinsOfSlotsSwizzleOverFourWires) {
  const AmlReader names = names_of({});
  const char* links[] = {"LNKA", "LNKB", "LNKC", "LNKD"};
  for (unsigned wire = 0; wire < 4; ++wire) {
    const Octets resources = names.buffer(std::string("_SB_.") + links[wire] + "._CRS");
    EXPECT_EQ(resources[3], 0x09) << "consumed, level-triggered, active-high, shared";
    EXPECT_EQ(number_at(resources, 5, 4), 32 + wire);
  }
  const Octets routes = names.objects().at("_SB_.PCI0._PRT");
  const std::string text(routes.begin(), routes.end());
  // Slot 2, pin INTC#: a package of 4 elements, 0x2ffff, 2, the link, 0.
  const std::string route({0x04, 0x0c, '\xff', '\xff', 0x02, 0x00, 0x0a, 0x02, 'L', 'N', 'K', 'A', 0x00});
  EXPECT_NE(text.find(route), std::string::npos);
}

TEST(VirtAcpiTest, HartsAreThoseOfTheCpuOption) {
  const AcpiFirmware firmware(files_of({{"aia", "aplic-imsic"}, {"aia-guests", "3"}}, 4));
  const Octets rhct = firmware.table("RHCT");
  const std::string isa(rhct.begin() + 64, rhct.begin() + 64 + static_cast<long>(number_at(rhct, 62, 2)) - 1);
  EXPECT_EQ(isa.substr(0, 5), "rv64i");
  EXPECT_NE(isa.find("_ssaia"), std::string::npos);
  const auto madt = structures(firmware.table("APIC"), 44);
  ASSERT_EQ(madt.size(), 6u);
  EXPECT_EQ(number_at(madt[3], 24, 8), 0x2800'c000u);
  EXPECT_EQ(madt[4].at(12), 2u) << "guest index bits";
  EXPECT_EQ(number_at(madt[5], 24, 8), 0xd00'0000u) << "the supervisors' domain";
  EXPECT_EQ(number_at(madt[5], 18, 2), 96u);
}

TEST(VirtAcpiTest, PlicHasItsSourcesAndPriorities) {
  const auto madt = structures(AcpiFirmware(files_of({}, 1)).table("APIC"), 44);
  ASSERT_EQ(madt.size(), 2u);
  EXPECT_EQ(number_at(madt[1], 12, 2), 95u);
  EXPECT_EQ(number_at(madt[1], 14, 2), 7u);
  EXPECT_EQ(number_at(madt[1], 24, 8), 0xc00'0000u);
}

TEST(VirtAcpiTest, ManyHartsHaveNamesOfTheirOwn) {
  const AmlReader names = names_of({}, 300);
  EXPECT_EQ(names.integer("_SB_.C12B._UID"), 299u);
}

TEST(VirtAcpiTest, NodesOfNumaAreProximityDomains) {
  NumaOptions numa;
  numa.nodes = {{64 << 20, ""}, {64 << 20, ""}};
  numa.node_of_hart = {0, 1};
  const AcpiFirmware firmware(files_of({}, 2, numa));
  const auto srat = structures(firmware.table("SRAT"), 48);
  ASSERT_EQ(srat.size(), 4u);
  EXPECT_EQ(number_at(srat[1], 4, 4), 1u);
  EXPECT_EQ(number_at(srat[3], 8, 8), 0x8400'0000u);
}

}  // namespace
}  // namespace gstage::hw::acpi
