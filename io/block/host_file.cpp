// SPDX-License-Identifier: Apache-2.0
#include "io/block/host_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/uio.h>
#include <unistd.h>

namespace gstage {

namespace {

/// What every host's O_DIRECT is content with.
constexpr std::uint64_t kDirectAlignment = 4096;

bool is_unsupported(int error) {
  return error == EOPNOTSUPP || error == ENOSYS || error == EINVAL || error == ENOTTY;
}

}  // namespace

HostFile::~HostFile() {
  close(fd_);
  if (use_.direct_fd >= 0) close(use_.direct_fd);
}

std::uint64_t HostFile::size() const {
  const off_t end = lseek(fd_, 0, SEEK_END);
  return end < 0 ? 0 : static_cast<std::uint64_t>(end);
}

// The kernel keeps both ways to the same bytes coherent.
int HostFile::fd_for(std::uint64_t offset, std::span<const std::byte> bytes) const {
  const std::uint64_t bits = offset | bytes.size() | reinterpret_cast<std::uintptr_t>(bytes.data());
  return use_.direct_fd >= 0 && bits % kDirectAlignment == 0 ? use_.direct_fd : fd_;
}

int HostFile::read(std::uint64_t offset, std::span<std::byte> to) {
  int fd = fd_for(offset, to);
  while (!to.empty()) {
    const ssize_t n = pread(fd, to.data(), to.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EINVAL && fd != fd_) {
      fd = fd_;
      continue;
    }
    if (n < 0) return errno;
    if (n == 0) {
      std::memset(to.data(), 0, to.size());
      return 0;
    }
    offset += static_cast<std::uint64_t>(n);
    to = to.subspan(static_cast<std::size_t>(n));
    fd = fd_for(offset, to);
  }
  return 0;
}

int HostFile::read_at_once(std::uint64_t offset, std::span<std::byte> to) {
  // Past the host's cache there is nothing that is there already.
  if (use_.direct_fd >= 0) return EAGAIN;
  const iovec piece{to.data(), to.size()};
  const ssize_t n = preadv2(fd_, &piece, 1, static_cast<off_t>(offset), RWF_NOWAIT);
  return n == static_cast<ssize_t>(to.size()) ? 0 : EAGAIN;
}

int HostFile::write(std::uint64_t offset, std::span<const std::byte> from) {
  int fd = fd_for(offset, from);
  while (!from.empty()) {
    const ssize_t n = pwrite(fd, from.data(), from.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EINVAL && fd != fd_) {
      fd = fd_;
      continue;
    }
    if (n < 0) return errno;
    if (n == 0) return EIO;
    offset += static_cast<std::uint64_t>(n);
    from = from.subspan(static_cast<std::size_t>(n));
    fd = fd_for(offset, from);
  }
  return 0;
}

int HostFile::write_zeroes(std::uint64_t offset, std::uint64_t size) {
  if (size == 0) return 0;
  // A range of zeros that stays allocated is best: a later write there cannot run out of space.
  for (const int mode :
       {FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE}) {
    if (fallocate(fd_, mode, static_cast<off_t>(offset), static_cast<off_t>(size)) == 0) return 0;
    if (!is_unsupported(errno)) return errno;
  }
  static constexpr std::array<std::byte, 64 << 10> kZeroes{};
  while (size > 0) {
    const std::size_t n = std::min<std::uint64_t>(size, kZeroes.size());
    if (const int failure = write(offset, {kZeroes.data(), n}); failure != 0) return failure;
    offset += n;
    size -= n;
  }
  return 0;
}

int HostFile::discard(std::uint64_t offset, std::uint64_t size) {
  if (size == 0 || !use_.can_unmap) return 0;
  if (fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                static_cast<off_t>(size)) == 0)
    return 0;
  // A discard is a hint: a host that cannot do it leaves the bytes.
  return is_unsupported(errno) ? 0 : errno;
}

int HostFile::resize(std::uint64_t size) { return ftruncate(fd_, static_cast<off_t>(size)) == 0 ? 0 : errno; }

int HostFile::sync() {
  if (use_.skips_sync) return 0;
  // Linux reports a lost write once and calls the page clean afterwards; what was lost stays lost, so every
  // sync from then on fails.
  if (const int earlier = sync_error_.load(); earlier != 0) return earlier;
  const int failure = fdatasync(fd_) == 0 ? 0 : errno;
  if (failure != 0) sync_error_.store(failure);
  return failure;
}

}  // namespace gstage
