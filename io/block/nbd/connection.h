// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "io/block/nbd/library.h"
#include "io/block/nbd/nbd.h"

namespace gstage::nbd {

/// What a server says of a disk when it is asked for it.
struct Export {
  std::uint64_t size = 0;  ///< bytes
  bool is_read_only = false;
  bool can_flush = false;
  bool can_fua = false;
  bool can_trim = false;
  bool can_zero = false;
  std::uint32_t least_block = 1;  ///< bytes, a power of two: places and sizes are multiples of it
  std::uint32_t most_bytes = 0;   ///< of one read or write

  [[nodiscard]] bool is_same_disk(const Export& other) const {
    return size == other.size && is_read_only == other.is_read_only && least_block == other.least_block;
  }
};

/// One connection to a server. It trusts nothing that comes from there. Not thread-safe.
class Connection {
 public:
  explicit Connection(const Library& library) : library_(library) {}
  ~Connection() { close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Connects and asks for the disk: 0 or an errno value, and `why` in words.
  int open(const Setup& setup, Export& to, std::string& why);
  /// What was asked and not answered is forgotten: nothing of it is written any more.
  void close();
  [[nodiscard]] bool is_open() const { return handle_ != nullptr; }

  /// Asks by `start(library, handle)`, which returns a request's cookie, and waits for the answer: 0 or an
  /// errno value. Behind one that is not an answer of the server's the connection is closed.
  template <class Start>
  int ask(const Setup& setup, const Start& start) {
    if (handle_ == nullptr) return ENOTCONN;
    const std::int64_t cookie = start(library_, handle_);
    return cookie < 0 ? failed() : wait(setup, static_cast<std::uint64_t>(cookie));
  }

 private:
  int negotiate(const Setup& setup, std::string& why);
  int look(Export& to, std::string& why);
  int wait(const Setup& setup, std::uint64_t cookie);
  int failed();
  [[nodiscard]] bool is_gone() const;
  /// Lets the connection go on for a moment. False: it is dead, or nothing came for `left_ms`, which counts
  /// down.
  bool turn(int& left_ms, int full_ms);

  const Library& library_;
  nbd_handle* handle_ = nullptr;
};

}  // namespace gstage::nbd
