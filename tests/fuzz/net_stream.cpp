// SPDX-License-Identifier: Apache-2.0
// The bytes of a peer at the other end of a wire, in the pieces that they come in.
#include <algorithm>

#include "softmmu/base/check.h"
#include "io/net/stream.h"

#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

void run(Input& input) {
  static FrameStream stream;
  stream.clear();
  while (!input.empty()) {
    const auto piece = input.take_bytes(input.take<std::uint16_t>());
    std::size_t at = 0;
    while (at < piece.size()) {
      const auto room = stream.room();
      CHECK(!room.empty());
      const std::size_t size = std::min(room.size(), piece.size() - at);
      std::copy_n(piece.begin() + static_cast<std::ptrdiff_t>(at), size, room.begin());
      at += size;
      if (!stream.came(size)) return;
      for (auto frame = stream.frame(); !frame.empty(); frame = stream.frame()) {
        CHECK(frame.size() <= NetFrame::kMaxBytes);
        stream.drop();
        if (!stream.came(0)) return;
      }
    }
  }
}

const Registration registration("net_stream", run);

}  // namespace
}  // namespace gstage::fuzz
