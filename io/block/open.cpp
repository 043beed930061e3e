// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/block/block.h"
#include "io/block/raw_file.h"

namespace gstage {

namespace {

/// Disks are addressed by sectors of this size.
constexpr std::uint64_t kSector = 512;

/// First bytes of images that are not raw, so that one is not taken for an empty disk.
struct Magic {
  const char* format;
  const char* bytes;
  std::size_t size;
};
constexpr std::array kMagics{Magic{"qcow2", "QFI\xfb", 4}, Magic{"vmdk", "KDMV", 4},
                             Magic{"vhdx", "vhdxfile", 8}, Magic{"qed", "QED\0", 4}};

/// Closes unless released.
struct OwnedFd {
  int fd = -1;
  explicit OwnedFd(int f) : fd(f) {}
  OwnedFd(const OwnedFd&) = delete;
  OwnedFd& operator=(const OwnedFd&) = delete;
  ~OwnedFd() {
    if (fd >= 0) close(fd);
  }
  int release() { return std::exchange(fd, -1); }
};

Error cannot_open(const std::string& file, int reason, bool wants_write) {
  const bool is_permission = reason == EACCES || reason == EROFS || reason == EPERM;
  if (wants_write && is_permission)
    return error(
        "-drive: '%s' is not writable (%s): add readonly=on or snapshot=on, or make the file writable",
        file.c_str(), std::strerror(reason));
  return error("-drive: cannot open '%s': %s; check file=", file.c_str(), std::strerror(reason));
}

/// One writer or many readers, gstage or not: the lock is advisory, and goes with the descriptor.
Status lock_image(int fd, const std::string& file, bool is_writer) {
  struct flock range = {};
  range.l_type = static_cast<short>(is_writer ? F_WRLCK : F_RDLCK);
  range.l_whence = SEEK_SET;
  if (fcntl(fd, F_OFD_SETLK, &range) == 0) return Ok{};
  // File systems without locks: nothing can be said there.
  if (errno != EAGAIN && errno != EACCES) return Ok{};
  return error("-drive: '%s' is in use by another program%s: stop that one%s", file.c_str(),
               is_writer ? "" : " that writes to it",
               is_writer ? ", or add snapshot=on or readonly=on to both" : "");
}

/// Where temporary files go; not /tmp, which may be memory.
const char* temporary_directory() {
  const char* const named = std::getenv("TMPDIR");
  return named != nullptr && named[0] != '\0' ? named : "/var/tmp";
}

/// A file without a name, gone with its descriptor.
int open_temporary() {
  const int fd = open(temporary_directory(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0 || errno == ENOENT || errno == EACCES) return fd;
  std::string name = std::string(temporary_directory()) + "/gstage-XXXXXX";
  const int named = mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) unlink(name.c_str());
  return named;
}

Status check_kind(int fd, const DriveOptions& options, bool wants_write) {
  struct stat status;
  if (fstat(fd, &status) != 0) return cannot_open(options.file, errno, wants_write);
  if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
    return error("-drive: '%s' is no disk image: give a regular file or a block device",
                 options.file.c_str());
  // For root every file is writable; one that is marked read-only is meant to be.
  if (wants_write && S_ISREG(status.st_mode) && (status.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)) == 0)
    return cannot_open(options.file, EACCES, wants_write);
  return Ok{};
}

Status check_format(int fd, const DriveOptions& options) {
  if (options.format != "raw" && !options.format.empty())
    return error("-drive: format=%s is not supported yet: use format=raw (qemu-img convert -O raw makes one)",
                 options.format.c_str());
  if (options.format == "raw") return Ok{};
  std::array<char, 8> head{};
  if (pread(fd, head.data(), head.size(), 0) < 0) return cannot_open(options.file, errno, false);
  for (const Magic& magic : kMagics)
    if (std::memcmp(head.data(), magic.bytes, magic.size) == 0)
      return error(
          "-drive: '%s' is a %s image, which is not supported yet: convert it (qemu-img convert -O raw), or "
          "say format=raw if it is raw all the same",
          options.file.c_str(), magic.format);
  return Ok{};
}

}  // namespace

Result<std::shared_ptr<BlockBackend>> open_drive(const DriveOptions& options) {
  if (options.file.empty()) return error("-drive: no image is named: add file=PATH");
  const bool wants_write = !options.is_read_only && !options.is_snapshot;
  OwnedFd image(open(options.file.c_str(), (wants_write ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK));
  if (image.fd < 0 && errno == EISDIR)
    return error("-drive: '%s' is a directory: give a regular file or a block device", options.file.c_str());
  if (image.fd < 0) return cannot_open(options.file, errno, wants_write);
  for (const Status& status : {check_kind(image.fd, options, wants_write), check_format(image.fd, options),
                               lock_image(image.fd, options.file, wants_write)})
    if (!status.ok()) return status.error();
  const off_t end = lseek(image.fd, 0, SEEK_END);
  if (end < 0) return cannot_open(options.file, errno, wants_write);
  // A last sector that is there in part reads as if zeros followed.
  const std::uint64_t size = (static_cast<std::uint64_t>(end) + kSector - 1) / kSector * kSector;
  std::shared_ptr<BlockBackend> raw = std::make_shared<RawFile>(image.release(), size, !wants_write);
  if (!options.is_snapshot || options.is_read_only) return raw;
  const int overlay = open_temporary();
  if (overlay < 0)
    return error(
        "-drive: cannot make a temporary file for snapshot=on in %s: %s; set TMPDIR to a directory with room",
        temporary_directory(), std::strerror(errno));
  return make_snapshot(std::move(raw), overlay);
}

}  // namespace gstage
