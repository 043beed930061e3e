// SPDX-License-Identifier: Apache-2.0
// What a debugger may send, in pieces of any size, with harts that stop in between.
#include "system/gdb/server.h"

#include "tests/fuzz/target.h"
#include "tests/unit/gdb_target.h"

namespace gstage::fuzz {
namespace {

/// The bytes that follow are a packet's body: its frame is made, so that most of them are sound.
constexpr std::uint8_t kFramed = 0x80;
/// A hart stops.
constexpr std::uint8_t kStop = 0x40;
constexpr std::uint8_t kSize = 0x3f;

void run(Input& input) {
  gdb::FakeTarget target;
  std::size_t sent = 0;
  gdb::Server server(target, [&](std::string_view bytes) { sent += bytes.size(); });
  server.attach();
  while (!input.empty()) {
    const auto how = input.take<std::uint8_t>();
    const auto part = input.take_bytes(how & kSize);
    const std::string text(part.begin(), part.end());
    const std::string bytes = (how & kFramed) != 0 ? gdb::frame('$', text) : text;
    server.feed({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
    if ((how & kStop) != 0) target.has_stopped({how & 1u});
  }
  server.exited(0);
}

const Registration registration("gdb", run);

}  // namespace
}  // namespace gstage::fuzz
