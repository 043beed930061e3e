// SPDX-License-Identifier: Apache-2.0
#include "io/host_folder.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace gstage {

namespace {

/// The last component of a path; empty where that is no name of an entry.
std::string entry_name(const std::string& path) {
  const std::string name = path.substr(path.find_last_of('/') + 1);
  return name == "." || name == ".." ? std::string() : name;
}

}  // namespace

Result<std::unique_ptr<HostFolder>> HostFolder::open(const std::string& option, const std::string& path) {
  const int fd = ::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return error("%s%s: %s; name a folder that is there", option.c_str(), path.c_str(), std::strerror(errno));
  return std::unique_ptr<HostFolder>(new HostFolder(fd));
}

HostFolder::~HostFolder() { close(fd_); }

int HostFolder::open_beneath(const std::string& path, int flags) const {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.mode = (flags & O_CREAT) != 0 ? 0666 : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  // EAGAIN: something was moved while the path was followed.
  constexpr int kAttempts = 64;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const long fd = syscall(SYS_openat2, fd_, path.c_str(), &how, sizeof how);
    if (fd >= 0) return static_cast<int>(fd);
    if (errno != EAGAIN && errno != EINTR) return -errno;
  }
  return -EAGAIN;
}

int HostFolder::open_file(const std::string& path, int flags) const {
  // Of a pipe or a device neither the opening nor a read may hang.
  const int fd = open_beneath(path, flags | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return fd;
  struct stat status {};
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) return fd;
  close(fd);
  return -EACCES;
}

int HostFolder::open_parent(const std::string& path) const {
  const auto slash = path.find_last_of('/');
  // An absolute path leaves the folder: "/" in place of nothing keeps it absolute.
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash == 0 ? 1 : slash);
  return open_beneath(parent, O_PATH | O_DIRECTORY);
}

int HostFolder::remove(const std::string& path) const {
  const std::string name = entry_name(path);
  if (name.empty()) return EINVAL;
  const int parent = open_parent(path);
  if (parent < 0) return -parent;
  const int failure = unlinkat(parent, name.c_str(), 0) == 0 ? 0 : errno;
  close(parent);
  return failure;
}

int HostFolder::rename(const std::string& from, const std::string& to) const {
  const std::string old_name = entry_name(from);
  const std::string new_name = entry_name(to);
  if (old_name.empty() || new_name.empty()) return EINVAL;
  const int old_parent = open_parent(from);
  if (old_parent < 0) return -old_parent;
  const int new_parent = open_parent(to);
  int failure = new_parent < 0 ? -new_parent : 0;
  if (failure == 0 && renameat(old_parent, old_name.c_str(), new_parent, new_name.c_str()) != 0)
    failure = errno;
  close(old_parent);
  if (new_parent >= 0) close(new_parent);
  return failure;
}

}  // namespace gstage
