// SPDX-License-Identifier: Apache-2.0
#include "io/net/user_options.h"

#include <charconv>
#include <cstring>

#include <arpa/inet.h>

namespace gstage {

namespace {

bool parse_ipv4(const std::string& text, in_addr& address) {
  return inet_pton(AF_INET, text.c_str(), &address) == 1;
}

template <class T>
bool parse_decimal(std::string_view text, T& value) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc{} && end == text.data() + text.size() && !text.empty();
}

Error bad_address(const char* name, const std::string& text) {
  return error("-netdev user: %s=%s is no address", name, text.c_str());
}

/// "10.0.2.0", "10.0.2.0/24" or "10.0.2.0/255.255.255.0".
Status set_network(UserNetOptions& options, const std::string& text) {
  const std::size_t slash = text.find('/');
  if (!parse_ipv4(text.substr(0, slash), options.network)) return bad_address("net", text);
  const std::uint32_t address = ntohl(options.network.s_addr);
  unsigned prefix = 0;
  std::uint32_t mask = 0;
  if (slash == std::string::npos) {
    // Of the time before masks: the first bits say how long the network's part is.
    prefix = address >> 31 == 0 ? 8 : address >> 30 == 2 ? 16 : address >> 29 == 6 ? 24 : 28;
  } else if (in_addr dotted{}; parse_ipv4(text.substr(slash + 1), dotted)) {
    mask = ntohl(dotted.s_addr);
    prefix = static_cast<unsigned>(__builtin_popcount(mask));
  } else if (!parse_decimal(std::string_view(text).substr(slash + 1), prefix)) {
    prefix = 0;
  }
  if (prefix < 4 || prefix > 28)
    return error("-netdev user: net=%s: write ADDRESS/PREFIX with a prefix from 4 to 28", text.c_str());
  const std::uint32_t straight = ~std::uint32_t{0} << (32 - prefix);
  if (mask != 0 && mask != straight)
    return error("-netdev user: net=%s: the mask has holes: write ADDRESS/PREFIX", text.c_str());
  options.mask.s_addr = htonl(straight);
  options.network.s_addr = htonl(address & straight);
  return Ok{};
}

/// An address of the network: the one that is given, else number `fallback` in it.
Status set_address(const UserNetOptions& options, in_addr& to, const char* name, const std::string& text,
                   std::uint32_t fallback) {
  const std::uint32_t mask = ntohl(options.mask.s_addr);
  const std::uint32_t network = ntohl(options.network.s_addr);
  if (text.empty()) {
    to.s_addr = htonl(network | (fallback & ~mask));
    return Ok{};
  }
  if (!parse_ipv4(text, to)) return bad_address(name, text);
  const std::uint32_t address = ntohl(to.s_addr);
  if ((address & mask) != network)
    return error("-netdev user: %s=%s lies outside the network: choose an address within net=", name,
                 text.c_str());
  if (address == network || address == (network | ~mask))
    return error("-netdev user: %s=%s is the network's own address: choose another", name, text.c_str());
  return Ok{};
}

Status set_network6(UserNetOptions& options, const std::string& text) {
  const std::string given = text.empty() ? "fec0::/64" : text;
  const std::size_t slash = given.find('/');
  unsigned prefix = 64;
  if (inet_pton(AF_INET6, given.substr(0, slash).c_str(), &options.network6) != 1)
    return bad_address("ipv6-net", given);
  if (slash != std::string::npos &&
      (!parse_decimal(std::string_view(given).substr(slash + 1), prefix) || prefix == 0 || prefix > 126))
    return error("-netdev user: ipv6-net=%s: write ADDRESS/PREFIX with a prefix from 1 to 126",
                 given.c_str());
  options.prefix6 = static_cast<std::uint8_t>(prefix);
  return Ok{};
}

Status set_address6(const UserNetOptions& options, in6_addr& to, const char* name, const std::string& text,
                    std::uint8_t fallback) {
  if (text.empty()) {
    to = options.network6;
    to.s6_addr[15] = static_cast<std::uint8_t>(to.s6_addr[15] | fallback);
    return Ok{};
  }
  return inet_pton(AF_INET6, text.c_str(), &to) == 1 ? Status(Ok{}) : bad_address(name, text);
}

/// "[ADDRESS]:PORT".
bool parse_end(std::string_view text, in_addr& address, std::uint16_t& port) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !parse_decimal(text.substr(colon + 1), port)) return false;
  if (colon == 0) return true;
  return parse_ipv4(std::string(text.substr(0, colon)), address);
}

}  // namespace

