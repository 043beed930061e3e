// SPDX-License-Identifier: Apache-2.0
// Disks of servers: against a server of the test's own, which also lies and goes away.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "io/block/graph.h"
#include "io/block/nbd/nbd.h"
#include "io/block/options.h"

#include "tests/unit/nbd_server.h"

namespace gstage {
namespace {

using Bytes = std::vector<std::byte>;
using Server = NbdServer;

Bytes filled(std::size_t size, unsigned value) { return Bytes(size, static_cast<std::byte>(value)); }

nbd::Server named(const std::string& name) {
  auto server = nbd::parse_server_name("-drive", name);
  EXPECT_TRUE(server.ok()) << server.error().message;
  return server.ok() ? *server : nbd::Server{};
}

TEST(NbdNames, ServersByUriAndInTheOldForm) {
  EXPECT_EQ(named("nbd://localhost").text(), "nbd://localhost:10809/");
  EXPECT_EQ(named("nbd://h:99/a%20b").export_name, "a b");
  EXPECT_EQ(named("nbd://h:99/a/b").export_name, "a/b");
  EXPECT_EQ(named("nbd://[::1]:99/x").host, "::1");
  EXPECT_EQ(named("nbd://[::1]:99/x").text(), "nbd://[::1]:99/x");
  EXPECT_EQ(named("nbd+unix:///x?socket=/run/a%2Fb").path, "/run/a/b");
  EXPECT_EQ(named("nbd+unix:///x?socket=/run/s").export_name, "x");
  EXPECT_EQ(named("nbd+unix://?socket=s").text(), "nbd+unix:///?socket=s");
  EXPECT_EQ(named("nbd:h:99").text(), "nbd://h:99/");
  EXPECT_EQ(named("nbd:h:99:exportname=a:b").export_name, "a:b");
  EXPECT_EQ(named("nbd:unix:/run/s:exportname=x").text(), "nbd+unix:///x?socket=/run/s");
  for (const char* const file : {"disk.nbd", "./nbd:x", "/nbd://x", "nbd"})
    EXPECT_FALSE(nbd::is_server_name(file)) << file;
}

TEST(NbdNames, OthersAreRefused) {
  for (const char* const name : {"nbd:",
                                 "nbd:host",
                                 "nbd:h:",
                                 "nbd:h:0",
                                 "nbd:h:65536",
                                 "nbd:h:99999999999",
                                 "nbd:h:1x",
                                 "nbd://",
                                 "nbd:///x",
                                 "nbd://h:x/",
                                 "nbd://[::1/x",
                                 "nbd://[::1]x/",
                                 "nbd://h/x?socket=s",
                                 "nbd://h/%4",
                                 "nbd://h/%zz",
                                 "nbd+unix:///x",
                                 "nbd+unix://h/x?socket=s",
                                 "nbd+unix:///x?socket=",
                                 "nbd:unix:",
                                 "nbd+frob://h",
                                 "nbds://h/x"}) {
    EXPECT_TRUE(nbd::is_server_name(name)) << name;
    EXPECT_FALSE(nbd::parse_server_name("-drive", name).ok()) << name;
  }
}

class NbdTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!nbd::is_built_in()) GTEST_SKIP() << "built without libnbd";
    server_.start();
    auto opened = open();
    if (!opened.ok() && opened.error().message.find("is not there") != std::string::npos)
      GTEST_SKIP() << opened.error().message;
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    file_ = opened->file;
  }

  Result<nbd::Opened> open(unsigned reconnect_delay_s = 0, const char* name = "disk") {
    nbd::Setup setup;
    setup.name = "server";
    setup.export_name = name;
    auto connect = nbd::make_connector({server_.path(), "", 0, ""});
    EXPECT_TRUE(connect.ok());
    setup.connect = *connect;
    setup.can_unmap = true;
    setup.reconnect_delay_s = reconnect_delay_s;
    setup.connect_timeout_s = 1;
    setup.silence_timeout_ms = 200;
    return nbd::open(std::move(setup));
  }
  /// Opens it anew after something about the server changed.
  void reopen(unsigned reconnect_delay_s = 0) {
    file_ = nullptr;
    auto opened = open(reconnect_delay_s);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    file_ = opened->file;
  }
  std::string refusal() {
    file_ = nullptr;
    auto opened = open();
    return opened.ok() ? "" : opened.error().message;
  }
  unsigned byte_at(std::uint64_t offset) {
    Bytes one(1);
    EXPECT_EQ(file_->read(offset, one), 0);
    return static_cast<unsigned>(one[0]);
  }

  static constexpr std::size_t kSize = 256 << 10;
  Server server_{kSize};
  std::shared_ptr<BlockFile> file_;
};

