// SPDX-License-Identifier: Apache-2.0
#include "io/net/frame.h"

#include <algorithm>
#include <cstring>

namespace gstage {

std::size_t copy_frame(const NetFrame& frame, std::size_t skip, std::span<std::uint8_t> to) {
  std::size_t done = 0;
  for (const iovec& part : frame.parts) {
    if (done == to.size()) break;
    if (skip >= part.iov_len) {
      skip -= part.iov_len;
      continue;
    }
    const std::size_t size = std::min(part.iov_len - skip, to.size() - done);
    std::memcpy(to.data() + done, static_cast<const std::uint8_t*>(part.iov_base) + skip, size);
    done += size;
    skip = 0;
  }
  return done;
}

}  // namespace gstage
