// SPDX-License-Identifier: Apache-2.0
#include "hw/riscv/image_file.h"

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

namespace gstage::hw {
namespace {

constexpr std::size_t kInputChunk = 256 << 10;
constexpr int kGzipWindowBits = 15 + 16;  // the largest window, gzip header expected

}  // namespace

Result<std::shared_ptr<ImageFile>> ImageFile::open(const std::string& option, const std::string& path,
                                                   Gzip gzip, std::uint64_t most_bytes) {
  const std::string name = option + " " + path;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return error("%s: %s; name a file that can be read", name.c_str(), std::strerror(errno));
  std::shared_ptr<ImageFile> file(new ImageFile(name, fd));
  struct stat status {};
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
    return error("%s is not a regular file; name a file that holds an image", name.c_str());
  file->raw_size_ = static_cast<std::uint64_t>(status.st_size);
  file->size_ = file->raw_size_;
  file->most_bytes_ = most_bytes;
  if (file->size_ == 0) return error("%s is empty; name a file that holds an image", name.c_str());
  auto magic = file->head<std::uint16_t>();
  if (!magic.ok()) return magic.error();
  constexpr std::uint16_t kGzipMagic = 0x8b1f;
  if (gzip == Gzip::kInflate && *magic == kGzipMagic) {
    file->is_gzip_ = true;
    const Status inflated = file->inflate_all();
    if (!inflated.ok()) return inflated.error();
    file->size_ = file->inflated_.size();
  }
  return file;
}

ImageFile::~ImageFile() { close(fd_); }

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
  if (!is_gzip_) return read_raw(offset, to);
  if (inflated_.empty()) {
    Status status = inflate_all();
    if (!status.ok()) return status;
  }
  if (offset > inflated_.size() || to.size() > inflated_.size() - offset)
    return error("%s has become shorter since it was opened", name_.c_str());
  std::memcpy(to.data(), inflated_.data() + offset, to.size());
  return Ok{};
}

void ImageFile::release() { std::vector<std::byte>().swap(inflated_); }

Status ImageFile::inflate_all() {
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindowBits) != Z_OK) return error("%s: zlib does not start", name_.c_str());
  std::vector<std::byte> input(kInputChunk);
  std::vector<std::byte> output;
  int result = Z_OK;
  for (std::uint64_t at = 0; result == Z_OK && at < raw_size_;) {
    const std::size_t part = std::min<std::uint64_t>(kInputChunk, raw_size_ - at);
    const Status status = read_raw(at, {input.data(), part});
    if (!status.ok()) {
      inflateEnd(&stream);
      return status;
    }
    at += part;
    stream.next_in = reinterpret_cast<Bytef*>(input.data());
    stream.avail_in = static_cast<uInt>(part);
    while (result == Z_OK && stream.avail_in > 0 && output.size() <= most_bytes_) {
      const std::size_t before = output.size();
      output.resize(before + 4 * kInputChunk);
      stream.next_out = reinterpret_cast<Bytef*>(output.data() + before);
      stream.avail_out = static_cast<uInt>(4 * kInputChunk);
      result = inflate(&stream, Z_NO_FLUSH);
      output.resize(output.size() - stream.avail_out);
    }
    if (output.size() > most_bytes_) break;
  }
  inflateEnd(&stream);
  if (output.size() > most_bytes_)
    return error("%s inflates to more than the %" PRIu64 " MiB of RAM; choose a larger -m", name_.c_str(),
                 most_bytes_ >> 20);
  if (result != Z_STREAM_END)
    return error("%s is a damaged or truncated gzip file; make it again", name_.c_str());
  inflated_ = std::move(output);
  return Ok{};
}

}  // namespace gstage::hw
