// SPDX-License-Identifier: Apache-2.0
// ELF files: the headers are read, and what they name goes into a small machine's memory, twice as with a
// reset.
#include "hw/riscv/elf.h"

#include "softmmu/base/check.h"

#include "tests/fuzz/scratch_file.h"
#include "tests/fuzz/small_machine.h"
#include "tests/fuzz/target.h"

#include "hw/riscv/loaded_images.h"

namespace gstage::fuzz {
namespace {

constexpr std::uint64_t kRamSize = 4 << 20;

void run(Input& input) {
  static const ScratchFile file;
  file.set(input.rest());
  auto opened = hw::ImageFile::open("-kernel", file.path(), hw::ImageFile::Gzip::kInflate, kRamSize);
  if (!opened.ok()) return;
  auto is_elf = hw::is_elf(**opened);
  CHECK(is_elf.ok());
  auto elf = hw::parse_elf(**opened);
  if (!elf.ok()) return CHECK(!elf.error().message.empty());
  CHECK(!elf->segments.empty() && elf->low < elf->high);
  for (const auto& segment : elf->segments)
    CHECK(segment.paddr >= elf->low && segment.file_bytes <= segment.size);
  static SmallMachine machine(kRamSize);
  hw::LoadedImages images(machine.memory);
  if (!images.add_elf(*opened, *elf).ok()) return;
  for (unsigned reset = 0; reset < 2; ++reset) CHECK(images.load().ok());
}

const Registration registration("elf", run);

}  // namespace
}  // namespace gstage::fuzz
