// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>

#include "io/chardev.h"

namespace gstage {

/// A back end whose input comes from a descriptor, which is read as long as the device that listens has room:
/// what it cannot take stays in the kernel.
class WatchedChardev : public Chardev, public std::enable_shared_from_this<WatchedChardev> {
 public:
  ~WatchedChardev() override { unwatch(); }
  void attach(Receive receive, CanReceive can_receive) final;
  void resume_input() final;

 protected:
  /// From now on `fd` is what is read, -1: nothing. On the event loop's thread, as all that follows.
  void set_input(int fd);
  /// Watches anew: `waits_for_input` has changed.
  void rewatch();
  /// False while input waits that was read from the descriptor already.
  [[nodiscard]] virtual bool waits_for_input() const { return true; }
  /// Reads and delivers at most `room` bytes. `condition`: what glib saw. False: the descriptor is watched no
  /// longer.
  virtual bool read_input(std::size_t room, unsigned condition) = 0;
  void deliver(std::span<const std::uint8_t> bytes) const { receive_(bytes); }

 private:
  void watch();
  void unwatch();
  bool on_input(unsigned condition);

  Receive receive_;
  CanReceive can_receive_;
  int input_fd_ = -1;
  unsigned watch_ = 0;                ///< glib source of the descriptor, 0: none
  std::atomic<bool> is_held_{false};  ///< the device had no room
};

}  // namespace gstage
