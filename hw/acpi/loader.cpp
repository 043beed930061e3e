// SPDX-License-Identifier: Apache-2.0
#include "hw/acpi/loader.h"

#include "softmmu/base/check.h"

namespace gstage::hw::acpi {
namespace {

enum Command : std::uint32_t { kAllocate = 1, kAddPointer = 2, kAddChecksum = 3 };
constexpr std::size_t kCommandSize = 128;
constexpr std::size_t kNameSize = 56;
constexpr unsigned kPointerSize = 8;

}  // namespace

void TableLoader::command(std::uint32_t type, const Bytes& arguments) {
  CHECK(arguments.size() + 4 <= kCommandSize);
  commands_.u32(type).append(arguments).zeroes(kCommandSize - 4 - arguments.size());
}

void TableLoader::allocate(const char* file, std::uint32_t alignment, Zone zone) {
  command(kAllocate, Bytes().text(file, kNameSize).u32(alignment).u8(static_cast<std::uint8_t>(zone)));
}

void TableLoader::add(const Pointer& pointer) {
  command(
      kAddPointer,
      Bytes().text(pointer.in, kNameSize).text(pointer.to, kNameSize).u32(pointer.offset).u8(kPointerSize));
}

void TableLoader::add(const Checksum& checksum) {
  command(kAddChecksum,
          Bytes().text(checksum.in, kNameSize).u32(checksum.offset).u32(checksum.start).u32(checksum.size));
}

}  // namespace gstage::hw::acpi
