// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "softmmu/base/result.h"

namespace gstage {

class Ringbuf;

/// A host byte stream: the terminal, a socket, a file. The far end of a UART, a console port or the monitor.
class Chardev {
 public:
  /// Takes input bytes on the event loop's thread.
  using Receive = std::function<void(std::span<const std::uint8_t>)>;
  /// How many bytes the device can take now; input is held back (not lost) meanwhile.
  using CanReceive = std::function<std::size_t()>;

  virtual ~Chardev() = default;
  /// Writes all bytes, in order. Where nobody is at the far end, or somebody who does not read, they are
  /// dropped. Any thread.
  virtual void write(std::span<const std::uint8_t> bytes) = 0;
  /// The device that listens. Null functions detach it. On the event loop's thread.
  virtual void attach(Receive receive, CanReceive can_receive) = 0;
  /// The device has room again (after can_receive returned 0). Any thread.
  virtual void resume_input() = 0;
  /// Of a multiplexed stream: one more front, between which Ctrl-a c switches the input; else null.
  virtual std::shared_ptr<Chardev> add_front() { return nullptr; }
  /// Of a front: `callback` runs when the input comes to it; of a socket: when somebody connects. False when
  /// there are no such events.
  virtual bool on_focus(std::function<void()> callback) {
    static_cast<void>(callback);
    return false;
  }
  /// What it is, for `info chardev`: "pty:/dev/pts/3". On the event loop's thread.
  [[nodiscard]] virtual std::string describe() const { return ""; }
  /// The ring buffer that it is, or null.
  virtual Ringbuf* ringbuf() { return nullptr; }
};

/// The back ends that are open, by label or id, in the order in which they were opened.
using ChardevList = std::vector<std::pair<std::string, std::shared_ptr<Chardev>>>;

/// Restores the terminal; called once at exit, also from fatal paths. Async-signal-safe.
void restore_terminal();

/// From now on a write that would block gives up: the program is ending, whatever the reader does.
void abandon_output();
/// Writes to standard error, or not if that would block: a stuck terminal must not keep the program from
/// ending.
void say_without_waiting(const std::string& text);
/// Whether `abandon_output` was called.
bool is_output_abandoned();

/// How long a write waits for a far end that may stop reading: one that reads, slowly, gets everything; one
/// that does not costs the writer this once, and nothing more until it reads again.
constexpr int kPatienceMs = 100;

}  // namespace gstage