TEST_F(NbdTest, ReadsAndWritesAnyBytes) {
  EXPECT_EQ(file_->size(), kSize);
  EXPECT_EQ(file_->write(1000, filled(3000, 7)), 0);
  EXPECT_EQ(server_.bytes[999], std::byte{0});
  EXPECT_EQ(server_.bytes[1000], std::byte{7});
  EXPECT_EQ(server_.bytes[3999], std::byte{7});
  EXPECT_EQ(byte_at(3999), 7u);
  EXPECT_EQ(byte_at(4000), 0u);
}

TEST_F(NbdTest, BeyondTheEndAreZerosAndNoRoom) {
  EXPECT_EQ(file_->write(kSize - 512, filled(512, 9)), 0);
  Bytes got = filled(1024, 1);
  EXPECT_EQ(file_->read(kSize - 512, got), 0);
  EXPECT_EQ(got[511], std::byte{9});
  EXPECT_EQ(got[512], std::byte{0});
  EXPECT_EQ(file_->read(kSize + 5, got), 0);
  EXPECT_EQ(got[0], std::byte{0});
  EXPECT_EQ(file_->write(kSize - 511, filled(512, 9)), ENOSPC);
  EXPECT_EQ(file_->write_zeroes(kSize, 1), ENOSPC);
  EXPECT_EQ(file_->resize(kSize), 0);
  EXPECT_EQ(file_->resize(kSize + 1), ENOSPC);
}

TEST_F(NbdTest, FlushTrimAndZeroAreRequestsOfTheirOwn) {
  EXPECT_EQ(file_->sync(), 0);
  EXPECT_EQ(server_.count(Server::kFlush), 0u) << "nothing was written";
  EXPECT_EQ(file_->write(0, filled(4096, 5)), 0);
  EXPECT_EQ(file_->sync(), 0);
  EXPECT_EQ(server_.count(Server::kFlush), 1u);
  EXPECT_EQ(file_->write_zeroes(1024, 1024), 0);
  EXPECT_EQ(server_.count(Server::kZero), 1u);
  EXPECT_EQ(server_.bytes[1023], std::byte{5});
  EXPECT_EQ(server_.bytes[1024], std::byte{0});
  EXPECT_EQ(file_->discard(4096, 8192), 0);
  const auto trim = server_.requests().back();
  EXPECT_EQ(trim.type, Server::kTrim);
  EXPECT_EQ(trim.offset, 4096u);
  EXPECT_EQ(trim.size, 8192u);
  EXPECT_EQ(trim.flags & Server::kFua, 0);
}

TEST_F(NbdTest, WhatAServerCannotDoIsDoneOtherwise) {
  server_.flags = Server::kHasFlags | Server::kSendFua;
  reopen();
  EXPECT_EQ(file_->write(0, filled(4096, 5)), 0);
  EXPECT_EQ(server_.requests().back().flags & Server::kFua, Server::kFua) << "it cannot flush";
  EXPECT_EQ(file_->sync(), 0);
  EXPECT_EQ(file_->write_zeroes(100, 200), 0);
  EXPECT_EQ(server_.bytes[99], std::byte{5});
  EXPECT_EQ(server_.bytes[100], std::byte{0});
  EXPECT_EQ(server_.bytes[300], std::byte{5});
  EXPECT_EQ(file_->discard(0, 4096), 0);
  for (const Server::Command none : {Server::kFlush, Server::kZero, Server::kTrim})
    EXPECT_EQ(server_.count(none), 0u);
}

