// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/acpi_firmware.h"

#include <gtest/gtest.h>

namespace gstage::hw::acpi {
namespace {

constexpr std::size_t kHeaderSize = 36;
constexpr std::size_t kCommandSize = 128;

std::string name_at(const Octets& bytes, std::size_t offset) {
  std::string name(bytes.begin() + static_cast<long>(offset), bytes.begin() + static_cast<long>(offset) + 56);
  return name.c_str();
}

std::string signature_of(const Octets& table) { return {table.begin(), table.begin() + 4}; }

}  // namespace

std::uint64_t number_at(const Octets& bytes, std::size_t offset, unsigned size) {
  EXPECT_LE(offset + size, bytes.size());
  std::uint64_t value = 0;
  for (unsigned i = 0; i < size && offset + i < bytes.size(); ++i)
    value |= std::uint64_t{bytes[offset + i]} << (8 * i);
  return value;
}

std::uint8_t sum_of(const Octets& bytes, std::size_t start, std::size_t size) {
  EXPECT_LE(start + size, bytes.size());
  std::uint8_t sum = 0;
  for (std::size_t i = start; i < start + size && i < bytes.size(); ++i)
    sum = static_cast<std::uint8_t>(sum + bytes[i]);
  return sum;
}

std::vector<Octets> structures(const Octets& table, std::size_t offset) {
  std::vector<Octets> all;
  while (offset + 2 <= table.size()) {
    const std::size_t size = table[offset + 1];
    EXPECT_GE(size, 2u);
    EXPECT_LE(offset + size, table.size());
    if (size < 2 || offset + size > table.size()) break;
    all.emplace_back(table.begin() + static_cast<long>(offset),
                     table.begin() + static_cast<long>(offset + size));
    offset += size;
  }
  EXPECT_EQ(offset, table.size());
  return all;
}

AcpiFirmware::AcpiFirmware(std::map<std::string, Octets> files) : files_(std::move(files)) {
  const Octets commands = files_["etc/table-loader"];
  EXPECT_FALSE(commands.empty());
  EXPECT_EQ(commands.size() % kCommandSize, 0u);
  for (std::size_t at = 0; at + kCommandSize <= commands.size(); at += kCommandSize)
    obey({commands.begin() + static_cast<long>(at), commands.begin() + static_cast<long>(at + kCommandSize)});
}

void AcpiFirmware::obey(const Octets& command) {
  const std::uint64_t kind = number_at(command, 0, 4);
  if (kind == 1) return allocate(command);
  if (kind == 2) return add_pointer(command);
  if (kind == 3) return add_checksum(command);
  ADD_FAILURE() << "command " << kind;
}

void AcpiFirmware::allocate(const Octets& command) {
  const std::string file = name_at(command, 4);
  const std::uint64_t alignment = number_at(command, 60, 4);
  const std::uint64_t zone = number_at(command, 64, 1);
  EXPECT_EQ(files_.count(file), 1u) << file;
  EXPECT_EQ(places_.count(file), 0u) << file << " twice";
  EXPECT_TRUE(alignment != 0 && (alignment & (alignment - 1)) == 0);
  EXPECT_TRUE(zone == 1 || zone == 2);
  places_[file] = next_place_;
  next_place_ += 0x100'0000;
}

void AcpiFirmware::add_pointer(const Octets& command) {
  const std::string in = name_at(command, 4);
  const std::string to = name_at(command, 60);
  const std::uint64_t offset = number_at(command, 116, 4);
  const auto size = static_cast<unsigned>(number_at(command, 120, 1));
  ASSERT_EQ(places_.count(in), 1u) << in;
  ASSERT_EQ(places_.count(to), 1u) << to;
  Octets& bytes = files_[in];
  ASSERT_LE(offset + size, bytes.size());
  const std::uint64_t target = number_at(bytes, offset, size);
  EXPECT_LT(target, files_[to].size());
  const std::uint64_t address = target + places_[to];
  EXPECT_TRUE(size == 8 || address >> (8 * size) == 0);
  for (unsigned i = 0; i < size; ++i) bytes[offset + i] = static_cast<std::uint8_t>(address >> (8 * i));
}

void AcpiFirmware::add_checksum(const Octets& command) {
  const std::string in = name_at(command, 4);
  const std::uint64_t offset = number_at(command, 60, 4);
  const std::uint64_t start = number_at(command, 64, 4);
  const std::uint64_t size = number_at(command, 68, 4);
  ASSERT_EQ(places_.count(in), 1u) << in;
  Octets& bytes = files_[in];
  ASSERT_LE(start + size, bytes.size());
  ASSERT_TRUE(offset >= start && offset < start + size);
  EXPECT_EQ(bytes[offset], 0u) << "firmware adds what is there to the sum";
  bytes[offset] = static_cast<std::uint8_t>(0u - sum_of(bytes, start, size));
}

std::uint64_t AcpiFirmware::address_of(const std::string& file) const {
  const auto place = places_.find(file);
  EXPECT_NE(place, places_.end()) << file;
  return place == places_.end() ? kNowhere : place->second;
}

Octets AcpiFirmware::at(std::uint64_t address) const {
  const Octets& bytes = files_.at("etc/acpi/tables");
  const std::uint64_t offset = address - address_of("etc/acpi/tables");
  EXPECT_LE(offset + kHeaderSize, bytes.size());
  if (offset + kHeaderSize > bytes.size()) return {};
  const std::uint64_t size = number_at(bytes, offset + 4, 4);
  EXPECT_LE(offset + size, bytes.size());
  EXPECT_EQ(sum_of(bytes, offset, size), 0u);
  return {bytes.begin() + static_cast<long>(offset), bytes.begin() + static_cast<long>(offset + size)};
}

std::vector<std::uint64_t> AcpiFirmware::listed() const {
  const Octets& rsdp = files_.at("etc/acpi/rsdp");
  EXPECT_EQ(std::string(rsdp.begin(), rsdp.begin() + 8), "RSD PTR ");
  EXPECT_EQ(rsdp[15], 2u);
  EXPECT_EQ(number_at(rsdp, 16, 4), 0u) << "there is no RSDT";
  EXPECT_EQ(number_at(rsdp, 20, 4), 36u);
  EXPECT_EQ(sum_of(rsdp, 0, 20), 0u);
  EXPECT_EQ(sum_of(rsdp, 0, 36), 0u);
  const Octets xsdt = at(number_at(rsdp, 24, 8));
  EXPECT_EQ(signature_of(xsdt), "XSDT");
  std::vector<std::uint64_t> addresses;
  for (std::size_t offset = kHeaderSize; offset < xsdt.size(); offset += 8)
    addresses.push_back(number_at(xsdt, offset, 8));
  return addresses;
}

std::vector<std::string> AcpiFirmware::signatures() const {
  std::vector<std::string> all;
  for (const std::uint64_t address : listed()) all.push_back(signature_of(at(address)));
  return all;
}

Octets AcpiFirmware::table(const std::string& signature) const {
  for (const std::uint64_t address : listed()) {
    const Octets table = at(address);
    if (signature_of(table) == signature) return table;
    if (signature == "DSDT" && signature_of(table) == "FACP") return at(number_at(table, 140, 8));
  }
  return {};
}

}  // namespace gstage::hw::acpi
