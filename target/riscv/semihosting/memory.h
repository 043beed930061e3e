// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "softmmu/base/types.h"

namespace gstage::riscv {

struct Hart;

/// Memory as the hart's present mode sees it, for what is done on the guest's behalf: virtual addresses, with
/// the permissions of the hart's own loads and stores. What they would trap for is no trap here: the call
/// that needs the memory fails.
class CallerMemory {
 public:
  explicit CallerMemory(Hart& hart) : hart_(hart) {}

  /// All of `to`; false when a byte cannot be read or is a device's.
  bool read(Vaddr from, std::span<std::byte> to);
  /// False when a byte cannot be written; those before it may have been.
  bool write(Vaddr to, std::span<const std::byte> from);
  std::optional<std::uint64_t> read_word(Vaddr from);
  bool write_word(Vaddr to, std::uint64_t value);
  /// A text of `size` bytes, or what of it comes before a zero byte.
  std::optional<std::string> read_text(Vaddr from, std::uint64_t size);
  /// The instruction's bits that the hart would fetch there; nothing where it cannot.
  std::optional<std::uint32_t> fetch(Vaddr pc);

 private:
  Hart& hart_;
};

}  // namespace gstage::riscv
