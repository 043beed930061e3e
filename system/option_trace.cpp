// SPDX-License-Identifier: Apache-2.0
// -trace: the exit profile, events of devices and interrupts; maps of generated code.
#include <algorithm>
#include <fstream>

#include "softmmu/base/trace.h"
#include "softmmu/option_values.h"
#include "softmmu/property_rows.h"
#include "tcg/runtime/code_log.h"
#include "system/option_handlers.h"

namespace gstage {

namespace {

constexpr PropertyRow kExitProperties[] = {
    {"file", "FILE", "where it goes (default: standard error, at the end)"},
    {"format", "text|json|folded|perfetto",
     "totals for people or programs, stacks for flame graphs, a timeline (default: by FILE's name)"},
};

constexpr PropertyRow kEventProperties[] = {
    {"enable", "PATTERN", "events to show: * stands for anything; -PATTERN turns them off"},
    {"file", "FILE", "where they go (default: standard error)"},
    {"events", "FILE", "a file of such patterns, one a line"},
};

struct FormatRow {
  const char* name;
  const char* suffix;  ///< of files that have it by default
  ExitFormat format;
};
constexpr FormatRow kFormats[] = {
    {"text", ".txt", ExitFormat::kText},
    {"folded", ".folded", ExitFormat::kFolded},
    {"perfetto", ".perfetto.json", ExitFormat::kTimeline},
    {"json", ".json", ExitFormat::kJson},
};

Status exits(Options& options, const std::vector<Property>& properties) {
  ExitTraceOptions trace;
  bool has_format = false;
  for (const Property& property : properties) {
    if (Status status = check_property("-trace exits", kExitProperties, property); !status.ok())
      return status;
    if (property.name == "file") {
      if (property.value.empty()) return error("-trace exits: file= is empty: name a file");
      trace.file = property.value;
      continue;
    }
    const auto* const row = std::find_if(std::begin(kFormats), std::end(kFormats),
                                         [&](const FormatRow& r) { return property.value == r.name; });
    if (row == std::end(kFormats))
      return error("-trace exits: format=%s: use text, json, folded or perfetto", property.value.c_str());
    trace.format = row->format;
    has_format = true;
  }
  for (const FormatRow& row : kFormats) {
    if (has_format || !trace.file.ends_with(row.suffix)) continue;
    trace.format = row.format;
    has_format = true;
  }
  for (const ExitTraceOptions& other : options.exit_traces)
    if (other.file == trace.file)
      return error("-trace exits: %s is written by another -trace exits already: name another file",
                   trace.file.empty() ? "standard error" : trace.file.c_str());
  options.exit_traces.push_back(std::move(trace));
  return Ok{};
}

/// A pattern a line; "#" begins a comment.
Status read_patterns(const std::string& path, std::vector<std::string>& patterns) {
  std::ifstream file(path);
  if (!file) return error("-trace: cannot read events=%s: name a file that can be read", path.c_str());
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string::npos || line[first] == '#') continue;
    patterns.push_back(line.substr(first, line.find_last_not_of(" \t\r") + 1 - first));
  }
  return Ok{};
}

Status events(Options& options, const std::vector<Property>& properties) {
  std::vector<std::string> patterns;
  for (const Property& property : properties) {
    if (Status status = check_property("-trace", kEventProperties, property); !status.ok()) return status;
    if (property.name == "enable") patterns.push_back(property.value);
    if (property.name == "file") options.trace_file = property.value;
    if (property.name != "events") continue;
    if (Status status = read_patterns(property.value, patterns); !status.ok()) return status;
  }
  for (const std::string& pattern : patterns) {
    if (Status status = check_trace_pattern(pattern); !status.ok()) return status;
    options.trace_patterns.push_back(pattern);
  }
  return Ok{};
}

}  // namespace

Status TraceHandlers::trace(Options& options, const std::string& argument) {
  if (is_help(argument)) {
    options.output = trace_help() + "\n" +
                     properties_help("-trace exits: the exits of guests, with properties:", kExitProperties);
    return Ok{};
  }
  auto properties = parse_properties("-trace", argument, "enable");
  if (!properties) return properties.error();
  const auto enable = std::find_if(properties->begin(), properties->end(),
                                   [](const Property& property) { return property.name == "enable"; });
  if (enable == properties->end() || enable->value != "exits") return events(options, *properties);
  properties->erase(enable);
  return exits(options, *properties);
}

Status TraceHandlers::perf_map(Options&, const std::string&) {
  tcg::code_log_wants().perf_map = true;
  return Ok{};
}

Status TraceHandlers::jitdump(Options&, const std::string&) {
  tcg::code_log_wants().jitdump = true;
  return Ok{};
}

}  // namespace gstage
