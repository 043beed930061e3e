// SPDX-License-Identifier: Apache-2.0
#include "hw/nvme/nvme_queues.h"

#include <cstring>

#include "softmmu/base/check.h"
#include "softmmu/base/format.h"
#include "softmmu/base/log.h"
#include "hw/core/visitor.h"

namespace gstage::hw {

/// A queue of commands. The driver moves its tail, the worker its head.
struct NvmeQueues::Submission final : WorkerTask {
  Submission(NvmeQueues& a, unsigned i) : all(a), id(i) {}
  void run() override { all.serve(*this); }
  void visit(Visitor& visitor);

  NvmeQueues& all;
  const unsigned id;
  std::atomic<bool> is_live{false};       ///< written with the lock or when it ends
  std::atomic<std::uint32_t> entries{0};  ///< constant while it is live, as the setup is
  std::atomic<std::uint16_t> completions{0};
  std::atomic<std::uint32_t> tail{0};
  std::mutex mutex;  ///< held while commands are executed; guards what follows
  SubmissionSetup setup;
  std::uint32_t head = 0;
  NvmeRequest request;
};

/// A queue of what came of them. The driver moves its head.
struct NvmeQueues::Completion {
  void visit(Visitor& visitor, const AddressSpace& memory);
  [[nodiscard]] bool has_waiting() const { return is_live && head != tail; }