TEST_F(NbdTest, BlocksOfTheServerAreKeptWhole) {
  server_.least_block = 512;
  server_.most_block = 4096;
  reopen();
  std::fill(server_.bytes.begin(), server_.bytes.end(), std::byte{1});
  EXPECT_EQ(file_->write(700, filled(10'000, 2)), 0);
  EXPECT_EQ(server_.bytes[699], std::byte{1});
  EXPECT_EQ(server_.bytes[700], std::byte{2});
  EXPECT_EQ(server_.bytes[10'699], std::byte{2});
  EXPECT_EQ(server_.bytes[10'700], std::byte{1});
  EXPECT_EQ(byte_at(701), 2u);
  EXPECT_EQ(file_->write_zeroes(1000, 100), 0);
  EXPECT_EQ(server_.bytes[999], std::byte{2});
  EXPECT_EQ(server_.bytes[1000], std::byte{0});
  EXPECT_EQ(server_.bytes[1100], std::byte{2});
  EXPECT_EQ(file_->discard(100, 1500), 0);
  for (const Server::Request& request : server_.requests()) {
    EXPECT_EQ(request.offset % 512, 0u);
    EXPECT_EQ(request.size % 512, 0u);
    EXPECT_LE(request.size, 4096u);
  }
}

TEST_F(NbdTest, ErrorsOfTheServerAreErrors) {
  constexpr std::uint32_t kNoSpace = 28;
  server_.error = kNoSpace;
  EXPECT_EQ(file_->write(0, filled(512, 1)), ENOSPC);
  Bytes got(512);
  EXPECT_EQ(file_->read(0, got), ENOSPC);
  server_.error = 5;
  EXPECT_EQ(file_->write(0, filled(512, 1)), EIO);
  server_.error = 0;
  EXPECT_EQ(file_->write(0, filled(512, 1)), 0);
  EXPECT_EQ(server_.connections, 1u) << "the connection is as it was";
}

TEST_F(NbdTest, AServerThatGoesAwayIsAnErrorAndOneThatComesBackIsUsed) {
  EXPECT_EQ(file_->write(0, filled(512, 3)), 0);
  server_.stop();
  Bytes got(512);
  EXPECT_EQ(file_->read(0, got), EIO);
  EXPECT_EQ(file_->write(0, filled(512, 4)), EIO);
  EXPECT_EQ(file_->sync(), EIO);
  server_.start();
  EXPECT_EQ(file_->read(0, got), 0);
  EXPECT_EQ(got[0], std::byte{3});
  EXPECT_EQ(file_->sync(), EIO) << "what was not flushed may be lost";
  EXPECT_EQ(file_->sync(), 0);
}

TEST_F(NbdTest, ARequestWhoseAnswerIsLostIsAskedAgain) {
  server_.hangs_up_after = 1;
  reopen();
  EXPECT_EQ(file_->write(0, filled(512, 3)), 0);
  EXPECT_EQ(file_->write(512, filled(512, 4)), 0);
  EXPECT_EQ(server_.bytes[512], std::byte{4});
  EXPECT_GE(server_.connections, 3u);
}

TEST_F(NbdTest, RequestsWaitForAServerThatComesBackInTime) {
  reopen(60);
  server_.stop();
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    server_.start();
  });
  EXPECT_EQ(file_->write(0, filled(512, 3)), 0);
  later.join();
  EXPECT_EQ(server_.bytes[0], std::byte{3});
}

TEST_F(NbdTest, ASilentServerIsGone) {
  server_.is_silent = true;
  Bytes got(512);
  EXPECT_EQ(file_->read(0, got), EIO);
  server_.is_silent = false;
  EXPECT_EQ(file_->read(0, got), 0);
}

TEST_F(NbdTest, AnswersToNobodysQuestionEndTheConnection) {
  server_.wrong_cookie = 1;
  Bytes got(512);
  EXPECT_EQ(file_->read(0, got), EIO);
  server_.wrong_cookie = 0;
  EXPECT_EQ(file_->read(0, got), 0);
}

TEST_F(NbdTest, AnotherDiskInPlaceOfTheFirstIsNotUsed) {
  server_.hangs_up_after = 0;
  reopen();
  while (server_.ended != server_.connections) std::this_thread::yield();
  server_.hangs_up_after = -1;
  server_.told_size = 4096;
  Bytes got(512);
  EXPECT_EQ(file_->read(0, got), EIO);
  server_.told_size = kSize;
  EXPECT_EQ(file_->read(0, got), 0);
}

TEST_F(NbdTest, WhatCannotBeIsRefused) {
  file_ = nullptr;
  EXPECT_FALSE(open(0, "nothing").ok()) << "there is no such export";
  server_.told_size = std::uint64_t{1} << 63;
  EXPECT_NE(refusal(), "");
  server_.told_size = kSize + 1;
  server_.least_block = 512;
  EXPECT_NE(refusal(), "") << "no whole blocks";
  server_.told_size = kSize;
  EXPECT_EQ(refusal(), "");
  server_.stop();
  EXPECT_NE(refusal(), "");
}

TEST_F(NbdTest, ANodeOfTheGraph) {
  file_ = nullptr;
  const auto node = [&](const std::vector<Property>& more) {
    std::vector<Property> properties{{"driver", "nbd"},
                                     {"node-name", "n"},
                                     {"server.type", "unix"},
                                     {"server.path", server_.path()},
                                     {"export", "disk"}};
    properties.insert(properties.end(), more.begin(), more.end());
    auto options = read_block_options("-blockdev", properties);
    EXPECT_TRUE(options.ok()) << options.error().message;
    return *options;
  };
  {
    BlockGraph graph;
    ASSERT_TRUE(graph.add(node({})).ok());
    auto used = graph.use("x", "n", false);
    ASSERT_TRUE(used.ok());
    EXPECT_EQ(used->disk->size(), kSize);
    EXPECT_EQ(used->disk->write(512, filled(512, 6)), 0);
    EXPECT_EQ(used->disk->flush(), 0);
    EXPECT_EQ(server_.count(Server::kFlush), 1u);
  }
  server_.flags = Server::kHasFlags | Server::kReadOnly;
  BlockGraph graph;
  const Status refused = graph.add(node({}));
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("can only be read"), std::string::npos);
  ASSERT_TRUE(graph.add(node({{"read-only", "on"}})).ok());
  EXPECT_TRUE(graph.use("x", "n", false)->disk->is_read_only());
}

TEST(NbdOptions, AServerHasAPathOrAHost) {
  const auto misread = [](std::vector<Property> properties) {
    properties.push_back({"driver", "nbd"});
    auto options = read_block_options("-blockdev", properties);
    return options.ok() ? "" : options.error().message;
  };
  EXPECT_EQ(misread({{"host", "h"}, {"port", "99"}}), "");
  EXPECT_EQ(misread({{"server.type", "unix"}, {"server.path", "p"}}), "");
  EXPECT_NE(misread({}).find("needs its server"), std::string::npos);
  EXPECT_NE(misread({{"server.type", "vsock"}, {"host", "h"}}).find("server.type=vsock"), std::string::npos);
  EXPECT_NE(misread({{"server.type", "inet"}, {"server.path", "p"}}).find("needs its server"),
            std::string::npos);
  EXPECT_NE(misread({{"host", "h"}, {"path", "p"}}).find("leave out one"), std::string::npos);
  EXPECT_NE(misread({{"host", "h"}, {"port", "0"}}).find("port"), std::string::npos);
  EXPECT_NE(misread({{"host", "h"}, {"tls-creds", "t"}}).find("not supported yet"), std::string::npos);
  EXPECT_NE(misread({{"host", "h"}, {"filename", "f"}}).find("filename"), std::string::npos);
}

}  // namespace
}  // namespace gstage
