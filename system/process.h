// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "softmmu/base/result.h"

namespace gstage {

/// `-daemonize`: the program goes on behind its caller's back.
class Daemon {
 public:
  Daemon() = default;
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  /// Goes on in a child, a session of its own; the caller's process ends when `ready` is called, with exit
  /// code 0, or when the child ends before, with 1. Messages go to the terminal meanwhile. Before other
  /// threads begin.
  Status begin();
  /// The machine is up: lets go of the terminal and of the caller. Nothing if there was no `begin`.
  void ready();

 private:
  int caller_ = -1;  ///< a pipe to the process that began this one
  int null_ = -1;    ///< /dev/null
};

/// `-pidfile`: a file with the number of this process, for its owner alone. It is locked as long as the
/// program runs, so that a second one does not take it, and removed at the end; a sandboxed process cannot
/// remove it and leaves it empty.
class PidFile {
 public:
  PidFile() = default;
  ~PidFile();
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;
  Status make(const std::string& path);

 private:
  std::string path_;
  int fd_ = -1;
};

/// The name that `ps` and `top` show; of a longer one the first 15 characters.
void set_process_name(const std::string& name);

}  // namespace gstage
