// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "io/socket_address.h"
#include "io/watched_chardev.h"

namespace gstage {

/// Datagrams to one address and from it.
class UdpChardev final : public WatchedChardev {
 public:
  /// The socket is bound and connected; it is closed with the object.
  UdpChardev(int fd, std::string name);
  ~UdpChardev() override;
  UdpChardev(const UdpChardev&) = delete;
  UdpChardev& operator=(const UdpChardev&) = delete;

  void write(std::span<const std::uint8_t> bytes) override;
  [[nodiscard]] std::string describe() const override { return name_; }

 private:
  [[nodiscard]] bool waits_for_input() const override { return waiting_.empty(); }
  bool read_input(std::size_t room, unsigned condition) override;

  const int fd_;
  const std::string name_;
  std::vector<std::uint8_t> waiting_;  ///< of a datagram, what the device had no room for
};

/// Sends to `remote`, from `local`.
Result<std::shared_ptr<Chardev>> make_udp_chardev(const SocketAddress& remote, const SocketAddress& local);

}  // namespace gstage
