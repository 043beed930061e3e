// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "io/net/packet.h"

namespace gstage {
namespace {

using Bytes = std::vector<std::uint8_t>;

unsigned word(const Bytes& bytes, std::size_t at) { return bytes[at] * 256u + bytes[at + 1]; }

/// An Ethernet frame with an IPv4 packet: 10.0.2.15 to 10.0.2.2, `payload` behind a header of `protocol`.
Bytes ipv4(std::uint8_t protocol, const Bytes& payload, unsigned fragment = 0) {
  const auto length = static_cast<unsigned>(payload.size() + 20);
  Bytes frame{0x52, 0x54, 0, 0x12, 0x34, 0x56, 0x52, 0x55, 10, 0, 2, 2, 8, 0, 0x45, 0};
  const Bytes rest{static_cast<std::uint8_t>(length >> 8),
                   static_cast<std::uint8_t>(length),
                   0x12,
                   0x34,
                   static_cast<std::uint8_t>(fragment >> 8),
                   static_cast<std::uint8_t>(fragment),
                   64,
                   protocol,
                   0,
                   0,
                   10,
                   0,
                   2,
                   15,
                   10,
                   0,
                   2,
                   2};
  frame.insert(frame.end(), rest.begin(), rest.end());
  const std::uint16_t sum = checksum_finish(checksum_add({frame.data() + 14, 20}));
  std::memcpy(&frame[24], &sum, 2);
  frame.insert(frame.end(), payload.begin(), payload.end());
  return frame;
}

/// A TCP segment that opens a connection, with options: no-operation, largest segment 1460, and padding.
Bytes syn() {
  Bytes segment(20 + 8);
  segment[12] = 7 << 4;
  segment[13] = 2;
  const Bytes options{1, 2, 4, 0x05, 0xb4, 1, 1, 0};
  std::copy(options.begin(), options.end(), segment.begin() + 20);
  return segment;
}

/// Whether the transport's checksum is right: the sum over pseudo-header and segment is all ones.
bool is_sum_right(const Bytes& frame, std::uint8_t protocol) {
  const auto length = static_cast<std::uint8_t>(frame.size() - 34);
  const Bytes pseudo{0, protocol, static_cast<std::uint8_t>((frame.size() - 34) >> 8), length};
  return checksum_finish(checksum_add({frame.data() + 34, frame.size() - 34},
                                      checksum_add(pseudo, checksum_add({frame.data() + 26, 8})))) == 0;
}

TEST(NetPacket, ChecksumOfRfc1071) {
  // Its own example: 00 01 f2 03 f4 f5 f6 f7 sum to ddf2.
  const Bytes example{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  const std::uint16_t sum = checksum_finish(checksum_add(example));
  const Bytes stored{static_cast<std::uint8_t>(sum), static_cast<std::uint8_t>(sum >> 8)};
  EXPECT_EQ(word(stored, 0), 0x220du);
  // In parts, an odd byte last.
  Bytes bytes(1001);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 7);
  std::uint64_t slow = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) slow += std::uint64_t{bytes[i]} << (i % 2 * 8);
  EXPECT_EQ(checksum_finish(checksum_add(bytes)), checksum_finish(slow));
  EXPECT_EQ(checksum_finish(checksum_add(std::span(bytes).subspan(500), checksum_add({bytes.data(), 500}))),
            checksum_finish(slow));
}

TEST(NetPacket, ParsesOnlyWhatIsWhole) {
  Bytes frame = ipv4(6, syn());
  auto packet = parse_ip(frame);
  ASSERT_TRUE(packet.has_value());
  EXPECT_FALSE(packet->is_v6);
  EXPECT_EQ(packet->transport_offset, 34u);
  EXPECT_EQ(packet->end, frame.size());
  frame.pop_back();
  EXPECT_FALSE(parse_ip(frame).has_value()) << "cut off";
  frame = ipv4(6, syn());
  frame[14] = 0x44;
  EXPECT_FALSE(parse_ip(frame).has_value()) << "a header of 16 bytes";
  frame[14] = 0x65;
  EXPECT_FALSE(parse_ip(frame).has_value()) << "version 6 in a frame of version 4";
  frame[14] = 0x4f;
  EXPECT_FALSE(parse_ip(frame).has_value()) << "a header that is longer than the packet";
  EXPECT_FALSE(parse_ip(Bytes(14)).has_value());
}

TEST(NetPacket, CompletesAChecksumWithinTheFrameAlone) {
  Bytes frame = ipv4(17, Bytes{0x10, 0, 0x20, 0, 0, 11, 0, 0, 'a', 'b', 'c'});
  NetOffload offload;
  offload.checksum_start = 34;
  offload.checksum_offset = 6;
  // What a driver leaves there: the pseudo-header's sum.
  const std::uint16_t pseudo = static_cast<std::uint16_t>(
      ~checksum_finish(checksum_add(Bytes{10, 0, 2, 15, 10, 0, 2, 2, 0, 17, 0, 11})));
  std::memcpy(&frame[40], &pseudo, 2);
  ASSERT_TRUE(complete_checksum(frame, offload));
  EXPECT_TRUE(is_sum_right(frame, 17));
  const Bytes before = frame;
  offload.checksum_start = static_cast<std::uint16_t>(frame.size() - 1);
  EXPECT_FALSE(complete_checksum(frame, offload));
  offload.checksum_start = 0xffff;
  offload.checksum_offset = 0xffff;
  EXPECT_FALSE(complete_checksum(frame, offload));
  EXPECT_EQ(frame, before);
}

TEST(NetPacket, OfAPacketThatIsToBeCutTheWholeCounts) {
  Bytes segment = syn();
  segment.resize(4000, 'x');
  Bytes frame = ipv4(6, segment);
  NetOffload offload;
  offload.gso = NetOffload::kTcp4;
  offload.checksum_start = 34;
  offload.checksum_offset = 16;
  frame[50] = 0x77;  // a sum of another length
  ASSERT_TRUE(complete_checksum(frame, offload));
  EXPECT_TRUE(is_sum_right(frame, 6));
}

TEST(NetPacket, FindsAndReplacesTheLargestSegment) {
  Bytes frame = ipv4(6, syn());
  NetOffload offload;
  offload.gso = NetOffload::kTcp4;
  offload.checksum_start = 34;
  offload.checksum_offset = 16;
  ASSERT_TRUE(complete_checksum(frame, offload));
  std::uint8_t* const mss = find_tcp_mss(frame, *parse_ip(frame));
  ASSERT_NE(mss, nullptr);
  EXPECT_EQ(mss - frame.data(), 34 + 20 + 3);
  // At an odd place the bytes of the sum change places.
  Bytes even = frame;
  even[54] = 2, even[55] = 4, even[56] = 5, even[57] = 0xb4, even[58] = 1;
  ASSERT_TRUE(complete_checksum(even, offload));
  std::uint8_t* const even_mss = find_tcp_mss(even, *parse_ip(even));
  ASSERT_EQ(even_mss, &even[56]);
  replace_word(even_mss, 65481, &even[50]);
  EXPECT_EQ(word(even, 56), 65481u);
  EXPECT_TRUE(is_sum_right(even, 6));
}

TEST(NetPacket, OptionsThatMakeNoSenseEndTheSearch) {
  Bytes frame = ipv4(6, syn());
  frame[34 + 13] = 0x10;
  EXPECT_EQ(find_tcp_mss(frame, *parse_ip(frame)), nullptr) << "no SYN";
  frame = ipv4(6, syn());
  frame[34 + 21] = 3;
  frame[34 + 22] = 0;
  EXPECT_EQ(find_tcp_mss(frame, *parse_ip(frame)), nullptr) << "an option of length 0";
  frame = ipv4(6, syn());
  frame[34 + 12] = 15 << 4;
  EXPECT_EQ(find_tcp_mss(frame, *parse_ip(frame)), nullptr) << "a header beyond the packet";
  Bytes last = ipv4(6, syn());
  for (unsigned i = 20; i < 26; ++i) last[34 + i] = 1;
  last[34 + 26] = 2;
  last[34 + 27] = 4;
  EXPECT_EQ(find_tcp_mss(last, *parse_ip(last)), nullptr) << "an option beyond the header";
}

TEST(NetPacket, SegmentationLeavesThePseudoHeadersSum) {
  Bytes segment = syn();
  segment.resize(28 + 5000, 'y');
  Bytes frame = ipv4(6, segment);
  const NetOffload offload = prepare_segmentation(frame, *parse_ip(frame), 1448);
  EXPECT_EQ(offload.gso, NetOffload::kTcp4);
  EXPECT_EQ(offload.flags, NetOffload::kNeedsChecksum);
  EXPECT_EQ(offload.segment_bytes, 1448);
  EXPECT_EQ(offload.header_bytes, 34 + 28);
  EXPECT_EQ(offload.checksum_start, 34);
  NetOffload plain = offload;
  plain.gso = 0;
  ASSERT_TRUE(complete_checksum(frame, plain));
  EXPECT_TRUE(is_sum_right(frame, 6));
}

TEST(NetPacket, SegmentsAreWholePackets) {
  constexpr std::uint8_t kFlags = 0x80 | 0x10 | 8 | 1;  // CWR, ACK, PSH, FIN
  Bytes segment(20 + 2500);
  segment[5] = 0xff;
  segment[6] = 0xff;  // so that the sequence number carries
  segment[12] = 5 << 4;
  segment[13] = kFlags;
  for (std::size_t i = 20; i < segment.size(); ++i) segment[i] = static_cast<std::uint8_t>(i * 3);
  const Bytes frame = ipv4(IpPacket::kTcp, segment);
  std::vector<Bytes> cut;
  cut_tcp(frame, *parse_ip(frame), 1000, [&](auto part) { cut.emplace_back(part.begin(), part.end()); });
  ASSERT_EQ(cut.size(), 3u);
  Bytes payload;
  for (std::size_t i = 0; i < cut.size(); ++i) {
    const auto packet = parse_ip(cut[i]);
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->end, cut[i].size());
    EXPECT_EQ(word(cut[i], 18), 0x1234 + i);
    EXPECT_EQ(checksum_finish(checksum_add({cut[i].data() + 14, 20})), 0u);
    EXPECT_TRUE(is_sum_right(cut[i], IpPacket::kTcp)) << i;
    EXPECT_EQ(word(cut[i], 38) << 16 | word(cut[i], 40), 0x00ff'ff00 + i * 1000);
    EXPECT_EQ(cut[i][47], i == 0 ? 0x90 : i == 1 ? 0x10 : 0x19);
    payload.insert(payload.end(), cut[i].begin() + 54, cut[i].end());
  }
  EXPECT_EQ(payload, Bytes(frame.begin() + 54, frame.end()));
}

TEST(NetPacket, FragmentsCoverThePacketInOrder) {
  Bytes payload(5000);
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<std::uint8_t>(i / 3);
  const Bytes frame = ipv4(17, payload);
  Bytes together;
  unsigned more = 1;
  fragment_ipv4(frame, *parse_ip(frame), 1500, [&](std::span<const std::uint8_t> piece) {
    const Bytes fragment(piece.begin(), piece.end());
    EXPECT_LE(fragment.size(), 1514u);
    EXPECT_EQ(word(fragment, 16), fragment.size() - 14);
    EXPECT_EQ((word(fragment, 20) & 0x1fff) * 8, together.size());
    EXPECT_EQ(checksum_finish(checksum_add(piece.subspan(14, 20))), 0);
    EXPECT_EQ(more, 1u);
    more = word(fragment, 20) >> 13 & 1;
    together.insert(together.end(), fragment.begin() + 34, fragment.end());
  });
  EXPECT_EQ(more, 0u);
  EXPECT_EQ(together, payload);
}

}  // namespace
}  // namespace gstage
