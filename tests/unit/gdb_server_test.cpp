// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include <gtest/gtest.h>

#include "system/gdb/server.h"

#include "tests/unit/gdb_target.h"

namespace gstage::gdb {
namespace {

class GdbServerTest : public ::testing::Test {
 protected:
  GdbServerTest() {
    server_.attach();
    ask("QStartNoAckMode");
  }

  /// Sends a packet; what comes back, frames taken off, several with a blank between them.
  std::string ask(const std::string& body) {
    feed(frame('$', body));
    return take_answer();
  }
  void feed(const std::string& bytes) {
    server_.feed({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  }
  std::string take_answer() {
    std::string text;
    for (std::size_t at = 0; (at = sent_.find_first_of("$%", at)) != std::string::npos;) {
      const std::size_t end = sent_.find('#', at);
      text += (text.empty() ? "" : " ") + decode(sent_.substr(at + 1, end - at - 1));
      at = end;
    }
    sent_.clear();
    return text;
  }
  static std::string decode(const std::string& body) {
    std::string text;
    for (std::size_t i = 0; i < body.size(); ++i) {
      if (body[i] == '*')
        text.append(static_cast<std::size_t>(body[++i] - 29), text.back());
      else
        text += body[i];
    }
    return text;
  }
  /// The first characters of a stop reply, and its thread.
  static std::string short_stop(const std::string& reply) {
    const std::size_t thread = reply.find("thread:");
    return reply.substr(0, 3) + (thread == std::string::npos ? "" : " " + reply.substr(thread));
  }

  FakeTarget target_;
  std::string sent_;
  Server server_{target_, [this](std::string_view bytes) { sent_ += bytes; }};
};

TEST_F(GdbServerTest, PacketsThatAreNotKnownHaveAnEmptyAnswer) {
  for (const char* const body :
       {"vMustReplyEmpty", "qCRC:0,4", "qTStatus", "vFlashDone", "i", "bc", "~", ""}) {
    feed(frame('$', body));
    EXPECT_EQ(sent_, "$#00") << body;
    sent_.clear();
  }
}

TEST_F(GdbServerTest, RegistersAreReadAndWritten) {
  target_.registers[0][1] = 0x1122334455667788;
  target_.registers[1][1] = 1;
  EXPECT_EQ(ask("g").substr(16, 16), "8877665544332211");
  EXPECT_EQ(ask("p1"), "8877665544332211");
  EXPECT_EQ(ask("p21"), "E01");
  EXPECT_EQ(ask("P2=0100000000000000"), "OK");
  EXPECT_EQ(target_.registers[0][2], 1u);
  EXPECT_EQ(ask("P2=01"), "E01");
  EXPECT_EQ(ask("Hg2"), "OK");
  EXPECT_EQ(ask("p1"), "0100000000000000");
  EXPECT_EQ(ask("Hg3"), "E01");
  EXPECT_EQ(ask("G" + std::string(16, 'f') + "0200000000000000"), "OK");
  EXPECT_EQ(target_.registers[1][0], 0u);
  EXPECT_EQ(target_.registers[1][1], 2u);
}

TEST_F(GdbServerTest, MemoryIsReadAsFarAsItGoes) {
  EXPECT_EQ(ask("m1000,4"), "11111111");
  EXPECT_EQ(ask("m10ff,4"), "11");
  EXPECT_EQ(ask("m2000,4"), "E01");
  EXPECT_EQ(ask("m1000"), "E16");
  EXPECT_EQ(ask("M1000,2:abcd"), "OK");
  EXPECT_EQ(ask("M1000,2:ab"), "E16");
  EXPECT_EQ(ask("m1000,3"), "abcd11");
  EXPECT_EQ(ask("X1000,0:"), "OK");
  EXPECT_EQ(ask("X1002,2:}\x03z"), "OK");
  EXPECT_EQ(ask("m1000,4"), "abcd237a");
}

TEST_F(GdbServerTest, PointsAreSetAndTakenOut) {
  EXPECT_EQ(ask("Z0,1000,2"), "OK");
  EXPECT_EQ(ask("Z2,1008,8"), "OK");
  EXPECT_EQ(target_.points.size(), 2u);
  EXPECT_EQ(ask("Z1,1001,2"), "E01");
  EXPECT_EQ(ask("Z5,1000,2"), "E16");
  EXPECT_EQ(ask("z0,1000,2"), "OK");
  EXPECT_EQ(target_.points.size(), 1u);
}

TEST_F(GdbServerTest, AllHartsStopTogether) {
  EXPECT_EQ(ask("vCont?"), "vCont;c;C;s;S;t");
  EXPECT_EQ(ask("vCont;s:2;c"), "");
  EXPECT_EQ(target_.moves, (std::vector{Move::kContinue, Move::kStep}));
  // Packets wait until they have stopped.
  EXPECT_EQ(ask("qAttached"), "");
  target_.has_stopped({1, kSigtrap, PointKind::kWrite, 0x1234});
  const std::string answer = take_answer();
  EXPECT_TRUE(answer.starts_with("T05watch:1234;01:")) << answer;
  EXPECT_TRUE(answer.ends_with("thread:2; 1")) << answer;
  EXPECT_EQ(ask("qC"), "QC2");
  EXPECT_EQ(short_stop(ask("?")), "T05 thread:2;");
}

TEST_F(GdbServerTest, CtrlCStopsTheHarts) {
  ask("vCont;c");
  feed("\x03");
  EXPECT_EQ(short_stop(take_answer()), "T02 thread:1;");
}

TEST_F(GdbServerTest, BreakpointsAreToldOfToThoseWhoKnowOfThat) {
  ask("vCont;c");
  target_.has_stopped({0, kSigtrap, PointKind::kSoftware, 0x1000});
  EXPECT_EQ(take_answer().find("swbreak"), std::string::npos);
  ask("qSupported:swbreak+;hwbreak+");
  ask("vCont;c");
  target_.has_stopped({0, kSigtrap, PointKind::kHardware, 0x1000});
  EXPECT_TRUE(take_answer().starts_with("T05hwbreak:;"));
}

TEST_F(GdbServerTest, InNonStopEachHartStopsAlone) {
  EXPECT_EQ(ask("QNonStop:1"), "OK");
  // gdb 13 takes one stop in the answer to "?", and the others as they come.
  EXPECT_EQ(short_stop(ask("?")), "T05 thread:1;");
  const std::string rest = ask("vStopped");
  EXPECT_TRUE(rest.starts_with("OK") && rest.find("Stop:T05") != std::string::npos) << rest;
  EXPECT_NE(rest.find("thread:2;"), std::string::npos) << rest;
  EXPECT_EQ(ask("vStopped"), "OK");
  EXPECT_EQ(ask("vCont;c:-1"), "OK");
  target_.has_stopped({1});
  target_.has_stopped({0});
  // One notification; the second stop is asked for.
  EXPECT_TRUE(take_answer().starts_with("Stop:T05"));
  EXPECT_EQ(short_stop(ask("vStopped")), "T05 thread:1;");
  EXPECT_EQ(ask("vStopped"), "OK");
  EXPECT_EQ(ask("vCont;c:1"), "OK");
  // The other one answers meanwhile, this one does not.
  EXPECT_EQ(ask("Hg1"), "OK");
  EXPECT_EQ(ask("g"), "E01");
  EXPECT_EQ(ask("Hg2"), "OK");
  EXPECT_NE(ask("g"), "E01");
  feed(frame('$', "vCont;t:1"));
  const std::string answer = take_answer();
  EXPECT_TRUE(answer.starts_with("Stop:T00")) << answer;
  EXPECT_TRUE(answer.ends_with("OK")) << answer;
}

TEST_F(GdbServerTest, ObjectsComeInPieces) {
  const std::string piece = ask("qXfer:features:read:target.xml:0,1000");
  EXPECT_EQ(piece[0], 'l');
  EXPECT_EQ(unescape(piece.substr(1)), target_.description());
  EXPECT_EQ(ask("qXfer:features:read:target.xml:0,4"), "m<tar");
  EXPECT_EQ(ask("qXfer:features:read:target.xml:4,4"), "mget>");
  EXPECT_EQ(ask("qXfer:features:read:other.xml:0,4"), "E00");
  EXPECT_EQ(ask("qXfer:auxv:read::0,4"), "");
  EXPECT_NE(ask("qXfer:threads:read::0,1000").find("name=\"hart1\">VS &lt;1&gt;</thread>"),
            std::string::npos);
}

TEST_F(GdbServerTest, MonitorCommandsAnswerOnTheConsole) {
  EXPECT_EQ(ask("qRcmd," + to_hex("info status")), "O" + to_hex("did info status\n") + " OK");
}

TEST_F(GdbServerTest, DetachingLetsTheMachineGo) {
  ask("Z0,1000,2");
  EXPECT_EQ(ask("D"), "OK");
  EXPECT_TRUE(target_.points.empty());
  EXPECT_TRUE(target_.running[0]);
  EXPECT_FALSE(server_.is_attached());
  EXPECT_EQ(target_.listener, nullptr);
}

TEST_F(GdbServerTest, ALostDebuggerLeavesNoBreakpoint) {
  ask("Z0,1000,2");
  server_.lose();
  EXPECT_TRUE(target_.points.empty());
  EXPECT_FALSE(target_.running[0]);
}

TEST_F(GdbServerTest, TheMachineIsKilledAndRestarted) {
  EXPECT_EQ(ask("!"), "OK");
  EXPECT_EQ(short_stop(ask("vRun;")), "T05 thread:1;");
  EXPECT_EQ(target_.restarts, 1u);
  EXPECT_EQ(ask("vKill;1"), "OK");
  EXPECT_TRUE(target_.is_killed);
  server_.exited(3);
  EXPECT_EQ(take_answer(), "W03");
}

}  // namespace
}  // namespace gstage::gdb
