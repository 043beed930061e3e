// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>

namespace gstage::fuzz {

/// The bytes of one input, taken from the front. Beyond their end everything is zero, so that a short input
/// is as good as a long one.
class Input {
 public:
  explicit Input(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  /// A number or a plain struct, as it lies in memory.
  template <class T>
  T take() {
    static_assert(std::is_trivially_copyable_v<T> && !std::is_same_v<T, bool>);
    T value{};
    const std::span<const std::uint8_t> from = take_bytes(sizeof value);
    if (!from.empty()) std::memcpy(&value, from.data(), from.size());
    return value;
  }
  bool flag() { return (take<std::uint8_t>() & 1) != 0; }
  /// A number below `end`, which is at most 2^32.
  std::uint64_t below(std::uint64_t end) {
    return (end <= 0x100     ? take<std::uint8_t>()
            : end <= 0x10000 ? take<std::uint16_t>()
                             : take<std::uint32_t>()) %
           end;
  }
  /// At most `count` bytes.
  std::span<const std::uint8_t> take_bytes(std::size_t count) {
    const auto part = bytes_.first(std::min(count, bytes_.size()));
    bytes_ = bytes_.subspan(part.size());
    return part;
  }
  std::span<const std::uint8_t> rest() { return take_bytes(bytes_.size()); }
  std::string rest_as_text() {
    const auto part = rest();
    return {part.begin(), part.end()};
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

}  // namespace gstage::fuzz
