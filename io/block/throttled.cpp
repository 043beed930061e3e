// SPDX-License-Identifier: Apache-2.0
// Disks and files whose requests wait for their turn.
#include <atomic>
#include <utility>

#include "io/block/disks.h"
#include "io/block/throttle.h"

namespace gstage {

namespace {

/// Zeros and discards move no bytes: each counts as a request.
constexpr std::uint64_t kNoBytes = 0;

class ThrottledDisk final : public BlockBackend {
 public:
  ThrottledDisk(std::shared_ptr<BlockBackend> disk, std::shared_ptr<ThrottleGroup> group)
      : disk_(std::move(disk)), group_(std::move(group)) {}

  [[nodiscard]] std::uint64_t size() const override { return disk_->size(); }
  [[nodiscard]] bool is_read_only() const override { return disk_->is_read_only(); }
  int read(std::uint64_t offset, std::span<std::byte> to) override {
    group_->wait_turn(false, to.size(), hurried_);
    return disk_->read(offset, to);
  }
  int read_at_once(std::uint64_t offset, std::span<std::byte> to) override {
    return group_->is_limited() ? EAGAIN : disk_->read_at_once(offset, to);
  }
  int write(std::uint64_t offset, std::span<const std::byte> from) override {
    group_->wait_turn(true, from.size(), hurried_);
    return disk_->write(offset, from);
  }
  int discard(std::uint64_t offset, std::uint64_t size) override {
    group_->wait_turn(true, kNoBytes, hurried_);
    return disk_->discard(offset, size);
  }
  int write_zeroes(std::uint64_t offset, std::uint64_t size) override {
    group_->wait_turn(true, kNoBytes, hurried_);
    return disk_->write_zeroes(offset, size);
  }
  int flush() override { return disk_->flush(); }
  void hurry(bool is_on) override {
    hurried_ += is_on ? 1 : -1;
    if (is_on) group_->wake();
    disk_->hurry(is_on);
  }

 private:
  const std::shared_ptr<BlockBackend> disk_;
  const std::shared_ptr<ThrottleGroup> group_;
  std::atomic<int> hurried_{0};
};

class ThrottledFile final : public BlockFile {
 public:
  ThrottledFile(std::shared_ptr<BlockFile> file, std::shared_ptr<ThrottleGroup> group)
      : file_(std::move(file)), group_(std::move(group)) {}

  [[nodiscard]] std::uint64_t size() const override { return file_->size(); }
  int read(std::uint64_t offset, std::span<std::byte> to) override {
    group_->wait_turn(false, to.size(), hurried_);
    return file_->read(offset, to);
  }
  int write(std::uint64_t offset, std::span<const std::byte> from) override {
    group_->wait_turn(true, from.size(), hurried_);
    return file_->write(offset, from);
  }
  int write_zeroes(std::uint64_t offset, std::uint64_t size) override {
    group_->wait_turn(true, kNoBytes, hurried_);
    return file_->write_zeroes(offset, size);
  }
  int discard(std::uint64_t offset, std::uint64_t size) override {
    group_->wait_turn(true, kNoBytes, hurried_);
    return file_->discard(offset, size);
  }
  int resize(std::uint64_t size) override { return file_->resize(size); }
  int sync() override { return file_->sync(); }

 private:
  const std::shared_ptr<BlockFile> file_;
  const std::shared_ptr<ThrottleGroup> group_;
  const std::atomic<int> hurried_{0};
};

}  // namespace

std::shared_ptr<BlockBackend> make_throttled_disk(std::shared_ptr<BlockBackend> disk,
                                                  std::shared_ptr<ThrottleGroup> group) {
  return std::make_shared<ThrottledDisk>(std::move(disk), std::move(group));
}

std::shared_ptr<BlockFile> make_throttled_file(std::shared_ptr<BlockFile> file,
                                               std::shared_ptr<ThrottleGroup> group) {
  return std::make_shared<ThrottledFile>(std::move(file), std::move(group));
}

}  // namespace gstage
