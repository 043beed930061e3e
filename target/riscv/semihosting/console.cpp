// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/semihosting/console.h"

#include <algorithm>
#include <cerrno>

#include <poll.h>
#include <unistd.h>

namespace gstage::riscv {

namespace {

/// Input beyond it waits in the host.
constexpr std::size_t kMostTyped = 4096;
/// A hart that waits for input looks so often whether somebody wants something else of it.
constexpr std::chrono::milliseconds kMoment{10};

void write_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    } else if (n < 0 && errno == EAGAIN && !is_output_abandoned()) {
      // The terminal's descriptor may be one that does not wait.
      pollfd wanted{fd, POLLOUT, 0};
      poll(&wanted, 1, static_cast<int>(kMoment.count()));
    } else if (n >= 0 || errno != EINTR) {
      return;
    }
  }
}

}  // namespace

SemihostingConsole::SemihostingConsole(std::shared_ptr<Chardev> chardev) : chardev_(std::move(chardev)) {
  if (chardev_ == nullptr) return;
  chardev_->attach(
      [this](std::span<const std::uint8_t> bytes) {
        {
          const std::lock_guard lock(mutex_);
          const auto as_bytes = std::as_bytes(bytes);
          typed_.insert(typed_.end(), as_bytes.begin(), as_bytes.end());
        }
        changed_.notify_all();
      },
      [this] {
        const std::lock_guard lock(mutex_);
        return typed_.size() < kMostTyped ? kMostTyped - typed_.size() : 0;
      });
}

SemihostingConsole::~SemihostingConsole() {
  if (chardev_ != nullptr) chardev_->attach(nullptr, nullptr);
}

void SemihostingConsole::write(Stream stream, std::span<const std::byte> bytes) {
  if (chardev_ == nullptr) return write_all(stream == Stream::kError ? STDERR_FILENO : STDOUT_FILENO, bytes);
  chardev_->write({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

std::size_t SemihostingConsole::read(std::span<std::byte> to) {
  std::size_t count = 0;
  bool was_full = false;
  {
    const std::lock_guard lock(mutex_);
    was_full = typed_.size() >= kMostTyped;
    count = std::min(to.size(), typed_.size());
    std::copy_n(typed_.begin(), count, to.begin());
    typed_.erase(typed_.begin(), typed_.begin() + static_cast<std::ptrdiff_t>(count));
  }
  if (was_full && count != 0) chardev_->resume_input();
  return count;
}

void SemihostingConsole::wait_for_input() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kMoment, [this] { return !typed_.empty(); });
}

}  // namespace gstage::riscv
