// SPDX-License-Identifier: Apache-2.0
#include "system/sandbox/sandbox.h"

#include <cstdio>
#include <optional>

#include "system/sandbox/steps.h"

namespace gstage {

namespace {

/// Another root and another user, where they are asked for.
Status change_identity(const SandboxOptions& options) {
  std::optional<sandbox::Identity> identity;
  if (!options.user.empty()) {
    auto found = sandbox::find_identity(options.user);
    if (!found) return found.error();
    identity = std::move(*found);
  }
  if (!options.root.empty())
    if (const Status status = sandbox::change_root(options.root); !status.ok()) return status;
  return identity ? sandbox::become(*identity) : Status(Ok{});
}

/// The filter of system calls is last: it forbids what the other steps do.
Status close_all(const SandboxOptions& options, const sandbox::Folders& folders) {
  if (const Status status = sandbox::drop_privileges(options.keeps_file_capabilities); !status.ok())
    return status;
  auto has_landlock =
      sandbox::restrict_files(folders, options.networks.has(SandboxUser::kInternet), options.tcp_ports);
  if (!has_landlock) return has_landlock.error();
  // Without Landlock nothing would keep the files that are opened to the folders.
  const bool must_open = !options.folders.empty() || !options.readable.empty() || !options.shares.empty();
  if (must_open && !*has_landlock)
    return error(
        "-sandbox: this kernel has no Landlock to keep files to a folder: -sandbox off does without");
  return sandbox::restrict_system_calls({*has_landlock && !folders.entries().empty(), options.networks});
}

}  // namespace

Status enter_sandbox(const SandboxOptions& options) {
  sandbox::Folders folders;
  for (const std::string& path : options.folders)
    if (const Status status = folders.open(path); !status.ok()) return status;
  for (const std::string& path : options.shares)
    if (const Status status = folders.open(path, true); !status.ok()) return status;
  for (const std::string& path : options.readable)
    if (const Status status = folders.open_readable(path); !status.ok()) return status;
  for (const std::string& path : options.readable_if_possible) static_cast<void>(folders.open_readable(path));
  if (const Status status = change_identity(options); !status.ok()) return status;
  if (options.mode == SandboxOptions::Mode::kOff) return Ok{};
  const Status status = close_all(options, folders);
  if (status.ok() || options.mode == SandboxOptions::Mode::kOn) return status;
  std::fprintf(stderr, "gstage: warning: the sandbox is not closed: %s\n", status.error().message.c_str());
  return Ok{};
}

}  // namespace gstage
