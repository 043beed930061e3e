// SPDX-License-Identifier: Apache-2.0
// The format: "PCAP Capture File Format" (draft-ietf-opsawg-pcap).
#include "io/net/dump.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <unistd.h>

namespace gstage {

namespace {

struct FileHeader {
  std::uint32_t magic = 0xa1b2c3d4;  ///< microseconds, in the host's byte order
  std::uint16_t major = 2;
  std::uint16_t minor = 4;
  std::uint32_t reserved[2] = {};
  std::uint32_t most = 0;
  std::uint32_t link = 1;  ///< Ethernet
};
static_assert(sizeof(FileHeader) == 24);

struct RecordHeader {
  std::uint32_t seconds;
  std::uint32_t microseconds;
  std::uint32_t kept;
  std::uint32_t size;
};

}  // namespace

Result<std::shared_ptr<NetDump>> NetDump::open(const std::string& path, std::uint32_t most) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  FileHeader header;
  header.most = most;
  if (fd < 0 || write(fd, &header, sizeof header) != sizeof header) {
    const int reason = errno;
    if (fd >= 0) close(fd);
    return error("-object filter-dump: cannot write '%s' (%s): name a file that can be written", path.c_str(),
                 std::strerror(reason));
  }
  return std::shared_ptr<NetDump>(new NetDump(fd, most));
}

NetDump::~NetDump() { close(fd_); }

void NetDump::saw(const NetFrame& frame) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  const std::size_t kept = std::min<std::size_t>(frame.size, most_);
  const RecordHeader header{static_cast<std::uint32_t>(now.tv_sec),
                            static_cast<std::uint32_t>(now.tv_nsec / 1000), static_cast<std::uint32_t>(kept),
                            static_cast<std::uint32_t>(frame.size)};
  const std::lock_guard lock(mutex_);
  record_.resize(sizeof header + kept);
  std::memcpy(record_.data(), &header, sizeof header);
  copy_frame(frame, 0, std::span(record_).subspan(sizeof header));
  // In one piece, so that the file is whole whenever the program ends. A full disk ends the record, not the
  // machine.
  static_cast<void>(!write(fd_, record_.data(), record_.size()));
}

}  // namespace gstage
