// SPDX-License-Identifier: Apache-2.0
#include "hw/loader/efi_zboot.h"

#include <cstring>

namespace gstage::hw {
namespace {

/// The beginning of the file, little-endian; the rest is as in each PE file.
struct Header {
  char mz[4];
  char magic[4];
  std::uint32_t payload_offset;
  std::uint32_t payload_size;
  std::uint32_t reserved[2];
  char compression[32];
};
static_assert(sizeof(Header) == 56);

}  // namespace

std::optional<EfiZboot> find_efi_zboot(std::span<const std::byte> head) {
  Header header;
  if (head.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, head.data(), sizeof header);
  if (std::memcmp(header.mz, "MZ", 2) != 0 || std::memcmp(header.magic, "zimg", 4) != 0) return std::nullopt;
  return EfiZboot{header.payload_offset,
                  header.payload_size,
                  {header.compression, strnlen(header.compression, sizeof header.compression)}};
}

}  // namespace gstage::hw
