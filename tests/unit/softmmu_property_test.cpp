// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "softmmu/typed_property.h"

namespace gstage {
namespace {

struct Disk {
  std::string serial = "none";
  std::uint16_t queue_size = 256;
  std::uint64_t bytes = 0;
  bool is_fast = true;
  OnOffAuto cache = OnOffAuto::kAuto;
};
constexpr PropertyRow kRows[] = {
    property<&Disk::serial>("serial", "a name"),
    property<&Disk::queue_size>("queue-size", "entries", {4, 1024}),
    property<&Disk::bytes>("bytes", "SIZE", "how large"),
    property<&Disk::is_fast>("fast", "whether it hurries"),
    property<&Disk::cache>("cache", "keeps what it read"),
    ignored_property("id"),
};

Disk read(std::vector<Property> given) {
  Disk disk;
  const Status status = read_properties("-device disk", kRows, {"disk", std::move(given)}, disk);
  EXPECT_TRUE(status.ok()) << status.error().message;
  return disk;
}

std::string refusal(const std::string& name, const std::string& value) {
  Disk disk;
  const Status status = read_properties("-device disk", kRows, {"disk", {{name, value}}}, disk);
  return status.ok() ? "(accepted)" : status.error().message;
}

TEST(TypedProperty, MembersHaveTheValuesThatAreGivenAndElseTheirOwn) {
  const Disk plain = read({});
  EXPECT_EQ(plain.serial, "none");
  EXPECT_EQ(plain.queue_size, 256);
  const Disk all = read({{"serial", "a,b"},
                         {"queue-size", "0x20"},
                         {"bytes", "3g"},
                         {"fast", "off"},
                         {"cache", "on"},
                         {"id", "x"},
                         {"another", "device's"}});
  EXPECT_EQ(all.serial, "a,b");
  EXPECT_EQ(all.queue_size, 32);
  EXPECT_EQ(all.bytes, 3ull << 30);
  EXPECT_FALSE(all.is_fast);
  EXPECT_EQ(all.cache, OnOffAuto::kOn);
}

TEST(TypedProperty, TheLastOneCounts) { EXPECT_EQ(read({{"serial", "a"}, {"serial", "b"}}).serial, "b"); }

TEST(TypedProperty, ARefusalNamesOptionValueAndBounds) {
  EXPECT_EQ(refusal("queue-size", "3"), "-device disk: queue-size=3 is not a number from 4 to 1024");
  EXPECT_EQ(refusal("fast", "maybe"), "-device disk: fast=maybe is not of the form on|off");
  EXPECT_EQ(refusal("cache", "2"), "-device disk: cache=2 is not of the form on|off|auto");
  for (const char* const bad : {"", "-1", "1025", "70000", "4x", "18446744073709551616", "0x"})
    EXPECT_NE(refusal("queue-size", bad), "(accepted)") << bad;
  EXPECT_NE(refusal("bytes", "18446744073709551615K"), "(accepted)") << "more than 64 bits";
}

TEST(TypedProperty, AMemberThatHasNoBoundsTakesWhatFits) {
  struct Small {
    std::uint8_t value = 0;
  };
  constexpr PropertyRow kSmall[] = {property<&Small::value>("value", "a byte")};
  Small small;
  EXPECT_TRUE(read_properties("x", kSmall, {"x", {{"value", "255"}}}, small).ok());
  EXPECT_EQ(small.value, 255);
  EXPECT_FALSE(read_properties("x", kSmall, {"x", {{"value", "256"}}}, small).ok());
}

TEST(TypedProperty, RowsShowTheDefault) {
  const Disk disk;
  EXPECT_EQ(kRows[0].show(&disk), "none");
  EXPECT_EQ(kRows[1].show(&disk), "256");
  EXPECT_EQ(kRows[3].show(&disk), "on");
  EXPECT_EQ(kRows[4].show(&disk), "auto");
}

}  // namespace
}  // namespace gstage
