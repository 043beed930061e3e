// SPDX-License-Identifier: Apache-2.0
// ELF files: the headers are read, and what they name goes into a small machine's memory, twice as with a
// reset.
#include "hw/riscv/elf.h"

#include "softmmu/base/check.h"
#include "hw/riscv/loaded_images.h"

#include "tests/fuzz/scratch_file.h"
#include "tests/fuzz/small_machine.h"
#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

constexpr std::uint64_t kRamSize = 4 << 20;

void run(Input& input) {
  static const ScratchFile file;
  file.set(input.rest());
  auto opened = hw::ImageFile::open("-kernel", file.path(), hw::ImageFile::Packed::kUnpack, kRamSize);
  if (!opened.ok()) return;
  auto is_elf = hw::is_elf(**opened);
  CHECK(is_elf.ok());
  auto elf = hw::parse_elf(**opened);
  if (!elf.ok()) return CHECK(!elf.error().message.empty());
  CHECK(!elf->segments.empty());
  static SmallMachine machine(kRamSize);
  if (elf->is_movable && !elf->move(SmallMachine::kRam)) return;
  std::uint64_t end = 0;
  for (const auto& segment : elf->segments) {
    CHECK((end == 0 || segment.paddr >= end) && segment.file_bytes <= segment.size);
    end = segment.paddr + segment.size;
  }
  hw::LoadedImages images(machine.memory, {});
  auto fit = images.fit(*opened, *elf);
  if (!fit.ok()) return CHECK(!fit.error().message.empty());
  CHECK(!fit->images.empty() && fit->low < fit->high);
  fit->left_out.clear();  // no warning for each input
  if (!images.add_elf(*opened, std::move(*fit)).ok()) return;
  for (unsigned reset = 0; reset < 2; ++reset) CHECK(images.load().ok());
}

const Registration registration("elf", run);

}  // namespace
}  // namespace gstage::fuzz
