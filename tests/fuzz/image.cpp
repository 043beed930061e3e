// SPDX-License-Identifier: Apache-2.0
// Kernels and firmware, plain and compressed: what is read of them is the same the second time.
#include <cstddef>
#include <vector>

#include "softmmu/base/check.h"
#include "hw/riscv/image_file.h"

#include "tests/fuzz/scratch_file.h"
#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

constexpr std::uint64_t kMostBytes = 1 << 20;

void run(Input& input) {
  static const ScratchFile file;
  file.set(input.rest());
  auto opened = hw::ImageFile::open("-kernel", file.path(), hw::ImageFile::Packed::kUnpack, kMostBytes);
  if (!opened.ok()) return CHECK(!opened.error().message.empty());
  hw::ImageFile& image = **opened;
  std::vector<std::byte> first(image.size());
  if (!image.read(0, first).ok()) return;
  image.release();
  std::vector<std::byte> second(image.size());
  CHECK(image.read(0, second).ok());
  CHECK(first == second);
  std::byte beyond{};
  CHECK(!image.read(image.size(), {&beyond, 1}).ok());
}

const Registration registration("image", run);

}  // namespace
}  // namespace gstage::fuzz
