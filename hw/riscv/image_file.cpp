// SPDX-License-Identifier: Apache-2.0
#include "hw/riscv/image_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hw/loader/efi_zboot.h"

namespace gstage::hw {

Result<std::shared_ptr<ImageFile>> ImageFile::open(const std::string& option, const std::string& path,
                                                   Packed packed, std::uint64_t ram_bytes) {
  const std::string name = option + " " + path;
  // Without waiting for somebody to write to a FIFO: it is no image in any case.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return error("%s: %s; name a file that can be read", name.c_str(), std::strerror(errno));
  std::shared_ptr<ImageFile> file(new ImageFile(name, fd));
  struct stat status {};
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
    return error("%s is %s; name a regular file that holds an image", name.c_str(),
                 S_ISDIR(status.st_mode) ? "a directory" : "not a regular file");
  file->raw_size_ = static_cast<std::uint64_t>(status.st_size);
  file->size_ = file->raw_size_;
  if (file->size_ == 0) return error("%s is empty; name a file that holds an image", name.c_str());
  if (packed == Packed::kUnpack)
    if (Status looked = file->look_inside(ram_bytes); !looked.ok()) return looked.error();
  return file;
}

ImageFile::~ImageFile() { close(fd_); }

Status ImageFile::look_inside(std::uint64_t ram_bytes) {
  std::array<std::byte, kFileKindBytes> buffer;
  std::span<std::byte> head(buffer.data(), std::min<std::uint64_t>(raw_size_, buffer.size()));
  if (Status status = read_raw(0, head); !status.ok()) return status;
  ram_bytes_ = ram_bytes;
  packed_end_ = raw_size_;
  const auto zboot = find_efi_zboot(head);
  if (zboot) {
    if (zboot->offset > raw_size_ || zboot->size > raw_size_ - zboot->offset || zboot->size == 0)
      return error("%s is a damaged or truncated EFI zboot image; make it again", name_.c_str());
    packed_begin_ = zboot->offset;
    packed_end_ = zboot->offset + zboot->size;
    head = head.first(std::min<std::uint64_t>(zboot->size, head.size()));
    if (Status status = read_raw(packed_begin_, head); !status.ok()) return status;
  }
  const FileKind* const kind = find_file_kind(head);
  if (zboot && (kind == nullptr || kind->unpacker == nullptr))
    return error(
        "%s is an EFI zboot image packed by %s, which gstage does not unpack; name the kernel's Image",
        name_.c_str(), zboot->compression.c_str());
  if (kind == nullptr) return Ok{};
  if (kind->unpacker == nullptr) return refuse_file_kind(name_, *kind);
  kind_ = kind;
  if (Status status = unpack_all(); !status.ok()) return status;
  size_ = unpacked_.size();
  if (size_ == 0) return error("%s unpacks to nothing; name a file that holds an image", name_.c_str());
  const FileKind* const inner = find_file_kind(unpacked_.bytes().first(std::min(size_, kFileKindBytes)));
  return inner == nullptr ? Status(Ok{}) : refuse_file_kind(name_ + ", unpacked,", *inner);
}

Status ImageFile::read_raw(std::uint64_t offset, std::span<std::byte> to) const {
  while (!to.empty()) {
    const ssize_t got = pread(fd_, to.data(), to.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return error("%s: %s", name_.c_str(), std::strerror(errno));
    if (got == 0) return error("%s has become shorter since it was opened", name_.c_str());
    offset += static_cast<std::uint64_t>(got);
    to = to.subspan(static_cast<std::size_t>(got));
  }
  return Ok{};
}

Status ImageFile::read(std::uint64_t offset, std::span<std::byte> to) {
  if (kind_ == nullptr) return read_raw(offset, to);
  if (unpacked_.size() == 0)
    if (Status status = unpack_all(); !status.ok()) return status;
  const std::span<std::byte> bytes = unpacked_.bytes();
  if (offset > bytes.size() || to.size() > bytes.size() - offset)
    return error("%s has become shorter since it was opened", name_.c_str());
  std::memcpy(to.data(), bytes.data() + offset, to.size());
  return Ok{};
}

Status ImageFile::unpack_all() {
  const PackedPart part{
      name_, packed_begin_, packed_end_,
      [this](std::uint64_t offset, std::span<std::byte> to) { return read_raw(offset, to); }};
  auto bytes = unpack(part, *kind_, ram_bytes_);
  if (!bytes.ok()) return bytes.error();
  unpacked_ = std::move(*bytes);
  return Ok{};
}

}  // namespace gstage::hw
