// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "target/riscv/trace/exit_recorder.h"
#include "system/trace/exit_report.h"

namespace gstage {

/// The text of a timeline in the trace-event format that Perfetto and Chromium read: an array of objects, one
/// a line. The format allows the end of the array to be missing. Process 1 has a track a hart, with what runs
/// in V=1; each VM is a process, with a track a hart of its exits.
class ExitTimeline {
 public:
  /// `time` outlives it.
  ExitTimeline(const riscv::HostTime& time, GuestSymbol symbol) : time_(time), symbol_(std::move(symbol)) {}

  /// The array's begin.
  [[nodiscard]] static std::string begin();
  void add(unsigned hart, const riscv::ExitEvent& event);
  /// What `add` has made since the last call; empty or whole lines.
  std::string take() { return std::exchange(text_, {}); }
  /// The array's end, with the totals as metadata.
  [[nodiscard]] static std::string end(const std::string& totals_json);

 private:
  void name_tracks(unsigned hart, std::uint32_t vmid);
  void slice(const char* head, std::uint64_t begin, std::uint64_t end);

  const riscv::HostTime& time_;
  const GuestSymbol symbol_;
  std::set<std::pair<unsigned, unsigned>> named_;  ///< process and hart
  std::string text_;
};

}  // namespace gstage
