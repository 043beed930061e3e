// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace gstage::hw {

/// A Linux kernel with a program around it that unpacks it under EFI (CONFIG_EFI_ZBOOT, vmlinuz.efi).
struct EfiZboot {
  std::uint64_t offset;     ///< of the packed kernel in the file
  std::uint64_t size;       ///< its bytes
  std::string compression;  ///< how it is packed, in the words of Linux's makefile: "gzip", "zstd22"
};

/// What the file's first bytes say, unless it is no such kernel.
std::optional<EfiZboot> find_efi_zboot(std::span<const std::byte> head);

}  // namespace gstage::hw
