// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include "io/net/user_options.h"

namespace gstage {
namespace {

std::string text(in_addr address) {
  char buffer[INET_ADDRSTRLEN] = {};
  inet_ntop(AF_INET, &address, buffer, sizeof buffer);
  return buffer;
}

TEST(UserNetOptions, AddressesFollowFromTheNetwork) {
  UserNetOptions options;
  ASSERT_TRUE(set_addresses(options, {}).ok());
  EXPECT_EQ(text(options.network) + " " + text(options.mask), "10.0.2.0 255.255.255.0");
  EXPECT_EQ(text(options.host) + " " + text(options.dns) + " " + text(options.dhcp_start),
            "10.0.2.2 10.0.2.3 10.0.2.15");
  ASSERT_TRUE(set_addresses(options, {.net = "192.168.42.0/24"}).ok());
  EXPECT_EQ(text(options.host) + " " + text(options.dns) + " " + text(options.dhcp_start),
            "192.168.42.2 192.168.42.3 192.168.42.15");
  ASSERT_TRUE(set_addresses(options, {.net = "172.16.0.0/255.255.0.0", .host = "172.16.7.1"}).ok());
  EXPECT_EQ(text(options.host) + " " + text(options.dns), "172.16.7.1 172.16.2.3");
  ASSERT_TRUE(set_addresses(options, {.net = "10.1.2.3"}).ok()) << "a class of its own";
  EXPECT_EQ(text(options.network) + " " + text(options.mask), "10.0.0.0 255.0.0.0");
}

TEST(UserNetOptions, AddressesOutsideAreRefused) {
  UserNetOptions options;
  for (const UserNetAddresses& bad :
       {UserNetAddresses{.net = "10.0.2"}, UserNetAddresses{.net = "10.0.2.0/33"},
        UserNetAddresses{.net = "10.0.2.0/255.0.255.0"}, UserNetAddresses{.host = "10.0.3.1"},
        UserNetAddresses{.host = "10.0.2.255"}, UserNetAddresses{.host = "10.0.2.0"},
        UserNetAddresses{.dns = "10.0.2.2"}, UserNetAddresses{.dhcp_start = "10.0.2.3"},
        UserNetAddresses{.dhcp_start = "x"}, UserNetAddresses{.net6 = "fec0::/0"},
        UserNetAddresses{.net6 = "fec0::/x"}, UserNetAddresses{.host6 = "1.2.3.4"}})
    EXPECT_FALSE(set_addresses(options, bad).ok())
        << bad.net << bad.host << bad.dns << bad.dhcp_start << bad.net6 << bad.host6;
}

TEST(UserNetOptions, ForwardedPortsListenOnLoopbackUnlessToldOtherwise) {
  auto forward = parse_host_forward("tcp::2222-:22");
  ASSERT_TRUE(forward.ok());
  EXPECT_FALSE(forward->is_udp);
  EXPECT_EQ(text(forward->host_address), "127.0.0.1");
  EXPECT_EQ(forward->host_port, 2222);
  EXPECT_EQ(text(forward->guest_address), "0.0.0.0");
  EXPECT_EQ(forward->guest_port, 22);
  forward = parse_host_forward("udp:0.0.0.0:53-10.0.2.20:5353");
  ASSERT_TRUE(forward.ok());
  EXPECT_TRUE(forward->is_udp);
  EXPECT_EQ(text(forward->host_address) + " " + text(forward->guest_address), "0.0.0.0 10.0.2.20");
  EXPECT_TRUE(parse_host_forward("::1-:2").ok()) << "without a protocol";
  for (const char* const bad : {"", "tcp", "tcp:1-2", "tcp::x-:22", "tcp::65536-:22", "tcp::1-:0", "tcp::1",
                                "icmp::1-:2", "tcp:host:1-:2", "tcp::1-::2", "tcp::-1-:2", "tcp:: 1-:2"})
    EXPECT_FALSE(parse_host_forward(bad).ok()) << bad;
}

TEST(UserNetOptions, ForwardsOfTheGuestNameAnAddressAndATarget) {
  auto forward = parse_guest_forward("tcp:10.0.2.100:1234-cmd:netcat 10.10.1.1 4321");
  ASSERT_TRUE(forward.ok());
  EXPECT_EQ(text(forward->address), "10.0.2.100");
  EXPECT_EQ(forward->port, 1234);
  EXPECT_EQ(forward->target, "cmd:netcat 10.10.1.1 4321");
  for (const char* const bad : {"", "tcp:10.0.2.100:1", "udp:10.0.2.100:1-cmd:x", "tcp:10.0.2.100:0-cmd:x",
                                "tcp::1-cmd:x", "tcp:10.0.2.100:1-"})
    EXPECT_FALSE(parse_guest_forward(bad).ok()) << bad;
}

}  // namespace
}  // namespace gstage
