// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "io/block/file.h"

namespace gstage {

/// How a host file is used.
struct HostFileUse {
  int direct_fd = -1;       ///< the same file opened with O_DIRECT, for whatever is aligned; -1: none
  bool can_unmap = true;    ///< a discard gives space back to the host
  bool skips_sync = false;  ///< what is written may be lost with the host
};

/// A regular file or block device of the host. The descriptors are closed with the object.
class HostFile final : public BlockFile {
 public:
  explicit HostFile(int fd, const HostFileUse& use = {}) : fd_(fd), use_(use) {}
  ~HostFile() override;
  HostFile(const HostFile&) = delete;
  HostFile& operator=(const HostFile&) = delete;

  [[nodiscard]] std::uint64_t size() const override;
  int read(std::uint64_t offset, std::span<std::byte> to) override;
  int read_at_once(std::uint64_t offset, std::span<std::byte> to) override;
  int write(std::uint64_t offset, std::span<const std::byte> from) override;
  int write_zeroes(std::uint64_t offset, std::uint64_t size) override;
  int discard(std::uint64_t offset, std::uint64_t size) override;
  int resize(std::uint64_t size) override;
  int sync() override;

 private:
  [[nodiscard]] int fd_for(std::uint64_t offset, std::span<const std::byte> bytes) const;

  const int fd_;
  const HostFileUse use_;
  std::atomic<int> sync_error_{0};
};

}  // namespace gstage
