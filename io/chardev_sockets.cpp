// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <utility>

#include <sys/socket.h>

#include "softmmu/base/format.h"
#include "softmmu/option_values.h"
#include "io/chardev_open.h"
#include "io/socket_chardev.h"
#include "io/udp_chardev.h"

namespace gstage {

namespace {

constexpr std::uint64_t kMostPorts = 65535;

Result<std::vector<SocketAddress>> find_addresses(const ChardevRequest& r, const char* host, const char* port,
                                                  int type) {
  SocketLookup lookup{r.text(host), r.text(port), type};
  if (!lookup.port.empty() && lookup.port.find_first_not_of("0123456789") == std::string::npos)
    if (auto number = parse_number(port, lookup.port, 0, kMostPorts); !number) return number.error();
  const bool names_ipv6 = r.has("ipv6");
  const bool names_ipv4 = r.has("ipv4");
  // ipv4=on alone means that and nothing else.
  lookup.has_ipv4 = r.flag("ipv4", !names_ipv6 || !r.flag("ipv6", true));
  lookup.has_ipv6 = r.flag("ipv6", !names_ipv4 || !r.flag("ipv4", true));
  if (!lookup.has_ipv4 && !lookup.has_ipv6)
    return error("ipv4=off and ipv6=off leave no address: leave one of them out");
  return look_up(lookup);
}

/// Of the descriptor that whoever started the program left open.
Status use_descriptor(const ChardevRequest& r, SocketPlan& plan, bool is_server) {
  const int fd = static_cast<int>(r.number("fd"));
  int listens = 0;
  socklen_t size = sizeof listens;
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0)
    return error("fd=%d is no open socket: name one that is inherited", fd);
  if ((listens != 0) != is_server)
    return error("fd=%d is a socket that %s: say server=%s", fd, listens != 0 ? "listens" : "does not listen",
                 listens != 0 ? "on" : "off");
  (is_server ? plan.listener : plan.connection) = fd;
  plan.name = format("fd:%d", fd);
  return Ok{};
}

Status use_path(const ChardevRequest& r, SocketPlan& plan, bool is_server) {
  auto address = unix_address(r.text("path"));
  if (!address) return address.error();
  plan.name = "unix:" + r.text("path");
  plan.addresses = {*address};
  if (!is_server) return Ok{};
  auto listener = listen_on_path(*address);
  if (!listener) return listener.error();
  plan.listener = *listener;
  plan.path = r.text("path");
  return Ok{};
}

Status use_port(const ChardevRequest& r, SocketPlan& plan, bool is_server) {
  auto addresses = find_addresses(r, "host", "port", SOCK_STREAM);
  if (!addresses) return addresses.error();
  plan.addresses = std::move(*addresses);
  if (is_server) {
    const unsigned first = plan.addresses.front().port();
    const unsigned last = r.has("to") ? r.number("to") : first;
    if (last < first || last > kMostPorts)
      return error("to=%u: the last port to try is from %u to 65535", last, first);
    auto listener = listen_on(plan.addresses, last - first);
    if (!listener) return listener.error();
    plan.listener = *listener;
  }
  plan.name = (plan.is_telnet ? "telnet:" : "tcp:") + plan.addresses.front().text();
  return Ok{};
}

Status check_socket(const ChardevRequest& r, bool is_server) {
  const int places = int{r.has("path")} + int{r.has("fd")} + int{r.has("port") || r.has("host")};
  if (places != 1 || (r.has("host") && r.text("port").empty()))
    return error("a socket is at host= and port=, or at path=, or is fd=: name one of them");
  if (!is_server && r.has("wait")) return error("wait= is for a server: leave it out, or say server=on");
  if (!is_server && r.has("to")) return error("to= is for a server: leave it out, or say server=on");
  const bool reconnects = r.has("reconnect") || r.has("reconnect-ms");
  if (is_server && reconnects)
    return error("a server does not reconnect: leave reconnect= out, clients may come again");
  if (r.has("reconnect") && r.has("reconnect-ms"))
    return error("reconnect= and reconnect-ms= say the same: leave one of them out");
  if (r.number("reconnect") > 1'000'000) return error("reconnect= is at most 1000000 seconds");
  return Ok{};
}

}  // namespace

Result<std::shared_ptr<Chardev>> open_socket_chardev(const ChardevRequest& r) {
  const bool is_server = r.flag("server", false);
  if (const Status status = check_socket(r, is_server); !status.ok()) return status.error();
  SocketPlan plan;
  plan.is_telnet = r.flag("telnet", false);
  plan.has_delay = r.flag("delay", true) || r.has("path");
  plan.reconnect_ms = r.has("reconnect") ? 1000 * r.number("reconnect") : r.number("reconnect-ms");
  const auto use = r.has("path") ? use_path : r.has("fd") ? use_descriptor : use_port;
  if (const Status status = use(r, plan, is_server); !status.ok()) return status.error();
  if (is_server) plan.name += ",server=on";
  const bool reconnects = plan.reconnect_ms != 0;
  if (reconnects)
    for (const SocketAddress& address : plan.addresses)
      if (address.port() != 0) r.needs.tcp_ports.push_back(address.port());
  r.needs.accepts |= is_server;
  r.needs.connects |= reconnects;
  const auto chardev = std::make_shared<SocketChardev>(std::move(plan));
  chardev->start();
  const bool waits = is_server ? r.flag("wait", true) : !reconnects;
  if (is_server && waits && !chardev->is_connected())
    std::fprintf(stderr, "gstage: info: %s: waiting for connection on: %s\n", r.label.c_str(),
                 chardev->describe().c_str());
  if (waits)
    if (const Status status = chardev->wait(r.host.is_quitting); !status.ok()) return status.error();
  return std::shared_ptr<Chardev>(chardev);
}

Result<std::shared_ptr<Chardev>> open_udp_chardev(const ChardevRequest& r) {
  if (r.text("port").empty()) return error("udp has no port to send to: add port=N");
  auto remote = find_addresses(r, "host", "port", SOCK_DGRAM);
  if (!remote) return remote.error();
  const SocketAddress& to = remote->front();
  // Without a local address, one that goes with the remote one; the socket takes nothing from others.
  const bool is_ipv4 = to.family() == AF_INET;
  const char* const anywhere = is_ipv4 ? "0.0.0.0" : "::";
  SocketLookup lookup{r.text("localaddr"), r.has("localport") ? r.text("localport") : "0", SOCK_DGRAM};
  if (lookup.host.empty() && !to.is_loopback()) lookup.host = anywhere;
  (is_ipv4 ? lookup.has_ipv6 : lookup.has_ipv4) = false;
  auto local = look_up(lookup);
  if (!local) return local.error();
  return make_udp_chardev(to, local->front());
}

}  // namespace gstage
