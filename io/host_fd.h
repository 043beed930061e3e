// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include <unistd.h>

namespace gstage {

/// A descriptor of the host, or -1: closed at the end unless released.
struct HostFd {
  int fd = -1;
  explicit HostFd(int f) : fd(f) {}
  HostFd(const HostFd&) = delete;
  HostFd& operator=(const HostFd&) = delete;
  ~HostFd() {
    if (fd >= 0) close(fd);
  }
  int release() { return std::exchange(fd, -1); }
};

/// An empty file without a name in the folder, for reading and writing; -1: errno says why not.
int open_nameless(const std::string& folder);

}  // namespace gstage