  std::atomic<bool> is_live{false};
  std::atomic<std::uint32_t> entries{0};
  std::atomic<std::uint32_t> head{0};
  std::atomic<std::uint32_t> tail{0};
  std::atomic<bool> is_starved{false};  ///< a worker found no room
  std::mutex mutex;                     ///< guards what follows, and moves of the tail
  CompletionSetup setup;
  std::uint32_t reserved = 0;  ///< room that commands in work have taken
  bool phase = true;
};

NvmeQueues::NvmeQueues(AddressSpace& memory, WorkerPool& workers, NvmeQueueOwner& owner, unsigned pairs)
    : memory_(memory), workers_(workers), owner_(owner) {
  CHECK(pairs >= 1 && pairs <= kMaxPairs);
  for (unsigned id = 0; id < pairs; ++id) {
    completions_.push_back(std::make_unique<Completion>());
    submissions_.push_back(std::make_unique<Submission>(*this, id));
  }
}

NvmeQueues::~NvmeQueues() {
  stop();
  for (const auto& queue : submissions_) workers_.drain(*queue);
}

bool NvmeQueues::has_completion(unsigned id) const { return id < pairs() && completions_[id]->is_live; }
bool NvmeQueues::has_submission(unsigned id) const { return id < pairs() && submissions_[id]->is_live; }

bool NvmeQueues::create_completion(unsigned id, const CompletionSetup& setup) {
  if (memory_.dma(Paddr{setup.base}, setup.entries * sizeof(NvmeCompletion)) == nullptr) return false;
  Completion& queue = *completions_[id];
  const std::lock_guard lock(queue.mutex);
  queue.setup = setup;
  queue.entries = setup.entries;
  queue.head = queue.tail = 0;
  queue.is_starved = false;
  queue.reserved = 0;
  queue.phase = true;
  queue.is_live = true;
  return true;
}

bool NvmeQueues::create_submission(unsigned id, const SubmissionSetup& setup) {
  if (memory_.dma(Paddr{setup.base}, setup.entries * sizeof(NvmeCommand)) == nullptr) return false;
  Submission& queue = *submissions_[id];
  const std::lock_guard lock(queue.mutex);
  queue.setup = setup;
  queue.entries = setup.entries;
  queue.completions = setup.completions;
  queue.head = 0;
  queue.tail = 0;
  queue.is_live = true;
  return true;
}

void NvmeQueues::remove_submission(unsigned id) {
  Submission& queue = *submissions_[id];
  queue.is_live = false;
  const std::lock_guard lock(queue.mutex);
}

bool NvmeQueues::remove_completion(unsigned id) {
  for (const auto& user : submissions_)
    if (user->is_live && user->completions == id) return false;
  Completion& queue = *completions_[id];
  const std::lock_guard lock(queue.mutex);
  queue.is_live = false;
  return true;
}

void NvmeQueues::ring(unsigned index, std::uint32_t value) {
  const unsigned id = index / 2;
  const bool is_completion = index % 2 != 0;
  const bool is_live = is_completion ? has_completion(id) : has_submission(id);
  const std::uint32_t entries = !is_live        ? 0
                                : is_completion ? completions_[id]->entries.load()
                                                : submissions_[id]->entries.load();
  if (value >= entries)
    return log_line(Log::kGuestErrors, "nvme: doorbell %u: %s", index,
                    is_live ? "the value is beyond the queue" : "there is no such queue");
  if (!is_completion) {
    submissions_[id]->tail = value;
    return workers_.post(*submissions_[id]);
  }
  Completion& queue = *completions_[id];
  queue.head = value;
  if (queue.is_starved.exchange(false)) wake_users(id);
}

void NvmeQueues::wake_users(unsigned completions) {
  for (const auto& user : submissions_)
    if (user->is_live && user->completions == completions) workers_.post(*user);
}

void NvmeQueues::stop() {
  for (unsigned id = 0; id < pairs(); ++id) remove_submission(id);
  for (const auto& queue : completions_) {
    const std::lock_guard lock(queue->mutex);
    queue->is_live = false;
  }
}

void NvmeQueues::go_on() {
  for (const auto& queue : submissions_)
    if (queue->is_live) workers_.post(*queue);
}

void NvmeQueues::wait() {
  for (const auto& queue : submissions_) const std::lock_guard lock(queue->mutex);
}

bool NvmeQueues::has_waiting(std::uint32_t masked_vectors) const {
  for (const auto& queue : completions_) {
    const std::lock_guard lock(queue->mutex);
    const std::uint16_t vector = queue->setup.vector;
    const bool is_masked = vector < 32 && (masked_vectors >> vector & 1) != 0;
    if (queue->has_waiting() && queue->setup.has_interrupts && !is_masked) return true;
  }
  return false;
}

bool NvmeQueues::reserve(Completion& queue) {
  const std::lock_guard lock(queue.mutex);
  const auto has_room = [&] {
    const std::uint32_t entries = queue.setup.entries;
    const std::uint32_t used = (queue.tail + entries - queue.head) % entries;
    return used + queue.reserved < entries - 1;
  };
  if (!has_room()) {
    // The driver moves the head and then looks at the flag; here it is the other way round, so that one sees
    // the other.
    queue.is_starved = true;
    if (!has_room()) return false;
  }
  ++queue.reserved;
  return true;
}

void NvmeQueues::keep(unsigned completions) {
  Completion& queue = *completions_[completions];
  {
    const std::lock_guard lock(queue.mutex);
    --queue.reserved;
  }
  if (queue.is_starved.exchange(false)) wake_users(completions);
}

void NvmeQueues::post(Completion& queue, const NvmeCompletion& entry) {
  std::uint16_t vector = 0;
  bool has_interrupts = false;
  {
    const std::lock_guard lock(queue.mutex);
    --queue.reserved;
    const Paddr at{queue.setup.base + queue.tail * sizeof entry};
    std::byte* const to = memory_.dma(at, sizeof entry);
    if (!queue.is_live || to == nullptr) return;
    // The driver looks at the phase, in the last word: what is before it is there then.
    constexpr std::size_t kLastWord = 12;
    std::uint32_t last = 0;
    std::memcpy(to, &entry, kLastWord);
    std::memcpy(&last, reinterpret_cast<const std::byte*>(&entry) + kLastWord, sizeof last);
    last |= queue.phase ? 1u << 16 : 0;
    __atomic_store_n(reinterpret_cast<std::uint32_t*>(to + kLastWord), last, __ATOMIC_RELEASE);
    memory_.dirty(at, sizeof entry);
    const std::uint32_t next = queue.tail + 1;
    if (next == queue.setup.entries) queue.phase = !queue.phase;
    queue.tail = next == queue.setup.entries ? 0 : next;
    vector = queue.setup.vector;
    has_interrupts = queue.setup.has_interrupts;
  }
  if (has_interrupts) owner_.completed(vector);
}

void NvmeQueues::serve(Submission& queue) {
  const std::lock_guard lock(queue.mutex);
  while (queue.is_live && owner_.is_bus_master() && queue.head != queue.tail) {
    Completion& completions = *completions_[queue.setup.completions];
    if (!completions.is_live || !reserve(completions)) return;
    NvmeRequest& request = queue.request;
    const Paddr at{queue.setup.base + queue.head * sizeof(NvmeCommand)};
    CHECK(memory_.read(at, &request.command, sizeof request.command));
    queue.head = (queue.head + 1) % queue.setup.entries;
    request.result = 0;
    request.is_kept = false;
    const NvmeStatus status = owner_.execute(queue.id, request);
    if (request.is_kept) {
      keep(queue.setup.completions);
      continue;
    }
    post(completions,
         {request.result, 0, static_cast<std::uint16_t>(queue.head), static_cast<std::uint16_t>(queue.id),
          request.command.id, static_cast<std::uint16_t>(static_cast<unsigned>(status) << 1)});
  }
}

void NvmeQueues::visit(Visitor& visitor) {
  visitor.each("completion", completions_,
               [this](Visitor& part, auto& queue) { queue->visit(part, memory_); });
  visitor.each("submission", submissions_, [](Visitor& part, auto& queue) { queue->visit(part); });
}

void NvmeQueues::Completion::visit(Visitor& visitor, const AddressSpace& memory) {
  const std::lock_guard lock(mutex);
  visitor.field("base", setup.base);
  visitor.field("entries", setup.entries, kMaxEntries);
  visitor.field("vector", setup.vector);
  visitor.field("has_interrupts", setup.has_interrupts);
  visitor.field("is_live", is_live);
  visitor.field("head", head);
  visitor.field("tail", tail);
  visitor.field("phase", phase);
  if (!visitor.is_loading()) return;
  entries = setup.entries;
  reserved = 0;
  // The queues behind it look once more when the driver has made room.
  is_starved = true;
  is_live = is_live && setup.entries >= 2 && head < setup.entries && tail < setup.entries &&
            memory.dma(Paddr{setup.base}, setup.entries * sizeof(NvmeCompletion)) != nullptr;
}

void NvmeQueues::Submission::visit(Visitor& visitor) {
  const std::lock_guard lock(mutex);
  visitor.field("base", setup.base);
  visitor.field("entries", setup.entries, kMaxEntries);
  visitor.field("completions", setup.completions, static_cast<std::uint16_t>(all.pairs() - 1));
  visitor.field("is_live", is_live);
  visitor.field("head", head);
  visitor.field("tail", tail);
  if (!visitor.is_loading()) return;
  entries = setup.entries;
  completions = setup.completions;
  is_live = is_live && setup.entries >= 2 && head < setup.entries && tail < setup.entries &&
            all.memory_.dma(Paddr{setup.base}, setup.entries * sizeof(NvmeCommand)) != nullptr;
}

}  // namespace gstage::hw
