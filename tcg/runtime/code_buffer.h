// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "softmmu/base/result.h"

namespace gstage::tcg {

/// Memory for generated code, mapped twice: writable to the translator, executable to the harts. No page is
/// both. Host memory is used as far as it is touched.
class CodeBuffer {
 public:
  static constexpr std::size_t kDefaultBytes = std::size_t{1} << 30;
  static constexpr std::size_t kMinimumBytes = std::size_t{1} << 20;

  /// `bytes` is rounded up to whole pages; 0 means the default. Fails when the host refuses.
  static Result<std::unique_ptr<CodeBuffer>> make(std::size_t bytes);
  ~CodeBuffer();
  CodeBuffer(const CodeBuffer&) = delete;
  CodeBuffer& operator=(const CodeBuffer&) = delete;

  [[nodiscard]] std::size_t size() const { return size_; }
  std::uint8_t* writable() { return writable_; }
  [[nodiscard]] const std::uint8_t* executable() const { return executable_; }
  /// The two views of one byte.
  [[nodiscard]] const std::uint8_t* executable_at(std::size_t offset) const { return executable_ + offset; }
  [[nodiscard]] std::size_t offset_of(const void* executable) const {
    return static_cast<std::size_t>(static_cast<const std::uint8_t*>(executable) - executable_);
  }

  /// Makes the 4-byte displacement of the jump at `offset` lead to `target`, as one atomic store: other harts
  /// may be running it. The displacement must lie within 8 aligned bytes.
  void patch_displacement(std::size_t offset, std::size_t target);
  /// Replaces the 5 bytes at `offset`, a multiple of 8, by a jump to `target`.
  void patch_jump(std::size_t offset, std::size_t target);
  /// Undoes that: a nop of 5 bytes.
  void patch_nop(std::size_t offset);
  /// Gives the writable view's page tables of this range back to the host, so that it does not count as
  /// resident twice. The contents stay. Code goes on behind the range.
  void release_writable(std::size_t first, std::size_t end);

 private:
  CodeBuffer(std::uint8_t* writable, const std::uint8_t* executable, std::size_t size)
      : writable_(writable), executable_(executable), size_(size) {}

  std::uint8_t* const writable_;
  const std::uint8_t* const executable_;
  const std::size_t size_;
};

}  // namespace gstage::tcg
