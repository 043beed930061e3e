// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "io/block/block.h"
#include "hw/scsi/scsi_pages.h"
#include "hw/scsi/scsi_request.h"

namespace gstage::hw {

class Visitor;

/// A logical unit, disk or drive of discs: answers commands (SPC, SBC, MMC). It knows neither bus nor
/// transport nor thread: several commands may be executed at the same time.
class ScsiUnit {
 public:
  /// `medium` may be null for a drive of discs: nothing is in it.
  ScsiUnit(std::shared_ptr<BlockBackend> medium, ScsiUnitOptions options);

  /// Executes a command; the request has the outcome.
  void execute(ScsiRequest& request);
  [[nodiscard]] const ScsiUnitOptions& options() const { return options_; }

  /// To the state at power-on.
  void reset();
  /// The next command learns of it, and of nothing that came before.
  void tell(const ScsiSense& attention);
  void visit(Visitor& visitor);

 private:
  /// What the guest can see or change.
  struct State {
    ScsiSense attention = senses::kPowerOn;
    bool is_write_cache = true;
    bool is_locked = false;  ///< the medium stays in
    bool is_open = false;    ///< the tray is, so there is no medium
  };
  /// What commands there are.
  struct Row;
  /// Blocks that a command means.
  struct Extent {
    std::uint64_t block = 0;
    std::uint64_t count = 0;
  };
  /// A range of UNMAP, bytes.
  struct Range {
    std::uint64_t offset;
    std::uint64_t size;
  };

  static std::span<const Row> rows();
  /// The command's row, or why there is none.
  ScsiSense find(const ScsiRequest& request, const Row*& found) const;

  // Commands of all units:
  void nothing(ScsiRequest& request);
  void inquiry(ScsiRequest& request);
  void request_sense(ScsiRequest& request);
  void mode_sense(ScsiRequest& request);
  void mode_select(ScsiRequest& request);
  void start_stop(ScsiRequest& request);
  void prevent_removal(ScsiRequest& request);
  void report_commands(ScsiRequest& request);
  // Of blocks:
  void read_capacity(ScsiRequest& request);
  void read_capacity_long(ScsiRequest& request);
  void read(ScsiRequest& request);
  void write(ScsiRequest& request);
  void verify(ScsiRequest& request);
  void synchronize(ScsiRequest& request);
  void unmap(ScsiRequest& request);
  void write_same(ScsiRequest& request);
  // Of drives of discs:
  void read_contents(ScsiRequest& request);
  void get_configuration(ScsiRequest& request);
  void get_events(ScsiRequest& request);
  void read_information(ScsiRequest& request);

  [[nodiscard]] std::uint64_t blocks() const;
  [[nodiscard]] bool is_writable() const;
  [[nodiscard]] State state() const;
  /// The blocks that the command names, by the group that it is in.
  static Extent extent(const ScsiRequest& request);
  /// Fails the request if they are not all there.
  bool check(ScsiRequest& request, const Extent& blocks) const;
  bool check_writable(ScsiRequest& request) const;
  /// What was changed is on the disk, if it has to be; `is_forced`: the command wants it.
  void finish_write(ScsiRequest& request, int failure, bool is_forced);
  /// The blocks have what the one block has that came with the command.
  int fill(const Extent& blocks, std::span<const std::byte> pattern);
  /// The ranges of UNMAP; false, and it is failed: they make no sense.
  bool take_ranges(ScsiRequest& request, std::vector<Range>& ranges) const;
  /// Takes over the pages of MODE SELECT.
  bool select_pages(ScsiRequest& request, std::span<const std::uint8_t> pages);

  const std::shared_ptr<BlockBackend> medium_;
  const ScsiUnitOptions options_;
  mutable std::mutex mutex_;  ///< guards the state; not held while the host's disk works
  State state_;
};

}  // namespace gstage::hw
