// SPDX-License-Identifier: Apache-2.0
#include "system/process.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "softmmu/base/format.h"

namespace gstage {

Daemon::~Daemon() {
  for (const int fd : {caller_, null_})
    if (fd >= 0) close(fd);
}

Status Daemon::begin() {
  std::array<int, 2> ends{};
  null_ = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null_ < 0 || pipe2(ends.data(), O_CLOEXEC) != 0)
    return error("-daemonize: cannot begin (%s)", std::strerror(errno));
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) return error("-daemonize: cannot make a process (%s)", std::strerror(errno));
  if (child != 0) {
    close(ends[1]);
    std::uint8_t byte = 0;
    ssize_t got;
    do got = read(ends[0], &byte, 1);
    while (got < 0 && errno == EINTR);
    _exit(got == 1 ? 0 : 1);
  }
  close(ends[0]);
  caller_ = ends[1];
  setsid();
  return Ok{};
}

void Daemon::ready() {
  if (caller_ < 0) return;
  std::fflush(nullptr);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null_, fd);
  const std::uint8_t byte = 1;
  static_cast<void>(!write(caller_, &byte, 1));
  close(caller_);
  caller_ = -1;
}

Status PidFile::make(const std::string& path) {
  fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
  if (fd_ < 0)
    return error("-pidfile: cannot make '%s' (%s): name a file that can be written", path.c_str(),
                 std::strerror(errno));
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  if (fcntl(fd_, F_OFD_SETLK, &lock) != 0)
    return error("-pidfile: '%s' belongs to a machine that runs: name another file", path.c_str());
  const std::string text = format("%d\n", static_cast<int>(getpid()));
  if (ftruncate(fd_, 0) != 0 || write(fd_, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return error("-pidfile: cannot write '%s' (%s)", path.c_str(), std::strerror(errno));
  // The directory may change until the end: that of a daemon does.
  std::error_code failure;
  const auto absolute = std::filesystem::absolute(path, failure);
  path_ = failure ? path : absolute.string();
  return Ok{};
}

PidFile::~PidFile() {
  if (!path_.empty() && unlink(path_.c_str()) != 0) static_cast<void>(!ftruncate(fd_, 0));
  if (fd_ >= 0) close(fd_);
}

void set_process_name(const std::string& name) { prctl(PR_SET_NAME, name.c_str(), 0, 0, 0); }

}  // namespace gstage
