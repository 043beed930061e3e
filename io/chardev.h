// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "softmmu/base/result.h"

namespace gstage {

/// A host byte stream: stdio, pty, file, null. The far end of a UART or a console port.
class Chardev {
 public:
  /// Takes input bytes on the event loop's thread.
  using Receive = std::function<void(std::span<const std::uint8_t>)>;
  /// How many bytes the device can take now; input is held back (not lost) meanwhile.
  using CanReceive = std::function<std::size_t()>;

  virtual ~Chardev() = default;
  /// Writes all bytes, in order; blocks at most briefly. Any thread.
  virtual void write(std::span<const std::uint8_t> bytes) = 0;
  /// The device that listens. Null functions detach it. On the event loop's thread.
  virtual void attach(Receive receive, CanReceive can_receive) = 0;
  /// The device has room again (after can_receive returned 0). Any thread.
  virtual void resume_input() = 0;
  /// Of a multiplexed stream: one more front, between which Ctrl-a c switches the input; else null.
  virtual std::shared_ptr<Chardev> add_front() { return nullptr; }
  /// Of a front: `callback` runs when the input comes to it. False when there are no such events.
  virtual bool on_focus(std::function<void()> callback) {
    static_cast<void>(callback);
    return false;
  }
};

/// Makes a back end of QEMU's short form: `stdio`, `mon:stdio`, `null`, `none`, `file:PATH`, `pty`. `label`
/// names it in "char device redirected to /dev/pts/N (label serial0)". `on_quit` is called at Ctrl-a x, where
/// the form has it.
Result<std::shared_ptr<Chardev>> make_chardev(
    const std::string& spec, const std::string& label, const std::function<void()>& on_quit = [] {});

/// Restores the terminal; called once at exit, also from fatal paths. Async-signal-safe.
void restore_terminal();

/// From now on a write that would block gives up: the program is ending, whatever the reader does.
void abandon_output();
/// Writes to standard error, or not if that would block: a stuck terminal must not keep the program from
/// ending.
void say_without_waiting(const std::string& text);
/// Whether `abandon_output` was called.
bool is_output_abandoned();

}  // namespace gstage
