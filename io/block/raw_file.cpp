// SPDX-License-Identifier: Apache-2.0
#include "io/block/raw_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>

namespace gstage {

namespace {

bool is_within(std::uint64_t offset, std::uint64_t size, std::uint64_t disk) {
  return offset <= disk && size <= disk - offset;
}

bool is_unsupported(int error) {
  return error == EOPNOTSUPP || error == ENOSYS || error == EINVAL || error == ENOTTY;
}

}  // namespace

PositionedFile::~PositionedFile() { close(fd_); }

int PositionedFile::read(std::uint64_t offset, std::span<std::byte> to) const {
  while (!to.empty()) {
    const ssize_t n = pread(fd_, to.data(), to.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) {
      std::memset(to.data(), 0, to.size());
      return 0;
    }
    offset += static_cast<std::uint64_t>(n);
    to = to.subspan(static_cast<std::size_t>(n));
  }
  return 0;
}

int PositionedFile::write(std::uint64_t offset, std::span<const std::byte> from) const {
  while (!from.empty()) {
    const ssize_t n = pwrite(fd_, from.data(), from.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) return EIO;
    offset += static_cast<std::uint64_t>(n);
    from = from.subspan(static_cast<std::size_t>(n));
  }
  return 0;
}

int PositionedFile::write_zeroes(std::uint64_t offset, std::uint64_t size) const {
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

int PositionedFile::discard(std::uint64_t offset, std::uint64_t size) const {
  if (size == 0) return 0;
  if (fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                static_cast<off_t>(size)) == 0)
    return 0;
  // A discard is a hint: a host that cannot do it leaves the bytes.
  return is_unsupported(errno) ? 0 : errno;
}

int PositionedFile::sync() const { return fdatasync(fd_) == 0 ? 0 : errno; }

int RawFile::read(std::uint64_t offset, std::span<std::byte> to) {
  return is_within(offset, to.size(), size_) ? file_.read(offset, to) : EINVAL;
}

int RawFile::write(std::uint64_t offset, std::span<const std::byte> from) {
  if (is_read_only_) return EROFS;
  return is_within(offset, from.size(), size_) ? file_.write(offset, from) : EINVAL;
}

int RawFile::discard(std::uint64_t offset, std::uint64_t size) {
  if (is_read_only_) return EROFS;
  return is_within(offset, size, size_) ? file_.discard(offset, size) : EINVAL;
}

int RawFile::write_zeroes(std::uint64_t offset, std::uint64_t size) {
  if (is_read_only_) return EROFS;
  return is_within(offset, size, size_) ? file_.write_zeroes(offset, size) : EINVAL;
}

int RawFile::flush() {
  if (is_read_only_) return 0;
  // Linux reports a lost write once and calls the page clean afterwards; what was lost stays lost, so every
  // flush from then on fails.
  if (const int earlier = flush_error_.load(); earlier != 0) return earlier;
  const int failure = file_.sync();
  if (failure != 0) flush_error_.store(failure);
  return failure;
}

}  // namespace gstage
