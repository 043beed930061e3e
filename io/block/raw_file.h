// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "io/block/block.h"

namespace gstage {

/// A file descriptor with positions: whole transfers, errno values, zeros beyond the end. Closed with the
/// object.
class PositionedFile {
 public:
  explicit PositionedFile(int fd) : fd_(fd) {}
  ~PositionedFile();
  PositionedFile(const PositionedFile&) = delete;
  PositionedFile& operator=(const PositionedFile&) = delete;

  int read(std::uint64_t offset, std::span<std::byte> to) const;
  int write(std::uint64_t offset, std::span<const std::byte> from) const;
  int write_zeroes(std::uint64_t offset, std::uint64_t size) const;
  int discard(std::uint64_t offset, std::uint64_t size) const;
  int sync() const;

 private:
  const int fd_;
};

/// A raw image: byte N of the disk is byte N of the file.
class RawFile final : public BlockBackend {
 public:
  RawFile(int fd, std::uint64_t size, bool is_read_only)
      : file_(fd), size_(size), is_read_only_(is_read_only) {}
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] bool is_read_only() const override { return is_read_only_; }
  int read(std::uint64_t offset, std::span<std::byte> to) override;
  int write(std::uint64_t offset, std::span<const std::byte> from) override;
  int discard(std::uint64_t offset, std::uint64_t size) override;
  int write_zeroes(std::uint64_t offset, std::uint64_t size) override;
  int flush() override;

 private:
  PositionedFile file_;
  const std::uint64_t size_;
  const bool is_read_only_;
  std::atomic<int> flush_error_{0};
};

/// `base` with all writes in the file `overlay_fd` (empty, closed with the object). Nothing of it is meant to
/// last, so a flush does nothing.
std::shared_ptr<BlockBackend> make_snapshot(std::shared_ptr<BlockBackend> base, int overlay_fd);

}  // namespace gstage
