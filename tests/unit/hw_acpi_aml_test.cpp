// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "hw/acpi/aml.h"
#include "hw/acpi/resources.h"

namespace gstage::hw::acpi::aml {
namespace {

// The bytes are those of the grammar (ACPI 6.6, section 20.2) and of the descriptors (section 6.4), by hand.

using Hex = std::vector<std::uint8_t>;

Hex hex(const Term& term) { return {term.code.span().begin(), term.code.span().end()}; }
Hex hex(const Resource& resource) { return {resource.bytes.span().begin(), resource.bytes.span().end()}; }

/// Code of so many bytes.
Term filler(std::size_t size) { return {Bytes().zeroes(size)}; }

TEST(AmlDataTest, IntegersTakeTheFewestBytes) {
  EXPECT_EQ(hex(integer(0)), (Hex{0x00}));
  EXPECT_EQ(hex(integer(1)), (Hex{0x01}));
  EXPECT_EQ(hex(integer(2)), (Hex{0x0a, 2}));
  EXPECT_EQ(hex(integer(0xff)), (Hex{0x0a, 0xff}));
  EXPECT_EQ(hex(integer(0x100)), (Hex{0x0b, 0x00, 0x01}));
  EXPECT_EQ(hex(integer(0xffff)), (Hex{0x0b, 0xff, 0xff}));
  EXPECT_EQ(hex(integer(0x1'0000)), (Hex{0x0c, 0, 0, 1, 0}));
  EXPECT_EQ(hex(integer(0xffff'ffff)), (Hex{0x0c, 0xff, 0xff, 0xff, 0xff}));
  EXPECT_EQ(hex(integer(0x1'0000'0000)), (Hex{0x0e, 0, 0, 0, 0, 1, 0, 0, 0}));
}

TEST(AmlDataTest, TextsEndWithZero) { EXPECT_EQ(hex(text("AB")), (Hex{0x0d, 'A', 'B', 0})); }

TEST(AmlDataTest, BuffersSayTheirSizeTwice) {
  EXPECT_EQ(hex(buffer({0xaa, 0xbb})), (Hex{0x11, 5, 0x0a, 2, 0xaa, 0xbb}));
}

TEST(AmlDataTest, PackagesCountTheirElements) {
  EXPECT_EQ(hex(package({integer(1), text("A")})), (Hex{0x12, 6, 2, 0x01, 0x0d, 'A', 0}));
  EXPECT_EQ(hex(package({})), (Hex{0x12, 2, 0}));
}

TEST(AmlDataTest, EisaIdsPackThreeLettersAndFourDigits) {
  EXPECT_EQ(hex(eisa_id("PNP0A08")), (Hex{0x0c, 0x41, 0xd0, 0x0a, 0x08}));
  EXPECT_EQ(hex(eisa_id("PNP0C0F")), (Hex{0x0c, 0x41, 0xd0, 0x0c, 0x0f}));
}

TEST(AmlDataTest, UuidsHaveTheirFirstThreeFieldsLittleEndian) {
  EXPECT_EQ(hex(uuid("33db4d5b-1ff7-401c-9657-7441c03dd766")),
            (Hex{0x11, 0x13, 0x0a, 0x10, 0x5b, 0x4d, 0xdb, 0x33, 0xf7, 0x1f,
                 0x1c, 0x40, 0x96, 0x57, 0x74, 0x41, 0xc0, 0x3d, 0xd7, 0x66}));
}

struct LengthRow {
  std::size_t contents;  ///< bytes
  Hex length;            ///< as encoded
};

TEST(AmlLengthTest, CountsItselfAndGrowsAtItsBounds) {
  const LengthRow rows[] = {
      {0, {0x01}},
      {62, {0x3f}},
      {63, {0x41, 0x04}},
      {0xffd, {0x4f, 0xff}},
      {0xffe, {0x81, 0x00, 0x01}},
      {0xf'fffc, {0x8f, 0xff, 0xff}},
      {0xf'fffd, {0xc1, 0x00, 0x00, 0x01}},
  };
  for (const LengthRow& row : rows) {
    const Hex code = hex(else_({filler(row.contents)}));
    ASSERT_EQ(code.size(), 1 + row.length.size() + row.contents) << row.contents;
    EXPECT_EQ(code[0], 0xa1);
    EXPECT_EQ(Hex(code.begin() + 1, code.begin() + 1 + static_cast<long>(row.length.size())), row.length)
        << row.contents;
  }
}

TEST(AmlNameTest, SegmentsHaveFourCharacters) {
  EXPECT_EQ(hex(reference("_HID")), (Hex{'_', 'H', 'I', 'D'}));
  EXPECT_EQ(hex(reference("A1")), (Hex{'A', '1', '_', '_'}));
  EXPECT_EQ(hex(reference("\\")), (Hex{'\\', 0}));
  EXPECT_EQ(hex(reference("\\_SB")), (Hex{'\\', '_', 'S', 'B', '_'}));
  EXPECT_EQ(hex(reference("\\_SB.PCI0")), (Hex{'\\', 0x2e, '_', 'S', 'B', '_', 'P', 'C', 'I', '0'}));
  EXPECT_EQ(hex(reference("A.B.C")),
            (Hex{0x2f, 3, 'A', '_', '_', '_', 'B', '_', '_', '_', 'C', '_', '_', '_'}));
}

TEST(AmlObjectTest, NamesAndScopesAndDevices) {
  EXPECT_EQ(hex(name("_UID", integer(7))), (Hex{0x08, '_', 'U', 'I', 'D', 0x0a, 7}));
  EXPECT_EQ(hex(scope("\\_SB", {integer(1)})), (Hex{0x10, 7, '\\', '_', 'S', 'B', '_', 0x01}));
  EXPECT_EQ(hex(device("COM0", {integer(1), integer(0)})),
            (Hex{0x5b, 0x82, 7, 'C', 'O', 'M', '0', 0x01, 0x00}));
}

TEST(AmlObjectTest, MethodsAreSerializedAndSayHowManyArgumentsTheyTake) {
  EXPECT_EQ(hex(method("_DIS", 0, {})), (Hex{0x14, 6, '_', 'D', 'I', 'S', 0x08}));
  EXPECT_EQ(hex(method("_OSC", 4, {return_(argument(3))})),
            (Hex{0x14, 8, '_', 'O', 'S', 'C', 0x0c, 0xa4, 0x6b}));
}

TEST(AmlStatementTest, OperandsComeBeforeTheTarget) {
  EXPECT_EQ(hex(store(local(0), argument(6))), (Hex{0x70, 0x60, 0x6e}));
  EXPECT_EQ(hex(store_and(argument(0), integer(1), local(7))), (Hex{0x7b, 0x68, 0x01, 0x67}));
  EXPECT_EQ(hex(store_or(argument(0), integer(1), local(1))), (Hex{0x7d, 0x68, 0x01, 0x61}));
  EXPECT_EQ(hex(create_dword_field(argument(3), 8, "CDW3")), (Hex{0x8a, 0x6b, 0x0a, 8, 'C', 'D', 'W', '3'}));
}

TEST(AmlStatementTest, Conditions) {
  EXPECT_EQ(hex(equal(argument(0), integer(1))), (Hex{0x93, 0x68, 0x01}));
  EXPECT_EQ(hex(not_equal(argument(0), integer(1))), (Hex{0x92, 0x93, 0x68, 0x01}));
  EXPECT_EQ(hex(if_(local(0), {return_(integer(0))})), (Hex{0xa0, 4, 0x60, 0xa4, 0x00}));
  EXPECT_EQ(hex(else_({return_(integer(0))})), (Hex{0xa1, 3, 0xa4, 0x00}));
}

TEST(AmlResourceTest, FixedMemoryIsWritable) {
  EXPECT_EQ(hex(fixed_memory(0x1000'1000, 0x200)),
            (Hex{0x86, 9, 0, 1, 0x00, 0x10, 0x00, 0x10, 0x00, 0x02, 0x00, 0x00}));
}

TEST(AmlResourceTest, WiresAreLevelTriggeredAndActiveHigh) {
  EXPECT_EQ(hex(wire(10)), (Hex{0x89, 6, 0, 0x01, 1, 10, 0, 0, 0}));
  EXPECT_EQ(hex(shared_wire(0x123)), (Hex{0x89, 6, 0, 0x09, 1, 0x23, 0x01, 0, 0}));
}

TEST(AmlResourceTest, Windows) {
  EXPECT_EQ(hex(bus_window(256)), (Hex{0x88, 13, 0, 2, 0x0c, 0, 0, 0, 0, 0, 0xff, 0, 0, 0, 0, 1}));
  EXPECT_EQ(hex(memory32_window(0x4000'0000, 0x4000'0000)),
            (Hex{0x87, 23,   0,    0,    0x0c, 1, 0, 0, 0, 0, 0, 0, 0,
                 0x40, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0, 0, 0, 0, 0x40}));
  EXPECT_EQ(hex(io_window(0x300'0000, 0x1'0000)),
            (Hex{0x87, 23, 0, 1, 0x0c, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 3, 0, 0, 1, 0}));
  const Hex high = hex(memory64_window(0x4'0000'0000, 0x4'0000'0000));
  EXPECT_EQ(Hex(high.begin(), high.begin() + 6), (Hex{0x8a, 43, 0, 0, 0x0c, 1}));
  EXPECT_EQ(Hex(high.begin() + 14, high.begin() + 30),
            (Hex{0, 0, 0, 0, 4, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 7, 0, 0, 0}));
  EXPECT_EQ(Hex(high.end() - 8, high.end()), (Hex{0, 0, 0, 0, 4, 0, 0, 0}));
  EXPECT_EQ(hex(reserved_memory(0x3000'0000, 0x1000'0000))[4], 0x0d) << "consumed, not passed on";
}

TEST(AmlResourceTest, TemplatesEndWithATag) {
  EXPECT_EQ(hex(resources({wire(10)})), (Hex{0x11, 14, 0x0a, 11, 0x89, 6, 0, 0x01, 1, 10, 0, 0, 0, 0x79, 0}));
  EXPECT_EQ(hex(resources({})), (Hex{0x11, 5, 0x0a, 2, 0x79, 0}));
}

}  // namespace
}  // namespace gstage::hw::acpi::aml
