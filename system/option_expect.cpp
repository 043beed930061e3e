// SPDX-License-Identifier: Apache-2.0
// Options for tests that boot machines: what is expected, what is not, how long it may take.
#include "softmmu/option_values.h"
#include "system/option_handlers.h"

namespace gstage {

namespace {

Status add(std::vector<Regex>& to, const char* option, const std::string& pattern) {
  if (pattern.empty()) return error("%s: its argument is empty: say what to look for", option);
  auto regex = Regex::make(option, pattern);
  if (!regex) return regex.error();
  to.push_back(std::move(*regex));
  return Ok{};
}

}  // namespace

Status ExpectHandlers::expect(Options& options, const std::string& argument) {
  return add(options.expect.expected, "--expect", argument);
}

Status ExpectHandlers::fail_on(Options& options, const std::string& argument) {
  return add(options.expect.failures, "--fail-on", argument);
}

Status ExpectHandlers::timeout(Options& options, const std::string& argument) {
  constexpr std::uint64_t kMostSeconds = 7 * 24 * 3600;
  auto seconds = parse_number("--timeout", argument, 1, kMostSeconds);
  if (!seconds) return seconds.error();
  options.expect.timeout_s = static_cast<unsigned>(*seconds);
  return Ok{};
}

Status ExpectHandlers::junit(Options& options, const std::string& argument) {
  if (argument.empty()) return error("--junit: its argument is empty: name a file");
  options.expect.junit = argument;
  return Ok{};
}

}  // namespace gstage
