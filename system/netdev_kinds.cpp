// SPDX-License-Identifier: Apache-2.0
// The kinds of -netdev and how their properties become what the back ends take.
#include <algorithm>
#include <iterator>

#include "softmmu/base/format.h"
#include "softmmu/option_values.h"
#include "io/net/user.h"
#include "system/networks.h"

namespace gstage {

namespace {

using Opened = Result<std::shared_ptr<NetBackend>>;

constexpr PropertyRow kId{"id", "ID", "for devices to name"};

constexpr PropertyRow kUserProperties[] = {
    kId,
    {"net", "ADDRESS[/MASK]", "the network (default: 10.0.2.0/24)"},
    {"host", "ADDRESS", "the host in it, the gateway (default: .2)"},
    {"dhcpstart", "ADDRESS", "what DHCP gives first (default: .15)"},
    {"dns", "ADDRESS", "its name server (default: .3)"},
    {"restrict", "on|off", "the guest reaches nothing but what is forwarded"},
    {"hostfwd", "PROTOCOL:[ADDRESS]:PORT-[ADDRESS]:PORT",
     "a port of the host leads to the guest (on 127.0.0.1); tcp or udp"},
    {"guestfwd", "tcp:ADDRESS:PORT-cmd:PROGRAM", "an address of the network leads to a program"},
    {"tftp", "FOLDER", "what TFTP serves"},
    {"bootfile", "FILE", "what DHCP says is to be booted"},
    {"tftp-server-name", "NAME", "what DHCP calls the TFTP server"},
    {"hostname", "NAME", "what DHCP calls the guest"},
    {"dnssearch", "DOMAIN", "where DHCP says names are looked up"},
    {"domainname", "DOMAIN", "what DHCP calls the domain"},
    {"ipv4", "on|off", "(default: on)"},
    {"ipv6", "on|off", "(default: on)"},
    {"ipv6-net", "ADDRESS[/PREFIX]", "(default: fec0::/64)"},
    {"ipv6-prefix", "ADDRESS", "the same without the prefix's length"},
    {"ipv6-prefixlen", "N", "the prefix's length"},
    {"ipv6-host", "ADDRESS", "the host in it (default: ::2)"},
    {"ipv6-dns", "ADDRESS", "its name server (default: ::3)"},
    missing_property("smb"),
    missing_property("smbserver"),
};

/// Properties that may come several times.
Status add_forwards(const DeviceOptions& netdev, UserNetOptions& options) {
  for (const Property& property : netdev.properties) {
    if (property.name == "dnssearch") options.dns_search.push_back(property.value);
    if (property.name == "hostfwd") {
      auto forward = parse_host_forward(property.value);
      if (!forward) return forward.error();
      options.host_forwards.push_back(*forward);
    } else if (property.name == "guestfwd") {
      auto forward = parse_guest_forward(property.value);
      if (!forward) return forward.error();
      options.guest_forwards.push_back(std::move(*forward));
    }
  }
  return Ok{};
}

Opened open_user(const DeviceOptions& netdev, Networks& /*others*/) {
  UserNetOptions options;
  options.id = netdev_text(netdev, "id");
  for (const auto& [name, member] :
       {std::pair{"restrict", &UserNetOptions::is_restricted}, std::pair{"ipv4", &UserNetOptions::has_ipv4},
        std::pair{"ipv6", &UserNetOptions::has_ipv6}})
    if (const Status status = netdev_switch(netdev, name, options.*member); !status.ok())
      return status.error();
  for (const auto& [name, member] :
       {std::pair{"tftp", &UserNetOptions::tftp}, std::pair{"bootfile", &UserNetOptions::bootfile},
        std::pair{"tftp-server-name", &UserNetOptions::tftp_server_name},
        std::pair{"hostname", &UserNetOptions::hostname},
        std::pair{"domainname", &UserNetOptions::domain_name}})
    options.*member = netdev_text(netdev, name);
  std::string net6 = netdev_text(netdev, "ipv6-net");
  if (net6.empty() && !netdev_text(netdev, "ipv6-prefix").empty())
    net6 = netdev_text(netdev, "ipv6-prefix") + "/" +
           (netdev.find("ipv6-prefixlen") == nullptr ? "64" : netdev_text(netdev, "ipv6-prefixlen"));
  const Status status =
      set_addresses(options, {netdev_text(netdev, "net"), netdev_text(netdev, "host"),
                              netdev_text(netdev, "dhcpstart"), netdev_text(netdev, "dns"), net6,
                              netdev_text(netdev, "ipv6-host"), netdev_text(netdev, "ipv6-dns")});
  if (!status.ok()) return status.error();
  if (const Status added = add_forwards(netdev, options); !added.ok()) return added.error();
  return make_user_net(options);
}

Status user_needs(const DeviceOptions& netdev, SandboxOptions& sandbox) {
  sandbox.networks.add(SandboxUser::kInternet);
  // Where the name server is may change while the machine runs.
  sandbox.readable_if_possible.push_back("/etc/resolv.conf");
  if (const std::string tftp = netdev_text(netdev, "tftp"); !tftp.empty()) sandbox.readable.push_back(tftp);
  const bool starts_programs = netdev.find("guestfwd") != nullptr;
  if (starts_programs && sandbox.mode != SandboxOptions::Mode::kOff)
    return error("-netdev user: guestfwd= starts programs, which the sandbox forbids: add -sandbox off");
  return Ok{};
}

constexpr const NetdevKind* kKinds[] = {&kUserNetdev,   &kTapNetdev,   &kSocketNetdev,
                                        &kStreamNetdev, &kDgramNetdev, &kHubportNetdev};
/// Kinds that users of other emulators know.
constexpr const char* kMissingKinds[] = {"af-xdp",     "bridge",        "l2tpv3",     "netmap",
                                         "passt",      "socket",        "vde",        "vhost-user",
                                         "vhost-vdpa", "vmnet-bridged", "vmnet-host", "vmnet-shared"};

}  // namespace

const NetdevKind kUserNetdev{"user", "a network of this process, without privileges", kUserProperties,
                             open_user, user_needs};

std::string netdev_text(const DeviceOptions& netdev, const char* name) {
  const std::string* const found = netdev.find(name);
  return found == nullptr ? "" : *found;
}

Status netdev_switch(const DeviceOptions& netdev, const char* name, bool& to) {
  const std::string* const found = netdev.find(name);
  if (found == nullptr) return Ok{};
  auto is_on = parse_switch("-netdev " + netdev.driver, {name, *found});
  if (!is_on) return is_on.error();
  to = *is_on;
  return Ok{};
}

Result<const NetdevKind*> find_netdev_kind(const std::string& option, const std::string& name) {
  for (const NetdevKind* const kind : kKinds)
    if (name == kind->name) return kind;
  std::string known;
  for (const NetdevKind* const kind : kKinds) known += (known.empty() ? "" : ", ") + std::string(kind->name);
  const bool is_missing = std::any_of(std::begin(kMissingKinds), std::end(kMissingKinds),
                                      [&](const char* missing) { return name == missing; });
  if (is_missing)
    return error("%s %s is not supported yet: there is %s", option.c_str(), name.c_str(), known.c_str());
  return error("%s: there is no network '%s': there is %s", option.c_str(), name.c_str(), known.c_str());
}

std::string netdevs_help() {
  std::string text =
      "Networks (-netdev KIND,id=ID[,PROP=VALUE...]; -netdev KIND,help lists the properties):\n";
  for (const NetdevKind* const kind : kKinds) text += format("  %-9s%s\n", kind->name, kind->help);
  return text;
}

}  // namespace gstage
