// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include <gtest/gtest.h>

#include "system/gdb/packets.h"

namespace gstage::gdb {
namespace {

class PacketsTest : public ::testing::Test {
 protected:
  void feed(std::string_view bytes) {
    stream_.feed({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  }
  std::string take_sent() { return std::exchange(sent_, {}); }

  std::vector<std::string> packets_;
  std::string sent_;
  unsigned interrupts_ = 0;
  unsigned too_long_ = 0;
  PacketStream stream_{{[this](std::string_view bytes) { sent_ += bytes; },
                        [this](const std::string& body) { packets_.push_back(body); },
                        [this] { ++interrupts_; }, [this] { ++too_long_; }}};
};

TEST_F(PacketsTest, APacketIsAcknowledgedAndTaken) {
  feed("$m0,4#fd");
  EXPECT_EQ(packets_, std::vector<std::string>{"m0,4"});
  EXPECT_EQ(take_sent(), "+");
  feed("+$g#6");
  feed("7");
  EXPECT_EQ(packets_.back(), "g");
}

TEST_F(PacketsTest, AWrongSumIsRefused) {
  feed("$m0,4#fe$m0,4#xx");
  EXPECT_TRUE(packets_.empty());
  EXPECT_EQ(take_sent(), "--");
}

TEST_F(PacketsTest, WithoutAcknowledgmentsNothingButAnswersIsSent) {
  stream_.stop_acknowledging();
  feed("$g#00");
  EXPECT_EQ(packets_, std::vector<std::string>{"g"});
  EXPECT_EQ(take_sent(), "");
}

TEST_F(PacketsTest, CtrlCBetweenPacketsInterrupts) {
  feed("\x03$a\x03#64");
  EXPECT_EQ(interrupts_, 1u);
  EXPECT_EQ(packets_, std::vector<std::string>{"a\x03"});
}

TEST_F(PacketsTest, ADollarBeginsANewPacket) {
  feed("$half$g#67");
  EXPECT_EQ(packets_, std::vector<std::string>{"g"});
}

TEST_F(PacketsTest, WhatIsRefusedIsSentAgainAFewTimes) {
  stream_.send("OK");
  EXPECT_EQ(take_sent(), "$OK#9a");
  feed("-");
  EXPECT_EQ(take_sent(), "$OK#9a");
  for (int i = 0; i < 100; ++i) feed("-");
  EXPECT_LT(take_sent().size(), 100u);
  feed("+-");
  EXPECT_EQ(take_sent(), "");
}

TEST_F(PacketsTest, APacketThatIsTooLongIsNotKept) {
  feed("$");
  for (int i = 0; i < 20; ++i) feed(std::string(kMostPacket / 8, '\0'));
  feed("#00");
  EXPECT_EQ(too_long_, 1u);
  EXPECT_TRUE(packets_.empty());
  feed("$g#67");
  EXPECT_EQ(packets_, std::vector<std::string>{"g"});
}

/// As gdb undoes it.
std::string decode_runs(const std::string& body) {
  std::string text;
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (body[i] == '*')
      text.append(static_cast<std::size_t>(body[++i] - 29), text.back());
    else
      text += body[i];
  }
  return text;
}

TEST(PacketRuns, RunsComeBackAsTheyWere) {
  for (std::size_t length = 1; length < 300; ++length) {
    const std::string text = "x" + std::string(length, '0') + "y";
    const std::string body = encode_runs(text);
    EXPECT_EQ(decode_runs(body), text);
    EXPECT_EQ(body.find_first_of("#$"), std::string::npos) << length;
    if (length > 4) {
      EXPECT_LT(body.size(), text.size());
    }
  }
}

TEST(PacketEscapes, EscapedDataComesBackAsItWas) {
  std::string data;
  for (int i = 0; i < 256; ++i) data.append(5, static_cast<char>(i));
  const std::string body = escape(data);
  EXPECT_EQ(body.find_first_of("#$*"), std::string::npos);
  EXPECT_EQ(unescape(body), data);
  EXPECT_EQ(unescape(decode_runs(encode_runs(body))), data);
}

TEST(PacketReader, TakesNumbersUpTo64Bits) {
  std::uint64_t value = 0;
  Reader reader("ffffffffffffffff,10:rest");
  EXPECT_TRUE(reader.number(value));
  EXPECT_EQ(value, ~std::uint64_t{0});
  EXPECT_TRUE(reader.take(","));
  EXPECT_TRUE(reader.number(value));
  EXPECT_EQ(value, 16u);
  EXPECT_EQ(reader.until(':'), "");
  EXPECT_EQ(reader.rest(), "rest");
  EXPECT_FALSE(Reader("10000000000000000").number(value));
  EXPECT_FALSE(Reader("").number(value));
}

}  // namespace
}  // namespace gstage::gdb
