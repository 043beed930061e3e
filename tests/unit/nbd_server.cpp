// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/nbd_server.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "softmmu/base/format.h"

namespace gstage {
namespace {

// Of the protocol specification.
constexpr std::uint64_t kGreeting = 0x4e42444d41474943;  // NBDMAGIC
constexpr std::uint64_t kHaveOption = 0x49484156454f5054;
constexpr std::uint64_t kOptionReply = 0x3e889045565a9;
constexpr std::uint32_t kRequestMagic = 0x25609513;
constexpr std::uint32_t kReplyMagic = 0x67446698;
enum Option : std::uint32_t { kAbort = 2, kInfo = 6, kGo = 7 };
enum Reply : std::uint32_t { kAck = 1, kInformation = 3, kUnsupported = 0x80000001, kUnknown = 0x80000006 };

bool receive(int fd, void* to, std::size_t size) {
  return size == 0 || recv(fd, to, size, MSG_WAITALL) == static_cast<ssize_t>(size);
}
bool send_all(int fd, const std::vector<std::byte>& bytes) {
  return send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

/// Appends a number in network order.
template <class T>
void put(std::vector<std::byte>& to, T value) {
  for (std::size_t i = sizeof(T); i-- > 0;) to.push_back(static_cast<std::byte>(value >> (8 * i) & 0xff));
}
template <class T>
T take(const std::byte* from) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value = value << 8 | static_cast<std::uint64_t>(from[i]);
  return static_cast<T>(value);
}

std::vector<std::byte> option_reply(std::uint32_t option, std::uint32_t type,
                                    const std::vector<std::byte>& data = {}) {
  std::vector<std::byte> reply;
  put(reply, kOptionReply);
  put(reply, option);
  put(reply, type);
  put(reply, static_cast<std::uint32_t>(data.size()));
  reply.insert(reply.end(), data.begin(), data.end());
  return reply;
}

}  // namespace

std::string NbdServer::make_path() {
  static std::atomic<unsigned> count{0};
  return ::testing::TempDir() + format("gstage-nbd-%d-%u", getpid(), count++);
}

void NbdServer::start() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.c_str(), std::min(path_.size(), sizeof address.sun_path - 1));
  is_ending_ = false;
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener_, 8), 0);
  thread_ = std::thread([this] { accept_all(); });
}

void NbdServer::stop() {
  if (!thread_.joinable()) return;
  is_ending_ = true;
  shutdown(listener_, SHUT_RDWR);
  if (const int client = client_.load(); client >= 0) shutdown(client, SHUT_RDWR);
  thread_.join();
  close(listener_);
  unlink(path_.c_str());
}

std::vector<NbdServer::Request> NbdServer::requests() {
  const std::lock_guard lock(mutex_);
  return requests_;
}

unsigned NbdServer::count(Command type) {
  const auto all = requests();
  return static_cast<unsigned>(
      std::count_if(all.begin(), all.end(), [&](const Request& request) { return request.type == type; }));
}

void NbdServer::accept_all() {
  while (!is_ending_) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) break;
    client_ = fd;
    ++connections;
    // Whoever stops the server may have looked before.
    if (!is_ending_) serve(fd);
    client_ = -1;
    close(fd);
    ++ended;
  }
}

void NbdServer::serve(int fd) {
  if (!negotiate(fd)) return;
  for (int left = hangs_up_after; left != 0 && answer(fd); --left) {
  }
}

bool NbdServer::negotiate(int fd) {
  std::vector<std::byte> hello;
  put(hello, kGreeting);
  put(hello, kHaveOption);
  put(hello, std::uint16_t{3});  // fixed newstyle, no zeroes
  std::array<std::byte, 4> client{};
  if (!send_all(fd, hello) || !receive(fd, client.data(), client.size())) return false;
  for (;;) {
    std::array<std::byte, 16> header{};
    if (!receive(fd, header.data(), header.size()) || take<std::uint64_t>(header.data()) != kHaveOption)
      return false;
    const auto option = take<std::uint32_t>(header.data() + 8);
    std::vector<std::byte> data(take<std::uint32_t>(header.data() + 12));
    if (!receive(fd, data.data(), data.size()) || option == kAbort) return false;
    if (option != kGo && option != kInfo) {
      if (!send_all(fd, option_reply(option, kUnsupported))) return false;
      continue;
    }
    const auto length = take<std::uint32_t>(data.data());
    const std::string name(reinterpret_cast<const char*>(data.data()) + 4, length);
    if (!say_export(fd, option, name)) return false;
    if (option == kGo && name == export_name) return true;
  }
}

bool NbdServer::say_export(int fd, std::uint32_t option, const std::string& name) {
  if (name != export_name) return send_all(fd, option_reply(option, kUnknown));
  std::vector<std::byte> information;
  put(information, std::uint16_t{0});
  put(information, told_size == ~std::uint64_t{0} ? std::uint64_t{bytes.size()} : told_size);
  put(information, flags);
  if (!send_all(fd, option_reply(option, kInformation, information))) return false;
  if (least_block != 0) {
    std::vector<std::byte> blocks;
    put(blocks, std::uint16_t{3});
    for (const std::uint32_t size : {least_block, least_block, most_block}) put(blocks, size);
    if (!send_all(fd, option_reply(option, kInformation, blocks))) return false;
  }
  return send_all(fd, option_reply(option, kAck));
}

bool NbdServer::answer(int fd) {
  std::array<std::byte, 28> header{};
  if (!receive(fd, header.data(), header.size())) return false;
  if (take<std::uint32_t>(header.data()) != kRequestMagic) return false;
  const Request request{take<std::uint16_t>(header.data() + 4), take<std::uint16_t>(header.data() + 6),
                        take<std::uint64_t>(header.data() + 8), take<std::uint64_t>(header.data() + 16),
                        take<std::uint32_t>(header.data() + 24)};
  std::vector<std::byte> data(request.type == kWrite || request.type == kRead ? request.size : 0);
  if (request.type == kWrite && !receive(fd, data.data(), data.size())) return false;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
  }
  if (request.type == kDisconnect) return false;
  if (is_silent) return true;
  const bool is_inside = request.offset <= bytes.size() && request.size <= bytes.size() - request.offset;
  const auto at = bytes.begin() + static_cast<std::ptrdiff_t>(is_inside ? request.offset : 0);
  if (is_inside && error == 0 && request.type == kWrite) std::copy(data.begin(), data.end(), at);
  if (is_inside && error == 0 && request.type == kZero) std::fill_n(at, request.size, std::byte{0});
  if (is_inside && request.type == kRead) std::copy_n(at, request.size, data.begin());
  constexpr std::uint32_t kInvalid = 22;
  const std::uint32_t failure = is_inside || request.type == kFlush ? error.load() : kInvalid;
  std::vector<std::byte> reply;
  put(reply, kReplyMagic);
  put(reply, failure);
  put(reply, request.cookie + wrong_cookie);
  if (failure == 0 && request.type == kRead) reply.insert(reply.end(), data.begin(), data.end());
  return send_all(fd, reply);
}

}  // namespace gstage
