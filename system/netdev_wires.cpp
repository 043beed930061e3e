// SPDX-License-Identifier: Apache-2.0
// The kinds of -netdev that lead to interfaces of the host and to other emulators.
#include <algorithm>
#include <iterator>

#include "softmmu/base/format.h"
#include "softmmu/option_values.h"
#include "io/net/dgram.h"
#include "io/net/hub.h"
#include "io/net/stream.h"
#include "io/net/tap.h"
#include "system/networks.h"

namespace gstage {

namespace {

using Opened = Result<std::shared_ptr<NetBackend>>;

constexpr PropertyRow kId{"id", "ID", "for devices to name"};

std::string what_of(const DeviceOptions& netdev) {
  return "-netdev " + netdev.driver + ",id=" + netdev_text(netdev, "id");
}

// tap

constexpr PropertyRow kTapProperties[] = {
    kId,
    {"ifname", "NAME", "the interface (default: a new one)"},
    {"fd", "N", "its descriptor, which another program opened"},
    {"fds", "N:N...", "several of them, one a queue pair"},
    {"queues", "N", "queue pairs, 1 to 64 (default: 1)"},
    {"vnet_hdr", "on|off", "checksums and segmentation are left to the host (default: on)"},
    {"script", "no|FILE", "is run with the interface's name (default: no)"},
    {"downscript", "no|FILE", "likewise at the end"},
    {"vhost", "off", "there is none"},
    ignored_property("sndbuf"),
    missing_property("br"),
    missing_property("helper"),
    missing_property("poll-us"),
    missing_property("vhostfd"),
    missing_property("vhostfds"),
    missing_property("vhostforce"),
};

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(separator, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

Opened open_tap(const DeviceOptions& netdev, Networks& /*others*/) {
  constexpr std::uint64_t kMostQueues = 64;
  const std::string what = what_of(netdev);
  TapNetOptions options;
  bool has_vhost = false;
  options.id = netdev_text(netdev, "id");
  options.interface = netdev_text(netdev, "ifname");
  if (const std::string fd = netdev_text(netdev, "fd"); !fd.empty()) options.descriptors = {fd};
  if (const std::string fds = netdev_text(netdev, "fds"); !fds.empty()) options.descriptors = split(fds, ':');
  if (Status status = netdev_switch(netdev, "vnet_hdr", options.has_offloads); !status.ok())
    return status.error();
  if (Status status = netdev_switch(netdev, "vhost", has_vhost); !status.ok()) return status.error();
  if (has_vhost) return error("%s: vhost=on is not supported yet: leave it out", what.c_str());
  if (const std::string queues = netdev_text(netdev, "queues"); !queues.empty()) {
    auto number = parse_number(what + ": queues", queues, 1, kMostQueues);
    if (!number) return number.error();
    options.queues = static_cast<unsigned>(*number);
  }
  const auto script = [&](const char* name) {
    const std::string text = netdev_text(netdev, name);
    return text == "no" ? "" : text;
  };
  options.script = script("script");
  options.down_script = script("downscript");
  if (!options.descriptors.empty() && (!options.interface.empty() || netdev.find("queues") != nullptr))
    return error("%s: fd= and fds= come without ifname= and queues=", what.c_str());
  return make_tap_net(options);
}

Status tap_needs(const DeviceOptions& netdev, SandboxOptions& sandbox) {
  sandbox.networks.add(SandboxUser::kTap);
  const std::string down = netdev_text(netdev, "downscript");
  if (!down.empty() && down != "no" && sandbox.mode != SandboxOptions::Mode::kOff)
    return error("-netdev tap: downscript= starts a program, which the sandbox forbids: add -sandbox off");
  return Ok{};
}

// Addresses of stream and dgram: "addr.type=inet,addr.host=…"

Result<NetAddress> address_of(const DeviceOptions& netdev, const std::string& prefix, int socket_type) {
  const auto text = [&](const char* name) { return netdev_text(netdev, (prefix + "." + name).c_str()); };
  const std::string what = what_of(netdev);
  const std::string type = text("type");
  if (type == "inet") return internet_address(what, text("host"), text("port"));
  if (type == "unix") return local_address(what, text("path"));
  if (type == "fd") return inherited_socket(what, text("str"), socket_type);
  return error("%s: %s.type= must be inet, unix or fd", what.c_str(), prefix.c_str());
}

constexpr PropertyRow kStreamProperties[] = {
    kId,
    {"server", "on|off", "waits for the other side (default: off, connects to it)"},
    {"addr.type", "inet|unix|fd", "the kind of address"},
    {"addr.host", "HOST", "of inet (default: 127.0.0.1)"},
    {"addr.port", "N", "of inet"},
    {"addr.path", "FILE", "of unix"},
    {"addr.str", "N", "of fd: a connected socket"},
    {"reconnect", "SECONDS", "a client tries again after so long (default: 0, never)"},
    {"reconnect-ms", "N", "the same in milliseconds"},
    ignored_property("addr.ipv4"),
    ignored_property("addr.ipv6"),
    missing_property("addr.abstract"),
    missing_property("addr.keep-alive"),
    missing_property("addr.mptcp"),
    missing_property("addr.numeric"),
    missing_property("addr.tight"),
    missing_property("addr.to"),
};

Result<std::uint32_t> reconnect_of(const DeviceOptions& netdev) {
  constexpr std::uint64_t kMostMs = 3'600'000;
  for (const auto& [name, unit] : {std::pair{"reconnect-ms", 1u}, std::pair{"reconnect", 1000u}}) {
    const std::string text = netdev_text(netdev, name);
    if (text.empty()) continue;
    auto number = parse_number(what_of(netdev) + ": " + name, text, 0, kMostMs / unit);
    if (!number) return number.error();
    return static_cast<std::uint32_t>(*number * unit);
  }
  return 0u;
}

Opened open_stream(const DeviceOptions& netdev, Networks& /*others*/) {
  StreamNetOptions options;
  options.id = netdev_text(netdev, "id");
  if (Status status = netdev_switch(netdev, "server", options.is_server); !status.ok()) return status.error();
  auto address = address_of(netdev, "addr", SOCK_STREAM);
  if (!address) return address.error();
  auto reconnect = reconnect_of(netdev);
  if (!reconnect) return reconnect.error();
  options.address = *address;
  options.reconnect_ms = *reconnect;
  if (options.is_server && options.reconnect_ms != 0)
    return error("%s: a server does not connect: leave reconnect= out", what_of(netdev).c_str());
  return make_stream_net(options);
}

Status stream_needs(const DeviceOptions& netdev, SandboxOptions& sandbox) {
  sandbox.networks.add(SandboxUser::kWires);
  auto reconnect = reconnect_of(netdev);
  if (reconnect.ok() && *reconnect != 0)
    sandbox.networks.add(netdev_text(netdev, "addr.type") == "unix" ? SandboxUser::kLocal
                                                                    : SandboxUser::kInternet);
  return Ok{};
}

constexpr PropertyRow kDgramProperties[] = {
    kId,
    {"local.type", "inet|unix|fd", "where datagrams come to"},
    {"local.host", "HOST", "of inet (default: 127.0.0.1)"},
    {"local.port", "N", "of inet"},
    {"local.path", "FILE", "of unix"},
    {"local.str", "N", "of fd: a socket in place of both addresses"},
    {"remote.type", "inet|unix", "where they go"},
    {"remote.host", "HOST", "of inet; a multicast address is a group of many"},
    {"remote.port", "N", "of inet"},
    {"remote.path", "FILE", "of unix"},
    ignored_property("local.ipv4"),
    ignored_property("local.ipv6"),
    ignored_property("remote.ipv4"),
    ignored_property("remote.ipv6"),
};

bool is_group(const NetAddress& address) {
  return address.family() == AF_INET && IN_MULTICAST(ntohl(address.ipv4.sin_addr.s_addr));
}

Opened open_dgram_between(const DeviceOptions& netdev, const NetAddress& local, const NetAddress& remote) {
  const std::string what = what_of(netdev);
  if (local.fd < 0) {
    if (!remote.is_given()) return error("%s: the other side is missing: add remote.type=", what.c_str());
    if (!local.is_given() && !is_group(remote))
      return error("%s: this side's address is missing: add local.type=", what.c_str());
    if (local.is_given() && local.family() != remote.family())
      return error("%s: both addresses must be of one kind", what.c_str());
  }
  DgramNetOptions options;
  options.id = netdev_text(netdev, "id");
  options.local = local;
  options.remote = remote;
  return make_dgram_net(options);
}

Opened open_dgram(const DeviceOptions& netdev, Networks& /*others*/) {
  NetAddress local;
  NetAddress remote;
  for (const auto& [prefix, address] : {std::pair{"local", &local}, std::pair{"remote", &remote}}) {
    if (netdev_text(netdev, (std::string(prefix) + ".type").c_str()).empty()) continue;
    auto found = address_of(netdev, prefix, SOCK_DGRAM);
    if (!found) return found.error();
    *address = *found;
  }
  return open_dgram_between(netdev, local, remote);
}

Status dgram_needs(const DeviceOptions& /*netdev*/, SandboxOptions& sandbox) {
  sandbox.networks.add(SandboxUser::kWires);
  return Ok{};
}

// socket: the older spelling of both

constexpr PropertyRow kSocketProperties[] = {
    kId,
    {"listen", "[HOST]:PORT", "waits for one connection; on 127.0.0.1 unless told otherwise"},
    {"connect", "HOST:PORT", "connects to it"},
    {"mcast", "GROUP:PORT", "datagrams to a group"},
    {"udp", "HOST:PORT", "datagrams to one peer"},
    {"localaddr", "HOST[:PORT]", "this side's address, of udp= and mcast="},
    {"fd", "N", "a connected socket"},
};

Opened open_socket_stream(const DeviceOptions& netdev, const std::string& address, bool is_server) {
  auto found = internet_address(what_of(netdev), address);
  if (!found) return found.error();
  StreamNetOptions options;
  options.id = netdev_text(netdev, "id");
  options.address = *found;
  options.is_server = is_server;
  return make_stream_net(options);
}

Opened open_socket_fd(const DeviceOptions& netdev, const std::string& fd) {
  if (auto stream = inherited_socket(what_of(netdev), fd, SOCK_STREAM); stream.ok()) {
    StreamNetOptions options;
    options.id = netdev_text(netdev, "id");
    options.address = *stream;
    return make_stream_net(options);
  }
  auto datagrams = inherited_socket(what_of(netdev), fd, SOCK_DGRAM);
  if (!datagrams) return datagrams.error();
  return open_dgram_between(netdev, *datagrams, {});
}

Opened open_socket_dgram(const DeviceOptions& netdev, const std::string& remote, const std::string& local) {
  const std::string what = what_of(netdev);
  auto far = internet_address(what, remote);
  if (!far) return far.error();
  if (is_group(*far) && local.empty()) return open_dgram_between(netdev, {}, *far);
  auto near = is_group(*far) ? internet_address(what, local, "0") : internet_address(what, local);
  if (!near) return near.error();
  return open_dgram_between(netdev, *near, *far);
}

Opened open_socket(const DeviceOptions& netdev, Networks& /*others*/) {
  constexpr const char* kForms[] = {"listen", "connect", "mcast", "udp", "fd"};
  const auto given = std::count_if(std::begin(kForms), std::end(kForms),
                                   [&](const char* form) { return netdev.find(form) != nullptr; });
  if (given != 1)
    return error("%s: one of listen=, connect=, mcast=, udp= and fd= is needed", what_of(netdev).c_str());
  const auto text = [&](const char* name) { return netdev_text(netdev, name); };
  if (netdev.find("listen") != nullptr) return open_socket_stream(netdev, text("listen"), true);
  if (netdev.find("connect") != nullptr) return open_socket_stream(netdev, text("connect"), false);
  if (netdev.find("fd") != nullptr) return open_socket_fd(netdev, text("fd"));
  const bool is_udp = netdev.find("udp") != nullptr;
  if (is_udp && netdev.find("localaddr") == nullptr)
    return error("%s: udp= needs localaddr=HOST:PORT", what_of(netdev).c_str());
  return open_socket_dgram(netdev, text(is_udp ? "udp" : "mcast"), text("localaddr"));
}

// hubport

constexpr PropertyRow kHubportProperties[] = {
    kId,
    {"hubid", "N", "the hub"},
    {"netdev", "ID", "a network that is wired to the port (default: a device is)"},
};

Opened open_hubport(const DeviceOptions& netdev, Networks& others) {
  auto hub = parse_number(what_of(netdev) + ": hubid", netdev_text(netdev, "hubid"), 0, 0x7fffffff);
  if (!hub) return hub.error();
  std::shared_ptr<NetBackend> network;
  if (const std::string name = netdev_text(netdev, "netdev"); !name.empty()) {
    const auto found = others.find(name);
    if (found == others.end())
      return error("%s: there is no network '%s' before it", what_of(netdev).c_str(), name.c_str());
    network = found->second;
    others.erase(found);
  }
  return make_hub_port(netdev_text(netdev, "id"), static_cast<unsigned>(*hub), std::move(network));
}

}  // namespace

const NetdevKind kTapNetdev{"tap", "an interface of the host", kTapProperties, open_tap, tap_needs};
const NetdevKind kSocketNetdev{"socket", "a wire to another emulator, by TCP or UDP", kSocketProperties,
                               open_socket, dgram_needs};
const NetdevKind kStreamNetdev{"stream", "the same by a stream: TCP, Unix or inherited", kStreamProperties,
                               open_stream, stream_needs};
const NetdevKind kDgramNetdev{"dgram", "the same by datagrams", kDgramProperties, open_dgram, dgram_needs};
const NetdevKind kHubportNetdev{"hubport", "a port of a hub", kHubportProperties, open_hubport, nullptr};

}  // namespace gstage
