// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "softmmu/base/log.h"
#include "io/block/nbd/connection.h"
#include "io/chardev.h"

namespace gstage::nbd {

namespace {

using Clock = std::chrono::steady_clock;

/// Of a zero or trim: its length has 32 bits.
constexpr std::uint64_t kMostRange = std::uint64_t{1} << 30;
constexpr auto kBetweenTries = std::chrono::milliseconds(100);

class NbdFile final : public BlockFile {
 public:
  NbdFile(const Library& library, Setup setup) : library_(library), setup_(std::move(setup)) {}

  Status start() {
    std::string why;
    if (connection_.open(setup_, disk_, why) == 0) return Ok{};
    return error("cannot use the disk '%s' of '%s': %s", setup_.export_name.c_str(), setup_.name.c_str(),
                 why.c_str());
  }
  [[nodiscard]] bool is_read_only() const { return disk_.is_read_only; }

  [[nodiscard]] std::uint64_t size() const override { return disk_.size; }
  int read(std::uint64_t offset, std::span<std::byte> to) override;
  int write(std::uint64_t offset, std::span<const std::byte> from) override;
  int write_zeroes(std::uint64_t offset, std::uint64_t size) override;
  int discard(std::uint64_t offset, std::uint64_t size) override;
  int resize(std::uint64_t size) override { return size == disk_.size ? 0 : ENOSPC; }
  int sync() override;

 private:
  /// Whole blocks that a piece lies in.
  struct Blocks {
    std::uint64_t offset;
    std::size_t skip;  ///< of the first one
    std::vector<std::byte> bytes;
  };
  [[nodiscard]] bool is_aligned(std::uint64_t bits) const { return (bits & (disk_.least_block - 1)) == 0; }
  [[nodiscard]] bool is_within(std::uint64_t offset, std::uint64_t size) const {
    return offset <= disk_.size && size <= disk_.size - offset;
  }
  /// A server that cannot flush may still be asked to keep each write.
  [[nodiscard]] bool keeps_writes() const { return !disk_.can_flush && disk_.can_fua; }
  [[nodiscard]] Blocks blocks_of(std::uint64_t offset, std::size_t size) const;

  // With the lock.
  int read_blocks(std::uint64_t offset, std::span<std::byte> to);
  int write_blocks(std::uint64_t offset, std::span<const std::byte> from);
  template <class Start>
  int ask(const Start& start);
  int connect_again();

