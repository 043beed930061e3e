// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "softmmu/base/result.h"
#include "softmmu/machine_control.h"
#include "io/chardev.h"
#include "system/output_matcher.h"

namespace gstage {

/// What `--expect` and its like say, checked.
struct ExpectOptions {
  std::vector<Regex> expected;  ///< `--expect`, in order
  std::vector<Regex> failures;  ///< `--fail-on`
  unsigned timeout_s = 0;       ///< `--timeout`; 0: none
  std::string junit;            ///< `--junit`: a file

  /// Whether serial output matters.
  [[nodiscard]] bool watches() const { return !expected.empty() || !failures.empty(); }
  [[nodiscard]] bool any() const { return watches() || timeout_s != 0 || !junit.empty(); }
};

/// Exit codes of the program for the ends that `--expect` and its like bring about. They are none that guests
/// or shells use for much else; 124 is that of timeout(1).
enum class ExpectCode : std::uint8_t {
  kAllFound = 0,
  kFailOn = 120,   ///< `--fail-on` was found
  kMissing = 121,  ///< the machine ended before all of `--expect` was found
  kTimeout = 124,  ///< `--timeout` is over
};

/// Watches the first serial port and the time, ends the machine by what it sees, and says how it went.
class Expectations {
 public:
  /// Opens the file. `control` outlives it.
  static Result<std::unique_ptr<Expectations>> make(const ExpectOptions& options, MachineControl& control);
  ~Expectations();
  Expectations(const Expectations&) = delete;
  Expectations& operator=(const Expectations&) = delete;

  /// `base`, with what is written to it looked at. The object outlives it.
  std::shared_ptr<Chardev> tap(std::shared_ptr<Chardev> base);
  /// The time begins. On the event loop's thread.
  void start();
  /// The machine has ended with this exit code: the program's, after a line for the user if it went wrong and
  /// the report. `name` is that of the machine in the report.
  int finish(int exit_code, const std::string& name);

 private:
  class Tap;
  Expectations(const ExpectOptions& options, MachineControl& control)
      : options_(options), control_(control), matcher_(options.expected, options.failures) {}
  void seen(std::span<const std::uint8_t> bytes);
  [[nodiscard]] std::string reason(int exit_code) const;
  [[nodiscard]] std::string report(int exit_code, const std::string& why, const std::string& name) const;

  const ExpectOptions options_;
  MachineControl& control_;
  std::mutex mutex_;  ///< guards the matcher
  OutputMatcher matcher_;
  bool is_over_ = false;  ///< the time
  unsigned timer_ = 0;    ///< glib source, 0: none
  int junit_ = -1;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace gstage
