// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/rng.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include "hw/virtio/virtio_core.h"

namespace gstage::hw {
namespace {

/// The most one buffer is given: a request for gigabytes must not hold the device.
constexpr std::size_t kMaxBytes = 64 << 10;

}  // namespace

EntropySource::~EntropySource() {
  if (fd_ >= 0) close(fd_);
}

EntropySource::EntropySource(EntropySource&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Result<EntropySource> EntropySource::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return error("-object rng-random: cannot open %s: %s; filename= must name a readable file or device",
                 path.c_str(), std::strerror(errno));
  EntropySource source;
  source.fd_ = fd;
  return source;
}

std::size_t EntropySource::read(std::span<std::uint8_t> to) {
  ssize_t got = 0;
  do {
    got = fd_ < 0 ? getrandom(to.data(), to.size(), 0) : ::read(fd_, to.data(), to.size());
  } while (got < 0 && errno == EINTR);
  return got < 0 ? 0 : static_cast<std::size_t>(got);
}

void VirtioRng::read_config(std::uint32_t /*offset*/, std::span<std::uint8_t> to) {
  std::fill(to.begin(), to.end(), std::uint8_t{0});
}

Served VirtioRng::serve(unsigned index) {
  while (core().pop(index, chain_)) {
    if (!chain_.readable.empty() || chain_.writable.empty()) {
      core().fail(index, "a buffer for random bytes is not writable");
      break;
    }
    std::array<std::uint8_t, 256> bytes;
    std::size_t written = 0;
    const std::size_t wanted = std::min<std::uint64_t>(total_bytes(chain_.writable), kMaxBytes);
    while (written < wanted) {
      const std::size_t got = source_.read({bytes.data(), std::min(bytes.size(), wanted - written)});
      if (got == 0) break;
      slice_into(part_, chain_.writable, written, got);
      copy_to(core().memory(), part_, {bytes.data(), got});
      written += got;
    }
    core().queue(index).push(chain_, static_cast<std::uint32_t>(written));
  }
  core().notify_used(index);
  return Served::kAll;
}

}  // namespace gstage::hw
