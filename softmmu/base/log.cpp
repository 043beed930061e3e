// SPDX-License-Identifier: Apache-2.0
#include "softmmu/base/log.h"

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <mutex>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include "softmmu/base/format.h"
#include "softmmu/base/log_filter.h"

namespace gstage {

std::atomic<std::uint32_t> log_mask{0};

namespace {

struct LogName {
  const char* name;
  Log category;
  const char* help;
};

constexpr std::array kLogNames{
    LogName{"in_asm", Log::kInAsm, "guest instructions of each translated block"},
    LogName{"op", Log::kOp, "intermediate code of each block before the passes"},
    LogName{"op_opt", Log::kOpOpt, "intermediate code of each block after the passes"},
    LogName{"out_asm", Log::kOutAsm, "host instructions of each block"},
    LogName{"int", Log::kInt, "traps and interrupts as they are taken"},
    LogName{"mmu", Log::kMmu, "address translations and fences"},
    LogName{"exec", Log::kExec, "each block as it is entered (with nochain: all of them)"},
    LogName{"nochain", Log::kNoChain, "do not link blocks, so that exec shows each one"},
    LogName{"guest_errors", Log::kGuestErrors, "what the guest does that hardware leaves undefined"},
    LogName{"unimp", Log::kUnimplemented, "what the guest asks for that is not implemented"},
    LogName{"tlb_stats", Log::kTlbStats, "at exit: TLB flushes by reason, misses, growth"},
    LogName{"sanitize", Log::kSanitize, "what -sanitize finds (on with it)"},
};

/// Other people's words for which there is no category yet; they are refused by name.
constexpr std::array kMissingNames{"fpu",   "cpu_reset", "invalid_mem", "op_ind", "op_plugin", "page",
                                   "pcall", "plugin",    "strace",      "tid",    "vpu"};

/// Lines to a file are gathered; lines to stderr go out one by one.
class Sink {
 public:
  void put(std::string_view text) {
    const std::lock_guard lock(mutex_);
    if (fd_ == STDERR_FILENO) {
      write_all(text);
      return;
    }
    buffer_.append(text);
    const std::time_t now = std::time(nullptr);
    if (buffer_.size() >= kFlushBytes || now != last_flush_) {
      last_flush_ = now;
      flush_locked();
    }
  }

  void flush() {
    // Also called on the way to abort, perhaps by the thread that holds the lock: then give up at once.
    if (!mutex_.try_lock()) return;
    flush_locked();
    mutex_.unlock();
  }

  void redirect(int fd) {
    const std::lock_guard lock(mutex_);
    flush_locked();
    if (fd_ != STDERR_FILENO) close(fd_);
    fd_ = fd;
  }

 private:
  static constexpr std::size_t kFlushBytes = 64 << 10;

  void flush_locked() {
    write_all(buffer_);
    buffer_.clear();
  }

  void write_all(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t n = ::write(fd_, text.data(), text.size());
      if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (n <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  std::mutex mutex_;
  int fd_ = STDERR_FILENO;
  std::string buffer_;
  std::time_t last_flush_ = 0;
};

Sink& sink() {
  // Never destroyed: threads may log until the very end.
  static Sink* const instance = new Sink;
  return *instance;
}

std::string known_names() {
  std::string names;
  for (const auto& row : kLogNames) names += std::string(names.empty() ? "" : ", ") + row.name;
  return names;
}

}  // namespace

void log_line(Log category, const char* format, ...) {
  if (!log_enabled(category)) return;
  va_list args;
  va_start(args, format);
  std::string text = vformat(format, args);
  va_end(args);
  text += '\n';
  sink().put(text);
}

void log_text(Log category, const std::string& text) {
  if (log_enabled(category)) sink().put(text);
}

void log_flush() { sink().flush(); }

std::string log_help() {
  std::string text = "Log items (-d ITEM[,ITEM…]; -D FILE sends them to a file):\n";
  for (const auto& row : kLogNames) text += format("  %-14s %s\n", row.name, row.help);
  return text +
         "  cpu, registers with exec: the integer registers as each block is entered\n"
         "  all            all of these but nochain and tlb_stats\n"
         "-dfilter RANGE[,...] takes those of certain addresses, harts and guests: -dfilter help\n";
}

Status log_set_categories(const std::string& list) {
  std::uint32_t mask = 0;
  std::size_t at = 0;
  while (at <= list.size()) {
    const std::size_t comma = std::min(list.find(',', at), list.size());
    const std::string name = list.substr(at, comma - at);
    at = comma + 1;
    bool is_known = name == "cpu" || name == "registers";
    if (is_known) log_shows_registers() = true;
    for (const auto& row : kLogNames) {
      const bool is_in_all = row.category != Log::kNoChain && row.category != Log::kTlbStats;
      if (name != row.name && !(name == "all" && is_in_all)) continue;
      mask |= static_cast<std::uint32_t>(row.category);
      is_known = true;
    }
    if (is_known) continue;
    for (const char* missing : kMissingNames)
      if (name == missing) return error("-d %s is not supported yet", missing);
    return error("-d: unknown item '%s': use %s", name.c_str(), known_names().c_str());
  }
  log_mask.fetch_or(mask);
  return Ok{};
}

Status log_set_file(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_APPEND, 0666);
  if (fd < 0)
    return error("-D: cannot write the log file '%s': %s; name a file that can be written", path.c_str(),
                 std::strerror(errno));
  sink().redirect(fd);
  return Ok{};
}

void warn(const char* format, ...) {
  va_list args;
  va_start(args, format);
  const std::string text = "gstage: warning: " + printable(vformat(format, args)) + "\n";
  va_end(args);
  std::fputs(text.c_str(), stderr);
}

}  // namespace gstage
