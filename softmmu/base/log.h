// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "softmmu/base/result.h"

namespace gstage {

/// The categories of `-d`; the table of their names is in log.cpp.
enum class Log : std::uint32_t {
  kInAsm = 1u << 0,
  kOp = 1u << 1,
  kOutAsm = 1u << 2,
  kInt = 1u << 3,
  kMmu = 1u << 4,
  kExec = 1u << 5,
  kGuestErrors = 1u << 6,
  kUnimplemented = 1u << 7,
  kOpOpt = 1u << 8,
  kTlbStats = 1u << 9,   ///< prints TLB flushes by reason at exit
  kNoChain = 1u << 10,   ///< blocks are not linked, so that `exec` shows each one
  kSanitize = 1u << 14,  ///< what `-sanitize` finds; on with it
};

extern std::atomic<std::uint32_t> log_mask;

/// Whether lines of this category are wanted; cheap enough for every slow path.
inline bool log_enabled(Log category) {
  return (log_mask.load(std::memory_order_relaxed) & static_cast<std::uint32_t>(category)) != 0;
}

/// Writes one line (a newline is added) to `-D`'s file or stderr when the category is enabled. Thread-safe.
[[gnu::format(printf, 2, 3)]] void log_line(Log category, const char* format, ...);

/// Writes a block of text that may hold several lines, undivided. Thread-safe.
void log_text(Log category, const std::string& text);

/// Sets the categories from `-d`'s comma-separated list; an unknown name is an error that lists the known
/// ones.
Status log_set_categories(const std::string& list);

/// What `-d help` prints.
std::string log_help();

/// Writes out what is still gathered. Also on the way to abort.
void log_flush();

/// Sends the log to a file (`-D`).
Status log_set_file(const std::string& path);

/// Prints a warning for the user on stderr: "gstage: warning: …", printable as error() makes it.
[[gnu::format(printf, 1, 2)]] void warn(const char* format, ...);

}  // namespace gstage
