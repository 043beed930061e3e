// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "softmmu/base/result.h"
#include "system/sandbox/sandbox.h"

namespace gstage::sandbox {

/// chroot(2) into `directory`, and its root becomes the current directory. Needs root.
Status change_root(const std::string& directory);

/// Who `-runas` means. Looked up before the root changes: /etc/passwd is outside the new one.
struct Identity {
  unsigned user = 0;
  unsigned group = 0;
  std::string name;  ///< for its supplementary groups; empty: none
};
/// `text` is a user's name or UID:GID.
Result<Identity> find_identity(const std::string& text);
/// All threads become that user, with that user's groups. Needs root, unless it is who runs already.
Status become(const Identity& identity);

/// No program that is started gains privileges, and this thread's capabilities go, in every set; of those
/// that it has, `keeps_file_capabilities` leaves the ones for owners, modes and contents of files.
Status drop_privileges(bool keeps_file_capabilities = false);

/// Directories and files, opened to name them alone. They are opened before the root and the user change.
class Folders {
 public:
  struct Entry {
    int fd;
    bool is_read_only;
    bool is_directory;
    bool is_share = false;
  };

  Folders() = default;
  ~Folders();
  Folders(const Folders&) = delete;
  Folders& operator=(const Folders&) = delete;
  Status open(const std::string& path, bool is_share = false);
  /// For reading alone, a file or a directory.
  Status open_readable(const std::string& path);
  [[nodiscard]] std::span<const Entry> entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
};

/// What stays open besides what each machine needs.
using For = SandboxUser;
struct Needs {
  bool opens_files = false;
  NetworkNeeds networks{};
};

/// Landlock: no file may be opened, made or removed but below `folders`, and no port be bound or connected
/// unless `uses_internet`; TCP connections to `ports` are made all the same. False where the kernel has no
/// Landlock. After drop_privileges: the kernel wants no new privileges first.
Result<bool> restrict_files(const Folders& folders, bool uses_internet, std::span<const std::uint16_t> ports);

/// seccomp: only the system calls of syscalls.inc.
Status restrict_system_calls(const Needs& needs);

}  // namespace gstage::sandbox
