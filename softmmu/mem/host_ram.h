// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "softmmu/base/result.h"
#include "softmmu/base/types.h"

namespace gstage {

/// A file whose bytes are memory; closed with its last owner.
class RamFile {
 public:
  explicit RamFile(int fd) : fd_(fd) {}
  ~RamFile();
  RamFile(const RamFile&) = delete;
  RamFile& operator=(const RamFile&) = delete;
  [[nodiscard]] int fd() const { return fd_; }

 private:
  const int fd_;
};

/// Where the bytes of memory, or of a part of it, are on the host.
struct RamPart {
  std::uint64_t size = 0;                 ///< bytes, a multiple of `page_bytes`
  std::shared_ptr<const RamFile> file{};  ///< null: the process's own memory, zero at first
  std::uint64_t offset = 0;               ///< of the part in the file, a multiple of `page_bytes`
  std::uint64_t page_bytes = kPageSize;   ///< of the file's pages: more where a file system has huge ones
  bool is_shared = false;                 ///< what is written goes into the file
  bool is_preallocated = false;           ///< the host's memory is taken at once
  bool is_mergeable = false;              ///< the host may keep like pages once (KSM)
  bool is_dumped = false;                 ///< it is part of core files
  bool is_discarded = false;              ///< of a shared file: its contents are of no use at the end
};

/// Memory of the host's for a range of the bus: its parts, one behind the other. Costs nothing until it is
/// touched, unless a part is preallocated.
class HostRam {
 public:
  /// `name` is for messages: "ram". An error says what the host refuses.
  static Result<std::unique_ptr<HostRam>> map(const std::string& name, std::vector<RamPart> parts);
  ~HostRam();
  HostRam(const HostRam&) = delete;
  HostRam& operator=(const HostRam&) = delete;

  [[nodiscard]] std::byte* host() const { return host_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] const std::vector<RamPart>& parts() const { return parts_; }
  /// Gives whole pages of the range back to the host: they read as zero afterwards. False: they are kept as
  /// they are, because the host cannot, or because a private file's contents would come back.
  bool discard(std::uint64_t offset, std::uint64_t size) const;

 private:
  HostRam(std::byte* host, std::uint64_t size, std::vector<RamPart> parts)
      : host_(host), size_(size), parts_(std::move(parts)) {}

  std::byte* const host_;
  const std::uint64_t size_;
  const std::vector<RamPart> parts_;
};

}  // namespace gstage
