// SPDX-License-Identifier: Apache-2.0
#include "io/terminal.h"

#include <atomic>
#include <csignal>
#include <cstdlib>

#include <termios.h>
#include <unistd.h>

#include "io/chardev.h"

namespace gstage {

namespace {

termios original;
termios raw;
std::atomic<bool> is_raw{false};

/// A background job that sets the terminal is stopped by SIGTTOU; it must be able to restore it all the same.
void set_terminal(const termios& mode) {
  sigset_t ttou;
  sigset_t old;
  sigemptyset(&ttou);
  sigaddset(&ttou, SIGTTOU);
  pthread_sigmask(SIG_BLOCK, &ttou, &old);
  tcsetattr(STDIN_FILENO, TCSANOW, &mode);
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

extern "C" void on_fatal_signal(int signal) {
  restore_terminal();
  // SA_RESETHAND: the default action ends the program, with a core where one is wanted.
  raise(signal);
}

extern "C" void on_continue(int) {
  if (is_raw.load(std::memory_order_relaxed)) set_terminal(raw);
}

/// Only where nobody else listens: the translator has its own handler of faults.
void install(int signal, void (*handler)(int), int flags) {
  struct sigaction old;
  if (sigaction(signal, nullptr, &old) != 0 || (old.sa_flags & SA_SIGINFO) != 0 || old.sa_handler != SIG_DFL)
    return;
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

}  // namespace

void make_terminal_raw(TerminalKeys keys) {
  if (is_raw.load(std::memory_order_relaxed) || tcgetattr(STDIN_FILENO, &original) != 0) return;
  raw = original;
  raw.c_iflag &= ~static_cast<tcflag_t>(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
  raw.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | IEXTEN);
  if (keys == TerminalKeys::kGuest) raw.c_lflag &= ~static_cast<tcflag_t>(ISIG);
  raw.c_cflag = (raw.c_cflag & ~static_cast<tcflag_t>(CSIZE | PARENB)) | CS8;
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  is_raw.store(true, std::memory_order_relaxed);
  set_terminal(raw);
  static const bool is_installed = [] {
    std::atexit(restore_terminal);
    for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGQUIT})
      install(signal, on_fatal_signal, static_cast<int>(SA_RESETHAND | SA_NODEFER));
    install(SIGCONT, on_continue, SA_RESTART);
    return true;
  }();
  static_cast<void>(is_installed);
}

void restore_terminal() {
  if (is_raw.exchange(false, std::memory_order_relaxed)) set_terminal(original);
}

}  // namespace gstage
