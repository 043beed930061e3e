// SPDX-License-Identifier: Apache-2.0
#include "system/trace/exit_profile.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "target/riscv/cpu.h"
#include "target/riscv/hart.h"

namespace gstage {

namespace {

constexpr auto kEventsEvery = std::chrono::milliseconds(20);
constexpr unsigned kTotalsEvery = 50;  // times that
constexpr std::size_t kEventsARound = 1 << 15;
/// Events that one hart may be ahead of the writer.
constexpr std::size_t kRing = 1 << 15;
constexpr std::size_t kRingOfMany = 1 << 12;
constexpr std::size_t kMany = 16;

/// Whether all of it could be written.
bool write_all(int fd, const std::string& text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const ssize_t n = ::write(fd, text.data() + at, text.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace

Result<std::unique_ptr<ExitProfile>> ExitProfile::open(const std::vector<ExitTraceOptions>& options) {
  std::unique_ptr<ExitProfile> profile(new ExitProfile);
  for (const ExitTraceOptions& one : options) {
    Output output{one};
    output.fd = STDERR_FILENO;
    if (!one.file.empty())
      output.fd = ::open(one.file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
    if (output.fd < 0)
      return error("-trace exits: cannot write '%s' (%s): name a file that can be written", one.file.c_str(),
                   std::strerror(errno));
    profile->outputs_.push_back(std::move(output));
  }
  return profile;
}

ExitProfile::~ExitProfile() {
  is_ending_.store(true);
  if (writer_.joinable()) writer_.join();
  for (const Output& output : outputs_)
    if (!output.options.file.empty()) close(output.fd);
}

bool ExitProfile::has_timeline() const {
  return std::any_of(outputs_.begin(), outputs_.end(),
                     [](const Output& output) { return output.options.format == ExitFormat::kTimeline; });
}

void ExitProfile::attach(Machine& machine) {
  time_.settle();
  const std::vector<Cpu*> cpus = machine.cpus();
  for (Cpu* cpu : cpus) {
    HartTrace& trace = harts_.emplace_back();
    if (has_timeline())
      trace.ring = std::make_unique<riscv::ExitRing>(cpus.size() > kMany ? kRingOfMany : kRing);
    trace.recorder = std::make_unique<riscv::ExitRecorder>(time_, trace.ring.get());
    trace.cpu = static_cast<riscv::RiscvCpu*>(cpu);
    trace.cpu->hart().exits = trace.recorder.get();
  }
  if (has_timeline()) timeline_ = std::make_unique<ExitTimeline>(time_, symbol_);
  for (Output& output : outputs_)
    if (output.options.format == ExitFormat::kTimeline) append(output, ExitTimeline::begin());
  writer_ = std::thread([this] { work(); });
}

void ExitProfile::work() {
  unsigned round = 0;
  pthread_setname_np(pthread_self(), "exit-trace");
  while (!is_ending_.load()) {
    std::this_thread::sleep_for(kEventsEvery);
    write_events(kEventsARound);
    if (++round % kTotalsEvery == 0) write_totals();
  }
}

/// At most so many of each hart: some may make them faster than they are written.
void ExitProfile::write_events(std::size_t most) {
  if (timeline_ == nullptr) return;
  constexpr std::size_t kPiece = 1 << 20;
  std::string text;
  const auto flush = [&] {
    for (Output& output : outputs_)
      if (output.options.format == ExitFormat::kTimeline) append(output, text);
  };
  for (unsigned hart = 0; hart < harts_.size(); ++hart) {
    riscv::ExitRing& ring = *harts_[hart].ring;
    for (std::size_t i = 0; i < most; ++i) {
      const riscv::ExitEvent* const event = ring.front();
      if (event == nullptr) break;
      timeline_->add(hart, *event);
      ring.pop();
      text += timeline_->take();
      if (text.size() < kPiece) continue;
      flush();
      text.clear();
    }
  }
  flush();
}

void ExitProfile::write_totals() {
  for (Output& output : outputs_)
    if (output.options.format != ExitFormat::kTimeline && !output.options.file.empty())
      replace(output, totals(output.options.format));
}

std::string ExitProfile::totals(ExitFormat format) const {
  switch (format) {
    case ExitFormat::kText: return exit_report_text(report(), symbol_);
    case ExitFormat::kFolded: return exit_report_folded(report(), symbol_);
    default: return exit_report_json(report(), symbol_);
  }
}

void ExitProfile::append(Output& output, const std::string& text) {
  if (!output.has_failed && !write_all(output.fd, text)) output.has_failed = true;
}

/// A pipe or a terminal gets the totals at the end alone.
void ExitProfile::replace(Output& output, const std::string& text) {
  if (output.has_failed || lseek(output.fd, 0, SEEK_SET) != 0) return;
  append(output, text);
  if (ftruncate(output.fd, static_cast<off_t>(text.size())) != 0) output.has_failed = true;
}

Status ExitProfile::finish() {
  if (!writer_.joinable()) return Ok{};
  is_ending_.store(true);
  writer_.join();
  for (const HartTrace& hart : harts_) hart.recorder->end(hart.cpu->hart());
  write_events(SIZE_MAX);
  for (Output& output : outputs_) {
    const bool is_timeline = output.options.format == ExitFormat::kTimeline;
    if (is_timeline)
      append(output, ExitTimeline::end(totals(ExitFormat::kJson)));
    else if (output.options.file.empty() || lseek(output.fd, 0, SEEK_CUR) < 0)
      append(output, totals(output.options.format));
    else
      replace(output, totals(output.options.format));
    if (output.has_failed)
      return error("-trace exits: '%s' is not whole: writing failed (is the disk full?)",
                   output.options.file.c_str());
  }
  return Ok{};
}

ExitReport ExitProfile::report() const {
  std::vector<const riscv::ExitTotals*> totals;
  std::uint64_t lost = 0;
  for (const HartTrace& hart : harts_) {
    totals.push_back(&hart.recorder->totals());
    if (hart.ring != nullptr) lost += hart.ring->lost();
  }
  ExitReport report = make_exit_report(totals);
  report.lost_events = lost;
  return report;
}

}  // namespace gstage
