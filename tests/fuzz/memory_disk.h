// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <cstring>
#include <vector>

#include "softmmu/base/check.h"
#include "io/block/block.h"

namespace gstage::fuzz {

/// A small disk in memory that trusts nobody: the device must not reach beyond its end.
class MemoryDisk final : public BlockBackend {
 public:
  static constexpr std::uint64_t kBytes = 64 << 10;

  explicit MemoryDisk(std::uint64_t bytes = kBytes) : bytes_(bytes) {}
  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  [[nodiscard]] bool is_read_only() const override { return is_read_only_; }
  int read(std::uint64_t offset, std::span<std::byte> to) override {
    check_range(offset, to.size());
    std::memcpy(to.data(), bytes_.data() + offset, to.size());
    return fails_ ? EIO : 0;
  }
  int write(std::uint64_t offset, std::span<const std::byte> from) override {
    CHECK(!is_read_only_);
    check_range(offset, from.size());
    std::memcpy(bytes_.data() + offset, from.data(), from.size());
    return fails_ ? EIO : 0;
  }
  int discard(std::uint64_t offset, std::uint64_t size) override { return write_zeroes(offset, size); }
  int write_zeroes(std::uint64_t offset, std::uint64_t size) override {
    CHECK(!is_read_only_);
    check_range(offset, size);
    std::memset(bytes_.data() + offset, 0, size);
    return fails_ ? EIO : 0;
  }
  int flush() override { return fails_ ? EIO : 0; }

  [[nodiscard]] const std::byte* bytes() const { return bytes_.data(); }
  /// What the disk does from now on.
  void behave(bool is_read_only, bool fails) {
    is_read_only_ = is_read_only;
    fails_ = fails;
  }

 private:
  void check_range(std::uint64_t offset, std::uint64_t size) const {
    CHECK(offset <= bytes_.size() && size <= bytes_.size() - offset);
  }

  std::vector<std::byte> bytes_;
  bool is_read_only_ = false;
  bool fails_ = false;
};

}  // namespace gstage::fuzz
