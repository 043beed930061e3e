// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <utility>

#include "io/block/disks.h"

namespace gstage {

namespace {

class RawDisk final : public BlockBackend {
 public:
  RawDisk(std::shared_ptr<BlockFile> file, const RawWindow& window)
      : file_(std::move(file)), window_(window) {}

  [[nodiscard]] std::uint64_t size() const override { return window_.size; }
  [[nodiscard]] bool is_read_only() const override { return window_.is_read_only; }
  int read(std::uint64_t offset, std::span<std::byte> to) override {
    return is_within(offset, to.size()) ? file_->read(window_.offset + offset, to) : EINVAL;
  }
  int read_at_once(std::uint64_t offset, std::span<std::byte> to) override {
    return is_within(offset, to.size()) ? file_->read_at_once(window_.offset + offset, to) : EINVAL;
  }
  int write(std::uint64_t offset, std::span<const std::byte> from) override {
    const int failure = check_change(offset, from.size());
    return failure != 0 ? failure : file_->write(window_.offset + offset, from);
  }
  int discard(std::uint64_t offset, std::uint64_t size) override {
    const int failure = check_change(offset, size);
    return failure != 0 ? failure : file_->discard(window_.offset + offset, size);
  }
  int write_zeroes(std::uint64_t offset, std::uint64_t size) override {
    const int failure = check_change(offset, size);
    return failure != 0 ? failure : file_->write_zeroes(window_.offset + offset, size);
  }
  int flush() override { return window_.is_read_only ? 0 : file_->sync(); }

 private:
  [[nodiscard]] bool is_within(std::uint64_t offset, std::uint64_t size) const {
    return offset <= window_.size && size <= window_.size - offset;
  }
  [[nodiscard]] int check_change(std::uint64_t offset, std::uint64_t size) const {
    if (window_.is_read_only) return EROFS;
    return is_within(offset, size) ? 0 : EINVAL;
  }

  const std::shared_ptr<BlockFile> file_;
  const RawWindow window_;
};

}  // namespace

std::shared_ptr<BlockBackend> make_raw_disk(std::shared_ptr<BlockFile> file, const RawWindow& window) {
  return std::make_shared<RawDisk>(std::move(file), window);
}

}  // namespace gstage
