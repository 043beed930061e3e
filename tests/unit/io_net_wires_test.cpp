// SPDX-License-Identifier: Apache-2.0
// Networks that lead from one device to another: sockets, hubs, and what is written of them.
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "softmmu/base/format.h"
#include "io/net/dgram.h"
#include "io/net/dump.h"
#include "io/net/hub.h"
#include "io/net/stream.h"

namespace gstage {
namespace {

using Bytes = std::vector<std::uint8_t>;

template <class Condition>
bool eventually(Condition&& condition) {
  for (int i = 0; i < 2000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

/// A device at a network's end.
class Card final : public NetPeer {
 public:
  explicit Card(std::shared_ptr<NetBackend> network) : network_(std::move(network)) {
    queue().attach(this);
    queue().loop().wake();
  }
  ~Card() override { queue().attach(nullptr); }
  Card(const Card&) = delete;
  Card& operator=(const Card&) = delete;

  bool send(Bytes frame) {
    bool is_taken = false;
    queue().loop().synchronize([&] {
      const iovec part{frame.data(), frame.size()};
      is_taken = queue().send({{&part, 1}, frame.size(), {}});
    });
    queue().loop().wake();
    return is_taken;
  }
  std::vector<Bytes> received() {
    std::vector<Bytes> copy;
    queue().loop().synchronize([&] { copy = received_; });
    return copy;
  }
  void set_full(bool is_full) {
    queue().loop().synchronize([&] {
      is_full_ = is_full;
      if (!is_full) queue().ready();
    });
  }
  unsigned refused() {
    unsigned count = 0;
    queue().loop().synchronize([&] { count = refused_; });
    return count;
  }

 private:
  NetQueue& queue() { return network_->queue(0); }
  bool deliver(const NetFrame& frame) override {
    if (is_full_) return ++refused_, false;
    Bytes bytes(frame.size);
    copy_frame(frame, 0, bytes);
    received_.push_back(std::move(bytes));
    return true;
  }
  void ready() override {}

  std::shared_ptr<NetBackend> network_;
  std::vector<Bytes> received_;
  unsigned refused_ = 0;
  bool is_full_ = false;
};

Bytes frame(std::size_t size, std::uint8_t seed = 1) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * seed + i / 256);
  return bytes;
}

std::shared_ptr<NetBackend> stream_on(int fd) {
  StreamNetOptions options;
  options.id = "s";
  options.address.fd = fd;
  auto net = make_stream_net(options);
  EXPECT_TRUE(net.ok());
  return *net;
}

class StreamPair : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_), 0); }
  int ends_[2] = {-1, -1};
};

TEST_F(StreamPair, FramesCrossWholeAndInOrder) {
  Card a(stream_on(ends_[0]));
  Card b(stream_on(ends_[1]));
  for (const std::size_t size : {60, 1514, 14, 65553}) {
    EXPECT_TRUE(eventually([&] { return a.send(frame(size)); }));
  }
  EXPECT_TRUE(b.send(frame(100, 3)));
  ASSERT_TRUE(eventually([&] { return b.received().size() == 4; }));
  EXPECT_EQ(b.received()[1], frame(1514));
  EXPECT_EQ(b.received()[3], frame(65553));
  ASSERT_TRUE(eventually([&] { return a.received().size() == 1; }));
  EXPECT_EQ(a.received()[0], frame(100, 3));
}

