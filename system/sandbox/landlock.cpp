// SPDX-License-Identifier: Apache-2.0
// Landlock (the kernel's Documentation/userspace-api/landlock.rst). Each version of its interface knows more
// rights, and a right that the kernel does not know is refused, so what is handled follows from the version.
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "system/sandbox/steps.h"

namespace gstage::sandbox {

namespace {

// The kernel's interface, as later versions than Debian 12's headers have it.
constexpr std::uint32_t kVersionFlag = 1;
constexpr int kRulePathBeneath = 1;
constexpr int kRuleNetPort = 2;

struct RulesetAttributes {
  std::uint64_t files;
  std::uint64_t network;
  std::uint64_t scopes;
};

struct [[gnu::packed]] PathBeneath {
  std::uint64_t allowed;
  std::int32_t folder;
};

struct NetPort {
  std::uint64_t allowed;
  std::uint64_t port;
};

constexpr std::uint64_t bit(unsigned n) { return std::uint64_t{1} << n; }

/// Rights on files that version 1 knows: execute, write, read, read a directory, remove, and make of all
/// kinds.
constexpr std::uint64_t kFirstRights = bit(13) - 1;
constexpr std::uint64_t kReferRight = bit(13);        // version 2
constexpr std::uint64_t kTruncateRight = bit(14);     // version 3
constexpr std::uint64_t kDeviceIoctlRight = bit(15);  // version 5
/// Write, read, read a directory, remove files and directories, make files and directories, truncate.
constexpr std::uint64_t kFolderRights =
    bit(1) | bit(2) | bit(3) | bit(4) | bit(5) | bit(7) | bit(8) | bit(14);
/// The same, links and renames from one folder to another, sockets, pipes and symbolic links.
constexpr std::uint64_t kShareRights = kFolderRights | bit(9) | bit(10) | bit(12) | bit(13);
constexpr std::uint64_t kReadFileRight = bit(2);
constexpr std::uint64_t kReadFolderRight = bit(3);

std::uint64_t rights_of(const Folders::Entry& entry) {
  if (!entry.is_read_only) return entry.is_share ? kShareRights : kFolderRights;
  return kReadFileRight | (entry.is_directory ? kReadFolderRight : 0);
}

constexpr std::uint64_t kBindRight = bit(0);  // version 4
constexpr std::uint64_t kConnectRight = bit(1);

struct Handled {
  RulesetAttributes attributes;
  std::size_t size;  ///< of the part of the structure that the version knows
};

Handled handled_by(long version, bool uses_internet) {
  Handled handled{{kFirstRights, 0, 0}, sizeof(std::uint64_t)};
  if (version >= 2) handled.attributes.files |= kReferRight;
  if (version >= 3) handled.attributes.files |= kTruncateRight;
  if (version >= 4) {
    if (!uses_internet) handled.attributes.network = kBindRight | kConnectRight;  // by TCP
    handled.size = 2 * sizeof(std::uint64_t);
  }
  if (version >= 5) handled.attributes.files |= kDeviceIoctlRight;
  if (version >= 6) {
    handled.attributes.scopes = bit(0) | bit(1);  // abstract sockets and signals of others
    handled.size = sizeof(RulesetAttributes);
  }
  return handled;
}

struct Ruleset {
  ~Ruleset() { close(fd); }
  int fd;
};

}  // namespace

Folders::~Folders() {
  for (const Entry& entry : entries_) close(entry.fd);
}

Status Folders::open(const std::string& path, bool is_share) {
  const int fd = ::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return error("-sandbox: cannot open the folder '%s' (%s)", path.c_str(), std::strerror(errno));
  entries_.push_back({fd, false, true, is_share});
  return Ok{};
}

Status Folders::open_readable(const std::string& path) {
  const int fd = ::open(path.c_str(), O_PATH | O_CLOEXEC);
  struct stat status {};
  if (fd < 0 || fstat(fd, &status) != 0)
    return error("-sandbox: cannot open '%s' (%s)", path.c_str(), std::strerror(errno));
  entries_.push_back({fd, true, S_ISDIR(status.st_mode)});
  return Ok{};
}

Result<bool> restrict_files(const Folders& folders, bool uses_internet,
                            std::span<const std::uint16_t> ports) {
  const long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, kVersionFlag);
  if (version < 1) return false;
  const Handled handled = handled_by(version, uses_internet);
  const Ruleset rules{
      static_cast<int>(syscall(SYS_landlock_create_ruleset, &handled.attributes, handled.size, 0))};
  if (rules.fd < 0) return error("-sandbox: Landlock takes no rules (%s)", std::strerror(errno));
  for (const Folders::Entry& entry : folders.entries()) {
    const PathBeneath rule{rights_of(entry) & handled.attributes.files, entry.fd};
    if (syscall(SYS_landlock_add_rule, rules.fd, kRulePathBeneath, &rule, 0) != 0)
      return error("-sandbox: Landlock takes no folder (%s)", std::strerror(errno));
  }
  const bool knows_ports = handled.attributes.network != 0;
  for (const std::uint16_t port : ports) {
    const NetPort rule{kConnectRight, port};
    if (knows_ports && syscall(SYS_landlock_add_rule, rules.fd, kRuleNetPort, &rule, 0) != 0)
      return error("-sandbox: Landlock takes no port (%s)", std::strerror(errno));
  }
  if (syscall(SYS_landlock_restrict_self, rules.fd, 0) != 0)
    return error("-sandbox: Landlock does not close (%s)", std::strerror(errno));
  return true;
}

}  // namespace gstage::sandbox
