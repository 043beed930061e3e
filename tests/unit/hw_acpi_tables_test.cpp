// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "hw/acpi/table.h"
#include "hw/acpi/table_files.h"
#include "hw/acpi/tables.h"

#include "tests/unit/acpi_firmware.h"

namespace gstage::hw::acpi {
namespace {

Octets octets(const Bytes& bytes) { return {bytes.span().begin(), bytes.span().end()}; }

/// Takes a structure's fields one after the other, and says at the end whether all were taken.
class Fields {
 public:
  explicit Fields(Octets bytes, std::size_t at = 0) : bytes_(std::move(bytes)), at_(at) {}
  std::uint64_t next(unsigned size) {
    at_ += size;
    return number_at(bytes_, at_ - size, size);
  }
  [[nodiscard]] bool is_end() const { return at_ == bytes_.size(); }

 private:
  const Octets bytes_;
  std::size_t at_;
};

Description board_of(WireController::Kind kind, unsigned harts = 3) {
  Description board;
  board.harts = {harts, 10'000'000, "rv64ima", "riscv,sv48", 64, 0, 128};
  board.wires = {kind, {0xc00'0000, 0x60'0000}, 95, 7};
  board.imsics = {0x2800'0000, 255, 2};
  board.uart = {{0x1000'0000, 0x100}, 10};
  board.uart_clock_hz = 3'686'400;
  board.fw_cfg = {0x1010'0000, 0x18};
  board.virtio_slots = {{{0x1000'1000, 0x1000}, 1}};
  board.pci.ecam = {0x3000'0000, 0x1000'0000};
  board.pci.io = {0x300'0000, 0x1'0000};
  board.pci.memory32 = {0x4000'0000, 0x4000'0000};
  board.pci.memory64 = {0x4'0000'0000, 0x4'0000'0000};
  board.pci.first_gsi = 32;
  board.ram_base = 0x8000'0000;
  return board;
}

using Kind = WireController::Kind;

TEST(AcpiTableTest, HeaderAndChecksum) {
  const Octets table = octets(make_table("TEST", 9, {0x11, 0x22}));
  EXPECT_EQ(std::string(table.begin(), table.begin() + 4), "TEST");
  EXPECT_EQ(number_at(table, 4, 4), 38u);
  EXPECT_EQ(table[8], 9u);
  EXPECT_EQ(std::string(table.begin() + 10, table.begin() + 16), "GSTAGE");
  EXPECT_EQ(std::string(table.begin() + 16, table.begin() + 24), "VIRT    ");
  EXPECT_EQ(table[36], 0x11u);
  EXPECT_EQ(sum_of(table, 0, table.size()), 0u);
  EXPECT_EQ(checksum(std::span<const std::uint8_t>()), 0u);
}

TEST(AcpiFadtTest, IsOfHardwareReducedAcpiWithoutOldAddresses) {
  const Octets table = octets(make_fadt());
  EXPECT_EQ(table.size(), 276u);
  EXPECT_EQ(table[8], 6u);
  EXPECT_EQ(number_at(table, 112, 4), 1u << 20);
  EXPECT_EQ(table[131], 6u);
  EXPECT_EQ(number_at(table, 36, 8), 0u) << "FACS and the 32-bit DSDT";
  EXPECT_EQ(number_at(table, kDsdtPointerOffset, 8), 0u) << "the loader adds the address";
  for (std::size_t at = 148; at < 268; ++at) EXPECT_EQ(table[at], 0u) << "a register at " << at;
}

TEST(AcpiMadtTest, PlicHasTheSupervisorsContexts) {
  const Octets table = octets(make_madt(board_of(Kind::kPlic)));
  const auto all = structures(table, 44);
  ASSERT_EQ(all.size(), 4u);
  for (unsigned hart = 0; hart < 3; ++hart) {
    Fields rintc(all[hart]);
    EXPECT_EQ(rintc.next(1), 0x18u);
    EXPECT_EQ(rintc.next(1), 36u);
    EXPECT_EQ(rintc.next(1), 1u);
    EXPECT_EQ(rintc.next(1), 0u);
    EXPECT_EQ(rintc.next(4), 1u) << "enabled";
    EXPECT_EQ(rintc.next(8), hart);
    EXPECT_EQ(rintc.next(4), hart);
    EXPECT_EQ(rintc.next(4), 2 * hart + 1);
    EXPECT_EQ(rintc.next(8), 0u);
    EXPECT_EQ(rintc.next(4), 0u);
    EXPECT_TRUE(rintc.is_end());
  }
  Fields plic(all[3]);
  for (const auto& [size, value] : std::initializer_list<std::pair<unsigned, std::uint64_t>>{{1, 0x1b},
                                                                                             {1, 36},
                                                                                             {1, 1},
                                                                                             {1, 0},
                                                                                             {8, 0},
                                                                                             {2, 95},
                                                                                             {2, 7},
                                                                                             {4, 0},
                                                                                             {4, 0x60'0000},
                                                                                             {8, 0xc00'0000},
                                                                                             {4, 0}})
    EXPECT_EQ(plic.next(size), value);
  EXPECT_TRUE(plic.is_end());
}

TEST(AcpiMadtTest, AplicAloneHasADeliveryControlForEachHart) {
  const auto all = structures(octets(make_madt(board_of(Kind::kAplic))), 44);
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(number_at(all[2], 20, 4), 2u) << "the delivery control of hart 2";
  EXPECT_EQ(number_at(all[2], 24, 8), 0u);
  Fields aplic(all[3]);
  for (const auto& [size, value] : std::initializer_list<std::pair<unsigned, std::uint64_t>>{{1, 0x1a},
                                                                                             {1, 36},
                                                                                             {1, 1},
                                                                                             {1, 0},
                                                                                             {4, 0},
                                                                                             {8, 0},
                                                                                             {2, 3},
                                                                                             {2, 95},
                                                                                             {4, 0},
                                                                                             {8, 0xc00'0000},
                                                                                             {4, 0x60'0000}})
    EXPECT_EQ(aplic.next(size), value);
  EXPECT_TRUE(aplic.is_end());
}

TEST(AcpiMadtTest, ImsicsHaveThePagesOfEachHartAndItsGuests) {
  const auto all = structures(octets(make_madt(board_of(Kind::kAplicWithImsics))), 44);
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(number_at(all[2], 24, 8), 0x2800'8000u);
  EXPECT_EQ(number_at(all[2], 32, 4), 0x4000u) << "bytes: its own page and three guests'";
  Fields imsic(all[3]);
  for (const auto& [size, value] : std::initializer_list<std::pair<unsigned, std::uint64_t>>{
           {1, 0x19}, {1, 16}, {1, 1}, {1, 0}, {4, 0}, {2, 255}, {2, 255}, {1, 2}, {1, 2}, {1, 0}, {1, 24}})
    EXPECT_EQ(imsic.next(size), value);
  EXPECT_TRUE(imsic.is_end());
  EXPECT_EQ(all[4][0], 0x1au);
  EXPECT_EQ(number_at(all[4], 16, 2), 0u) << "messages go to interrupt files, not to delivery controls";
}

TEST(AcpiMadtTest, HartIndexHasAsManyBitsAsTheHartsTake) {
  const std::pair<unsigned, unsigned> rows[] = {{1, 0}, {2, 1}, {3, 2}, {4, 2}, {5, 3}, {512, 9}};
  for (const auto& [harts, bits] : rows) {
    const auto all = structures(octets(make_madt(board_of(Kind::kAplicWithImsics, harts))), 44);
    EXPECT_EQ(all.at(harts).at(13), bits) << harts;
  }
}

TEST(AcpiRhctTest, HartsReferToTheNodesThatTheyShare) {
  const Octets table = octets(make_rhct(board_of(Kind::kPlic).harts));
  EXPECT_EQ(number_at(table, 36, 4), 0u);
  EXPECT_EQ(number_at(table, 40, 8), 10'000'000u);
  EXPECT_EQ(number_at(table, 48, 4), 6u) << "nodes: three shared ones, three harts";
  EXPECT_EQ(number_at(table, 52, 4), 56u);
  const std::size_t isa = 56, cache = isa + 16, mmu = cache + 10, harts = mmu + 8;
  EXPECT_EQ(number_at(table, isa, 2), 0u);
  EXPECT_EQ(number_at(table, isa + 2, 2), 16u);
  EXPECT_EQ(number_at(table, isa + 6, 2), 8u) << "the string's length, with its end";
  EXPECT_EQ(std::string(table.begin() + isa + 8, table.begin() + isa + 16), std::string("rv64ima\0", 8));
  EXPECT_EQ(number_at(table, cache, 2), 1u);
  EXPECT_EQ(number_at(table, cache + 6, 4), 0x07'00'06'00u) << "reserved, 2^6, none, 2^7";
  EXPECT_EQ(number_at(table, mmu, 2), 2u);
  EXPECT_EQ(number_at(table, mmu + 6, 2), 0x01'00u) << "Sv48";
  for (unsigned hart = 0; hart < 3; ++hart) {
    Fields node(table, harts + hart * 24);
    EXPECT_EQ(node.next(2), 0xffffu);
    EXPECT_EQ(node.next(2), 24u);
    EXPECT_EQ(node.next(2), 1u);
    EXPECT_EQ(node.next(2), 3u);
    EXPECT_EQ(node.next(4), hart);
    EXPECT_EQ(node.next(4), isa);
    EXPECT_EQ(node.next(4), cache);
    EXPECT_EQ(node.next(4), mmu);
  }
  EXPECT_EQ(table.size(), harts + 3 * 24);
}

TEST(AcpiRhctTest, NodesOfWhatIsNotThereAreLeftOutAndSizesAreEven) {
  const Octets table = octets(make_rhct({1, 1, "rv64im", "riscv,none", 0, 0, 0}));
  EXPECT_EQ(number_at(table, 48, 4), 2u);
  EXPECT_EQ(number_at(table, 58, 2), 16u) << "7 bytes of text are padded";
  EXPECT_EQ(number_at(table, 62, 2), 7u);
  EXPECT_EQ(number_at(table, 72 + 6, 2), 1u) << "references of the hart";
  EXPECT_EQ(table.size(), 72u + 16);
}

TEST(AcpiPpttTest, HartsAreLeavesOfTheirPackage) {
  const Octets table = octets(make_pptt(board_of(Kind::kPlic).harts, {}));
  EXPECT_EQ(table[8], 3u);
  const auto all = structures(table, 36);
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(number_at(all[0], 4, 4) & 3, 1u) << "a package, no processor";
  EXPECT_EQ(number_at(all[0], 8, 4), 0u);
  for (unsigned hart = 0; hart < 3; ++hart) {
    EXPECT_EQ(number_at(all[hart + 1], 4, 4), 2u + 8) << "the id is a processor's, and nothing is below";
    EXPECT_EQ(number_at(all[hart + 1], 8, 4), 36u) << "the package's offset";
    EXPECT_EQ(number_at(all[hart + 1], 12, 4), hart);
    EXPECT_EQ(number_at(all[hart + 1], 16, 4), 0u);
  }
}

NumaOptions two_nodes() {
  NumaOptions numa;
  numa.nodes = {{0x1000'0000, ""}, {0, ""}, {0x3000'0000, ""}};
  numa.node_of_hart = {0, 2, 0};
  numa.distances = {10, 15, 20, 15, 10, 20, 20, 20, 10};
  return numa;
}

TEST(AcpiPpttTest, NodesWithHartsArePackages) {
  const auto all = structures(octets(make_pptt(board_of(Kind::kPlic).harts, two_nodes())), 36);
  ASSERT_EQ(all.size(), 5u) << "the node without harts has none";
  EXPECT_EQ(number_at(all[2], 12, 4), 2u);
  EXPECT_EQ(number_at(all[3], 4, 4) & 1, 1u);
  EXPECT_EQ(number_at(all[4], 8, 4), 36u + 3 * 20);
  EXPECT_EQ(number_at(all[4], 12, 4), 1u);
}

TEST(AcpiSratTest, HartsAndMemoryOfNodes) {
  Description board = board_of(Kind::kPlic);
  board.numa = two_nodes();
  const Octets table = octets(make_srat(board));
  EXPECT_EQ(table[8], 3u);
  EXPECT_EQ(number_at(table, 36, 4), 1u);
  const auto all = structures(table, 48);
  ASSERT_EQ(all.size(), 5u);
  Fields hart(all[1]);
  for (const auto& [size, value] : std::initializer_list<std::pair<unsigned, std::uint64_t>>{
           {1, 7}, {1, 20}, {2, 0}, {4, 2}, {4, 1}, {4, 1}, {4, 0}})
    EXPECT_EQ(hart.next(size), value);
  EXPECT_TRUE(hart.is_end());
  Fields memory(all[4]);
  for (const auto& [size, value] : std::initializer_list<std::pair<unsigned, std::uint64_t>>{
           {1, 1}, {1, 40}, {4, 2}, {2, 0}, {8, 0x9000'0000}, {8, 0x3000'0000}, {4, 0}, {4, 1}, {8, 0}})
    EXPECT_EQ(memory.next(size), value);
  EXPECT_TRUE(memory.is_end());
}

TEST(AcpiSlitTest, IsTheMatrixOfDistances) {
  const Octets table = octets(make_slit(two_nodes()));
  EXPECT_EQ(number_at(table, 36, 8), 3u);
  EXPECT_EQ(Octets(table.begin() + 44, table.end()), (Octets{10, 15, 20, 15, 10, 20, 20, 20, 10}));
}

TEST(AcpiSpcrTest, ConsoleIsTheUartOfTheNamespace) {
  const Octets table = octets(make_spcr(board_of(Kind::kPlic)));
  EXPECT_EQ(table[8], 4u);
  EXPECT_EQ(table[36], 0x12u);
  EXPECT_EQ(number_at(table, 40, 4), 0x01'00'08'00u) << "memory, 8 bits wide, by bytes";
  EXPECT_EQ(number_at(table, 44, 8), 0x1000'0000u);
  EXPECT_EQ(table[52], 0x10u) << "of a PLIC or APLIC";
  EXPECT_EQ(number_at(table, 54, 4), 10u);
  EXPECT_EQ(table[58], 7u) << "115200 baud";
  EXPECT_EQ(number_at(table, 64, 4), 0xffff'ffffu) << "no PCI device";
  EXPECT_EQ(number_at(table, 76, 4), 3'686'400u);
  EXPECT_EQ(number_at(table, 80, 4), 115'200u);
  EXPECT_EQ(number_at(table, 86, 2), 88u);
  EXPECT_EQ(std::string(table.begin() + 88, table.end()), std::string("\\_SB.COM0\0", 10));
  EXPECT_EQ(number_at(table, 84, 2), 10u);
}

TEST(AcpiMcfgTest, OneSegmentOfAllBuses) {
  const Octets table = octets(make_mcfg(board_of(Kind::kPlic).pci));
  EXPECT_EQ(table.size(), 60u);
  EXPECT_EQ(number_at(table, 44, 8), 0x3000'0000u);
  EXPECT_EQ(number_at(table, 52, 4), 0xff'00'0000u) << "segment 0, buses 0 to 255";
}

std::map<std::string, Octets> files_of(const Description& board) {
  const TableFiles files = make_table_files(board);
  return {{"etc/acpi/rsdp", octets(files.rsdp)},
          {"etc/acpi/tables", octets(files.tables)},
          {"etc/table-loader", octets(files.loader)}};
}

TEST(AcpiTableFilesTest, FirmwareFindsAllTables) {
  const AcpiFirmware firmware(files_of(board_of(Kind::kPlic)));
  EXPECT_EQ(firmware.signatures(),
            (std::vector<std::string>{"FACP", "APIC", "RHCT", "PPTT", "SPCR", "MCFG"}));
  EXPECT_FALSE(firmware.table("DSDT").empty());
}

TEST(AcpiTableFilesTest, NodesHaveTablesAndDistancesWhereTheyAreSaid) {
  Description board = board_of(Kind::kPlic);
  board.numa = two_nodes();
  EXPECT_FALSE(AcpiFirmware(files_of(board)).table("SLIT").empty());
  board.numa.distances.clear();
  const AcpiFirmware firmware(files_of(board));
  EXPECT_FALSE(firmware.table("SRAT").empty());
  EXPECT_TRUE(firmware.table("SLIT").empty());
}

TEST(AcpiTableFilesTest, FilesAreAllocatedBeforeAnythingIsDoneToThem) {
  const Octets commands = files_of(board_of(Kind::kPlic))["etc/table-loader"];
  EXPECT_EQ(number_at(commands, 0, 4), 1u);
  EXPECT_EQ(number_at(commands, 64, 1), 2u) << "the RSDP where PCs look for it";
  EXPECT_EQ(number_at(commands, 128, 4), 1u);
  EXPECT_EQ(number_at(commands, 128 + 64, 1), 1u);
}

}  // namespace
}  // namespace gstage::hw::acpi
