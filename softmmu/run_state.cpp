// SPDX-License-Identifier: Apache-2.0
#include "softmmu/run_state.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include <fcntl.h>
#include <glib-unix.h>
#include <glib.h>
#include <unistd.h>

#include "softmmu/base/check.h"
#include "softmmu/base/format.h"
#include "softmmu/base/log.h"
#include "softmmu/io/event_loop.h"

namespace gstage {

namespace {

constexpr unsigned kAskAgainMs = 10;
/// A quit waits so long for harts that do not stop (3 s), then ends the program all the same.
constexpr unsigned kGiveUpAfter = 300;
/// `while_stopped` waits so long.
constexpr int kLookTimeoutMs = 1000;

/// The one there is, and what was asked for before it was there.
struct Current {
  std::mutex mutex;
  RunState* state = nullptr;
  MachineRequest early = MachineRequest::kNone;
  int early_exit_code = 0;
};

Current& current() {
  static Current* const instance = new Current;
  return *instance;
}

/// Of a program's code the host keeps 8 bits: what is no success must not become one.
int host_exit_code(int code) { return code != 0 && (code & 0xff) == 0 ? 0xff : code; }

bool ends(MachineRequest request) {
  return request == MachineRequest::kPoweroff || request == MachineRequest::kQuit;
}

/// Signals on their way to the event loop, a byte each.
std::array<int, 2> signal_pipe{-1, -1};

extern "C" void on_quit_signal(int signal) {
  const int saved = errno;
  const auto number = static_cast<std::uint8_t>(signal);
  // A full pipe has a quit in it already.
  [[maybe_unused]] const ssize_t written = write(signal_pipe[1], &number, 1);
  errno = saved;
}

gboolean on_signal_byte(int fd, GIOCondition, void*) {
  std::uint8_t number = 0;
  if (read(fd, &number, 1) != 1) return G_SOURCE_CONTINUE;
  request_machine(MachineRequest::kQuit);
  say_without_waiting(format("gstage: terminating on signal %d\r\n", number));
  return G_SOURCE_CONTINUE;
}

}  // namespace

void install_quit_signals() {
  // Not g_unix_signal_add: it starts a thread, and a sandbox binds only those that begin after it.
  CHECK(pipe2(signal_pipe.data(), O_CLOEXEC | O_NONBLOCK) == 0);
  g_unix_fd_add(signal_pipe[0], G_IO_IN, on_signal_byte, nullptr);
  struct sigaction action = {};
  action.sa_handler = on_quit_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
  // A reader that went away is an error of the write, not the end of the machine.
  std::signal(SIGPIPE, SIG_IGN);
}

void request_machine(MachineRequest request, int exit_code) {
  Current& c = current();
  const std::lock_guard lock(c.mutex);
  if (c.state != nullptr) {
    c.state->request(request, exit_code);
  } else if (!ends(c.early)) {
    c.early = request;
    c.early_exit_code = exit_code;
  }
}

RunState::RunState(Machine& machine, const RunOptions& options)
    : machine_(machine),
      options_(options),
      is_paused_(options.starts_paused),
      threads_(machine.cpus(), post_advance) {
  Current& c = current();
  const std::lock_guard lock(c.mutex);
  CHECK(c.state == nullptr);
  c.state = this;
  requested_ = std::exchange(c.early, MachineRequest::kNone);
  exit_code_ = std::exchange(c.early_exit_code, 0);
}

RunState::~RunState() {
  ask_again(false);
  Current& c = current();
  const std::lock_guard lock(c.mutex);
  c.state = nullptr;
}

int RunState::run() {
  machine_.reset();
  advance();
  EventLoop::run();
  const std::lock_guard lock(mutex_);
  return host_exit_code(exit_code_);
}

void RunState::request(MachineRequest request, int exit_code) {
  {
    const std::lock_guard lock(mutex_);
    const bool is_first_end = ends(request) && !ends(requested_);
    if (is_first_end) exit_code_ = exit_code;
    if (is_first_end || requested_ == MachineRequest::kNone) requested_ = request;
    // The user's quit also ends what the guest's poweroff waits for (and what -no-shutdown keeps).
    if (request == MachineRequest::kQuit) requested_ = request;
  }
  if (request == MachineRequest::kQuit) abandon_output();
  threads_.hold();
  post_advance();
}

/// Any thread. The task may outlive the object it was meant for.
void RunState::post_advance() {
  EventLoop::post([] {
    RunState* state;
    {
      const std::lock_guard lock(current().mutex);
      state = current().state;
    }
    if (state != nullptr) state->advance();
  });
}

void RunState::pause() {
  is_paused_ = true;
  advance();
}

void RunState::resume() {
  is_paused_ = false;
  advance();
}

bool RunState::while_stopped(const std::function<void()>& look) {
  const bool is_stopped = threads_.park(kLookTimeoutMs);
  if (is_stopped) look();
  advance();
  return is_stopped;
}

void RunState::advance() {
  if (is_finished_) return;
  MachineRequest request;
  {
    const std::lock_guard lock(mutex_);
    request = requested_;
  }
  if (request == MachineRequest::kNone && !is_paused_) {
    machine_.clock().start();
    threads_.allow();
    return;
  }
  threads_.hold();
  if (!threads_.is_parked()) {
    ask_again(true);
    return;
  }
  ask_again(false);
  machine_.clock().stop();
  if (request != MachineRequest::kNone) act(request);
}

/// All harts are parked.
void RunState::act(MachineRequest request) {
  const bool is_end = request == MachineRequest::kQuit ||
                      (request == MachineRequest::kPoweroff && options_.can_shutdown) ||
                      (request == MachineRequest::kReset && !options_.can_reboot);
  if (is_end) {
    is_finished_ = true;
    EventLoop::quit();
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    // Something more urgent may have come meanwhile; its own call of `advance` is on the way.
    if (requested_ != request) return;
    requested_ = MachineRequest::kNone;
  }
  if (request == MachineRequest::kPoweroff) is_paused_ = true;
  if (request == MachineRequest::kReset) machine_.reset();
  advance();
}

void RunState::ask_again(bool is_wanted) {
  if (!is_wanted) {
    if (asking_ != 0) g_source_remove(asking_);
    asking_ = 0;
    return;
  }
  if (asking_ != 0) return;
  asked_ = 0;
  const auto tick = [](void* data) -> gboolean {
    auto* const self = static_cast<RunState*>(data);
    self->threads_.hold();
    if (is_output_abandoned() && ++self->asked_ > kGiveUpAfter) self->give_up();
    return G_SOURCE_CONTINUE;
  };
  asking_ = g_timeout_add(kAskAgainMs, tick, this);
}

void RunState::give_up() {
  say_without_waiting("gstage: internal error: a hart does not stop; ending without it\r\n");
  log_flush();
  restore_terminal();
  _exit(exit_code_ != 0 ? exit_code_ : 1);
}

}  // namespace gstage
