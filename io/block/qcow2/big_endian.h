// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace gstage::qcow2 {

/// Numbers as the format has them.
template <class T>
T load_be(const std::byte* from) {
  static_assert(std::is_unsigned_v<T>);
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    value = static_cast<T>((sizeof(T) > 1 ? value << 8 : 0) | static_cast<T>(from[i]));
  return value;
}
/// Likewise.
template <class T>
void store_be(std::byte* to, T value) {
  static_assert(std::is_unsigned_v<T>);
  for (std::size_t i = 0; i < sizeof(T); ++i)
    to[i] = static_cast<std::byte>(value >> 8 * (sizeof(T) - 1 - i) & 0xff);
}

}  // namespace gstage::qcow2
