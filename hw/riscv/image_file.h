// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "softmmu/base/result.h"
#include "hw/loader/uimage.h"
#include "hw/loader/unpack.h"

namespace gstage::hw {

/// A file whose bytes go into guest memory, when the machine is built and again at each reset. It is read
/// when it is needed, so that no second copy of it stays in the host's memory.
class ImageFile {
 public:
  /// What becomes of packed files: kUnpack unpacks what can be unpacked, and refuses what is no image by the
  /// name of its kind; kKeep takes all as they are. kForFirmware unpacks files that are packed as a whole and
  /// keeps all others, as EFI programs are: firmware knows what to do with them.
  enum class Packed : std::uint8_t { kUnpack, kKeep, kForFirmware };

  /// `option` is for messages: "-kernel". What is unpacked has `ram_bytes` at most.
  static Result<std::shared_ptr<ImageFile>> open(const std::string& option, const std::string& path,
                                                 Packed packed, std::uint64_t ram_bytes);
  ~ImageFile();
  ImageFile(const ImageFile&) = delete;
  ImageFile& operator=(const ImageFile&) = delete;

  [[nodiscard]] std::uint64_t size() const { return size_; }  ///< bytes, unpacked
  /// "-kernel vmlinux", for messages.
  [[nodiscard]] const std::string& name() const { return name_; }
  /// Where the file says that it belongs: U-Boot images do.
  [[nodiscard]] const std::optional<UImage>& uimage() const { return uimage_; }
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
  /// Forgets what was unpacked, until the next read.
  void release() { unpacked_ = ByteBuffer(); }

 private:
  ImageFile(std::string name, int fd) : name_(std::move(name)), fd_(fd) {}
  /// Finds out whether the file is packed, and unpacks it.
  Status look_inside(std::uint64_t ram_bytes);
  /// Unpacks the file if it is packed as a whole.
  Status look_outside(std::uint64_t ram_bytes);
  /// The first bytes as they are in the file: as many as there are, and as tell a file's kind.
  Result<std::vector<std::byte>> raw_head() const;
  Status unpack_as(const FileKind& kind, std::uint64_t ram_bytes);
  /// Finds the kernel in a container of one: sets `begin_` and `end_`, and says how messages call it.
  Result<std::string> open_container(std::span<const std::byte> head);
  Status read_raw(std::uint64_t offset, std::span<std::byte> to) const;
  Status unpack_all();

  std::string name_;
  int fd_;
  std::uint64_t raw_size_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t begin_ = 0;  ///< of the image, packed or not, in the file
  std::uint64_t end_ = 0;
  const FileKind* kind_ = nullptr;  ///< if it is packed
  std::optional<UImage> uimage_;
  std::uint64_t ram_bytes_ = 0;
  ByteBuffer unpacked_;
};

}  // namespace gstage::hw
