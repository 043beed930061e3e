// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "softmmu/base/result.h"
#include "io/net/peer.h"

namespace gstage {

/// `-object filter-dump`: writes the frames of a wire to a file that tcpdump and Wireshark read (pcap).
class NetDump final : public NetObserver {
 public:
  static constexpr std::uint32_t kDefaultBytes = 65536;

  /// Makes the file anew. `most` bytes of each frame are kept.
  static Result<std::shared_ptr<NetDump>> open(const std::string& path, std::uint32_t most);
  ~NetDump() override;
  NetDump(const NetDump&) = delete;
  NetDump& operator=(const NetDump&) = delete;
  void saw(const NetFrame& frame) override;

 private:
  NetDump(int fd, std::uint32_t most) : fd_(fd), most_(most) {}

  const int fd_;
  const std::uint32_t most_;
  std::mutex mutex_;  ///< several queues, several threads
  std::vector<std::uint8_t> record_;
};

}  // namespace gstage
