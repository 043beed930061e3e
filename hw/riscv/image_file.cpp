// SPDX-License-Identifier: Apache-2.0
#include "hw/riscv/image_file.h"

#include <algorithm>
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
  if (fd < 0)
    return error("%s failed to load: %s; name a file that can be read", name.c_str(), std::strerror(errno));
  std::shared_ptr<ImageFile> file(new ImageFile(name, fd));
  struct stat status {};
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
    return error("%s is %s; name a regular file that holds an image", name.c_str(),
                 S_ISDIR(status.st_mode) ? "a directory" : "not a regular file");
  file->raw_size_ = static_cast<std::uint64_t>(status.st_size);
  file->size_ = file->end_ = file->raw_size_;
  if (file->size_ == 0) return error("%s is empty; name a file that holds an image", name.c_str());
  const Status looked = packed == Packed::kUnpack        ? file->look_inside(ram_bytes)
                        : packed == Packed::kForFirmware ? file->look_outside(ram_bytes)
                                                         : Ok{};
  if (!looked.ok()) return looked.error();
  return file;
}

ImageFile::~ImageFile() { close(fd_); }

Result<std::string> ImageFile::open_container(std::span<const std::byte> head) {
  std::string what;
  std::uint64_t size = 0;
  if (const auto zboot = find_efi_zboot(head)) {
    what = "an EFI zboot image packed by " + zboot->compression;
    begin_ = zboot->offset;
    size = zboot->size;
  } else {
    auto uimage = find_uimage(name_, head);
    if (!uimage.ok()) return uimage.error();
    if (!*uimage) return std::string();
    what = "a U-Boot image (uImage)";
    begin_ = UImage::kHeaderBytes;
    size = (*uimage)->size;
    uimage_ = *uimage;
  }
  if (size == 0 || begin_ > raw_size_ || size > raw_size_ - begin_)
    return error("%s is %s that is damaged or truncated; make it again", name_.c_str(), what.c_str());
  size_ = size;
  end_ = begin_ + size;
  return what;
}

Result<std::vector<std::byte>> ImageFile::raw_head() const {
  std::vector<std::byte> head(std::min<std::uint64_t>(size_, kFileKindBytes));
  if (Status status = read_raw(0, head); !status.ok()) return status.error();
  return head;
}

Status ImageFile::look_inside(std::uint64_t ram_bytes) {
  auto head = raw_head();
  if (!head.ok()) return head.error();
  auto container = open_container(*head);
  if (!container.ok()) return container.error();
  head = raw_head();
  if (!head.ok()) return head.error();
  const FileKind* const kind = find_file_kind(*head);
  const bool is_packed = kind != nullptr && kind->unpacker != nullptr;
  // Its program cannot run without EFI.
  if (!container->empty() && !uimage_ && !is_packed)
    return error("%s is %s, which gstage does not unpack; name the kernel's Image", name_.c_str(),
                 container->c_str());
  if (kind == nullptr) return Ok{};
  if (!is_packed) return refuse_file_kind(name_, *kind);
  if (Status status = unpack_as(*kind, ram_bytes); !status.ok()) return status;
  const FileKind* const inner = find_file_kind(unpacked_.bytes().first(std::min(size_, kFileKindBytes)));
  return inner == nullptr ? Status(Ok{}) : refuse_file_kind(name_ + ", unpacked,", *inner);
}

Status ImageFile::look_outside(std::uint64_t ram_bytes) {
  auto head = raw_head();
  if (!head.ok()) return head.error();
  const FileKind* const kind = find_file_kind(*head);
  return kind == nullptr || kind->unpacker == nullptr ? Status(Ok{}) : unpack_as(*kind, ram_bytes);
}

Status ImageFile::unpack_as(const FileKind& kind, std::uint64_t ram_bytes) {
  kind_ = &kind;
  ram_bytes_ = ram_bytes;
  if (Status status = unpack_all(); !status.ok()) return status;
  size_ = unpacked_.size();
  return size_ == 0 ? error("%s unpacks to nothing; name a file that holds an image", name_.c_str())
                    : Status(Ok{});
}

Status ImageFile::read_raw(std::uint64_t offset, std::span<std::byte> to) const {
  offset += begin_;
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
  // The file may go on behind the image (a uImage's header says where it ends).
  if (offset > size_ || to.size() > size_ - offset)
    return error("%s ends before byte %llu", name_.c_str(),
                 static_cast<unsigned long long>(offset + to.size()));
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
  const PackedPart part{name_, end_ - begin_, [this](std::uint64_t offset, std::span<std::byte> to) {
                          return read_raw(offset, to);
                        }};
  auto bytes = unpack(part, *kind_, ram_bytes_);
  if (!bytes.ok()) return bytes.error();
  unpacked_ = std::move(*bytes);
  return Ok{};
}

}  // namespace gstage::hw
