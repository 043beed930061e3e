// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "softmmu/base/result.h"

namespace gstage {

/// A folder of the host that a guest may use, and nothing outside it: no path that the guest names leaves it,
/// by `..`, by a symbolic link or by what somebody moves meanwhile (openat2(2), RESOLVE_BENEATH).
class HostFolder {
 public:
  /// `option` is for messages: "-semihosting-config root=".
  static Result<std::unique_ptr<HostFolder>> open(const std::string& option, const std::string& path);
  ~HostFolder();
  HostFolder(const HostFolder&) = delete;
  HostFolder& operator=(const HostFolder&) = delete;

  /// A descriptor of a regular file, opened with `flags` of open(2), or a negated errno. The caller closes
  /// it.
  [[nodiscard]] int open_file(const std::string& path, int flags) const;
  /// 0 or an errno.
  [[nodiscard]] int remove(const std::string& path) const;
  /// 0 or an errno.
  [[nodiscard]] int rename(const std::string& from, const std::string& to) const;

 private:
  explicit HostFolder(int fd) : fd_(fd) {}
  [[nodiscard]] int open_beneath(const std::string& path, int flags) const;
  [[nodiscard]] int open_parent(const std::string& path) const;

  const int fd_;
};

}  // namespace gstage
