// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "target/riscv/trace/exit_totals.h"

namespace gstage {

/// The name of a guest's code, or an empty text where none is known.
using GuestSymbol = std::function<std::string(std::uint32_t vmid, std::uint64_t pc)>;

/// Exits of one kind, of all harts.
struct ExitRow {
  riscv::ExitKey key;
  std::uint64_t count = 0;
  std::array<std::uint64_t, riscv::kExitPlaces> ns{};  ///< by riscv::ExitPlace; the first: all of it
  std::uint64_t longest_ns = 0;
  std::array<std::uint64_t, riscv::kExitBuckets> buckets{};
};

/// Those at one pc.
struct ExitSiteRow {
  riscv::ExitKey key;
  std::uint64_t pc = 0;
  std::uint64_t count = 0;
  std::uint64_t ns = 0;
};

/// The totals of a machine's exits.
struct ExitReport {
  std::vector<ExitRow> rows;       ///< by VMID, then by time, longest first
  std::vector<ExitSiteRow> sites;  ///< by time, longest first
  std::uint64_t lost_events = 0;   ///< of the timeline; the totals have all
};

/// Adds up what the harts counted. They may run meanwhile.
ExitReport make_exit_report(std::span<const riscv::ExitTotals* const> harts);

/// For people: a table a VM, histograms, where most time goes.
std::string exit_report_text(const ExitReport& report, const GuestSymbol& symbol);
/// For programs: an object with `exits`, `sites` and `lost_events` (docs/exits.md).
std::string exit_report_json(const ExitReport& report, const GuestSymbol& symbol);
/// For flame graphs: "VM 1;function;cause NANOSECONDS" a line.
std::string exit_report_folded(const ExitReport& report, const GuestSymbol& symbol);

/// A text as a JSON string, with its quotes.
std::string json_string(const std::string& text);
/// The symbol, or the pc in hexadecimal.
std::string exit_place_text(const GuestSymbol& symbol, std::uint32_t vmid, std::uint64_t pc);

}  // namespace gstage
