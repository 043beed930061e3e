// SPDX-License-Identifier: Apache-2.0
// Files of semihosting calls (Arm "Semihosting for AArch32 and AArch64", which the RISC-V specification
// refers to: SYS_OPEN and what follows it; "Semihosting extensions").
#include "target/riscv/semihosting/files.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gstage::riscv {

namespace {

/// Modes of fopen: r, rb, r+, r+b, w, …, a+b.
constexpr int kOpenFlags[] = {
    O_RDONLY,
    O_RDONLY,
    O_RDWR,
    O_RDWR,
    O_WRONLY | O_CREAT | O_TRUNC,
    O_WRONLY | O_CREAT | O_TRUNC,
    O_RDWR | O_CREAT | O_TRUNC,
    O_RDWR | O_CREAT | O_TRUNC,
    O_WRONLY | O_CREAT | O_APPEND,
    O_WRONLY | O_CREAT | O_APPEND,
    O_RDWR | O_CREAT | O_APPEND,
    O_RDWR | O_CREAT | O_APPEND,
};
constexpr std::uint64_t kModes = std::size(kOpenFlags);
constexpr std::uint64_t kFirstWriteMode = 4;
constexpr std::uint64_t kFirstAppendMode = 8;
constexpr std::uint64_t kLastReadOnlyMode = 1;

/// The magic number, and the bits of SH_EXT_EXIT_EXTENDED and SH_EXT_STDOUT_STDERR.
constexpr std::byte kFeatureBytes[] = {std::byte{'S'}, std::byte{'H'}, std::byte{'F'}, std::byte{'B'},
                                       std::byte{3}};

std::int64_t or_errno(std::int64_t result) { return result < 0 ? -errno : result; }

}  // namespace

SemihostingFiles::SemihostingFiles(std::unique_ptr<HostFolder> folder, SemihostingConsole& console)
    : folder_(std::move(folder)), console_(console) {}

SemihostingFiles::~SemihostingFiles() {
  for (const Entry& entry : entries_)
    if (entry.kind == Kind::kFile) ::close(entry.fd);
}

std::int64_t SemihostingFiles::enter(const Entry& entry) {
  const auto free = std::find_if(entries_.begin(), entries_.end(),
                                 [](const Entry& other) { return other.kind == Kind::kClosed; });
  if (free == entries_.end()) {
    if (entry.kind == Kind::kFile) ::close(entry.fd);
    return -EMFILE;
  }
  *free = entry;
  return free - entries_.begin() + 1;
}

SemihostingFiles::Entry* SemihostingFiles::find(std::uint64_t handle) {
  if (handle == 0 || handle > kMostFiles || entries_[handle - 1].kind == Kind::kClosed) return nullptr;
  return &entries_[handle - 1];
}

std::int64_t SemihostingFiles::open(const std::string& name, std::uint64_t mode) {
  if (mode >= kModes) return -EINVAL;
  if (name == ":tt")
    return enter({mode >= kFirstAppendMode  ? Kind::kError
                  : mode >= kFirstWriteMode ? Kind::kOutput
                                            : Kind::kInput});
  if (name == ":semihosting-features") return mode > kLastReadOnlyMode ? -EACCES : enter({Kind::kFeatures});
  if (folder_ == nullptr) return -EACCES;
  const int fd = folder_->open_file(name, kOpenFlags[mode]);
  return fd < 0 ? fd : enter({Kind::kFile, fd});
}

std::int64_t SemihostingFiles::close(std::uint64_t handle) {
  Entry* const entry = find(handle);
  if (entry == nullptr) return -EBADF;
  const std::int64_t result = entry->kind == Kind::kFile ? or_errno(::close(entry->fd)) : 0;
  *entry = Entry{};
  return result;
}

std::int64_t SemihostingFiles::read(std::uint64_t handle, std::span<std::byte> to) {
  Entry* const entry = find(handle);
  if (entry == nullptr) return -EBADF;
  if (entry->kind == Kind::kInput) {
    if (to.empty() || !console_.has_input()) return 0;
    const std::size_t count = console_.read(to);
    return count == 0 ? -EAGAIN : static_cast<std::int64_t>(count);
  }
  if (entry->kind == Kind::kFile) return or_errno(::read(entry->fd, to.data(), to.size()));
  if (entry->kind != Kind::kFeatures) return -EBADF;
  const std::uint64_t left = std::size(kFeatureBytes) - entry->position;
  const std::size_t count = std::min<std::uint64_t>(left, to.size());
  std::copy_n(kFeatureBytes + entry->position, count, to.begin());
  entry->position += count;
  return static_cast<std::int64_t>(count);
}

std::int64_t SemihostingFiles::write(std::uint64_t handle, std::span<const std::byte> from) {
  const Entry* const entry = find(handle);
  if (entry == nullptr) return -EBADF;
  if (entry->kind == Kind::kFile) return or_errno(::write(entry->fd, from.data(), from.size()));
  if (entry->kind != Kind::kOutput && entry->kind != Kind::kError) return -EBADF;
  using Stream = SemihostingConsole::Stream;
  console_.write(entry->kind == Kind::kError ? Stream::kError : Stream::kOutput, from);
  return static_cast<std::int64_t>(from.size());
}

std::int64_t SemihostingFiles::seek(std::uint64_t handle, std::uint64_t position) {
  Entry* const entry = find(handle);
  if (entry == nullptr) return -EBADF;
  if (entry->kind == Kind::kFile)
    return lseek(entry->fd, static_cast<off_t>(position), SEEK_SET) < 0 ? -errno : 0;
  if (entry->kind != Kind::kFeatures) return -ESPIPE;
  if (position > std::size(kFeatureBytes)) return -EINVAL;
  entry->position = position;
  return 0;
}

std::int64_t SemihostingFiles::length(std::uint64_t handle) {
  const Entry* const entry = find(handle);
  if (entry == nullptr) return -EBADF;
  if (entry->kind == Kind::kFeatures) return std::size(kFeatureBytes);
  if (entry->kind != Kind::kFile) return -ESPIPE;
  struct stat status {};
  return fstat(entry->fd, &status) == 0 ? status.st_size : -errno;
}

std::int64_t SemihostingFiles::is_terminal(std::uint64_t handle) {
  const Entry* const entry = find(handle);
  if (entry == nullptr) return -EBADF;
  return entry->kind != Kind::kFile && entry->kind != Kind::kFeatures ? 1 : 0;
}

std::int64_t SemihostingFiles::remove(const std::string& name) {
  return folder_ == nullptr ? -EACCES : -folder_->remove(name);
}

std::int64_t SemihostingFiles::rename(const std::string& from, const std::string& to) {
  return folder_ == nullptr ? -EACCES : -folder_->rename(from, to);
}

}  // namespace gstage::riscv
