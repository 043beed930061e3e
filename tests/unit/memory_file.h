// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "io/block/file.h"

namespace gstage {

/// A file in memory, which can keep a log of what is done to it, and can be full. Not thread-safe.
class MemoryFile final : public BlockFile {
 public:
  struct Step {
    enum class Kind { kWrite, kResize, kSync } kind;
    std::uint64_t offset = 0;  ///< of kResize: the size
    std::vector<std::byte> bytes{};
  };

  MemoryFile() = default;
  explicit MemoryFile(std::vector<std::byte> contents) : bytes(std::move(contents)) {}

  [[nodiscard]] std::uint64_t size() const override { return bytes.size(); }
  int read(std::uint64_t offset, std::span<std::byte> to) override {
    const std::uint64_t there =
        offset < bytes.size() ? std::min<std::uint64_t>(bytes.size() - offset, to.size()) : 0;
    if (there != 0) std::memcpy(to.data(), bytes.data() + offset, there);
    if (there != to.size()) std::memset(to.data() + there, 0, to.size() - there);
    return 0;
  }
  int write(std::uint64_t offset, std::span<const std::byte> from) override {
    if (writes_left == 0) return EIO;
    if (offset > most || from.size() > most - offset) return ENOSPC;
    if (writes_left > 0) --writes_left;
    if (logs) log.push_back({Step::Kind::kWrite, offset, {from.begin(), from.end()}});
    apply(offset, from);
    return 0;
  }
  int write_zeroes(std::uint64_t offset, std::uint64_t size) override {
    return write(offset, std::vector<std::byte>(size));
  }
  int discard(std::uint64_t, std::uint64_t) override { return 0; }
  int resize(std::uint64_t size) override {
    if (size > most) return EFBIG;
    if (logs) log.push_back({Step::Kind::kResize, size});
    bytes.resize(size);
    return 0;
  }
  int sync() override {
    if (logs) log.push_back({Step::Kind::kSync});
    return 0;
  }

  /// What one step of the log does to these bytes.
  void apply(const Step& step) {
    if (step.kind == Step::Kind::kWrite) apply(step.offset, step.bytes);
    if (step.kind == Step::Kind::kResize) bytes.resize(step.offset);
  }

  std::vector<std::byte> bytes;
  std::vector<Step> log;
  bool logs = false;
  std::uint64_t most = 64 << 20;  ///< bytes; a write beyond fails
  int writes_left = -1;           ///< that succeed; below 0: all

 private:
  void apply(std::uint64_t offset, std::span<const std::byte> from) {
    if (from.empty()) return;
    if (offset + from.size() > bytes.size()) bytes.resize(offset + from.size());
    std::memcpy(bytes.data() + offset, from.data(), from.size());
  }
};

}  // namespace gstage
