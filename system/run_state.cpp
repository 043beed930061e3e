// SPDX-License-Identifier: Apache-2.0
#include "system/run_state.h"

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
#include "io/event_loop.h"
#include "target/riscv/cpu.h"

namespace gstage {

namespace {

constexpr unsigned kAskAgainMs = 10;
/// A quit waits so long for harts that do not stop (3 s), then ends the program all the same.
constexpr unsigned kGiveUpAfter = 300;
/// `while_stopped` waits so long.
constexpr int kLookTimeoutMs = 1000;

/// Of a program's code the host keeps 8 bits: what is no success must not become one.
int host_exit_code(int code) { return code != 0 && (code & 0xff) == 0 ? 0xff : code; }

/// Signals on their way to the event loop, a byte each.
std::array<int, 2> signal_pipe{-1, -1};

extern "C" void on_quit_signal(int signal) {
  const int saved = errno;
  const auto number = static_cast<std::uint8_t>(signal);
  // A full pipe has a quit in it already.
  [[maybe_unused]] const ssize_t written = write(signal_pipe[1], &number, 1);
  errno = saved;
}

gboolean on_signal_byte(int fd, GIOCondition, void* control) {
  std::uint8_t number = 0;
  if (read(fd, &number, 1) != 1) return G_SOURCE_CONTINUE;
  static_cast<MachineControl*>(control)->request(MachineRequest::kQuit);
  say_without_waiting(format("gstage: terminating on signal %d\r\n", number));
  return G_SOURCE_CONTINUE;
}

}  // namespace

void install_quit_signals(MachineControl& control) {
  // Not g_unix_signal_add: it starts a thread, and a sandbox binds only those that begin after it.
  CHECK(pipe2(signal_pipe.data(), O_CLOEXEC | O_NONBLOCK) == 0);
  g_unix_fd_add(signal_pipe[0], G_IO_IN, on_signal_byte, &control);
  struct sigaction action = {};
  action.sa_handler = on_quit_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
  // A reader that went away is an error of the write, not the end of the machine.
  std::signal(SIGPIPE, SIG_IGN);
}

RunState::RunState(Machine& machine, const RunOptions& options, MachineRequests& requests)
    : machine_(machine),
      options_(options),
      requests_(requests),
      is_paused_(options.starts_paused),
      harts_(machine.cpus().size()),
      threads_(machine.cpus(), [this] { post_advance(); }) {
  if (machine_.harts() != nullptr)
    machine_.harts()->debugger().on_stop([this](const riscv::StopEvent& event) { return stopped(event); });
  requests_.on_request([this](MachineRequest request) { requested(request); });
}

RunState::~RunState() {
  requests_.on_request(nullptr);
  ask_again(false);
  *self_ = nullptr;
  if (machine_.harts() == nullptr) return;
  while (!threads_.park(kLookTimeoutMs)) {
  }
  machine_.harts()->debugger().on_stop(nullptr);
}

int RunState::run() {
  machine_.reset();
  advance();
  EventLoop::run();
  return host_exit_code(requests_.exit_code());
}

/// Any thread.
void RunState::requested(MachineRequest request) {
  if (request == MachineRequest::kQuit) abandon_output();
  threads_.hold();
  post_advance();
}

/// Any thread.
void RunState::post_advance() const {
  EventLoop::post([self = self_] {
    if (*self != nullptr) (*self)->advance();
  });
}

void RunState::pause() {
  note_pause();
  advance();
}

void RunState::resume() {
  if (is_paused_) let_go_stopped();
  if (std::exchange(is_paused_, false)) tell(RunChange::kResumed);
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
  note_events();
  const MachineRequest request = requests_.pending();
  if (request == MachineRequest::kNone && !is_paused_) {
    go();
    return;
  }
  threads_.hold();
  if (!threads_.is_parked()) {
    ask_again(true);
    return;
  }
  ask_again(false);
  machine_.clock().stop();
  if (request != MachineRequest::kNone)
    act(request);
  else
    tell_stops();
}

/// Lets run whoever may.
void RunState::go() {
  ask_again(false);
  if (!threads_.are_all_held())
    machine_.clock().start();
  else if (threads_.is_parked())
    machine_.clock().stop();
  threads_.allow();
  tell_stops();
}

/// All harts are parked.
void RunState::act(MachineRequest request) {
  const bool is_end = request == MachineRequest::kQuit ||
                      (request == MachineRequest::kPoweroff && options_.can_shutdown) ||
                      (request == MachineRequest::kReset && !options_.can_reboot);
  if (is_end) {
    is_finished_ = true;
    tell(request == MachineRequest::kPoweroff ? RunChange::kPoweroff
         : request == MachineRequest::kReset  ? RunChange::kLastReset
                                              : RunChange::kQuit);
    EventLoop::quit();
    return;
  }
  // If something more urgent has come meanwhile, its own call of `advance` is on the way.
  if (!requests_.complete(request)) return;
  if (request == MachineRequest::kPoweroff) {
    tell(RunChange::kPoweroff);
    note_pause();
  }
  if (request == MachineRequest::kReset) {
    machine_.reset();
    tell(RunChange::kReset);
  }
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
  const int exit_code = requests_.exit_code();
  _exit(exit_code != 0 ? exit_code : 1);
}

}  // namespace gstage
