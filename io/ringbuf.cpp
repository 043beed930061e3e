// SPDX-License-Identifier: Apache-2.0
#include "io/ringbuf.h"

#include <algorithm>

namespace gstage {

void Ringbuf::write(std::span<const std::uint8_t> bytes) {
  const std::lock_guard lock(mutex_);
  for (const std::uint8_t byte : bytes) buffer_[written_++ % buffer_.size()] = byte;
  if (written_ - read_ > buffer_.size()) read_ = written_ - buffer_.size();
}

std::string Ringbuf::read(std::size_t most) {
  const std::lock_guard lock(mutex_);
  std::string text;
  for (most = std::min(most, written_ - read_); most > 0; --most)
    text += static_cast<char>(buffer_[read_++ % buffer_.size()]);
  return text;
}

}  // namespace gstage
