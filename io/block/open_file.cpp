// SPDX-License-Identifier: Apache-2.0
#include "io/block/open_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/block/host_file.h"
#include "io/block/image_lock.h"
#include "io/host_fd.h"

namespace gstage {

namespace {

/// As deep as a chain of images may be.
constexpr std::size_t kMostFiles = 200;

/// First bytes of images that are not raw, so that one is not taken for an empty disk.
struct Magic {
  const char* format;
  const char* bytes;
  std::size_t size;
};
constexpr std::array kMagics{Magic{"qcow2", "QFI\xfb", 4}, Magic{"vmdk", "KDMV", 4},
                             Magic{"vhdx", "vhdxfile", 8}, Magic{"qed", "QED\0", 4}};

bool is_permission(int reason) { return reason == EACCES || reason == EROFS || reason == EPERM; }

Error cannot_open(const std::string& what, const std::string& file, int reason) {
  return error("%s: cannot open '%s': %s; check the file's name", what.c_str(), file.c_str(),
               std::strerror(reason));
}

Error not_writable(const std::string& what, const std::string& file, int reason) {
  return error("%s: '%s' is not writable (%s): add readonly=on or snapshot=on, or make the file writable",
               what.c_str(), file.c_str(), std::strerror(reason));
}

int open_image(const std::string& file, bool wants_write) {
  return open(file.c_str(), (wants_write ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
}

/// For root every file is writable; one that is marked read-only is meant to be.
bool is_marked_read_only(const struct stat& status) {
  return S_ISREG(status.st_mode) && (status.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)) == 0;
}

Status check_kind(const std::string& what, const std::string& file, const struct stat& status) {
  if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
    return error("%s: '%s' is no disk image: give a regular file or a block device", what.c_str(),
                 file.c_str());
  return Ok{};
}

Status add_to_chain(const std::string& what, const std::string& file, const struct stat& status,
                    FileChain& chain) {
  const std::pair identity{status.st_dev, status.st_ino};
  if (std::find(chain.begin(), chain.end(), identity) != chain.end())
    return error("%s: '%s' lies over itself: its backing files are a loop; qemu-img rebase mends the image",
                 what.c_str(), file.c_str());
  if (chain.size() >= kMostFiles)
    return error("%s: '%s' has more than %zu backing files: qemu-img commit makes them fewer", what.c_str(),
                 file.c_str(), kMostFiles);
  chain.push_back(identity);
  return Ok{};
}

Status lock(const std::string& what, const BlockOptions& options, int fd, bool is_writer) {
  if (options.locking == OnOffAuto::kOff || options.shares_by_force) return Ok{};
  switch (lock_image(fd, is_writer)) {
    case LockOutcome::kLocked: return Ok{};
    case LockOutcome::kUnavailable:
      // File systems without locks: nothing can be said there.
      if (options.locking == OnOffAuto::kAuto) return Ok{};
      return error("%s: '%s' cannot be locked here: leave out locking=on", what.c_str(),
                   options.filename.c_str());
    case LockOutcome::kInUse: break;
  }
  return error("%s: '%s' is in use by another program%s: stop that one%s", what.c_str(),
               options.filename.c_str(), is_writer ? "" : " that writes to it",
               is_writer ? ", or add snapshot=on or readonly=on to both" : "");
}

/// The same file once more, for O_DIRECT.
int open_direct(int fd, bool is_writer) {
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  return open(path.c_str(), (is_writer ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_DIRECT);
}

/// Where temporary files go; not /tmp, which may be memory.
const char* temporary_directory() {
  const char* const named = std::getenv("TMPDIR");
  return named != nullptr && named[0] != '\0' ? named : "/var/tmp";
}

}  // namespace

Result<OpenedFile> open_block_file(const std::string& what, const BlockOptions& options, FileChain& chain) {
  const std::string& name = options.filename;
  bool is_writer = !options.is_read_only;
  int reason = 0;
  HostFd image(open_image(name, is_writer));
  if (image.fd < 0) reason = errno;
  struct stat status = {};
  if (image.fd >= 0 && fstat(image.fd, &status) != 0) return cannot_open(what, name, errno);
  if (is_writer && image.fd >= 0 && is_marked_read_only(status)) reason = EACCES;
  if (is_writer && is_permission(reason)) {
    if (!options.is_auto_read_only) return not_writable(what, name, reason);
    is_writer = false;
    if (image.fd < 0) image.fd = open_image(name, false);
    if (image.fd < 0 || fstat(image.fd, &status) != 0) return cannot_open(what, name, errno);
  } else if (image.fd < 0) {
    if (reason == EISDIR)
      return error("%s: '%s' is a directory: give a regular file or a block device", what.c_str(),
                   name.c_str());
    return cannot_open(what, name, reason);
  }
  if (Status kind = check_kind(what, name, status); !kind.ok()) return kind.error();
  if (Status first = add_to_chain(what, name, status, chain); !first.ok()) return first.error();
  if (Status locked = lock(what, options, image.fd, is_writer); !locked.ok()) return locked.error();
  HostFileUse use;
  use.can_unmap = options.discard == DiscardUse::kUnmap;
  use.skips_sync = options.skips_flush;
  if (options.is_direct) {
    use.direct_fd = open_direct(image.fd, is_writer);
    if (use.direct_fd < 0)
      return error(
          "%s: '%s' cannot be read past the host's cache (%s): leave out cache.direct=on or cache=none",
          what.c_str(), name.c_str(), std::strerror(errno));
  }
  return OpenedFile{std::make_shared<HostFile>(image.release(), use), !is_writer};
}

Result<std::shared_ptr<BlockFile>> open_temporary_file(const std::string& what) {
  const int fd = open_nameless(temporary_directory());
  if (fd < 0)
    return error(
        "%s: cannot make a temporary file for snapshot=on in %s: %s; set TMPDIR to a directory with room",
        what.c_str(), temporary_directory(), std::strerror(errno));
  return std::shared_ptr<BlockFile>(std::make_shared<HostFile>(fd));
}

Result<std::string> probe_format(const std::string& what, BlockFile& file, const std::string& name) {
  std::array<std::byte, 8> head{};
  if (const int failure = file.read(0, head); failure != 0) return cannot_open(what, name, failure);
  for (const Magic& magic : kMagics)
    if (std::memcmp(head.data(), magic.bytes, magic.size) == 0) return std::string(magic.format);
  return std::string("raw");
}

}  // namespace gstage
