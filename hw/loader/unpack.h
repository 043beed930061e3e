// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "softmmu/base/result.h"
#include "hw/loader/byte_buffer.h"
#include "hw/loader/file_kinds.h"

namespace gstage::hw {

/// A part of a file that holds something packed.
struct PackedPart {
  std::string name;        ///< of the file, for messages
  std::uint64_t size = 0;  ///< bytes
  std::function<Status(std::uint64_t offset, std::span<std::byte> to)> read;
};

/// The largest that anything unpacks to, whatever the machine's RAM has room for.
inline constexpr std::uint64_t kMaxUnpackedBytes = std::uint64_t{4} << 30;

/// What the part unpacks to, `ram_bytes` at most: streams of its kind, one after the other, up to the end or
/// to something else. An error when it is damaged, truncated, or unpacks to more.
Result<ByteBuffer> unpack(const PackedPart& part, const FileKind& kind, std::uint64_t ram_bytes);

}  // namespace gstage::hw