TEST_F(StreamPair, AFrameInPiecesIsOne) {
  Card a(stream_on(ends_[0]));
  const Bytes sent{0, 0, 0, 20};
  Bytes all = sent;
  const Bytes body = frame(20);
  all.insert(all.end(), body.begin(), body.end());
  for (const std::uint8_t byte : all) {
    ASSERT_EQ(write(ends_[1], &byte, 1), 1);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ASSERT_TRUE(eventually([&] { return a.received().size() == 1; }));
  EXPECT_EQ(a.received()[0], body);
  close(ends_[1]);
}

TEST_F(StreamPair, ALengthThatNoFrameHasEndsTheConnection) {
  for (const std::uint32_t length : {0u, 65554u, 0x7fffffffu, 0xffffffffu}) {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    Card a(stream_on(ends[0]));
    const std::uint32_t bytes[2] = {htonl(length), 0};
    ASSERT_EQ(write(ends[1], bytes, sizeof bytes), static_cast<ssize_t>(sizeof bytes));
    char byte = 0;
    EXPECT_TRUE(eventually([&] { return read(ends[1], &byte, 1) == 0 || errno == ECONNRESET; })) << length;
    EXPECT_TRUE(a.send(frame(60))) << "frames are lost from then on";
    EXPECT_TRUE(a.received().empty());
    close(ends[1]);
  }
  close(ends_[0]);
  close(ends_[1]);
}

TEST_F(StreamPair, APeerThatReadsNothingHoldsFramesBack) {
  Card a(stream_on(ends_[0]));
  unsigned taken = 0;
  while (taken < 10000 && a.send(frame(1514))) ++taken;
  EXPECT_LT(taken, 10000u) << "memory would grow";
  Card b(stream_on(ends_[1]));
  EXPECT_TRUE(eventually([&] { return b.received().size() == taken; }));
  EXPECT_TRUE(eventually([&] { return a.send(frame(60)); }));
}

TEST_F(StreamPair, ADeviceWithoutRoomHoldsThePeerBack) {
  Card a(stream_on(ends_[0]));
  Card b(stream_on(ends_[1]));
  b.set_full(true);
  EXPECT_TRUE(a.send(frame(60)));
  EXPECT_TRUE(a.send(frame(70)));
  EXPECT_TRUE(eventually([&] { return b.refused() == 1; }));
  b.set_full(false);
  ASSERT_TRUE(eventually([&] { return b.received().size() == 2; }));
  EXPECT_EQ(b.received()[0].size(), 60u);
}

class StreamServer : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + format("gstage-wire-%d.sock", getpid());
    unlink(path_.c_str());
  }
  void TearDown() override { unlink(path_.c_str()); }
  std::shared_ptr<NetBackend> make(bool is_server, std::uint32_t reconnect_ms) {
    StreamNetOptions options;
    options.id = is_server ? "server" : "client";
    options.address = *local_address("test", path_);
    options.is_server = is_server;
    options.reconnect_ms = reconnect_ms;
    auto net = make_stream_net(options);
    return net.ok() ? *net : nullptr;
  }
  std::string path_;
};

TEST_F(StreamServer, ASocketInTheFileSystemIsTheUsersAlone) {
  Card server(make(true, 0));
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  Card client(make(false, 0));
  EXPECT_TRUE(eventually([&] { return client.send(frame(60)) && !server.received().empty(); }));
}

TEST_F(StreamServer, AClientThatMayReconnectFindsALaterServer) {
  EXPECT_EQ(make(false, 0), nullptr) << "there is no server";
  Card client(make(false, 10));
  for (int i = 0; i < 2; ++i) {
    Card server(make(true, 0));
    EXPECT_TRUE(eventually([&] { return client.send(frame(60)) && !server.received().empty(); })) << i;
  }
}

TEST(StreamRefusal, AClientWithOneTrySaysThatThereIsNoServer) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  StreamNetOptions options;
  options.id = "c";
  options.address = *internet_address("test", "127.0.0.1", "0");
  ASSERT_EQ(bind(fd, &options.address.any, options.address.size), 0);
  ASSERT_EQ(getsockname(fd, &options.address.any, &options.address.size), 0);
  const auto refused = make_stream_net(options);  // bound, but nobody listens
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("start the other side first"), std::string::npos);
  close(fd);
}

