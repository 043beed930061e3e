// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>

namespace gstage {

/// The bytes under an image format: a file of the host, or what a test puts in its place. Whole transfers,
/// thread-safe; a failed call returns an errno value, 0 is success. Reads beyond the end are zeros, and a
/// write there makes the file grow.
class BlockFile {
 public:
  virtual ~BlockFile() = default;
  [[nodiscard]] virtual std::uint64_t size() const = 0;  ///< bytes, at this moment
  virtual int read(std::uint64_t offset, std::span<std::byte> to) = 0;
  /// The same, or EAGAIN where that would wait for the host.
  virtual int read_at_once(std::uint64_t /*offset*/, std::span<std::byte> /*to*/) { return EAGAIN; }
  virtual int write(std::uint64_t offset, std::span<const std::byte> from) = 0;
  /// Does not change the size.
  virtual int write_zeroes(std::uint64_t offset, std::uint64_t size) = 0;
  /// What is there need not stay. A hint.
  virtual int discard(std::uint64_t offset, std::uint64_t size) = 0;
  virtual int resize(std::uint64_t size) = 0;
  /// When it returns 0, everything written before survives the death of the process and of the host.
  virtual int sync() = 0;
};

}  // namespace gstage
