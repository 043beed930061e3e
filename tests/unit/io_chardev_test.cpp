// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include <fcntl.h>
#include <glib.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "softmmu/base/format.h"
#include "io/chardev_kinds.h"
#include "io/event_loop.h"
#include "io/fd_chardev.h"
#include "io/mux.h"
#include "system/monitor/line_editor.h"

#include "tests/unit/io_loop.h"

namespace gstage {
namespace {

using Event = MuxEscape::Event;

TEST(MuxEscape, CommandsAndPlainBytes) {
  MuxEscape escape;
  EXPECT_EQ(escape.feed('x'), Event::kByte);
  const std::pair<char, Event> commands[] = {{'x', Event::kQuit}, {'c', Event::kNext},  {'h', Event::kHelp},
                                             {'?', Event::kHelp}, {'b', Event::kBreak}, {1, Event::kByte},
                                             {'q', Event::kNone}};
  for (const auto& [key, event] : commands) {
    EXPECT_EQ(escape.feed(MuxEscape::kKey), Event::kNone);
    EXPECT_EQ(escape.feed(static_cast<std::uint8_t>(key)), event) << key;
    EXPECT_EQ(escape.feed(static_cast<std::uint8_t>('x')), Event::kByte) << "a command ends with its key";
  }
  EXPECT_EQ(escape.feed(3), Event::kByte) << "Ctrl-C is the guest's";
}

/// A stream whose input the test gives.
struct FakeStream final : Chardev {
  std::string written;
  Receive receive;
  CanReceive can_receive;
  void write(std::span<const std::uint8_t> bytes) override { written.append(bytes.begin(), bytes.end()); }
  void attach(Receive r, CanReceive c) override {
    receive = std::move(r);
    can_receive = std::move(c);
  }
  void resume_input() override {}
  void type(const std::string& text) { receive(bytes_of(text)); }
};

/// A device that takes `room` bytes.
struct FakeDevice {
  std::string got;
  std::size_t room = 1000;
  void listen(Chardev& chardev) {
    chardev.attach(
        [this](std::span<const std::uint8_t> bytes) {
          ASSERT_LE(bytes.size(), room);
          got.append(bytes.begin(), bytes.end());
          room -= bytes.size();
        },
        [this] { return room; });
  }
};

TEST(Mux, InputGoesToOneFrontAndOutputComesFromAll) {
  const auto stream = std::make_shared<FakeStream>();
  bool is_quit = false;
  const auto mux = Mux::make(stream, [&] { is_quit = true; });
  const auto serial = mux->add_front();
  const auto unused = mux->add_front();
  const auto monitor = mux->add_front();
  FakeDevice uart;
  FakeDevice console;
  uart.listen(*serial);
  console.listen(*monitor);
  int focused = 0;
  EXPECT_TRUE(monitor->on_focus([&] { ++focused; }));
  stream->type("ab\x01\x01\x03");
  EXPECT_EQ(uart.got, "ab\x01\x03");
  stream->type(
      "\x01"
      "cinfo\x01"
      "cz");
  EXPECT_EQ(console.got, "info");
  EXPECT_EQ(focused, 1);
  EXPECT_EQ(uart.got, "ab\x01\x03z") << "and back, past the front nobody uses";
  serial->write(bytes_of("S"));
  monitor->write(bytes_of("M"));
  EXPECT_EQ(stream->written, "SM");
  stream->type("\x01h");
  EXPECT_NE(stream->written.find("Ctrl-a x"), std::string::npos);
  EXPECT_FALSE(is_quit);
  stream->type("\x01x");
  EXPECT_TRUE(is_quit);
}

TEST(Mux, InputWaitsForRoomAndQuitDoesNot) {
  const auto stream = std::make_shared<FakeStream>();
  bool is_quit = false;
  const auto mux = Mux::make(stream, [&] { is_quit = true; });
  const auto serial = mux->add_front();
  FakeDevice uart;
  uart.room = 2;
  uart.listen(*serial);
  stream->type("abcdef");
  EXPECT_EQ(uart.got, "ab");
  EXPECT_LT(stream->can_receive(), 4096u) << "what waits counts";
  uart.room = 3;
  serial->resume_input();
  ASSERT_TRUE(turn_until([&] { return uart.got == "abcde"; })) << uart.got;
  stream->type("\x01x");
  EXPECT_TRUE(is_quit);
}

/// A pipe each way.
struct Pipes {
  int in[2];
  int out[2];
  std::shared_ptr<FdChardev> chardev;
  Pipes() {
    EXPECT_EQ(pipe(in), 0);
    EXPECT_EQ(pipe(out), 0);
    chardev = std::make_shared<FdChardev>(in[0], out[1], FdChardev::Peer::kStays, "pipes");
  }
  ~Pipes() {
    chardev.reset();
    if (in[1] >= 0) close(in[1]);
    close(out[0]);
  }
};

TEST(FdChardev, BlockedOutputLosesNothing) {
  Pipes p;
  constexpr std::size_t kSize = 1 << 20;  // far more than a pipe holds
  std::string sent(kSize, ' ');
  for (std::size_t i = 0; i < kSize; ++i) sent[i] = static_cast<char>(i * 31 + i / 256);
  std::thread writer([&] {
    for (std::size_t at = 0; at < kSize; at += 10007) p.chardev->write(bytes_of(sent.substr(at, 10007)));
  });
  std::string got;
  char buffer[3000];
  while (got.size() < kSize) {
    const ssize_t n = read(p.out[0], buffer, sizeof buffer);
    ASSERT_GT(n, 0);
    got.append(buffer, static_cast<std::size_t>(n));
  }
  writer.join();
  EXPECT_EQ(got, sent);
}

TEST(FdChardev, InputIsReadAsFastAsTheDeviceTakesIt) {
  Pipes p;
  FakeDevice uart;
  uart.room = 3;
  uart.listen(*p.chardev);
  ASSERT_EQ(write(p.in[1], "abcdefgh", 8), 8);
  ASSERT_TRUE(turn_until([&] { return uart.got == "abc"; }));
  for (int i = 0; i < 20; ++i) g_main_context_iteration(nullptr, FALSE);
  EXPECT_EQ(uart.got, "abc");
  EXPECT_FALSE(g_main_context_pending(nullptr)) << "a full device must not keep the loop busy";
  uart.room = 10;
  p.chardev->resume_input();
  ASSERT_TRUE(turn_until([&] { return uart.got == "abcdefgh"; }));
}

TEST(FdChardev, EndOfInputIsQuiet) {
  Pipes p;
  FakeDevice uart;
  uart.listen(*p.chardev);
  ASSERT_EQ(write(p.in[1], "end", 3), 3);
  close(p.in[1]);
  p.in[1] = -1;
  ASSERT_TRUE(turn_until([&] { return uart.got == "end"; }));
  for (int i = 0; i < 20; ++i) g_main_context_iteration(nullptr, FALSE);
  EXPECT_FALSE(g_main_context_pending(nullptr)) << "the end is seen once, not for ever";
}

TEST(FdChardev, ResumeRacingWithTheReadLosesNoInput) {
  Pipes p;
  std::atomic<std::size_t> room{0};
  std::atomic<std::size_t> got{0};
  p.chardev->attach(
      [&](std::span<const std::uint8_t> bytes) {
        got += bytes.size();
        room -= bytes.size();
      },
      [&] { return room.load(); });
  constexpr std::size_t kSize = 300;  // each byte goes from thread to thread, which a busy host makes slow
  const std::string text(kSize, 'x');
  ASSERT_EQ(write(p.in[1], text.data(), kSize), static_cast<ssize_t>(kSize));
  std::thread device([&] {
    for (std::size_t i = 0; i < kSize; ++i) {
      ++room;
      p.chardev->resume_input();
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
      while (got.load() <= i && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    }
  });
  EXPECT_TRUE(turn_until([&] { return got.load() == kSize; })) << got.load();
  device.join();
}

TEST(FdChardev, PtyDropsOutputUntilSomebodyListens) {
  ::testing::internal::CaptureStdout();
  auto pty = make_pty_chardev("serial3");
  const std::string said = ::testing::internal::GetCapturedStdout();
  ASSERT_TRUE(pty.ok());
  const std::string start = "char device redirected to ";
  ASSERT_TRUE(said.starts_with(start)) << said;
  EXPECT_NE(said.find(" (label serial3)\n"), std::string::npos);
  const std::string name = said.substr(start.size(), said.find(" (") - start.size());
  (*pty)->write(bytes_of(std::string(100000, 'x')));  // must not block
  FakeDevice uart;
  uart.listen(**pty);
  const int peer = open(name.c_str(), O_RDWR | O_NOCTTY);
  ASSERT_GE(peer, 0);
  (*pty)->write(bytes_of("hello\n"));
  char buffer[16] = {};
  EXPECT_EQ(read(peer, buffer, sizeof buffer), 6);
  EXPECT_STREQ(buffer, "hello\n");
  ASSERT_EQ(write(peer, "typed", 5), 5);
  EXPECT_TRUE(turn_until([&] { return uart.got == "typed"; })) << uart.got;
  close(peer);
}

TEST(Chardev, FileAndRefusals) {
  const std::string path = ::testing::TempDir() + format("gstage-serial-%d", getpid());
  {
    auto file = make_chardev("file:" + path, "serial0");
    ASSERT_TRUE(file.ok());
    (*file)->write(bytes_of("line\n"));
    std::ifstream written(path);
    std::string line;
    std::getline(written, line);
    EXPECT_EQ(line, "line") << "written at once";
  }
  unlink(path.c_str());
  EXPECT_NE(make_chardev("file:/nonexistent/x", "serial0").error().message.find("/nonexistent/x"),
            std::string::npos);
}

TEST(LineEditor, EditsAndRecalls) {
  std::string screen;
  std::vector<std::string> lines;
  LineEditor editor([&](const std::string& text) { screen += text; },
                    [&](const std::string& line) { lines.push_back(line); });
  const auto type = [&](const std::string& keys) {
    for (const char key : keys) editor.feed(static_cast<std::uint8_t>(key));
  };
  type("quip\x7ft\r");
  type("x\x15info status\r\n");  // Ctrl-U; CR LF is one end of line
  type("\x1b[A\x1b[A\r");
  type("\r");
  EXPECT_EQ(lines, (std::vector<std::string>{"quit", "info status", "quit"}));
  EXPECT_NE(screen.find("(gstage) "), std::string::npos);
}

}  // namespace
}  // namespace gstage
