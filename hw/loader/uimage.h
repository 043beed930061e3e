// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "softmmu/base/result.h"

namespace gstage::hw {

/// What the header of a U-Boot image of one part says (mkimage -T kernel and the like, "uImage").
struct UImage {
  static constexpr std::uint64_t kHeaderBytes = 64;  ///< what comes behind it is the kernel

  std::uint64_t size = 0;    ///< bytes of the kernel in the file, packed or not
  std::uint64_t load = 0;    ///< where the kernel goes
  std::uint64_t entry = 0;   ///< where it begins
  bool has_address = false;  ///< false: it may go anywhere (-T kernel_noload)
};

/// Reads the file's first bytes; nothing unless it is a uImage. An error when it is damaged, or no kernel or
/// firmware for RISC-V. `name` is for messages.
Result<std::optional<UImage>> find_uimage(const std::string& name, std::span<const std::byte> head);

}  // namespace gstage::hw
