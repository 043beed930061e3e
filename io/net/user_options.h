// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <netinet/in.h>

#include "softmmu/base/result.h"

namespace gstage {

/// `hostfwd=`: a port of the host that leads to one of the guest.
struct HostForward {
  bool is_udp = false;
  in_addr host_address{};  ///< the loopback address unless the user names another
  std::uint16_t host_port = 0;
  in_addr guest_address{};  ///< 0: the one that DHCP gives first
  std::uint16_t guest_port = 0;
};

/// `guestfwd=`: an address of the network that leads to a program of the host or a character back end.
struct GuestForward {
  in_addr address{};
  std::uint16_t port = 0;
  std::string target;  ///< "cmd:PROGRAM", "chardev:ID" or "unix:PATH"
};

/// What `-netdev user` says. Addresses that are not given follow from the network.
struct UserNetOptions {
  std::string id;
  bool has_ipv4 = true;
  bool has_ipv6 = true;
  bool is_restricted = false;
  in_addr network{};
  in_addr mask{};
  in_addr host{};
  in_addr dhcp_start{};
  in_addr dns{};
  in6_addr network6{};
  std::uint8_t prefix6 = 64;
  in6_addr host6{};
  in6_addr dns6{};
  std::string hostname;
  std::string domain_name;
  std::vector<std::string> dns_search;
  std::string tftp;
  std::string tftp_server_name;
  std::string bootfile;
  std::vector<HostForward> host_forwards;
  std::vector<GuestForward> guest_forwards;
};

/// The addresses as the command line gives them, "": not given.
struct UserNetAddresses {
  std::string net{};
  std::string host{};
  std::string dhcp_start{};
  std::string dns{};
  std::string net6{};  ///< with or without /PREFIX
  std::string host6{};
  std::string dns6{};
};

/// Fills in the addresses; refuses those that lie outside the network, or that are one.
Status set_addresses(UserNetOptions& options, const UserNetAddresses& addresses);

/// "tcp|udp:[ADDRESS]:PORT-[ADDRESS]:PORT"; tcp where nothing stands before the first colon.
Result<HostForward> parse_host_forward(const std::string& text);
/// "tcp:ADDRESS:PORT-TARGET".
Result<GuestForward> parse_guest_forward(const std::string& text);

}  // namespace gstage
