// SPDX-License-Identifier: Apache-2.0
#include "io/log_chardev.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace gstage {

namespace {

class LogChardev final : public Chardev {
 public:
  LogChardev(std::shared_ptr<Chardev> base, int fd) : base_(std::move(base)), fd_(fd) {}
  ~LogChardev() override { close(fd_); }

  void write(std::span<const std::uint8_t> bytes) override {
    log(bytes);
    base_->write(bytes);
  }
  void attach(Receive receive, CanReceive can_receive) override {
    base_->attach(std::move(receive), std::move(can_receive));
  }
  void resume_input() override { base_->resume_input(); }
  bool on_focus(std::function<void()> callback) override { return base_->on_focus(std::move(callback)); }
  [[nodiscard]] std::string describe() const override { return base_->describe(); }
  Ringbuf* ringbuf() override { return base_->ringbuf(); }

 private:
  /// A full disk ends nothing else.
  void log(std::span<const std::uint8_t> bytes) const {
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return;
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
  }

  const std::shared_ptr<Chardev> base_;
  const int fd_;
};

}  // namespace

Result<std::shared_ptr<Chardev>> make_log_chardev(std::shared_ptr<Chardev> base, const std::string& path,
                                                  bool appends) {
  const int mode = appends ? O_APPEND : O_TRUNC;
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | mode, 0666);
  if (fd < 0)
    return error("logfile=%s cannot be written (%s): name a file that can be", path.c_str(),
                 std::strerror(errno));
  return std::shared_ptr<Chardev>(std::make_shared<LogChardev>(std::move(base), fd));
}

}  // namespace gstage
