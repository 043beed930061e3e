// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "softmmu/base/result.h"

namespace gstage {

/// A Perl-compatible regular expression over bytes.
class Regex {
 public:
  /// `option` is for the message.
  static Result<Regex> make(const std::string& option, const std::string& pattern);
  [[nodiscard]] const std::string& pattern() const { return pattern_; }
  /// Where the first match behind `from` ends, or npos. `is_whole`: the text ends where the line does, so
  /// that
  /// `$` matches there.
  [[nodiscard]] std::size_t find(const std::string& text, std::size_t from, bool is_whole) const;

 private:
  Regex(std::string pattern, std::shared_ptr<void> compiled)
      : pattern_(std::move(pattern)), compiled_(std::move(compiled)) {}
  std::string pattern_;
  std::shared_ptr<void> compiled_;
};

/// Lines of a terminal's output, without what moves the cursor or colours. A line that has not ended is
/// looked at as well: a prompt has no end. Of a line longer than `kMostBytes` the last part is kept.
class OutputLines {
 public:
  static constexpr std::size_t kMostBytes = 4096;

  /// Takes one byte. True: `line` is whole; the next byte begins another one.
  bool put(std::uint8_t byte);
  [[nodiscard]] const std::string& line() const { return line_; }
  /// Whether `line` is not whole.
  [[nodiscard]] bool is_open() const { return state_ != State::kEnded; }
  /// How many bytes were dropped from the line's begin since the last call.
  std::size_t take_dropped() { return std::exchange(dropped_, 0); }

 private:
  enum class State : std::uint8_t { kText, kEscape, kControl, kString, kStringEscape, kEnded };
  void escaped(std::uint8_t byte);

  State state_ = State::kText;
  std::string line_;
  std::size_t dropped_ = 0;
};

/// Looks for what a console says: expressions that are to be found one after the other, and expressions that
/// must not be found.
class OutputMatcher {
 public:
  enum class Verdict : std::uint8_t { kNone, kAllFound, kFailed };

  OutputMatcher(std::vector<Regex> expected, std::vector<Regex> failures)
      : expected_(std::move(expected)), failures_(std::move(failures)) {}

  /// Takes what the console prints next. The first verdict stays.
  Verdict put(std::span<const std::uint8_t> bytes);
  [[nodiscard]] Verdict verdict() const { return verdict_; }
  /// Expressions that were found, of those that are expected.
  [[nodiscard]] std::size_t found() const { return found_; }
  [[nodiscard]] const std::vector<Regex>& expected() const { return expected_; }
  [[nodiscard]] const std::vector<Regex>& failures() const { return failures_; }
  /// Which of `failures` was found, and in which line; after kFailed.
  [[nodiscard]] std::size_t failed() const { return failed_; }
  [[nodiscard]] const std::string& failed_line() const { return failed_line_; }
  /// The last lines, at most 64 KiB.
  [[nodiscard]] std::string tail() const { return lines_.is_open() ? tail_ + lines_.line() : tail_; }

 private:
  void look(bool is_whole);

  const std::vector<Regex> expected_;
  const std::vector<Regex> failures_;
  OutputLines lines_;
  std::size_t from_ = 0;  ///< of the line, where the next expected expression is looked for
  std::size_t found_ = 0;
  std::size_t failed_ = 0;
  std::string failed_line_;
  std::string tail_;
  Verdict verdict_ = Verdict::kNone;
};

}  // namespace gstage
