// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "hw/nvme/nvme_namespace.h"
#include "hw/nvme/nvme_queues.h"

namespace gstage::hw {

/// What `-device nvme` says of the controller.
struct NvmeOptions {
  std::string serial;               ///< 1 to 20 characters
  unsigned queue_pairs = 64;        ///< of I/O, below NvmeQueues::kMaxPairs
  unsigned vectors = 65;            ///< of MSI-X
  std::uint8_t max_transfer = 7;    ///< MDTS: pages of 4 KiB as a power of two, 1 to kMaxTransfer
  std::uint8_t event_requests = 3;  ///< AERL: requests for events that may wait, less one
  static constexpr std::uint8_t kMaxTransfer = 9;
};

/// The version of the specification, and how large entries of queues are, as powers of two.
inline constexpr std::uint32_t kNvmeVersion = 0x0001'0400;
/// Likewise.
inline constexpr unsigned kNvmeCommandShift = 6, kNvmeCompletionShift = 4;

/// The admin commands (NVM Express 1.4, chapter 5). A worker executes them with the admin queue's lock held,
/// which also guards what is in here.
class NvmeAdmin {
 public:
  /// The others outlive this.
  NvmeAdmin(const NvmeOptions& options, NvmeQueues& queues, NvmeNamespace& disk);

  NvmeStatus execute(const NvmeTransfer& transfer, NvmeRequest& request);
  /// While no queue is in use.
  void reset();
  void visit(Visitor& visitor);
  [[nodiscard]] const NvmeOptions& options() const { return options_; }

 private:
  static constexpr std::size_t kFeatures = 12;

  NvmeStatus create_completion(const NvmeTransfer& transfer, const NvmeCommand& command);
  NvmeStatus create_submission(const NvmeTransfer& transfer, const NvmeCommand& command);
  NvmeStatus remove_completion(const NvmeCommand& command);
  NvmeStatus remove_submission(const NvmeCommand& command);
  NvmeStatus identify(const NvmeTransfer& transfer, NvmeRequest& request);
  NvmeStatus get_log_page(const NvmeTransfer& transfer, NvmeRequest& request);
  NvmeStatus set_features(NvmeRequest& request);
  NvmeStatus get_features(NvmeRequest& request);
  NvmeStatus keep_event_request(NvmeRequest& request);

  [[nodiscard]] NvmeBytes identify_controller() const;
  /// Writes at most `most` of the bytes into the command's memory.
  static NvmeStatus answer(const NvmeTransfer& transfer, NvmeRequest& request,
                           std::span<const std::uint8_t> bytes);
  /// As Get Features shows it.
  [[nodiscard]] std::uint32_t feature(std::uint8_t id, std::uint32_t word11) const;
  /// Whether a new I/O queue can have that number.
  [[nodiscard]] bool is_io_queue(unsigned id) const { return id != 0 && id < queues_.pairs(); }
  [[nodiscard]] std::uint32_t io_queues_word() const;

  const NvmeOptions options_;
  NvmeQueues& queues_;
  NvmeNamespace& disk_;
  std::array<std::uint32_t, kFeatures> features_{};
  std::vector<std::uint16_t> event_requests_;  ///< commands that are never completed
};

}  // namespace gstage::hw
