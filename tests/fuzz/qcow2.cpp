// SPDX-License-Identifier: Apache-2.0
// qcow2 images: what the input says lies over a small image that is right, and a guest reads and writes.
#include "io/block/qcow2/qcow2.h"

#include <vector>

#include "softmmu/base/check.h"

#include "tests/fuzz/target.h"
#include "tests/unit/memory_file.h"
#include "tests/unit/qcow2_image.h"

namespace gstage::fuzz {
namespace {

constexpr std::uint64_t kMostFile = 4 << 20;
constexpr std::uint64_t kMostPiece = 64 << 10;

/// An image whose first tables are there.
std::vector<std::byte> base_image(unsigned cluster_bits, unsigned refcount_order, std::uint32_t version) {
  const auto file = std::make_shared<MemoryFile>(qcow2::make_image({.version = version,
                                                                    .cluster_bits = cluster_bits,
                                                                    .refcount_order = refcount_order,
                                                                    .size = 256 << 10}));
  auto header = qcow2::read_header(*file, "image");
  CHECK(header.ok());
  auto disk = qcow2::open({"image", file, nullptr, false, true}, *header);
  CHECK(disk.ok());
  const std::vector<std::byte> some(3000, std::byte{0x5a});
  CHECK((*disk)->write(1000, some) == 0 && (*disk)->write(100'000, some) == 0);
  (*disk).reset();
  return file->bytes;
}

/// Bytes at places, as the input has them: what is interesting lies in the first clusters.
void overwrite(std::vector<std::byte>& bytes, Input& input) {
  const std::uint64_t count = input.below(32);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t at = input.below(bytes.size());
    const auto piece = input.take_bytes(1 + input.below(16));
    for (std::size_t b = 0; b < piece.size() && at + b < bytes.size(); ++b)
      bytes[at + b] = static_cast<std::byte>(piece[b]);
  }
}

/// One thing that a guest does. Only that it returns matters, and where it may.
void act(BlockBackend& disk, Input& input) {
  const std::uint64_t size = disk.size();
  const std::uint64_t offset = size == 0 ? 0 : input.take<std::uint64_t>() % size;
  const std::uint64_t bytes = std::min(input.below(kMostPiece), size - offset);
  std::vector<std::byte> piece(bytes, std::byte{0x77});
  switch (input.below(5)) {
    case 0: (void)disk.write(offset, piece); break;
    case 1: (void)disk.write_zeroes(offset, bytes); break;
    case 2: (void)disk.discard(offset, bytes); break;
    case 3: (void)disk.flush(); break;
    default: (void)disk.read(offset, piece); break;
  }
}

void run(Input& input) {
  const auto shape = input.take<std::uint8_t>();
  constexpr unsigned kBits[] = {9, 12, 16, 10};
  const unsigned bits = kBits[shape & 3];
  auto bytes = base_image(bits, (shape >> 2) % 7, (shape & 0x80) != 0 ? 2 : 3);
  const bool is_read_only = input.flag();
  overwrite(bytes, input);
  const auto file = std::make_shared<MemoryFile>(std::move(bytes));
  file->most = kMostFile;
  auto header = qcow2::read_header(*file, "image");
  if (!header.ok()) return CHECK(!header.error().message.empty());
  auto disk = qcow2::open({"image", file, nullptr, is_read_only, true}, *header);
  if (!disk.ok()) return CHECK(!disk.error().message.empty());
  for (unsigned i = 0; i < 24 && !input.empty(); ++i) act(**disk, input);
  disk->reset();
  CHECK(file->bytes.size() <= kMostFile);
}

const Registration registration("qcow2", run);

}  // namespace
}  // namespace gstage::fuzz
