// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "io/watched_chardev.h"

namespace gstage {

/// A byte stream on file descriptors: standard input and output, a pty, a file, a pipe, a serial line.
class FdChardev final : public WatchedChardev {
 public:
  /// What becomes of output that the other side does not take.
  enum class Peer : std::uint8_t {
    kStays,  ///< it is waited for: the terminal, a file
    kRests,  ///< is dropped, after some patience: a pipe, a serial line
    kComes,  ///< the same, and the other side may come and go: a pty
  };
  /// The descriptors, -1 for a direction that is not there. They are closed with the object, standard input
  /// excepted. `name` is for `info chardev`.
  FdChardev(int in_fd, int out_fd, Peer peer, std::string name);
  ~FdChardev() override;
  FdChardev(const FdChardev&) = delete;
  FdChardev& operator=(const FdChardev&) = delete;

  void write(std::span<const std::uint8_t> bytes) override;
  [[nodiscard]] std::string describe() const override { return name_; }
  /// A name in the file system that goes with the object.
  void remove_at_end(const std::string& path) { link_ = path; }

 private:
  enum class OutKind : std::uint8_t { kNonBlocking, kSocket, kBlocking };

  bool read_input(std::size_t room, unsigned condition) override;
  void wait_for_peer();
  bool wait_for_room();
  [[nodiscard]] bool is_peer_gone() const;
  long write_some(std::span<const std::uint8_t> bytes) const;

  const int in_fd_;
  const int out_fd_;
  const Peer peer_;
  const std::string name_;
  std::string link_;
  OutKind out_kind_ = OutKind::kBlocking;
  std::mutex write_mutex_;
  bool is_output_broken_ = false;
  bool is_stuck_ = false;    ///< the other side took nothing for as long as our patience lasts
  unsigned peer_timer_ = 0;  ///< glib source of the wait for a peer, 0: none
};

/// Standard input and output of the program.
std::shared_ptr<Chardev> make_stdio_chardev();
/// A new pseudo-terminal; says on standard output where it is. `link`: a symbolic link to it, or empty.
Result<std::shared_ptr<Chardev>> make_pty_chardev(const std::string& label, const std::string& link = "");
/// Output to a file that is made anew, or continued. `input`: what the guest reads, or empty.
Result<std::shared_ptr<Chardev>> make_file_chardev(const std::string& path, bool appends = false,
                                                   const std::string& input = "");
/// Two fifos, PATH.in (the guest reads) and PATH.out, or PATH for both.
Result<std::shared_ptr<Chardev>> make_pipe_chardev(const std::string& path);
/// A serial line of the host (/dev/ttyS0), raw at 115200 baud.
Result<std::shared_ptr<Chardev>> make_serial_chardev(const std::string& path);

}  // namespace gstage
