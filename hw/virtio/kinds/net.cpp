// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/net.h"

#include <bit>

#include "softmmu/typed_property.h"
#include "hw/core/boot_order.h"
#include "hw/virtio/kinds/kind.h"

namespace gstage::hw {
namespace {

struct NetProperties {
  std::string netdev;
  MacAddress mac{};
  bool has_multiqueue = false;
  std::uint16_t mtu = 0;
  std::uint16_t receive_queue_size = 256;
  std::uint16_t transmit_queue_size = 256;
  std::string speed = "-1";
  std::string duplex;
  bool csum = true, guest_csum = true, gso = true;
  bool host_tso4 = true, host_tso6 = true, host_ecn = true, host_ufo = true;
  bool guest_tso4 = true, guest_tso6 = true, guest_ecn = true, guest_ufo = true;
  bool mrg_rxbuf = true, status = true;
  bool ctrl_vq = true, ctrl_rx = true, ctrl_rx_extra = true, ctrl_vlan = true, ctrl_mac_addr = true;
  bool ctrl_guest_offloads = true, guest_announce = true;
};
using P = NetProperties;

/// A switch that takes features away when it is off.
struct FeatureRow {
  bool P::*is_on;
  std::uint64_t features;
};
constexpr FeatureRow kFeatures[] = {
    {&P::csum, kNetCsum},
    {&P::guest_csum, kNetGuestCsum},
    {&P::gso, kNetHostTso4 | kNetHostTso6 | kNetHostEcn | kNetHostUfo},
    {&P::host_tso4, kNetHostTso4},
    {&P::host_tso6, kNetHostTso6},
    {&P::host_ecn, kNetHostEcn},
    {&P::host_ufo, kNetHostUfo},
    {&P::guest_tso4, kNetGuestTso4},
    {&P::guest_tso6, kNetGuestTso6},
    {&P::guest_ecn, kNetGuestEcn},
    {&P::guest_ufo, kNetGuestUfo},
    {&P::mrg_rxbuf, kNetMrgRxbuf},
    {&P::status, kNetStatus},
    {&P::ctrl_vq, kNetCtrlVq},
    {&P::ctrl_rx, kNetCtrlRx},
    {&P::ctrl_rx_extra, kNetCtrlRxExtra},
    {&P::ctrl_vlan, kNetCtrlVlan},
    {&P::ctrl_mac_addr, kNetCtrlMacAddr},
    {&P::ctrl_guest_offloads, kNetCtrlGuestOffloads},
    {&P::guest_announce, kNetGuestAnnounce},
};

constexpr PropertyBounds kQueueBounds{16, 1024};
constexpr PropertyRow kProperties[] = {
    property<&P::netdev>("netdev", "ID", "a -netdev (none: frames are lost)"),
    property<&P::mac>("mac", "its address"),
    property<&P::has_multiqueue>("mq", "as many queue pairs as the network has"),
    property<&P::mtu>("host_mtu", "the largest packet, told to the guest; 68 to 65535, 0: not told"),
    property<&P::receive_queue_size>("rx_queue_size", "entries, a power of two", kQueueBounds),
    property<&P::transmit_queue_size>("tx_queue_size", "likewise", kQueueBounds),
    property<&P::speed>("speed", "N", "told to the guest, Mbit/s; -1: not told"),
    property<&P::duplex>("duplex", "half|full", "told to the guest"),
    property<&P::csum>("csum", "the guest leaves checksums to the network"),
    property<&P::guest_csum>("guest_csum", "and the other way round"),
    property<&P::gso>("gso", "all of host_tso4, host_tso6, host_ecn and host_ufo"),
    property<&P::host_tso4>("host_tso4", "the guest leaves the cutting of TCP over IPv4 to the network"),
    property<&P::host_tso6>("host_tso6", "that of TCP over IPv6"),
    property<&P::host_ecn>("host_ecn", "that of TCP with ECN"),
    property<&P::host_ufo>("host_ufo", "that of UDP"),
    property<&P::guest_tso4>("guest_tso4", "the guest takes uncut TCP over IPv4"),
    property<&P::guest_tso6>("guest_tso6", "TCP over IPv6"),
    property<&P::guest_ecn>("guest_ecn", "TCP with ECN"),
    property<&P::guest_ufo>("guest_ufo", "UDP"),
    property<&P::mrg_rxbuf>("mrg_rxbuf", "a frame may lie in several buffers"),
    property<&P::status>("status", "the guest sees whether the link is up"),
    property<&P::ctrl_vq>("ctrl_vq", "there is a control queue, which all that follow need"),
    property<&P::ctrl_rx>("ctrl_rx", "the guest chooses what it receives"),
    property<&P::ctrl_rx_extra>("ctrl_rx_extra", "in more ways"),
    property<&P::ctrl_vlan>("ctrl_vlan", "by VLAN"),
    property<&P::ctrl_mac_addr>("ctrl_mac_addr", "the guest changes its address"),
    property<&P::ctrl_guest_offloads>("ctrl_guest_offloads", "the guest switches guest_csum and the like"),
    property<&P::guest_announce>("guest_announce", "the guest announces itself when the link comes up"),
    boot_index_property(),
    ignored_property("tx"),
    ignored_property("x-txburst"),
    ignored_property("x-txtimer"),
    missing_property("ebpf-rss-fds"),
    missing_property("failover"),
    missing_property("guest_rsc_ext"),
    missing_property("guest_tunnel"),
    missing_property("guest_tunnel_csum"),
    missing_property("guest_uso4"),
    missing_property("guest_uso6"),
    missing_property("hash"),
    missing_property("hash-ipv4"),
    missing_property("hash-ipv6"),
    missing_property("hash-ipv6ex"),
    missing_property("hash-tcp4"),
    missing_property("hash-tcp6"),
    missing_property("hash-tcp6ex"),
    missing_property("hash-udp4"),
    missing_property("hash-udp6"),
    missing_property("hash-udp6ex"),
    missing_property("host_tunnel"),
    missing_property("host_tunnel_csum"),
    missing_property("host_uso"),
    missing_property("rsc_interval"),
    missing_property("rss"),
};

Status set_speed(const std::string& what, const NetProperties& given, VirtioNetOptions& options) {
  options.has_speed = given.speed != "-1" || !given.duplex.empty();
  if (given.speed != "-1") {
    auto speed = parse_property_number(given.speed);
    if (!speed.ok() || *speed > 0x7fffffff)
      return error("%s: speed=%s: write a number of Mbit/s, or -1", what.c_str(), given.speed.c_str());
    options.speed = static_cast<std::uint32_t>(*speed);
  }
  if (!given.duplex.empty() && given.duplex != "half" && given.duplex != "full")
    return error("%s: duplex=%s: use half or full", what.c_str(), given.duplex.c_str());
  if (!given.duplex.empty()) options.duplex = given.duplex == "full" ? 1 : 0;
  return Ok{};
}

Result<std::unique_ptr<VirtioDevice>> create(const DeviceRequest& request) {
  constexpr std::uint16_t kLeastMtu = 68;
  NetProperties given;
  if (Status status = read_properties(request.what, kProperties, request.given, given); !status.ok())
    return status.error();
  if (!std::has_single_bit(given.receive_queue_size) || !std::has_single_bit(given.transmit_queue_size))
    return error("%s: rx_queue_size and tx_queue_size must be powers of two from 16 to 1024",
                 request.what.c_str());
  if (given.mtu != 0 && given.mtu < kLeastMtu)
    return error("%s: host_mtu must be 68 to 65535", request.what.c_str());
  VirtioNetOptions options;
  options.mtu = given.mtu;
  options.has_multiqueue = given.has_multiqueue;
  options.receive_queue_size = given.receive_queue_size;
  options.transmit_queue_size = given.transmit_queue_size;
  for (const FeatureRow& row : kFeatures)
    if (!(given.*row.is_on)) options.refused_features |= row.features;
  if (Status status = set_speed(request.what, given, options); !status.ok()) return status.error();
  auto network = request.world.back_ends.take_network(request.what, given.netdev);
  if (!network.ok()) return network.error();
  options.mac = given.mac == MacAddress{} ? request.world.back_ends.macs().next() : given.mac;
  return std::unique_ptr<VirtioDevice>(std::make_unique<VirtioNet>(std::move(*network), options));
}

}  // namespace

const VirtioKind kVirtioNetKind{"virtio-net", "network card", kProperties, create};

}  // namespace gstage::hw
