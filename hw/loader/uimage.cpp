// SPDX-License-Identifier: Apache-2.0
#include "hw/loader/uimage.h"

#include <cstring>

#include <zlib.h>

namespace gstage::hw {
namespace {

/// All numbers are big-endian.
struct Header {
  std::uint32_t magic;
  std::uint32_t header_crc;  ///< of the header with 0 here
  std::uint32_t time;
  std::uint32_t size;
  std::uint32_t load;
  std::uint32_t entry;
  std::uint32_t data_crc;
  std::uint8_t system;
  std::uint8_t architecture;
  std::uint8_t type;
  std::uint8_t compression;
  char name[32];
};
static_assert(sizeof(Header) == UImage::kHeaderBytes);

constexpr std::uint32_t kMagic = 0x27051956;
constexpr std::uint8_t kRiscv = 26;
enum Type : std::uint8_t { kStandalone = 1, kKernel = 2, kFirmware = 5, kKernelNoload = 14 };

std::uint32_t crc_of(Header header) {
  header.header_crc = 0;
  return static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(&header), sizeof header));
}

}  // namespace

Result<std::optional<UImage>> find_uimage(const std::string& name, std::span<const std::byte> head) {
  Header header;
  if (head.size() < sizeof header) return std::optional<UImage>();
  std::memcpy(&header, head.data(), sizeof header);
  if (__builtin_bswap32(header.magic) != kMagic) return std::optional<UImage>();
  if (__builtin_bswap32(header.header_crc) != crc_of(header))
    return error("%s is a damaged U-Boot image (uImage): its header's checksum is wrong; make it again",
                 name.c_str());
  if (header.architecture != kRiscv)
    return error("%s is a U-Boot image (uImage) for another architecture; name one for riscv", name.c_str());
  const std::uint8_t type = header.type;
  if (type != kStandalone && type != kKernel && type != kFirmware && type != kKernelNoload)
    return error(
        "%s is a U-Boot image (uImage) that is no kernel or firmware; take out of it what is needed with "
        "dumpimage",
        name.c_str());
  return std::optional(UImage{__builtin_bswap32(header.size), __builtin_bswap32(header.load),
                              __builtin_bswap32(header.entry), type != kKernelNoload});
}

}  // namespace gstage::hw
