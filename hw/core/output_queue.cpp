// SPDX-License-Identifier: Apache-2.0
#include "hw/core/output_queue.h"

#include <algorithm>
#include <chrono>

#include <pthread.h>

namespace gstage::hw {
namespace {

/// With so much waiting, whoever prints waits for the back end.
constexpr std::size_t kSlowDownBytes = 64 << 10;
/// How long output is gathered: too short for a person to notice.
constexpr std::chrono::milliseconds kGather{1};

/// Every queue that exists, for flush_all.
struct Registry {
  std::mutex mutex;
  std::vector<OutputQueue*> queues;
};

Registry& registry() {
  static Registry instance;
  return instance;
}

}  // namespace

OutputQueue::OutputQueue(std::shared_ptr<Chardev> chardev) : chardev_(std::move(chardev)) {
  if (chardev_ == nullptr) return;
  const std::lock_guard lock(registry().mutex);
  registry().queues.push_back(this);
}

OutputQueue::~OutputQueue() {
  if (chardev_ == nullptr) return;
  {
    const std::lock_guard lock(registry().mutex);
    std::erase(registry().queues, this);
  }
  {
    const std::lock_guard lock(pending_mutex_);
    is_ending_ = true;
  }
  changed_.notify_all();
  if (writer_.joinable()) writer_.join();
  flush();
}

void OutputQueue::work() {
  pthread_setname_np(pthread_self(), "output");
  std::unique_lock lock(pending_mutex_);
  while (!is_ending_) {
    changed_.wait(lock, [this] { return is_ending_ || !pending_.empty(); });
    changed_.wait_for(lock, kGather, [this] { return is_ending_; });
    lock.unlock();
    flush();
    lock.lock();
  }
}

void OutputQueue::put(std::span<const std::uint8_t> bytes) {
  if (chardev_ == nullptr) return;
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min(bytes.size(), kSlowDownBytes));
    bytes = bytes.subspan(part.size());
    bool is_first = false;
    bool must_wait = false;
    {
      const std::lock_guard lock(pending_mutex_);
      is_first = pending_.empty();
      // Not before: a sandbox binds the threads that begin after it.
      if (!writer_.joinable()) writer_ = std::thread([this] { work(); });
      pending_.insert(pending_.end(), part.begin(), part.end());
      must_wait = pending_.size() >= kSlowDownBytes;
    }
    if (must_wait) {
      flush();
    } else if (is_first) {
      changed_.notify_one();
    }
  }
}

void OutputQueue::flush() {
  if (chardev_ == nullptr) return;
  const std::lock_guard writing(write_mutex_);
  std::vector<std::uint8_t> bytes;
  {
    const std::lock_guard lock(pending_mutex_);
    bytes.swap(pending_);
  }
  if (!bytes.empty()) chardev_->write(bytes);
}

void OutputQueue::flush_all() {
  const std::lock_guard lock(registry().mutex);
  for (OutputQueue* queue : registry().queues) queue->flush();
}

}  // namespace gstage::hw