TEST(DgramNet, FramesCrossBetweenTwoPorts) {
  const auto address = [](const std::string& port) { return *internet_address("test", "127.0.0.1", port); };
  // Ports that the kernel finds free.
  std::string ports[2];
  for (std::string& port : ports) {
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    NetAddress any = address("0");
    ASSERT_EQ(bind(fd, &any.any, any.size), 0);
    ASSERT_EQ(getsockname(fd, &any.any, &any.size), 0);
    port = std::to_string(ntohs(any.ipv4.sin_port));
    close(fd);
  }
  const auto make = [&](int local) {
    DgramNetOptions options;
    options.id = "d";
    options.local = address(ports[local]);
    options.remote = address(ports[1 - local]);
    return *make_dgram_net(options);
  };
  Card a(make(0));
  Card b(make(1));
  EXPECT_TRUE(a.send(frame(1514)));
  EXPECT_TRUE(b.send(frame(60)));
  ASSERT_TRUE(eventually([&] { return a.received().size() == 1 && b.received().size() == 1; }));
  EXPECT_EQ(b.received()[0], frame(1514));
  // Nobody else gets in.
  const int stranger = socket(AF_INET, SOCK_DGRAM, 0);
  const NetAddress target = address(ports[0]);
  EXPECT_EQ(sendto(stranger, "0123456789abcdef", 16, 0, &target.any, target.size), 16);
  close(stranger);
  EXPECT_TRUE(b.send(frame(61)));
  ASSERT_TRUE(eventually([&] { return a.received().size() == 2; }));
  EXPECT_EQ(a.received()[1].size(), 61u);
}

TEST(HubTest, AFrameGoesToAllOtherPorts) {
  Card a(*make_hub_port("a", 7, nullptr));
  Card b(*make_hub_port("b", 7, nullptr));
  Card elsewhere(*make_hub_port("c", 8, nullptr));
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  const auto uplink = *make_hub_port("d", 7, stream_on(ends[0]));
  uplink->queue(0).loop().wake();
  Card far(stream_on(ends[1]));
  EXPECT_TRUE(a.send(frame(60)));
  ASSERT_TRUE(eventually([&] { return b.received().size() == 1 && far.received().size() == 1; }));
  EXPECT_TRUE(far.send(frame(70)));
  ASSERT_TRUE(eventually([&] { return a.received().size() == 1 && b.received().size() == 2; }));
  EXPECT_EQ(far.received().size(), 1u) << "not back to where it came from";
  EXPECT_TRUE(elsewhere.received().empty());
}

TEST(HubTest, APortThatTakesNothingLosesFramesAndHoldsNobodyBack) {
  Card a(*make_hub_port("a", 9, nullptr));
  Card b(*make_hub_port("b", 9, nullptr));
  b.set_full(true);
  for (int i = 0; i < 3000; ++i) ASSERT_TRUE(a.send(frame(60)));
  b.set_full(false);
  EXPECT_TRUE(eventually([&] { return b.received().size() >= 1024; }));
  EXPECT_LT(b.received().size(), 3000u);
}

TEST(DumpTest, WritesWhatGoesEitherWayInThePcapFormat) {
  const std::string path = testing::TempDir() + format("gstage-dump-%d.pcap", getpid());
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  {
    const auto net = stream_on(ends[0]);
    net->add_observer(*NetDump::open(path, 64));
    Card a(net);
    Card b(stream_on(ends[1]));
    EXPECT_TRUE(a.send(frame(60)));
    EXPECT_TRUE(eventually([&] { return b.received().size() == 1; }));
    EXPECT_TRUE(b.send(frame(100)));
    EXPECT_TRUE(eventually([&] { return a.received().size() == 1; }));
  }
  std::ifstream file(path, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const auto word = [&](std::size_t at) {
    std::uint32_t value = 0;
    std::memcpy(&value, text.data() + at, sizeof value);
    return value;
  };
  ASSERT_EQ(text.size(), 24u + 16 + 60 + 16 + 64);
  EXPECT_EQ(word(0), 0xa1b2c3d4u);
  EXPECT_EQ(word(4), 0x00040002u);
  EXPECT_EQ(word(16), 64u) << "the most that is kept";
  EXPECT_EQ(word(20), 1u) << "Ethernet";
  EXPECT_EQ(word(24 + 8), 60u);
  EXPECT_EQ(word(24 + 12), 60u);
  EXPECT_EQ(word(100 + 8), 64u) << "kept";
  EXPECT_EQ(word(100 + 12), 100u) << "of so many";
  unlink(path.c_str());
  EXPECT_FALSE(NetDump::open("/nonexistent/x", 64).ok());
}

}  // namespace
}  // namespace gstage
