// SPDX-License-Identifier: Apache-2.0
// What is read and changed in frames on their way between a guest and libslirp.
#include <vector>

#include "softmmu/base/check.h"
#include "io/net/packet.h"

#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

void run(Input& input) {
  const auto offload = input.take<NetOffload>();
  const auto bytes = input.rest();
  std::vector<std::uint8_t> frame(bytes.begin(), bytes.end());
  const std::size_t size = frame.size();
  complete_checksum(frame, offload);
  CHECK(frame.size() == size);
  const auto packet = parse_ip(frame);
  if (!packet) return;
  CHECK(packet->transport_offset <= packet->end && packet->end <= size);
  if (std::uint8_t* const mss = find_tcp_mss(frame, *packet); mss != nullptr) {
    CHECK(mss >= frame.data() && mss + 2 <= frame.data() + packet->end);
    replace_word(mss, 9000, frame.data() + packet->transport_offset + 16);
  }
  const std::size_t payload = tcp_payload_offset(frame, *packet);
  CHECK(payload <= packet->end);
  const NetOffload cut = prepare_segmentation(frame, *packet, 1448);
  CHECK((cut.gso != 0) == (payload != 0));
  if (packet->is_v6) return;
  std::size_t sum = 0;
  fragment_ipv4(frame, *packet, 576, [&](std::span<const std::uint8_t> piece) {
    CHECK(piece.size() <= 576 + packet->ip_offset);
    sum += piece.size() - packet->transport_offset;
  });
  CHECK(sum == packet->end - packet->transport_offset);
}

const Registration registration("net_packet", run);

}  // namespace
}  // namespace gstage::fuzz
