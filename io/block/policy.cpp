// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <utility>

#include "io/block/disks.h"

namespace gstage {

namespace {

bool is_zero(std::span<const std::byte> bytes) {
  // Compared with itself one byte on.
  return bytes.empty() ||
         (bytes[0] == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

class PolicyFilter final : public BlockBackend {
 public:
  PolicyFilter(std::shared_ptr<BlockBackend> disk, const WritePolicy& policy)
      : disk_(std::move(disk)), policy_(policy) {}

  [[nodiscard]] std::uint64_t size() const override { return disk_->size(); }
  [[nodiscard]] bool is_read_only() const override { return disk_->is_read_only(); }
  int read(std::uint64_t offset, std::span<std::byte> to) override { return disk_->read(offset, to); }
  int read_at_once(std::uint64_t offset, std::span<std::byte> to) override {
    return disk_->read_at_once(offset, to);
  }
  int write(std::uint64_t offset, std::span<const std::byte> from) override {
    if (!policy_.finds_zeroes || !is_zero(from)) return finish(disk_->write(offset, from));
    const int failure = policy_.unmaps_zeroes ? disk_->discard(offset, from.size()) : 0;
    // What was discarded need not read as zeros.
    return failure != 0 ? failure : finish(disk_->write_zeroes(offset, from.size()));
  }
  int discard(std::uint64_t offset, std::uint64_t size) override {
    return finish(disk_->discard(offset, size));
  }
  int write_zeroes(std::uint64_t offset, std::uint64_t size) override {
    return finish(disk_->write_zeroes(offset, size));
  }
  int flush() override { return disk_->flush(); }
  void hurry(bool is_on) override { disk_->hurry(is_on); }

 private:
  int finish(int failure) { return failure != 0 || !policy_.is_writethrough ? failure : disk_->flush(); }

  const std::shared_ptr<BlockBackend> disk_;
  const WritePolicy policy_;
};

}  // namespace

std::shared_ptr<BlockBackend> make_policy_filter(std::shared_ptr<BlockBackend> disk,
                                                 const WritePolicy& policy) {
  return std::make_shared<PolicyFilter>(std::move(disk), policy);
}

}  // namespace gstage
