// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <bitset>
#include <cerrno>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "softmmu/base/types.h"
#include "io/block/disks.h"

namespace gstage {

namespace {

/// Copies on write by clusters of 4 KiB, the size of most guests' writes. A bit a cluster tells whether it is
/// in the overlay.
class Snapshot final : public BlockBackend {
 public:
  static constexpr std::uint64_t kCluster = kPageSize;
  static constexpr std::size_t kGroup = 4096;

  Snapshot(std::shared_ptr<BlockBackend> base, std::shared_ptr<BlockFile> overlay)
      : base_(std::move(base)), overlay_(std::move(overlay)) {}

  [[nodiscard]] std::uint64_t size() const override { return base_->size(); }
  [[nodiscard]] bool is_read_only() const override { return false; }

  int read(std::uint64_t offset, std::span<std::byte> to) override {
    if (!is_within(offset, to.size())) return EINVAL;
    const std::shared_lock lock(mutex_);
    while (!to.empty()) {
      const bool in_overlay = is_copied(offset / kCluster);
      const std::uint64_t n = run_length(offset, to.size());
      const auto piece = to.first(n);
      const int failure = in_overlay ? overlay_->read(offset, piece) : base_->read(offset, piece);
      if (failure != 0) return failure;
      offset += n;
      to = to.subspan(n);
    }
    return 0;
  }

  int write(std::uint64_t offset, std::span<const std::byte> from) override {
    if (!is_within(offset, from.size())) return EINVAL;
    const std::unique_lock lock(mutex_);
    if (const int failure = copy_edges(offset, from.size()); failure != 0) return failure;
    const int failure = overlay_->write(offset, from);
    if (failure == 0) mark(offset, from.size());
    return failure;
  }

  int write_zeroes(std::uint64_t offset, std::uint64_t size) override {
    if (!is_within(offset, size)) return EINVAL;
    const std::unique_lock lock(mutex_);
    if (const int failure = copy_edges(offset, size); failure != 0) return failure;
    const int failure = overlay_->write_zeroes(offset, size);
    if (failure == 0) mark(offset, size);
    return failure;
  }

  int discard(std::uint64_t offset, std::uint64_t size) override {
    return is_within(offset, size) ? 0 : EINVAL;
  }
  int flush() override { return 0; }

 private:
  [[nodiscard]] bool is_within(std::uint64_t offset, std::uint64_t bytes) const {
    return offset <= size() && bytes <= size() - offset;
  }

  /// How many bytes from the offset on, `most` at most, lie in the same file.
  [[nodiscard]] std::uint64_t run_length(std::uint64_t offset, std::uint64_t most) const {
    const bool in_overlay = is_copied(offset / kCluster);
    std::uint64_t end = offset;
    while (end - offset < most && is_copied(end / kCluster) == in_overlay)
      end = (end / kCluster + 1) * kCluster;
    return std::min(end - offset, most);
  }

  /// Clusters that a write covers in part come over whole.
  int copy_edges(std::uint64_t offset, std::uint64_t bytes) {
    if (bytes == 0) return 0;
    const std::uint64_t end = offset + bytes;
    if (offset % kCluster != 0)
      if (const int failure = copy(offset / kCluster); failure != 0) return failure;
    return end % kCluster != 0 ? copy(end / kCluster) : 0;
  }

  int copy(std::uint64_t cluster) {
    if (is_copied(cluster)) return 0;
    std::array<std::byte, kCluster> bytes;
    const std::uint64_t at = cluster * kCluster;
    const std::span<std::byte> whole(bytes.data(), std::min(kCluster, size() - at));
    if (const int failure = base_->read(at, whole); failure != 0) return failure;
    if (const int failure = overlay_->write(at, whole); failure != 0) return failure;
    set_copied(cluster);
    return 0;
  }

  [[nodiscard]] bool is_copied(std::uint64_t cluster) const {
    const auto group = copied_.find(cluster / kGroup);
    return group != copied_.end() && group->second[cluster % kGroup];
  }
  void set_copied(std::uint64_t cluster) { copied_[cluster / kGroup].set(cluster % kGroup); }

  void mark(std::uint64_t offset, std::uint64_t bytes) {
    for (std::uint64_t at = offset / kCluster; bytes != 0 && at <= (offset + bytes - 1) / kCluster; ++at)
      set_copied(at);
  }

  const std::shared_ptr<BlockBackend> base_;
  const std::shared_ptr<BlockFile> overlay_;
  std::shared_mutex mutex_;
  // By groups, so that a disk which only says that it is large takes no memory.
  std::unordered_map<std::uint64_t, std::bitset<kGroup>> copied_;
};

}  // namespace

std::shared_ptr<BlockBackend> make_snapshot(std::shared_ptr<BlockBackend> base,
                                            std::shared_ptr<BlockFile> overlay) {
  return std::make_shared<Snapshot>(std::move(base), std::move(overlay));
}

}  // namespace gstage
