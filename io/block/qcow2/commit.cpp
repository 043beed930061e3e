// SPDX-License-Identifier: Apache-2.0
// How what changed in memory gets into the file.
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "io/block/qcow2/disk.h"

namespace gstage::qcow2 {

bool Disk::has_uncommitted() const {
  return refcounts_.has_dirty() || mapping_.has_dirty_tables() || mapping_.is_l1_dirty() ||
         !freed_data_.empty() || !freed_tables_.empty();
}

int Disk::flush() {
  if (setup_.is_read_only) return 0;
  bool has_to_commit = false;
  {
    const std::shared_lock lock(lock_);
    has_to_commit = has_uncommitted();
  }
  if (has_to_commit) {
    const std::unique_lock lock(lock_);
    if (const int failure = commit(); failure != 0) return failure;
  }
  return file_.sync();
}

int Disk::commit() {
  if (const int failure = refcounts_.write(); failure != 0) return failure;
  // The last cluster is there as a whole. Nobody needs that: it reads as zeros anyway.
  const std::uint64_t end = refcounts_.end() << header_.cluster_bits;
  if (file_.size() < end) (void)file_.resize(end);
  if (mapping_.has_dirty_tables()) {
    if (const int failure = file_.sync(); failure != 0) return failure;
    if (const int failure = mapping_.write_tables(); failure != 0) return failure;
  }
  if (mapping_.is_l1_dirty()) {
    if (const int failure = file_.sync(); failure != 0) return failure;
    if (const int failure = mapping_.write_l1(); failure != 0) return failure;
  }
  if (freed_data_.empty() && freed_tables_.empty()) return 0;
  // Who still referred to them in the file must not find anything else there.
  if (const int failure = file_.sync(); failure != 0) return failure;
  return free_now();
}

int Disk::free_now() {
  int first_failure = 0;
  const auto release = [&](std::uint64_t cluster) {
    bool is_free = false;
    int failure = refcounts_.release(cluster, &is_free);
    if (failure == 0 && is_free && setup_.can_unmap)
      failure = file_.discard(cluster << header_.cluster_bits, header_.cluster_size());
    // Counts of what nothing refers to any more may be written at any time.
    if (failure == 0 && refcounts_.is_crowded()) failure = refcounts_.write();
    if (first_failure == 0) first_failure = failure;
  };
  for (const std::uint64_t cluster : std::exchange(freed_tables_, {})) {
    mapping_.forget(cluster << header_.cluster_bits);
    metadata_.remove(cluster);
    release(cluster);
  }
  for (const std::uint64_t cluster : std::exchange(freed_data_, {}))
    if (!metadata_.contains(cluster)) release(cluster);
  return first_failure;
}

Result<std::shared_ptr<BlockBackend>> open(Setup setup, const Header& header) {
  auto disk = std::make_shared<Disk>(std::move(setup), header);
  if (Status status = disk->start(); !status.ok()) return status.error();
  return std::shared_ptr<BlockBackend>(std::move(disk));
}

}  // namespace gstage::qcow2
