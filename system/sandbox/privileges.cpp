// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "system/sandbox/steps.h"

namespace gstage::sandbox {

namespace {

/// Parses all of `text`; false when it is no number that a user can have.
bool parse_id(std::string_view text, unsigned& id) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), id);
  // -1 means "no change" to the system calls.
  return failure == std::errc{} && end == text.data() + text.size() && !text.empty() && id != ~0u;
}

Error cannot(const char* option, const std::string& what) {
  return error("%s: cannot %s (%s): it needs root", option, what.c_str(), std::strerror(errno));
}

}  // namespace

Status change_root(const std::string& directory) {
  if (chroot(directory.c_str()) == 0 && chdir("/") == 0) return Ok{};
  if (errno == EPERM) return cannot("-chroot", "change the root to '" + directory + "'");
  return error("-chroot: cannot change the root to '%s' (%s): name a directory", directory.c_str(),
               std::strerror(errno));
}

Result<Identity> find_identity(const std::string& text) {
  Identity identity;
  if (const std::size_t colon = text.find(':'); colon != std::string::npos) {
    const std::string_view view(text);
    if (parse_id(view.substr(0, colon), identity.user) && parse_id(view.substr(colon + 1), identity.group))
      return identity;
    return error("-runas: '%s' is not UID:GID: write two numbers, or a user's name", text.c_str());
  }
  errno = 0;
  const passwd* const entry = getpwnam(text.c_str());
  if (entry == nullptr)
    return error("-runas: there is no user '%s': give a name that the host has, or UID:GID", text.c_str());
  return Identity{entry->pw_uid, entry->pw_gid, entry->pw_name};
}

Status become(const Identity& identity) {
  const bool is_already = getuid() == identity.user && geteuid() == identity.user &&
                          getgid() == identity.group && getegid() == identity.group;
  if (is_already && geteuid() != 0) return Ok{};
  const bool has_groups = (identity.name.empty() ? setgroups(0, nullptr)
                                                 : initgroups(identity.name.c_str(), identity.group)) == 0;
  if (has_groups && setresgid(identity.group, identity.group, identity.group) == 0 &&
      setresuid(identity.user, identity.user, identity.user) == 0)
    return Ok{};
  return cannot("-runas", "become user " + std::to_string(identity.user));
}

Status drop_privileges(bool keeps_file_capabilities) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return error("-sandbox: cannot forbid new privileges (%s)", std::strerror(errno));
  // The bounding set can be emptied by those alone who have the capability for it; no one else gains by it.
  for (unsigned capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability)
    prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> left{};
  if (keeps_file_capabilities) {
    constexpr std::uint32_t kFiles =
        1u << CAP_CHOWN | 1u << CAP_DAC_OVERRIDE | 1u << CAP_FOWNER | 1u << CAP_FSETID;
    if (syscall(SYS_capget, &header, left.data()) != 0) left = {};
    const std::uint32_t kept = left[0].permitted & kFiles;
    left = {};
    left[0].permitted = left[0].effective = kept;
  }
  if (syscall(SYS_capset, &header, left.data()) == 0) return Ok{};
  return error("-sandbox: cannot give up capabilities (%s)", std::strerror(errno));
}

}  // namespace gstage::sandbox
