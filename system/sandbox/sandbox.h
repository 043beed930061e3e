// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "softmmu/base/result.h"

namespace gstage {

/// Who needs a system call.
enum class SandboxUser : std::uint8_t {
  kAll,
  kFiles,
  kInternet,
  kWires,
  kLocal,
  kTap,
  kAccept,
  kConnect,
  kDaemon,
  kShare,
  kShareWrite
};

/// What the networks, character back ends and shared folders of a machine need of the host while it runs.
struct NetworkNeeds {
  [[nodiscard]] bool has(SandboxUser user) const { return (bits >> static_cast<unsigned>(user) & 1) != 0; }
  void add(SandboxUser user) { bits |= 1u << static_cast<unsigned>(user); }
  unsigned bits = 0;
};

/// What the process may still do once the machine is built.
struct SandboxOptions {
  enum class Mode : std::uint8_t {
    kBestEffort,  ///< closed as far as the host's kernel can; a warning says what it cannot
    kOn,          ///< `-sandbox on`: closed, or an error
    kOff,
  };
  /// The sanitizers read files and start programs of their own when they report.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  static constexpr Mode kDefaultMode = Mode::kOff;
#else
  static constexpr Mode kDefaultMode = Mode::kBestEffort;
#endif

  Mode mode = kDefaultMode;
  std::string user;                   ///< `-runas`: a name, or UID:GID; empty: stay
  std::string root;                   ///< `-chroot`: a directory; empty: stay
  std::vector<std::string> folders;   ///< files below these may be opened, made, renamed and removed
  std::vector<std::string> readable;  ///< files below these, or these themselves, may be read
  /// Likewise where the kernel can keep to them (Landlock); where it cannot, they are left out.
  std::vector<std::string> readable_if_possible;
  /// Shared folders: below these there may be all kinds of files but devices.
  std::vector<std::string> shares;
  /// Root keeps what it takes to set owners of files and to open those of others.
  bool keeps_file_capabilities = false;
  NetworkNeeds networks;                 ///< and character back ends, and shared folders
  std::vector<std::uint16_t> tcp_ports;  ///< to which TCP connections may be made all the same
};

/// Leaves to the process nothing but what running the machine takes: another root and user where they are
/// asked for, no new privileges, no capabilities, no file but those that are open and those that `options`
/// names, no socket unless it names that, no program, no other process (seccomp, and Landlock where the
/// kernel has it).
///
/// What the kernel keeps for each thread goes over to those that begin later, so this comes before the first
/// of them. It cannot be taken back. An Error says which step failed.
Status enter_sandbox(const SandboxOptions& options);

}  // namespace gstage
