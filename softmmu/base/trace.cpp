// SPDX-License-Identifier: Apache-2.0
#include "softmmu/base/trace.h"

#include <cerrno>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <fnmatch.h>
#include <unistd.h>

#include "softmmu/base/check.h"
#include "softmmu/base/format.h"

namespace gstage {

std::array<std::atomic<bool>, kTraceEvents> trace_wanted{};

namespace {

struct Row {
  const char* name;
  const char* arguments;
  const char* help;
};
constexpr Row kRows[] = {
#define TRACE_EVENT(name, arguments, help) {#name, arguments, help},
#include "softmmu/base/trace_events.inc"
#undef TRACE_EVENT
};

/// Set before threads begin.
int trace_fd = STDERR_FILENO;

/// Seconds since the first event.
std::string time_text() {
  constexpr std::int64_t kNs = 1'000'000'000;
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const std::int64_t ns = now.tv_sec * kNs + now.tv_nsec;
  static const std::int64_t begin = ns;
  const std::int64_t since = ns < begin ? 0 : ns - begin;
  return format("%lld.%09lld", static_cast<long long>(since / kNs), static_cast<long long>(since % kNs));
}

/// Whether there is any event that the pattern names; calls `use` with each.
template <class Use>
bool for_each_match(const std::string& pattern, const Use& use) {
  const std::string name = pattern.starts_with("-") ? pattern.substr(1) : pattern;
  bool is_any = false;
  for (std::size_t i = 0; i < kTraceEvents; ++i) {
    if (fnmatch(name.c_str(), kRows[i].name, FNM_NOESCAPE) != 0) continue;
    use(i);
    is_any = true;
  }
  return is_any;
}

}  // namespace

void trace_write(TraceEvent event, std::initializer_list<TraceValue> values) {
  const Row& row = kRows[static_cast<std::size_t>(event)];
  std::string line = time_text() + " " + row.name;
  const char* at = row.arguments;
  for (const TraceValue& value : values) {
    const char* const colon = std::strchr(at, ':');
    CHECK(colon != nullptr);
    line += " " + std::string(at, colon) + "=";
    const auto number = static_cast<unsigned long long>(value.number);
    switch (colon[1]) {
      case 's': line += printable(value.text); break;
      case 'x': line += format("0x%llx", number); break;
      default: line += format("%llu", number);
    }
    at = colon + 2;
    while (*at == ' ') ++at;
  }
  CHECK(*at == '\0');
  line += "\n";
  // One call a line: lines of several threads stay whole, and nothing is lost when the program is killed.
  [[maybe_unused]] const ssize_t written = ::write(trace_fd, line.data(), line.size());
}

Status check_trace_pattern(const std::string& pattern) {
  if (for_each_match(pattern, [](std::size_t) {})) return Ok{};
  return error("-trace: no event matches '%s': -trace help lists them", pattern.c_str());
}

void trace_enable(const std::string& pattern) {
  const bool is_off = pattern.starts_with("-");
  for_each_match(pattern,
                 [is_off](std::size_t i) { trace_wanted[i].store(!is_off, std::memory_order_relaxed); });
}

Status trace_set_file(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_APPEND | O_NOCTTY, 0666);
  if (fd < 0)
    return error("-trace: cannot write '%s' (%s): name a file that can be written", path.c_str(),
                 std::strerror(errno));
  if (trace_fd != STDERR_FILENO) close(trace_fd);
  trace_fd = fd;
  return Ok{};
}

std::string trace_help() {
  std::string text = "Events (-trace PATTERN[,file=FILE][,events=FILE]; * stands for anything):\n";
  for (const Row& row : kRows) text += format("  %-18s %s\n", row.name, row.help);
  return text;
}

}  // namespace gstage
