// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "softmmu/typed_property.h"

namespace gstage {

/// `werror=`, `rerror=`: what becomes of a guest's request that the host could not do.
enum class FailureAction : std::uint8_t {
  kAuto,    ///< of a device: as its drive says; of a drive: kEnospc for writes, kReport for reads
  kReport,  ///< the guest is told
  kIgnore,  ///< the guest is told that all went well
  kEnospc,  ///< kStop where the host has no room left, else kReport
  kStop,    ///< the machine stops, and does the request once more when it goes on
};

template <>
struct PropertyCodec<FailureAction> {
  static constexpr const char* kForm = "report|ignore|enospc|stop|auto";
  static bool parse(const std::string& text, const PropertyRow& row, FailureAction& to);
  static std::string show(FailureAction value);
};

/// What is said of a disk's failures.
struct FailureActions {
  FailureAction on_write = FailureAction::kAuto;  ///< also of flushes and discards
  FailureAction on_read = FailureAction::kAuto;

  /// These, and where they leave it open what `others` say.
  [[nodiscard]] FailureActions or_else(const FailureActions& others) const;
};

/// Refuses what has no sense for reads. `what` is for messages: "-drive".
Status check_read_action(const std::string& what, FailureAction action);

/// A request that failed.
struct DiskFailure {
  std::string disk;  ///< the id of its drive, or the name of its node
  bool is_write = false;
  int error = 0;                                  ///< an errno value
  FailureAction action = FailureAction::kReport;  ///< what becomes of it: report, ignore or stop
};

/// Where a machine's failures of disks are told, and where devices wait for it to go on.
class DiskFailures {
 public:
  using Listener = std::function<void(const DiskFailure& failure)>;

  /// From now on `listener` hears of failures, on the thread that they happen on; it must not call back.
  /// Null: nobody does, and a call that is under way has ended.
  void on_failure(Listener listener);
  /// Any thread.
  void tell(const DiskFailure& failure);

  // On the event loop's thread:

  /// `again` follows each `resume`. Returns what `forget` takes.
  unsigned on_resume(std::function<void()> again);
  void forget(unsigned id);
  /// The machine goes on.
  void resume();

 private:
  std::mutex mutex_;  ///< guards the listener
  Listener listener_;
  std::vector<std::pair<unsigned, std::function<void()>>> waiting_;
  unsigned ids_ = 0;
};

/// What becomes of the failed requests of one disk. Without `all` the guest is told of each.
struct FailureRule {
  std::shared_ptr<DiskFailures> all{};
  FailureActions actions{};
  std::string disk{};

  /// Report, ignore or stop.
  [[nodiscard]] DiskFailure decide(bool is_write, int error) const;
  /// Whoever stops sees to it before that it goes on by `DiskFailures::resume`. Any thread.
  void tell(const DiskFailure& failure) const {
    if (all != nullptr) all->tell(failure);
  }
};

}  // namespace gstage
