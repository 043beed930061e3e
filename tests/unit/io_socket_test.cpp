// SPDX-License-Identifier: Apache-2.0
// Back ends that somebody connects to, and the short forms that name them.
#include <chrono>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include <fcntl.h>
#include <glib.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "softmmu/base/format.h"
#include "io/chardev_kinds.h"
#include "io/ringbuf.h"
#include "io/socket_address.h"
#include "io/telnet.h"

#include "tests/unit/io_loop.h"

namespace gstage {
namespace {

struct Device {
  std::string got;
  std::size_t room = 1 << 20;
  void listen(Chardev& chardev) {
    chardev.attach(
        [this](std::span<const std::uint8_t> bytes) {
          EXPECT_LE(bytes.size(), room);
          got.append(bytes.begin(), bytes.end());
          room -= bytes.size();
        },
        [this] { return room; });
  }
};

std::string temporary(const char* name) {
  return ::testing::TempDir() + format("gstage-%d-%s", getpid(), name);
}

std::shared_ptr<Chardev> make(const std::string& text) {
  auto chardev = make_chardev(text, "serial0");
  EXPECT_TRUE(chardev.ok()) << text << ": " << chardev.error().message;
  return chardev.ok() ? *chardev : nullptr;
}

/// A program of the host at the far end.
struct Peer {
  int fd = -1;
  explicit Peer(int descriptor) : fd(descriptor) {}
  ~Peer() { hang_up(); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void hang_up() {
    if (fd >= 0) close(fd);
    fd = -1;
  }
  void send(const std::string& text) const {
    ASSERT_EQ(::send(fd, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  /// What is there once it is `size` bytes, turning the loop meanwhile.
  [[nodiscard]] std::string receive(std::size_t size) const {
    std::string got;
    turn_until([&] {
      char buffer[65536];
      const ssize_t n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
      if (n > 0) got.append(buffer, static_cast<std::size_t>(n));
      return n == 0 || got.size() >= size;
    });
    return got;
  }
};

int connect_path(const std::string& path) {
  auto address = unix_address(path);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(connect(fd, address->raw(), address->length), 0) << path;
  return fd;
}

/// The address in "tcp:127.0.0.1:4321,server=on".
std::string port_of(const Chardev& chardev) {
  const std::string name = chardev.describe();
  const std::size_t end = std::min(name.find(','), name.size());
  const std::size_t colon = name.rfind(':', end);
  return name.substr(colon + 1, end - colon - 1);
}

TEST(ChardevShort, FormsBecomeTheLongOne) {
  const std::pair<const char*, const char*> forms[] = {
      {"tcp:localhost:4321,server,nowait", "socket host=localhost port=4321 server=on wait=off"},
      {"tcp::4321,server=on,wait=off,nodelay", "socket port=4321 server=on wait=off delay=off"},
      {"tcp:[::1]:80", "socket host=::1 port=80"},
      {"telnet:127.0.0.1:5,server=on", "socket host=127.0.0.1 port=5 server=on telnet=on"},
      {"unix:/tmp/a=b,server,wait=off", "socket path=/tmp/a=b server=on wait=off"},
      {"udp:far:1", "udp host=far port=1"},
      {"udp::1@:2", "udp port=1 localport=2"},
      {"udp:far:1@near:2", "udp host=far port=1 localaddr=near localport=2"},
      {"pipe:/tmp/p", "pipe path=/tmp/p"},
      {"file:a,b", "file path=a,b"},
      {"/dev/ttyS0", "serial path=/dev/ttyS0"},
      {"pty", "pty"},
      {"pty:link", "pty path=link"},
      {"vc:80Cx24C", "vc"},
      {"none", "null"},
      {"stdio,signal=off", "stdio signal=off"},
      {"mon:stdio", "stdio mux=on"},
      {"mon:telnet::1,server,nowait", "socket port=1 server=on wait=off telnet=on mux=on"},
  };
  for (const auto& [text, expected] : forms) {
    auto options = parse_chardev("serial0", text);
    ASSERT_TRUE(options.ok()) << text;
    const Status status = check_chardev("serial0", *options);
    ASSERT_TRUE(status.ok()) << text << ": " << status.error().message;
    std::string got = options->driver;
    for (const Property& p : options->properties) got += " " + p.name + "=" + p.value;
    EXPECT_EQ(got, expected) << text;
  }
}

TEST(ChardevShort, RefusalsNameWhatIsWrong) {
  const std::pair<const char*, const char*> refusals[] = {
      {"tcp:127.0.0.1", "HOST:PORT"},
      {"tcp:localhost:70000,server,nowait", "70000"},
      {"tcp:localhost:1,nowait", "wait="},
      {"tcp:localhost:0,server,nowait,reconnect=1", "does not reconnect"},
      {"tcp:localhost:1,colour=red", "'colour'"},
      {"tcp:localhost:1,server=perhaps", "perhaps"},
      {"websocket:localhost:1,server", "websocket= is not supported yet"},
      {"unix:,server", "at least one"},
      {"unix:/nonexistent/s,server,nowait", "/nonexistent/s"},
      {"udp:7", "HOST:PORT"},
      {"udp:here:", "no port"},
      {"pipe:/nonexistent/p", "mkfifo /nonexistent/p.in"},
      {"/dev/nonexistent", "/dev/nonexistent"},
      {"serial:/etc/passwd", "no serial line"},
      {"/dev/parport0", "'parport' is not supported yet"},
      {"ringbuf,size=3", "power of two"},
      {"socket,fd=1000", "fd=1000"},
      {"socket,host=a", "port="},
      {"file", "path="},
      {"stdoi", "unknown"},
  };
  for (const auto& [text, words] : refusals) {
    const auto made = make_chardev(text, "serial0");
    ASSERT_FALSE(made.ok()) << text;
    EXPECT_NE(made.error().message.find(words), std::string::npos) << text << ": " << made.error().message;
    EXPECT_TRUE(made.error().message.starts_with("serial0")) << made.error().message;
  }
}

TEST(SocketChardev, NobodyListensToAServerWithoutWaiting) {
  const auto server = make("tcp::0,server=on,wait=off");
  EXPECT_TRUE(server->describe().starts_with("disconnected:tcp:127.0.0.1:")) << "loopback unless told";
  server->write(bytes_of(std::string(1 << 20, 'x')));
  Device uart;
  uart.listen(*server);
  auto address = look_up({"127.0.0.1", port_of(*server)});
  ASSERT_TRUE(address.ok());
  const Peer peer(socket(AF_INET, SOCK_STREAM, 0));
  ASSERT_EQ(connect(peer.fd, address->front().raw(), address->front().length), 0);
  ASSERT_TRUE(turn_until([&] { return server->describe().starts_with("tcp:"); }));
  EXPECT_NE(server->describe().find(",server=on <-> 127.0.0.1:"), std::string::npos);
  server->write(bytes_of("hello"));
  EXPECT_EQ(peer.receive(5), "hello") << "what was written before went nowhere";
  peer.send("typed");
  EXPECT_TRUE(turn_until([&] { return uart.got == "typed"; }));
}

TEST(SocketChardev, ClientsOfAServerComeAndGo) {
  const std::string path = temporary("comes");
  const auto server = make("unix:" + path + ",server,nowait");
  struct stat status;
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u) << "for its owner alone";
  Device uart;
  uart.listen(*server);
  int connections = 0;
  EXPECT_TRUE(server->on_focus([&] { ++connections; }));
  for (int round = 1; round <= 3; ++round) {
    Peer peer(connect_path(path));
    ASSERT_TRUE(turn_until([&] { return connections == round; }));
    server->write(bytes_of("round"));
    EXPECT_EQ(peer.receive(5), "round");
    peer.send("x");
    ASSERT_TRUE(turn_until([&] { return uart.got.size() == static_cast<std::size_t>(round); }));
    peer.hang_up();
    ASSERT_TRUE(turn_until([&] { return server->describe().starts_with("disconnected:"); }));
  }
}

TEST(SocketChardev, TheFileOfAnEarlierServerIsReplacedAndNoOther) {
  const std::string path = temporary("stale");
  auto address = unix_address(path);
  const int old = socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(bind(old, address->raw(), address->length), 0);
  close(old);
  make("unix:" + path + ",server,nowait");
  EXPECT_NE(access(path.c_str(), F_OK), 0) << "and goes with it";
  std::ofstream(path) << "precious";
  EXPECT_FALSE(make_chardev("unix:" + path + ",server,nowait", "serial0").ok());
  EXPECT_EQ(access(path.c_str(), F_OK), 0);
  unlink(path.c_str());
}

TEST(SocketChardev, AClientThatDoesNotReadCostsItsPatienceOnce) {
  const std::string path = temporary("stuck");
  const auto server = make("unix:" + path + ",server,nowait");
  const Peer peer(connect_path(path));
  ASSERT_TRUE(turn_until([&] { return !server->describe().starts_with("disconnected:"); }));
  // Waiting each time would take longer than any test may.
  for (int i = 0; i < 20000; ++i) server->write(bytes_of(std::string(1000, 'x')));
  const std::size_t kept = peer.receive(1).size();
  EXPECT_GT(kept, 0u);
  server->write(bytes_of("again"));
  std::string rest;
  while (!rest.ends_with("again")) {
    const std::string more = peer.receive(1);
    ASSERT_FALSE(more.empty()) << "once it reads, it gets what is written from then on";
    rest += more;
  }
}

TEST(SocketChardev, ASlowClientGetsEverything) {
  const std::string path = temporary("slow");
  const auto server = make("unix:" + path + ",server,nowait");
  const Peer peer(connect_path(path));
  ASSERT_TRUE(turn_until([&] { return !server->describe().starts_with("disconnected:"); }));
  constexpr std::size_t kSize = 4 << 20;
  std::thread writer([&] {
    for (std::size_t at = 0; at < kSize; at += 1 << 12) server->write(bytes_of(std::string(1 << 12, 'x')));
  });
  EXPECT_EQ(peer.receive(kSize).size(), kSize);
  writer.join();
}

TEST(SocketChardev, AClientComesBackAndOneThatMayNotIsRefused) {
  const std::string path = temporary("reconnect");
  const auto refused = make_chardev("unix:" + path, "serial0");
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("reconnect-ms="), std::string::npos);
  const auto client = make("unix:" + path + ",reconnect-ms=1");
  EXPECT_TRUE(client->describe().starts_with("disconnected:")) << "nobody is there, which is no error";
  for (int round = 0; round < 2; ++round) {
    auto server = make("unix:" + path + ",server,nowait");
    Device uart;
    uart.listen(*client);
    ASSERT_TRUE(turn_until([&] { return !server->describe().starts_with("disconnected:"); }));
    server->write(bytes_of("round"));
    EXPECT_TRUE(turn_until([&] { return uart.got == "round"; })) << uart.got;
    server.reset();
    EXPECT_TRUE(turn_until([&] { return client->describe().starts_with("disconnected:"); }));
    client->attach(nullptr, nullptr);
  }
}

TEST(SocketChardev, AServerThatWaitsEndsWithTheProgram) {
  ::testing::internal::CaptureStderr();
  ChardevHost host;
  int asked = 0;
  host.is_quitting = [&] {
    g_main_context_wakeup(nullptr);
    return ++asked == 3;
  };
  const auto server = make_chardev("tcp:127.0.0.1:0,server", "serial0", host);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_FALSE(server.ok());
  EXPECT_NE(said.find("serial0: waiting for connection on: disconnected:tcp:127.0.0.1:"), std::string::npos);
}

TEST(SocketChardev, AnInheritedDescriptorIsUsed) {
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  const Peer peer(pair[1]);
  const auto client = make(format("socket,fd=%d", pair[0]));
  client->write(bytes_of("hello"));
  EXPECT_EQ(peer.receive(5), "hello");
  const auto server = make_chardev(format("socket,fd=%d,server=on", pair[1]), "serial0");
  ASSERT_FALSE(server.ok());
  EXPECT_NE(server.error().message.find("server=off"), std::string::npos);
}

TEST(UdpChardev, ADatagramIsDeliveredPieceByPiece) {
  const Peer writer(socket(AF_INET, SOCK_DGRAM, 0));
  SocketAddress from = look_up({"127.0.0.1", "0", SOCK_DGRAM})->front();
  ASSERT_EQ(bind(writer.fd, from.raw(), from.length), 0);
  ASSERT_EQ(getsockname(writer.fd, reinterpret_cast<sockaddr*>(&from.storage), &from.length), 0);
  const auto reader = make(format("udp:127.0.0.1:%u@127.0.0.1:0", unsigned{from.port()}));
  Device uart;
  uart.room = 3;
  uart.listen(*reader);
  reader->write(bytes_of("sent"));
  SocketAddress to;
  to.length = sizeof to.storage;
  char buffer[16] = {};
  ASSERT_EQ(
      recvfrom(writer.fd, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&to.storage), &to.length), 4);
  EXPECT_STREQ(buffer, "sent");
  ASSERT_EQ(connect(writer.fd, to.raw(), to.length), 0);
  writer.send("abcdefgh");
  ASSERT_TRUE(turn_until([&] { return uart.got == "abc"; })) << uart.got;
  for (int i = 0; i < 20; ++i) g_main_context_iteration(nullptr, FALSE);
  EXPECT_FALSE(g_main_context_pending(nullptr)) << "a full device must not keep the loop busy";
  uart.room = 100;
  reader->resume_input();
  ASSERT_TRUE(turn_until([&] { return uart.got == "abcdefgh"; })) << uart.got;
  writer.send("next");
  EXPECT_TRUE(turn_until([&] { return uart.got == "abcdefghnext"; })) << uart.got;
}

TEST(PipeChardev, GuestReadsInAndWritesOut) {
  const std::string path = temporary("pipe");
  ASSERT_EQ(mkfifo((path + ".in").c_str(), 0600), 0);
  ASSERT_EQ(mkfifo((path + ".out").c_str(), 0600), 0);
  {
    const auto pipe = make("pipe:" + path);
    Device uart;
    uart.listen(*pipe);
    const int in = open((path + ".in").c_str(), O_WRONLY | O_NONBLOCK);
    const int out = open((path + ".out").c_str(), O_RDONLY | O_NONBLOCK);
    ASSERT_EQ(write(in, "typed", 5), 5);
    EXPECT_TRUE(turn_until([&] { return uart.got == "typed"; }));
    pipe->write(bytes_of("shown"));
    char buffer[16] = {};
    EXPECT_EQ(read(out, buffer, sizeof buffer), 5);
    // Nobody reads any more: the rest is dropped.
    pipe->write(bytes_of(std::string(1 << 20, 'x')));
    close(in);
    close(out);
  }
  unlink((path + ".in").c_str());
  unlink((path + ".out").c_str());
}

std::string content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(FileChardev, AppendsAndReads) {
  const std::string path = temporary("file");
  const std::string input = temporary("input");
  std::ofstream(input) << "typed";
  make("file:" + path)->write(bytes_of("one "));
  make("file,path=" + path + ",append=on")->write(bytes_of("two"));
  EXPECT_EQ(content(path), "one two");
  make("file,path=" + path)->write(bytes_of("new"));
  EXPECT_EQ(content(path), "new");
  const auto file = make("file,path=" + path + ",input-path=" + input);
  Device uart;
  uart.listen(*file);
  EXPECT_TRUE(turn_until([&] { return uart.got == "typed"; }));
  unlink(path.c_str());
  unlink(input.c_str());
}

TEST(LogChardev, WhatIsWrittenIsLoggedThoughNobodyListens) {
  const std::string path = temporary("log");
  make("null,logfile=" + path)->write(bytes_of("old"));
  make("tcp::0,server,nowait,logfile=" + path)->write(bytes_of("one "));
  make("null,logappend=on,mux=on,logfile=" + path)->write(bytes_of("two"));
  EXPECT_EQ(content(path), "one two");
  unlink(path.c_str());
  EXPECT_NE(make_chardev("null,logfile=/nonexistent/x", "serial0").error().message.find("/nonexistent/x"),
            std::string::npos);
}

TEST(Ringbuf, KeepsTheLastBytes) {
  const auto chardev = make("ringbuf,size=8");
  ASSERT_NE(chardev->ringbuf(), nullptr);
  chardev->write(bytes_of("0123456789"));
  EXPECT_EQ(chardev->ringbuf()->read(3), "234");
  chardev->write(bytes_of("ab"));
  EXPECT_EQ(chardev->ringbuf()->read(100), "56789ab");
  EXPECT_EQ(chardev->ringbuf()->read(100), "");
}

TEST(PtyChardev, ItsLinkLeadsToItAndAnOldOneGoes) {
  const std::string path = temporary("link");
  ASSERT_EQ(symlink("/dev/pts/99999", path.c_str()), 0);
  ::testing::internal::CaptureStdout();
  {
    const auto pty = make("pty:" + path);
    char target[64] = {};
    ASSERT_GT(readlink(path.c_str(), target, sizeof target - 1), 0);
    EXPECT_EQ("pty:" + std::string(target), pty->describe());
  }
  ::testing::internal::GetCapturedStdout();
  EXPECT_NE(access(path.c_str(), F_OK), 0);
}

// RFC 854 and RFC 855: what comes, what of it is data, and what is answered.
TEST(Telnet, CommandsAreTakenOutAndOptionsNegotiated) {
  struct Row {
    const char* what;
    Telnet::End end;
    std::string in;
    std::string data;
    std::string answer;
  };
  const auto s = [](std::initializer_list<int> bytes) {
    std::string text;
    for (const int byte : bytes) text += static_cast<char>(byte);
    return text;
  };
  const Row rows[] = {
      {"a doubled byte is data", Telnet::End::kServer, s({'a', 255, 255, 'b'}), s({'a', 255, 'b'}), ""},
      {"what was offered is agreed to", Telnet::End::kServer, s({255, 253, 1, 255, 253, 3, 255, 253, 0}), "",
       ""},
      {"an option that is refused goes off, once", Telnet::End::kServer, s({255, 254, 1, 255, 254, 1}), "",
       s({255, 252, 1})},
      {"what is not wanted is refused", Telnet::End::kServer, s({255, 251, 31, 255, 253, 24}), "",
       s({255, 254, 31, 255, 252, 24})},
      {"a client of ours lets the server echo", Telnet::End::kClient, s({255, 251, 1, 255, 251, 1}), "",
       s({255, 253, 1})},
      {"nobody echoes for a server", Telnet::End::kServer, s({255, 251, 1}), "", s({255, 254, 1})},
      {"parameters are skipped", Telnet::End::kServer, s({'a', 255, 250, 31, 0, 255, 255, 80, 255, 240, 'b'}),
       "ab", ""},
      {"commands of one byte are skipped", Telnet::End::kServer, s({255, 241, 'a', 255, 243, 'b'}), "ab", ""},
      {"a NUL behind a return is no data", Telnet::End::kClient, s({'\r', 0, '\r', '\n', 0}),
       s({'\r', '\r', '\n', 0}), ""},
      {"but it is in binary data", Telnet::End::kServer, s({'\r', 0}), s({'\r', 0}), ""},
  };
  for (const Row& row : rows)
    for (const bool is_split : {false, true}) {
      Telnet telnet(row.end);
      telnet.greeting();
      std::vector<std::uint8_t> data;
      std::vector<std::uint8_t> answer;
      const std::size_t step = is_split ? 1 : row.in.size();
      for (std::size_t at = 0; at < row.in.size(); at += step)
        telnet.decode(bytes_of(row.in).subspan(at, step), data, answer);
      EXPECT_EQ(std::string(data.begin(), data.end()), row.data) << row.what;
      EXPECT_EQ(std::string(answer.begin(), answer.end()), row.answer) << row.what;
    }
}

TEST(SocketChardev, TelnetGreetsAndEscapes) {
  const std::string path = temporary("telnet");
  const auto server = make("socket,path=" + path + ",server=on,wait=off,telnet=on");
  Device uart;
  uart.listen(*server);
  const Peer peer(connect_path(path));
  const std::string zero(1, '\0');
  EXPECT_EQ(peer.receive(12), "\xff\xfb\x01\xff\xfb\x03\xff\xfb" + zero + "\xff\xfd" + zero);
  server->write(bytes_of("a\xff"));
  EXPECT_EQ(peer.receive(3), "a\xff\xff");
  peer.send("x\xff\xfd\x18\xff\xffy");
  EXPECT_TRUE(turn_until([&] { return uart.got == "x\xffy"; })) << uart.got;
  EXPECT_EQ(peer.receive(3), "\xff\xfc\x18");
  // Cut within a doubled byte or not, what follows is whole.
  for (int i = 0; i < 2000; ++i) server->write(bytes_of(std::string(1001, '\xff')));
  std::string got = peer.receive(1 << 16);
  server->write(bytes_of("end"));
  while (!got.ends_with("end")) {
    const std::string more = peer.receive(1);
    ASSERT_FALSE(more.empty());
    got += more;
  }
  EXPECT_EQ(got.size() % 2, 1u) << "pairs, and three letters";
}

}  // namespace
}  // namespace gstage
