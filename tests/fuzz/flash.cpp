// SPDX-License-Identifier: Apache-2.0
// The flash: commands, data and reads anywhere in two blocks, with and without an image.
#include <cstring>
#include <memory>

#include "hw/misc/cfi_flash.h"

#include "tests/fuzz/accesses.h"
#include "tests/fuzz/memory_disk.h"
#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

constexpr std::uint64_t kSize = 2 * hw::CfiFlash::kBlockBytes;

/// A command as both chips take it.
void command(Input& input, hw::CfiFlash& flash) {
  static constexpr std::uint8_t kCommands[] = {0x10, 0x20, 0x40, 0x50, 0x60, 0x70, 0x90, 0x98,
                                               0xd0, 0xe8, 0xff, 0x01, 0x2f, 0x00, 0x80, 0xb0};
  const std::uint64_t byte = kCommands[input.below(sizeof kCommands)];
  const std::uint64_t offset = input.below(kSize) & ~std::uint64_t{3};
  static_cast<void>(flash.mmio_write(offset, 4, byte | byte << 16));
}

void run(Input& input) {
  hw::CfiFlash flash(kSize);
  const auto image = std::make_shared<MemoryDisk>(kSize);
  const bool has_image = input.flag();
  const bool is_locked = has_image && input.flag();
  image->behave(is_locked, false);
  if (has_image) CHECK(flash.use_image("flash", image).ok());
  while (!input.empty()) {
    if (input.flag())
      command(input, flash);
    else
      access_device(input, flash, input.flag() ? kSize : 0x100);
  }
  flash.reset();
  // The image is what the guest sees, whatever it did.
  if (has_image) CHECK(std::memcmp(image->bytes(), flash.contents(), kSize) == 0);
}

const Registration registration("flash", run);

}  // namespace
}  // namespace gstage::fuzz
