// SPDX-License-Identifier: Apache-2.0
#include "io/block/nbd/connection.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "io/chardev.h"

namespace gstage::nbd {

namespace {

/// Of what every server has to take (protocol specification, "Size constraints").
constexpr std::int64_t kMostBytes = 32 << 20;
/// So long nothing is looked at but the socket.
constexpr int kSliceMs = 250;

constexpr bool is_power_of_two(std::int64_t value) { return value > 0 && (value & (value - 1)) == 0; }

}  // namespace

void Connection::close() {
  library_.close(handle_);
  handle_ = nullptr;
}

bool Connection::is_gone() const {
  return library_.is_dead(handle_) != 0 || library_.is_closed(handle_) != 0;
}

bool Connection::turn(int& left_ms, int full_ms) {
  // Whoever ends the program does not wait for a server.
  if (left_ms <= 0 || is_output_abandoned()) return false;
  const int slice = std::min(left_ms, kSliceMs);
  const int events = library_.poll(handle_, slice);
  left_ms = events > 0 ? full_ms : left_ms - slice;
  return events >= 0 && !is_gone();
}

int Connection::negotiate(const Setup& setup, std::string& why) {
  const int limit = static_cast<int>(setup.connect_timeout_s) * 1000;
  int left = limit;
  while (library_.is_ready(handle_) == 0) {
    if (turn(left, limit)) continue;
    const char* const said = library_.get_error();
    why = left <= 0 ? "it does not answer" : said != nullptr ? said : "it hung up";
    return left <= 0 ? ETIMEDOUT : EPROTO;
  }
  return 0;
}

int Connection::look(Export& to, std::string& why) {
  const std::int64_t size = library_.get_size(handle_);
  const std::int64_t least = library_.get_block_size(handle_, LIBNBD_SIZE_MINIMUM);
  const std::int64_t most = library_.get_block_size(handle_, LIBNBD_SIZE_MAXIMUM);
  constexpr std::int64_t kMostLeast = 64 << 10;
  const bool has_blocks = least <= 0 || (is_power_of_two(least) && least <= kMostLeast && size % least == 0);
  if (size < 0 || !has_blocks || (most > 0 && most < std::max<std::int64_t>(least, 1))) {
    why = "what it says of sizes cannot be right";
    return EPROTO;
  }
  to.size = static_cast<std::uint64_t>(size);
  to.least_block = static_cast<std::uint32_t>(std::max<std::int64_t>(least, 1));
  const std::int64_t bound = most <= 0 ? kMostBytes : std::min(most, kMostBytes);
  to.most_bytes = static_cast<std::uint32_t>(bound) & ~(to.least_block - 1);
  to.is_read_only = library_.is_read_only(handle_) != 0;
  to.can_flush = library_.can_flush(handle_) == 1;
  to.can_fua = library_.can_fua(handle_) == 1;
  to.can_trim = library_.can_trim(handle_) == 1;
  to.can_zero = library_.can_zero(handle_) == 1;
  return 0;
}

int Connection::open(const Setup& setup, Export& to, std::string& why) {
  close();
  const int socket = setup.connect();
  if (socket < 0) {
    why = std::strerror(-socket);
    return -socket;
  }
  handle_ = library_.create();
  int failure = handle_ == nullptr ? ENOMEM : 0;
  if (failure == 0 && library_.set_export_name(handle_, setup.export_name.c_str()) != 0) failure = EINVAL;
  // From here on the socket is the library's.
  if (failure == 0 && library_.connect_socket(handle_, socket) != 0) failure = EPROTO;
  if (failure != 0) {
    const char* const said = library_.get_error();
    why = said != nullptr ? said : std::strerror(failure);
  } else {
    failure = negotiate(setup, why);
  }
  if (failure == 0) failure = look(to, why);
  if (failure != 0) close();
  return failure;
}

int Connection::failed() {
  const int reason = library_.get_errno();
  if (is_gone() || reason == ESHUTDOWN) close();
  return handle_ == nullptr ? ENOTCONN : reason != 0 ? reason : EIO;
}

int Connection::wait(const Setup& setup, std::uint64_t cookie) {
  const int limit = static_cast<int>(setup.silence_timeout_ms);
  int left = limit;
  for (;;) {
    const int state = library_.is_completed(handle_, cookie);
    if (state > 0) return 0;
    if (state < 0) return failed();
    if (turn(left, limit)) continue;
    // An answer may have come last.
    if (library_.is_completed(handle_, cookie) > 0) return 0;
    close();
    return ENOTCONN;
  }
}

}  // namespace gstage::nbd
