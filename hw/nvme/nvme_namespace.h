// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/block/block.h"
#include "hw/nvme/nvme_spec.h"

namespace gstage::hw {

class Visitor;

/// A structure that an Identify or Get Log Page command answers.
using NvmeBytes = std::vector<std::uint8_t>;

/// What `-device nvme` says of its namespace.
struct NvmeNamespaceOptions {
  std::array<std::uint8_t, 16> uuid{};
  bool is_write_cache = true;
  // Bytes, powers of two from 512 on.
  std::uint32_t logical_block = 512;
  std::uint32_t physical_block = 512;  ///< at least logical_block
  // 0: nothing is said of it; else multiples of logical_block.
  std::uint32_t opt_io = 0;
  std::uint32_t discard_granularity = 0;
};

/// The one namespace of a controller: a disk (NVM Express 1.4, chapter 6). Several commands may be executed
/// at the same time.
class NvmeNamespace {
 public:
  static constexpr std::uint32_t kId = 1;
  static constexpr std::uint32_t kAll = 0xffff'ffff;  ///< all namespaces, which is this one

  NvmeNamespace(std::shared_ptr<BlockBackend> disk, const NvmeNamespaceOptions& options)
      : disk_(std::move(disk)), options_(options) {
    reset();
  }

  /// Executes a command of an I/O queue.
  NvmeStatus execute(const NvmeTransfer& transfer, NvmeRequest& request);
  NvmeStatus flush();
  /// Identify's structure of the namespace, 4096 bytes.
  [[nodiscard]] NvmeBytes identify() const;
  /// Its list of identifiers, likewise.
  [[nodiscard]] NvmeBytes identifiers() const;
  /// The SMART log, 512 bytes.
  [[nodiscard]] NvmeBytes health() const;
  [[nodiscard]] bool is_write_cache() const { return is_write_cache_; }
  [[nodiscard]] bool is_read_only() const { return disk_->is_read_only(); }
  void set_write_cache(bool is_on) { is_write_cache_ = is_on; }
  void reset() { is_write_cache_ = options_.is_write_cache; }
  void visit(Visitor& visitor);

 private:
  /// How much was done.
  struct Counts {
    std::atomic<std::uint64_t> commands{0};
    std::atomic<std::uint64_t> bytes{0};
    void add(std::uint64_t more) {
      ++commands;
      bytes += more;
    }
  };

  NvmeStatus transfer_blocks(const NvmeTransfer& transfer, NvmeRequest& request, bool is_write);
  NvmeStatus write_zeroes(const NvmeCommand& command);
  NvmeStatus manage_data_sets(const NvmeTransfer& transfer, NvmeRequest& request);
  NvmeStatus finish_write(int failure, bool is_forced);
  [[nodiscard]] bool is_inside(std::uint64_t block, std::uint64_t count) const;
  [[nodiscard]] std::uint64_t blocks() const { return disk_->size() / options_.logical_block; }

  const std::shared_ptr<BlockBackend> disk_;
  const NvmeNamespaceOptions options_;
  std::atomic<bool> is_write_cache_{true};
  Counts reads_;
  Counts writes_;
};

}  // namespace gstage::hw
