// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include <unistd.h>

namespace gstage::ninep {

/// An open descriptor, closed with the object and counted by the share that it is of.
class Descriptor {
 public:
  Descriptor() = default;
  /// `count` outlives the object.
  Descriptor(int fd, unsigned& count) : fd_(fd), count_(&count) { ++count; }
  ~Descriptor() { reset(); }
  Descriptor(Descriptor&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), count_(std::exchange(other.count_, nullptr)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(count_, other.count_);
    return *this;
  }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  void reset() {
    if (fd_ < 0) return;
    close(fd_);
    --*count_;
    fd_ = -1;
  }

 private:
  int fd_ = -1;
  unsigned* count_ = nullptr;
};

/// What a fid stands for: a descriptor that names a file and can do nothing else (O_PATH). Fids that were
/// made of one another share it.
using Node = std::shared_ptr<const Descriptor>;

}  // namespace gstage::ninep