  const Library& library_;
  const Setup setup_;
  std::mutex mutex_;  ///< guards what follows, but for `disk_`, which does not change
  Connection connection_{library_};
  Export disk_;
  bool has_unflushed_ = false;
  bool has_lost_ = false;  ///< something that was not flushed, maybe, with a connection
};

/// Asks; once more where the connection is gone and there is a new one.
template <class Start>
int NbdFile::ask(const Start& start) {
  if (connection_.is_open()) {
    const int failure = connection_.ask(setup_, start);
    if (connection_.is_open() || failure == 0) return failure;
    log_line(Log::kGuestErrors, "nbd: '%s' is gone", setup_.name.c_str());
  }
  if (const int failure = connect_again(); failure != 0) return EIO;
  const int failure = connection_.ask(setup_, start);
  return connection_.is_open() ? failure : EIO;
}

int NbdFile::connect_again() {
  has_lost_ = has_lost_ || std::exchange(has_unflushed_, false);
  const auto end = Clock::now() + std::chrono::seconds(setup_.reconnect_delay_s);
  for (;;) {
    Export now;
    std::string why;
    const int failure = connection_.open(setup_, now, why);
    if (failure == 0 && now.is_same_disk(disk_)) return 0;
    connection_.close();
    if (failure == 0) {
      log_line(Log::kGuestErrors, "nbd: '%s' has another disk now", setup_.name.c_str());
      return ENXIO;
    }
    if (Clock::now() >= end || is_output_abandoned()) return failure;
    std::this_thread::sleep_for(kBetweenTries);
  }
}

NbdFile::Blocks NbdFile::blocks_of(std::uint64_t offset, std::size_t size) const {
  const std::uint64_t mask = disk_.least_block - 1;
  const std::uint64_t first = offset & ~mask;
  const std::uint64_t end = (offset + size + mask) & ~mask;
  return {first, static_cast<std::size_t>(offset - first), std::vector<std::byte>(end - first)};
}

int NbdFile::read_blocks(std::uint64_t offset, std::span<std::byte> to) {
  while (!to.empty()) {
    const auto piece = to.first(std::min<std::size_t>(to.size(), disk_.most_bytes));
    const int failure = ask([&](const Library& library, nbd_handle* handle) {
      return library.pread(handle, piece.data(), piece.size(), offset, nbd_completion_callback{}, 0);
    });
    if (failure != 0) return failure;
    offset += piece.size();
    to = to.subspan(piece.size());
  }
  return 0;
}

int NbdFile::write_blocks(std::uint64_t offset, std::span<const std::byte> from) {
  const std::uint32_t flags = keeps_writes() ? LIBNBD_CMD_FLAG_FUA : 0;
  while (!from.empty()) {
    const auto piece = from.first(std::min<std::size_t>(from.size(), disk_.most_bytes));
    const int failure = ask([&](const Library& library, nbd_handle* handle) {
      return library.pwrite(handle, piece.data(), piece.size(), offset, nbd_completion_callback{}, flags);
    });
    if (failure != 0) return failure;
    has_unflushed_ = !keeps_writes();
    offset += piece.size();
    from = from.subspan(piece.size());
  }
  return 0;
}

int NbdFile::read(std::uint64_t offset, std::span<std::byte> to) {
  const std::uint64_t left = offset < disk_.size ? disk_.size - offset : 0;
  const auto there = to.first(std::min<std::uint64_t>(to.size(), left));
  std::fill(to.begin() + static_cast<std::ptrdiff_t>(there.size()), to.end(), std::byte{0});
  if (there.empty()) return 0;
  const std::lock_guard lock(mutex_);
  if (is_aligned(offset | there.size())) return read_blocks(offset, there);
  Blocks blocks = blocks_of(offset, there.size());
  const int failure = read_blocks(blocks.offset, blocks.bytes);
  if (failure == 0) std::memcpy(there.data(), blocks.bytes.data() + blocks.skip, there.size());
  return failure;
}

int NbdFile::write(std::uint64_t offset, std::span<const std::byte> from) {
  if (!is_within(offset, from.size())) return ENOSPC;
  const std::lock_guard lock(mutex_);
  if (is_aligned(offset | from.size())) return write_blocks(offset, from);
  Blocks blocks = blocks_of(offset, from.size());
  if (const int failure = read_blocks(blocks.offset, blocks.bytes); failure != 0) return failure;
  std::memcpy(blocks.bytes.data() + blocks.skip, from.data(), from.size());
  return write_blocks(blocks.offset, blocks.bytes);
}

int NbdFile::write_zeroes(std::uint64_t offset, std::uint64_t size) {
  if (!is_within(offset, size)) return ENOSPC;
  while (size > 0) {
    const std::uint64_t n = std::min(size, kMostRange);
    if (disk_.can_zero && is_aligned(offset | n)) {
      const std::lock_guard lock(mutex_);
      // What is written there later is to find its room.
      const std::uint32_t flags = LIBNBD_CMD_FLAG_NO_HOLE | (keeps_writes() ? LIBNBD_CMD_FLAG_FUA : 0);
      const int failure = ask([&](const Library& library, nbd_handle* handle) {
        return library.zero(handle, n, offset, nbd_completion_callback{}, flags);
      });
      if (failure != 0) return failure;
      has_unflushed_ = !keeps_writes();
    } else {
      const std::vector<std::byte> zeroes(std::min<std::uint64_t>(n, 1 << 20));
      for (std::uint64_t done = 0; done < n;) {
        const auto piece = std::span(zeroes).first(std::min<std::uint64_t>(n - done, zeroes.size()));
        if (const int failure = write(offset + done, piece); failure != 0) return failure;
        done += piece.size();
      }
    }
    offset += n;
    size -= n;
  }
  return 0;
}

int NbdFile::discard(std::uint64_t offset, std::uint64_t size) {
  if (!setup_.can_unmap || !disk_.can_trim || !is_within(offset, size)) return 0;
  // A hint: what is not whole stays.
  const std::uint64_t mask = disk_.least_block - 1;
  const std::uint64_t end = (offset + size) & ~mask;
  const std::lock_guard lock(mutex_);
  for (std::uint64_t at = (offset + mask) & ~mask; at < end;) {
    const std::uint64_t n = std::min(end - at, kMostRange);
    const int failure = ask([&](const Library& library, nbd_handle* handle) {
      return library.trim(handle, n, at, nbd_completion_callback{}, 0);
    });
    if (failure != 0) return failure;
    at += n;
  }
  return 0;
}

int NbdFile::sync() {
  if (setup_.skips_sync) return 0;
  const std::lock_guard lock(mutex_);
  if (disk_.can_flush && (has_unflushed_ || has_lost_ || !connection_.is_open())) {
    const int failure = ask([](const Library& library, nbd_handle* handle) {
      return library.flush(handle, nbd_completion_callback{}, 0);
    });
    if (failure != 0) return failure;
    has_unflushed_ = false;
  }
  // It cannot be told what of it the server still had.
  return std::exchange(has_lost_, false) ? EIO : 0;
}

}  // namespace

bool is_built_in() { return true; }

Result<Opened> open(Setup setup) {
  auto library = open_library();
  if (!library.ok()) return library.error();
  auto file = std::make_shared<NbdFile>(**library, std::move(setup));
  if (Status started = file->start(); !started.ok()) return started.error();
  const bool is_read_only = file->is_read_only();
  return Opened{std::move(file), is_read_only};
}

}  // namespace gstage::nbd
