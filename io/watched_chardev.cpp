// SPDX-License-Identifier: Apache-2.0
#include "io/watched_chardev.h"

#include <utility>

#include <glib-unix.h>
#include <glib.h>

#include "io/event_loop.h"

namespace gstage {

void WatchedChardev::attach(Receive receive, CanReceive can_receive) {
  receive_ = std::move(receive);
  can_receive_ = std::move(can_receive);
  is_held_.store(false, std::memory_order_seq_cst);
  if (receive_)
    watch();
  else
    unwatch();
}

void WatchedChardev::resume_input() {
  if (!is_held_.exchange(false, std::memory_order_seq_cst)) return;
  EventLoop::post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->watch();
  });
}

void WatchedChardev::set_input(int fd) {
  unwatch();
  input_fd_ = fd;
  watch();
}

void WatchedChardev::rewatch() {
  unwatch();
  watch();
}

void WatchedChardev::watch() {
  if (watch_ != 0 || input_fd_ < 0 || !receive_) return;
  const auto call = [](int, GIOCondition condition, void* self) -> gboolean {
    return static_cast<WatchedChardev*>(self)->on_input(condition) ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
  };
  // What was read already can be delivered at any time: "can be written" is always so.
  const unsigned condition = waits_for_input() ? 0u : unsigned{G_IO_OUT};
  watch_ = g_unix_fd_add(input_fd_,
                         static_cast<GIOCondition>(condition | G_IO_IN | G_IO_HUP | G_IO_ERR | G_IO_NVAL),
                         call, this);
}

void WatchedChardev::unwatch() {
  if (watch_ != 0) g_source_remove(watch_);
  watch_ = 0;
}

/// Answers whether the descriptor stays watched.
bool WatchedChardev::on_input(unsigned condition) {
  std::size_t room = can_receive_ ? can_receive_() : 0;
  if (room == 0) {
    // Looked at again after the flag is up: the device may have made room just between.
    is_held_.store(true, std::memory_order_seq_cst);
    room = can_receive_ ? can_receive_() : 0;
    if (room == 0 || !is_held_.exchange(false, std::memory_order_seq_cst)) {
      watch_ = 0;
      return false;
    }
  }
  const auto keep = shared_from_this();
  const unsigned watch = watch_;
  if (!read_input(room, condition) && watch_ == watch) {
    watch_ = 0;
    return false;
  }
  return watch_ == watch;
}

}  // namespace gstage
