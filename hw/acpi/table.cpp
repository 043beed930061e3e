// SPDX-License-Identifier: Apache-2.0
#include "hw/acpi/table.h"

#include "softmmu/base/check.h"

namespace gstage::hw::acpi {
namespace {

constexpr std::string_view kOemTableId = "VIRT";
constexpr std::string_view kCreator = "GSTG";
constexpr std::size_t kRegisterSize = 12;

}  // namespace

std::uint8_t checksum(std::span<const std::uint8_t> bytes) {
  unsigned sum = 0;
  for (const std::uint8_t byte : bytes) sum += byte;
  return static_cast<std::uint8_t>(0u - sum);
}

Bytes make_table(std::string_view signature, unsigned revision, const Bytes& body) {
  CHECK(signature.size() == 4);
  Bytes table;
  table.text(signature, 4).u32(kHeaderSize + body.size()).u8(revision).u8(0);
  table.text(kOemId, 6, ' ').text(kOemTableId, 8, ' ').u32(1);
  table.text(kCreator, 4).u32(1).append(body);
  table.patch(kChecksumOffset, checksum(table.span()), 1);
  return table;
}

Bytes make_structure(unsigned type, const Bytes& body) {
  const std::size_t size = body.size() + 2;
  CHECK(size <= 0xff);
  return Bytes().u8(type).u8(size).append(body);
}

Bytes byte_register(std::uint64_t address) {
  constexpr unsigned kSystemMemory = 0;
  constexpr unsigned kByteAccess = 1;
  return Bytes().u8(kSystemMemory).u8(8).u8(0).u8(kByteAccess).u64(address);
}

Bytes no_register() { return Bytes().zeroes(kRegisterSize); }

}  // namespace gstage::hw::acpi
