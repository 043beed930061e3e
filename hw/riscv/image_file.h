// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "softmmu/base/result.h"

namespace gstage::hw {

/// A file whose bytes go into guest memory, when the machine is built and again at each reset. It is read
/// when it is needed, so that no second copy of it stays in the host's memory.
class ImageFile {
 public:
  enum class Gzip : std::uint8_t { kInflate, kKeep };

  /// `option` is for messages: "-kernel". With kInflate a gzip file is what it inflates to, at most
  /// `most_bytes`.
  static Result<std::shared_ptr<ImageFile>> open(const std::string& option, const std::string& path,
                                                 Gzip gzip, std::uint64_t most_bytes);
  ~ImageFile();
  ImageFile(const ImageFile&) = delete;
  ImageFile& operator=(const ImageFile&) = delete;

  [[nodiscard]] std::uint64_t size() const { return size_; }  ///< bytes, inflated
  /// "-kernel vmlinux", for messages.
  [[nodiscard]] const std::string& name() const { return name_; }
  /// All of `to`, from `offset`. An error also when the file has become shorter since.
  Status read(std::uint64_t offset, std::span<std::byte> to);
  /// The first bytes, zeroes beyond the end of the file.
  template <class T>
  Result<T> head() {
    T header{};
    const std::uint64_t bytes = size_ < sizeof header ? size_ : sizeof header;
    const Status status = read(0, {reinterpret_cast<std::byte*>(&header), bytes});
    if (!status.ok()) return status.error();
    return header;
  }
  /// Forgets what was inflated, until the next read.
  void release();

 private:
  ImageFile(std::string name, int fd) : name_(std::move(name)), fd_(fd) {}
  Status read_raw(std::uint64_t offset, std::span<std::byte> to) const;
  Status inflate_all();

  std::string name_;
  int fd_;
  bool is_gzip_ = false;
  std::uint64_t raw_size_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t most_bytes_ = 0;
  std::vector<std::byte> inflated_;
};

}  // namespace gstage::hw
