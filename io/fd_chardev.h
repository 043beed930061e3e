// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "io/chardev.h"

namespace gstage {

/// A byte stream on file descriptors: standard input and output, a pty, a file.
class FdChardev final : public Chardev, public std::enable_shared_from_this<FdChardev> {
 public:
  /// The descriptors, -1 for a direction that is not there. They are closed with the object, standard input
  /// excepted. `reconnects`: the other side may come and go (a pty); output while nobody listens is dropped.
  FdChardev(int in_fd, int out_fd, bool reconnects);
  ~FdChardev() override;
  FdChardev(const FdChardev&) = delete;
  FdChardev& operator=(const FdChardev&) = delete;

  void write(std::span<const std::uint8_t> bytes) override;
  void attach(Receive receive, CanReceive can_receive) override;
  void resume_input() override;

 private:
  enum class OutKind : std::uint8_t { kNonBlocking, kSocket, kBlocking };

  void watch_input();
  void unwatch_input();
  void wait_for_peer();
  bool on_input(unsigned condition);
  bool wait_for_room();
  [[nodiscard]] bool is_peer_gone() const;
  long write_some(std::span<const std::uint8_t> bytes) const;

  const int in_fd_;
  const int out_fd_;
  const bool reconnects_;
  OutKind out_kind_ = OutKind::kBlocking;
  std::mutex write_mutex_;
  bool is_output_broken_ = false;
  Receive receive_;
  CanReceive can_receive_;
  unsigned watch_ = 0;                ///< glib source of the descriptor, 0: none
  unsigned peer_timer_ = 0;           ///< glib source of the wait for a peer, 0: none
  bool is_ended_ = false;             ///< end of input was seen
  std::atomic<bool> is_held_{false};  ///< the device had no room
};

/// Standard input and output of the program.
std::shared_ptr<Chardev> make_stdio_chardev();
/// A new pseudo-terminal; says on standard output where it is.
Result<std::shared_ptr<Chardev>> make_pty_chardev(const std::string& label);
/// Output to a file that is made anew; there is no input.
Result<std::shared_ptr<Chardev>> make_file_chardev(const std::string& path);

}  // namespace gstage
