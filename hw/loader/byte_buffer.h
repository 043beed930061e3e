// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdlib>
#include <span>
#include <utility>

namespace gstage::hw {

/// Bytes whose number grows, of sizes that the host may not have: growing can fail, and does not fill the new
/// bytes.
class ByteBuffer {
 public:
  ByteBuffer() = default;
  ~ByteBuffer() { std::free(data_); }
  ByteBuffer(ByteBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  ByteBuffer& operator=(ByteBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ByteBuffer(const ByteBuffer&) = delete;
  ByteBuffer& operator=(const ByteBuffer&) = delete;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::span<std::byte> bytes() const { return {data_, size_}; }
  /// Cuts off or adds bytes at the end; false when the host has no memory for them.
  bool resize(std::size_t size) {
    void* const data = std::realloc(data_, size + 1);  // one more: never a null for no bytes
    if (data == nullptr) return false;
    data_ = static_cast<std::byte*>(data);
    size_ = size;
    return true;
  }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace gstage::hw
