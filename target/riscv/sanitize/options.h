// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace gstage::riscv {

/// How `-sanitize fences` treats a translation that a hart may still hold although the page tables changed.
enum class FenceCheck : std::uint8_t {
  kOff,
  kExact,        ///< reports its use; the hart goes on with what the page tables say
  kAdversarial,  ///< reports its use; the hart goes on with what it held, as long as that is legal
};

/// `-sanitize`.
struct SanitizeOptions {
  FenceCheck fences = FenceCheck::kOff;
  /// Milliseconds for which a hart may use what another hart has just changed: who changes page tables has
  /// others fence after it.
  unsigned grace_ms = 50;
  bool has_icache = false;  ///< a missing fence.i is reported

  [[nodiscard]] bool is_on() const { return fences != FenceCheck::kOff || has_icache; }
};

}  // namespace gstage::riscv
