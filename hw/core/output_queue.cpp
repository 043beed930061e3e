// SPDX-License-Identifier: Apache-2.0
#include "hw/core/output_queue.h"

#include <mutex>
#include <vector>

#include "softmmu/io/event_loop.h"

namespace gstage::hw {
namespace {

/// Above this the writer itself waits for the back end.
constexpr std::size_t kSlowDownBytes = 64 << 10;

}  // namespace

struct OutputQueue::State {
  std::shared_ptr<Chardev> chardev;
  std::mutex write_mutex;    ///< keeps the order of those who write; taken before pending_mutex
  std::mutex pending_mutex;  ///< guards the members below
  std::vector<std::uint8_t> pending;
  bool is_posted = false;

  void flush() {
    const std::lock_guard writing(write_mutex);
    std::vector<std::uint8_t> bytes;
    {
      const std::lock_guard lock(pending_mutex);
      bytes.swap(pending);
      is_posted = false;
    }
    if (!bytes.empty()) chardev->write(bytes);
  }
};

namespace {

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

OutputQueue::OutputQueue(std::shared_ptr<Chardev> chardev) : state_(std::make_shared<State>()) {
  state_->chardev = std::move(chardev);
  const std::lock_guard lock(registry().mutex);
  registry().queues.push_back(this);
}

OutputQueue::~OutputQueue() {
  {
    const std::lock_guard lock(registry().mutex);
    std::erase(registry().queues, this);
  }
  flush();
}

void OutputQueue::put(std::span<const std::uint8_t> bytes) {
  if (state_->chardev == nullptr || bytes.empty()) return;
  bool must_post = false;
  bool must_wait = false;
  {
    const std::lock_guard lock(state_->pending_mutex);
    state_->pending.insert(state_->pending.end(), bytes.begin(), bytes.end());
    must_wait = state_->pending.size() >= kSlowDownBytes;
    must_post = !state_->is_posted && !must_wait;
    if (must_post) state_->is_posted = true;
  }
  if (must_wait) state_->flush();
  if (must_post) EventLoop::post([state = state_] { state->flush(); });
}

void OutputQueue::flush() {
  if (state_->chardev != nullptr) state_->flush();
}

void OutputQueue::flush_all() {
  const std::lock_guard lock(registry().mutex);
  for (OutputQueue* queue : registry().queues) queue->flush();
}

}  // namespace gstage::hw
