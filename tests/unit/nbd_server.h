// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace gstage {

/// A server of the NBD protocol (fixed newstyle, simple replies) for one disk in memory, on a socket of the
/// file system. It records what it is asked, and lies or goes away as it is told.
class NbdServer {
 public:
  enum Command : std::uint16_t { kRead = 0, kWrite = 1, kDisconnect = 2, kFlush = 3, kTrim = 4, kZero = 6 };
  /// Of the export (protocol specification, "Transmission flags").
  enum Flag : std::uint16_t {
    kHasFlags = 1,
    kReadOnly = 2,
    kSendFlush = 4,
    kSendFua = 8,
    kSendTrim = 32,
    kSendZero = 64
  };
  static constexpr std::uint16_t kFua = 1;  ///< of a request
  struct Request {
    std::uint16_t flags = 0;
    std::uint16_t type = 0;
    std::uint64_t cookie = 0;
    std::uint64_t offset = 0;
    std::uint32_t size = 0;
  };

  explicit NbdServer(std::size_t size) : bytes(size, std::byte{0}) {}
  ~NbdServer() { stop(); }
  NbdServer(const NbdServer&) = delete;
  NbdServer& operator=(const NbdServer&) = delete;

  /// Takes connections, one after the other.
  void start();
  /// Hangs up and takes no more.
  void stop();
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Of all connections so far.
  std::vector<Request> requests();
  unsigned count(Command type);

  std::vector<std::byte> bytes;  ///< of the disk; not while a request is under way
  std::uint16_t flags = kHasFlags | kSendFlush | kSendFua | kSendTrim | kSendZero;
  std::string export_name = "disk";
  std::uint64_t told_size = ~std::uint64_t{0};  ///< in place of the truth
  std::uint32_t least_block = 0;                ///< 0: nothing is said of blocks
  std::uint32_t most_block = 32 << 20;
  std::atomic<std::uint32_t> error{0};         ///< of each answer, in the protocol's numbers
  std::atomic<int> hangs_up_after{-1};         ///< so many answers; -1: never
  std::atomic<bool> is_silent{false};          ///< it answers no request
  std::atomic<std::uint64_t> wrong_cookie{0};  ///< is added to each answer's
  std::atomic<unsigned> connections{0};
  std::atomic<unsigned> ended{0};  ///< of these

 private:
  void accept_all();
  void serve(int fd);
  bool negotiate(int fd);
  bool say_export(int fd, std::uint32_t option, const std::string& name);
  bool answer(int fd);

  const std::string path_ = make_path();
  static std::string make_path();
  int listener_ = -1;
  std::atomic<int> client_{-1};
  std::atomic<bool> is_ending_{false};
  std::thread thread_;
  std::mutex mutex_;
  std::vector<Request> requests_;
};

}  // namespace gstage
