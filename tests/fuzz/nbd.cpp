// SPDX-License-Identifier: Apache-2.0
// What a server of the NBD protocol says: the input is all of it, from its greeting on. The input's first
// bytes choose what it is asked for; where it says no more, it has hung up.
#include "io/block/nbd/nbd.h"

#include <cerrno>
#include <utility>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

#include "softmmu/base/check.h"

#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

constexpr std::size_t kMostPiece = 4096;

/// The end of a connection whose other end has said all of it, or a negative errno value.
int connection(const std::vector<std::uint8_t>& said) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) return -errno;
  // More than fits is as if it hung up earlier.
  (void)!write(ends[1], said.data(), said.size());
  shutdown(ends[1], SHUT_WR);
  // What the client says goes nowhere; the end has to be there for it to be said.
  static int last = -1;
  if (last >= 0) close(last);
  last = ends[1];
  return ends[0];
}

void act(BlockFile& file, Input& input) {
  const std::uint64_t offset = input.take<std::uint16_t>();
  std::vector<std::byte> piece(1 + input.below(kMostPiece));
  switch (input.below(5)) {
    case 0: (void)file.write(offset, piece); break;
    case 1: (void)file.write_zeroes(offset, piece.size()); break;
    case 2: (void)file.discard(offset, piece.size()); break;
    case 3: (void)file.sync(); break;
    default: (void)file.read(offset, piece); break;
  }
}

void run(Input& input) {
  if (!nbd::is_built_in()) return;
  const auto questions = input.take_bytes(16);
  const auto rest = input.rest();
  const std::vector<std::uint8_t> said(rest.begin(), rest.end());
  bool is_first = true;
  nbd::Setup setup;
  setup.name = "server";
  setup.connect = [&] { return std::exchange(is_first, false) ? connection(said) : -ECONNREFUSED; };
  setup.can_unmap = true;
  setup.silence_timeout_ms = 1;
  auto opened = nbd::open(std::move(setup));
  if (!opened.ok()) return CHECK(!opened.error().message.empty());
  Input asked(questions);
  for (unsigned i = 0; i < 4 && !asked.empty(); ++i) act(*opened->file, asked);
}

const Registration registration("nbd", run);

}  // namespace
}  // namespace gstage::fuzz
