// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "softmmu/base/check.h"

namespace gstage::fuzz {

/// A file in memory that has a path, for what opens files by name.
class ScratchFile {
 public:
  ScratchFile() : fd_(memfd_create("input", MFD_CLOEXEC)), path_("/proc/self/fd/" + std::to_string(fd_)) {
    CHECK(fd_ >= 0);
  }
  ~ScratchFile() { close(fd_); }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  /// Makes `bytes` the contents, and zeroes behind them up to `size`, which take no memory.
  void set(std::span<const std::uint8_t> bytes, std::uint64_t size = 0) const {
    CHECK(ftruncate(fd_, 0) == 0);
    CHECK(pwrite(fd_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
    if (size > bytes.size()) CHECK(ftruncate(fd_, static_cast<off_t>(size)) == 0);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  int fd_;
  std::string path_;
};

}  // namespace gstage::fuzz
