// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace gstage::hw::acpi {

/// Bytes that grow field by field, little-endian: what tables, AML and the loader's commands are made of.
class Bytes {
 public:
  Bytes() = default;
  Bytes(std::initializer_list<std::uint8_t> bytes) : bytes_(bytes) {}

  Bytes& u8(std::uint64_t value) { return number(value, 1); }
  Bytes& u16(std::uint64_t value) { return number(value, 2); }
  Bytes& u32(std::uint64_t value) { return number(value, 4); }
  Bytes& u64(std::uint64_t value) { return number(value, 8); }
  /// The lowest `size` bytes of the value.
  Bytes& number(std::uint64_t value, unsigned size);
  /// The text, and `fill` up to `width`; what is longer loses its end.
  Bytes& text(std::string_view text, std::size_t width, char fill = '\0');
  Bytes& zeroes(std::size_t count);
  Bytes& append(const Bytes& more);

  /// Puts the lowest `size` bytes of a value in place of those at `offset`.
  void patch(std::size_t offset, std::uint64_t value, unsigned size);
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] const std::uint8_t* data() const { return bytes_.data(); }
  [[nodiscard]] std::span<const std::uint8_t> span() const { return bytes_; }
  /// The bytes themselves, which are gone from here.
  [[nodiscard]] std::vector<std::uint8_t> take() && { return std::move(bytes_); }
  bool operator==(const Bytes& other) const = default;

 private:
  std::vector<std::uint8_t> bytes_;
};

}  // namespace gstage::hw::acpi
