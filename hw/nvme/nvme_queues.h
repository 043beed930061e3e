// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "hw/core/worker_pool.h"
#include "hw/nvme/nvme_spec.h"

namespace gstage::hw {

class Visitor;

/// What the queues want of their controller. From a worker, with the submission queue's lock held.
class NvmeQueueOwner {
 public:
  virtual ~NvmeQueueOwner() = default;
  /// Executes a command of that queue.
  virtual NvmeStatus execute(unsigned queue, NvmeRequest& request) = 0;
  /// Completions were posted whose interrupt is `vector`.
  virtual void completed(std::uint16_t vector) = 0;
  /// Whether memory may be accessed.
  [[nodiscard]] virtual bool is_bus_master() const = 0;
};

/// The submission and completion queues of a controller (NVM Express 1.4, chapter 4); pair 0 is that of admin
/// commands. Each submission queue is served by one worker at a time.
///
/// A queue has a lock of its own. They are taken in the order admin queue, another submission queue,
/// completion queue; whoever stops or deletes a submission queue waits for its worker so.
class NvmeQueues {
 public:
  static constexpr unsigned kMaxEntries = 2048;
  static constexpr unsigned kMaxPairs = 128;

  /// What a completion queue is created with.
  struct CompletionSetup {
    std::uint64_t base = 0;
    std::uint32_t entries = 0;  ///< 2 to kMaxEntries
    std::uint16_t vector = 0;
    bool has_interrupts = false;
  };
  /// What a submission queue is.
  struct SubmissionSetup {
    std::uint64_t base = 0;
    std::uint32_t entries = 0;
    std::uint16_t completions = 0;  ///< the queue that they go to
  };

  /// `pairs` from 1 to kMaxPairs. The others outlive this.
  NvmeQueues(AddressSpace& memory, WorkerPool& workers, NvmeQueueOwner& owner, unsigned pairs);
  ~NvmeQueues();

  [[nodiscard]] unsigned pairs() const { return static_cast<unsigned>(submissions_.size()); }
  [[nodiscard]] bool has_completion(unsigned id) const;
  [[nodiscard]] bool has_submission(unsigned id) const;
  /// False: the entries are not in RAM. The queue is there and not in use.
  bool create_completion(unsigned id, const CompletionSetup& setup);
  /// Likewise.
  bool create_submission(unsigned id, const SubmissionSetup& setup);
  /// Returns once nothing of it is in work.
  void remove_submission(unsigned id);
  /// False: submission queues use it.
  bool remove_completion(unsigned id);

  /// A store to the doorbell `index`; any hart, without a lock.
  void ring(unsigned index, std::uint32_t value);
  /// All of them are gone; returns once nothing is in work.
  void stop();
  /// Memory may be accessed again: what waits is served.
  void go_on();
  /// Returns once what was in work is done. No command is begun while memory may not be accessed.
  void wait();
  /// Whether completions wait for the driver whose vector is not masked, of those that have interrupts.
  [[nodiscard]] bool has_waiting(std::uint32_t masked_vectors) const;

  /// The workers are done.
  void visit(Visitor& visitor);

 private:
  struct Submission;
  struct Completion;

  void serve(Submission& queue);
  /// Takes room for one completion; false: there is none, and the driver's doorbell goes on with it.
  static bool reserve(Completion& queue);
  void post(Completion& queue, const NvmeCompletion& entry);
  /// Gives the room back.
  void keep(unsigned completions);
  void wake_users(unsigned completions);

  AddressSpace& memory_;
  WorkerPool& workers_;
  NvmeQueueOwner& owner_;
  std::vector<std::unique_ptr<Completion>> completions_;
  std::vector<std::unique_ptr<Submission>> submissions_;
};

}  // namespace gstage::hw
