// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "softmmu/base/result.h"
#include "target/riscv/trace/exit_recorder.h"
#include "hw/core/machine.h"
#include "system/trace/exit_report.h"
#include "system/trace/exit_timeline.h"

namespace gstage {

namespace riscv {
class RiscvCpu;
}

/// What `-trace exits,format=` names.
enum class ExitFormat : std::uint8_t { kText, kJson, kFolded, kTimeline };

/// One `-trace exits`.
struct ExitTraceOptions {
  std::string file;  ///< empty: standard error, at the end
  ExitFormat format = ExitFormat::kText;
};

/// The exit profile of a machine (`-trace exits`). Files are opened before the sandbox closes; a thread of
/// its own writes them while the machine runs, so that they can be read after a kill: the timeline grows, the
/// totals are replaced once a second.
class ExitProfile {
 public:
  /// An Error names the file that cannot be written.
  static Result<std::unique_ptr<ExitProfile>> open(const std::vector<ExitTraceOptions>& options);
  ~ExitProfile();
  ExitProfile(const ExitProfile&) = delete;
  ExitProfile& operator=(const ExitProfile&) = delete;

  /// How guest code is called in what is written from now on. Before `attach`.
  void set_symbols(GuestSymbol symbol) { symbol_ = std::move(symbol); }
  /// Has the machine's harts report, and starts to write. Before they run; the machine goes first.
  void attach(Machine& machine);
  /// Writes what is left. The harts stand still.
  Status finish();
  /// The totals so far. Any thread.
  [[nodiscard]] ExitReport report() const;
  /// `report` as text, for `info exits`.
  [[nodiscard]] std::string describe() const { return exit_report_text(report(), symbol_); }
  /// The same as `format=json` has it.
  [[nodiscard]] std::string describe_as_json() const { return exit_report_json(report(), symbol_); }

 private:
  struct Output {
    ExitTraceOptions options;
    int fd = -1;
    bool has_failed = false;
  };
  struct HartTrace {
    std::unique_ptr<riscv::ExitRing> ring;  ///< null: there is no timeline
    std::unique_ptr<riscv::ExitRecorder> recorder;
    riscv::RiscvCpu* cpu = nullptr;
  };

  ExitProfile() = default;
  [[nodiscard]] bool has_timeline() const;
  void work();
  void write_events(std::size_t most);
  void write_totals();
  [[nodiscard]] std::string totals(ExitFormat format) const;
  static void append(Output& output, const std::string& text);
  static void replace(Output& output, const std::string& text);

  riscv::HostTime time_;
  GuestSymbol symbol_;
  std::vector<Output> outputs_;
  std::vector<HartTrace> harts_;
  std::unique_ptr<ExitTimeline> timeline_;
  std::atomic<bool> is_ending_{false};
  std::thread writer_;
};

}  // namespace gstage
