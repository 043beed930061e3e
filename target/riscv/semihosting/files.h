// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "io/host_folder.h"
#include "target/riscv/semihosting/console.h"

namespace gstage::riscv {

/// What semihosting handles stand for: the console's streams (the name `:tt`), the list of features
/// (`:semihosting-features`), files of the folder. Operations answer with a number of at least 0 or a
/// negated errno.
class SemihostingFiles {
 public:
  /// Without a folder there are no files. `console` outlives the object.
  SemihostingFiles(std::unique_ptr<HostFolder> folder, SemihostingConsole& console);
  ~SemihostingFiles();
  SemihostingFiles(const SemihostingFiles&) = delete;
  SemihostingFiles& operator=(const SemihostingFiles&) = delete;

  /// `mode` is the place of the mode in the table of SYS_OPEN. A handle, which is not 0.
  std::int64_t open(const std::string& name, std::uint64_t mode);
  std::int64_t close(std::uint64_t handle);
  /// Bytes read, 0 at the end of the file; -EAGAIN where input of the console is yet to come.
  std::int64_t read(std::uint64_t handle, std::span<std::byte> to);
  /// Bytes written, which may be fewer.
  std::int64_t write(std::uint64_t handle, std::span<const std::byte> from);
  std::int64_t seek(std::uint64_t handle, std::uint64_t position);
  std::int64_t length(std::uint64_t handle);
  std::int64_t is_terminal(std::uint64_t handle);
  std::int64_t remove(const std::string& name);
  std::int64_t rename(const std::string& from, const std::string& to);

 private:
  enum class Kind : std::uint8_t { kClosed, kInput, kOutput, kError, kFeatures, kFile };
  struct Entry {
    Kind kind = Kind::kClosed;
    int fd = -1;                 ///< kFile
    std::uint64_t position = 0;  ///< kFeatures
  };
  static constexpr std::size_t kMostFiles = 64;

  std::int64_t enter(const Entry& entry);
  Entry* find(std::uint64_t handle);

  std::unique_ptr<HostFolder> folder_;
  SemihostingConsole& console_;
  std::array<Entry, kMostFiles> entries_{};  ///< of handle less one
};

}  // namespace gstage::riscv
