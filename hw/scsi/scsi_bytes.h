// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace gstage::hw {

/// The `size` bytes at `at` as SCSI has numbers: the most significant byte first.
inline std::uint64_t scsi_number(std::span<const std::uint8_t> bytes, std::size_t at, unsigned size) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < size; ++i) value = value << 8 | bytes[at + i];
  return value;
}

/// What a command answers, put together from the front.
class ScsiBytes {
 public:
  ScsiBytes() = default;
  ScsiBytes(std::initializer_list<std::uint8_t> bytes) : bytes_(bytes) {}

  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] std::span<const std::uint8_t> view() const { return bytes_; }
  std::uint8_t& operator[](std::size_t at) { return bytes_[at]; }
  std::uint8_t operator[](std::size_t at) const { return bytes_[at]; }

  /// A number of `size` bytes behind what is there.
  void add(std::uint64_t value, unsigned size) {
    for (unsigned i = size; i-- > 0;) bytes_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }
  void add(const ScsiBytes& other) {
    for (const std::uint8_t byte : other.bytes_) bytes_.push_back(byte);
  }
  void add_zeroes(std::size_t count) { bytes_.resize(bytes_.size() + count); }
  /// At most `size` characters, padded with spaces to that many.
  void add_padded(const std::string& text, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
      bytes_.push_back(i < text.size() ? static_cast<std::uint8_t>(text[i]) : std::uint8_t{' '});
  }
  void add_text(const std::string& text) { bytes_.insert(bytes_.end(), text.begin(), text.end()); }
  /// A number over what is there.
  void set(std::size_t at, std::uint64_t value, unsigned size) {
    for (unsigned i = 0; i < size; ++i)
      bytes_[at + i] = static_cast<std::uint8_t>(value >> (8 * (size - 1 - i)));
  }

 private:
  std::vector<std::uint8_t> bytes_;
};

}  // namespace gstage::hw