Status set_addresses(UserNetOptions& options, const UserNetAddresses& addresses) {
  // The numbers that the reference implementation gives its hosts.
  constexpr std::uint32_t kHost = 0x0202;
  constexpr std::uint32_t kDns = 0x0203;
  constexpr std::uint32_t kFirstGuest = 0x020f;
  Status status = set_network(options, addresses.net.empty() ? "10.0.2.0/24" : addresses.net);
  if (status.ok()) status = set_address(options, options.host, "host", addresses.host, kHost);
  if (status.ok()) status = set_address(options, options.dns, "dns", addresses.dns, kDns);
  if (status.ok())
    status = set_address(options, options.dhcp_start, "dhcpstart", addresses.dhcp_start, kFirstGuest);
  if (status.ok()) status = set_network6(options, addresses.net6);
  if (status.ok()) status = set_address6(options, options.host6, "ipv6-host", addresses.host6, 2);
  if (status.ok()) status = set_address6(options, options.dns6, "ipv6-dns", addresses.dns6, 3);
  if (!status.ok()) return status;
  if (options.host.s_addr == options.dns.s_addr)
    return error("-netdev user: host= and dns= are the same address: choose another dns=");
  if (options.host.s_addr == options.dhcp_start.s_addr || options.dns.s_addr == options.dhcp_start.s_addr)
    return error("-netdev user: dhcpstart= is the address of host= or dns=: choose another");
  return Ok{};
}

Result<HostForward> parse_host_forward(const std::string& text) {
  const Error wrong = error(
      "-netdev user: hostfwd=%s: write [tcp|udp]:[HOST-ADDRESS]:PORT-[GUEST-ADDRESS]:PORT", text.c_str());
  HostForward forward;
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return wrong;
  const std::string protocol = text.substr(0, colon);
  forward.is_udp = protocol == "udp";
  if (!protocol.empty() && protocol != "tcp" && protocol != "udp") return wrong;
  const std::string_view rest = std::string_view(text).substr(colon + 1);
  const std::size_t dash = rest.find('-');
  if (dash == std::string_view::npos) return wrong;
  forward.host_address.s_addr = htonl(INADDR_LOOPBACK);
  if (!parse_end(rest.substr(0, dash), forward.host_address, forward.host_port) ||
      !parse_end(rest.substr(dash + 1), forward.guest_address, forward.guest_port) || forward.guest_port == 0)
    return wrong;
  return forward;
}

Result<GuestForward> parse_guest_forward(const std::string& text) {
  const Error wrong =
      error("-netdev user: guestfwd=%s: write tcp:ADDRESS:PORT-cmd:PROGRAM or tcp:ADDRESS:PORT-chardev:ID",
            text.c_str());
  GuestForward forward;
  std::string_view rest = text;
  if (rest.starts_with("tcp:"))
    rest.remove_prefix(4);
  else if (rest.starts_with(":"))
    rest.remove_prefix(1);
  else
    return wrong;
  const std::size_t dash = rest.find('-');
  if (dash == std::string_view::npos) return wrong;
  forward.target = rest.substr(dash + 1);
  if (!parse_end(rest.substr(0, dash), forward.address, forward.port) || forward.port == 0 ||
      forward.address.s_addr == 0 || forward.target.empty())
    return wrong;
  return forward;
}

}  // namespace gstage
