// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "softmmu/base/result.h"
#include "hw/riscv/image_file.h"

namespace gstage::hw {

/// What of an ELF file goes into memory (System V ABI, chapter 5; RISC-V psABI).
struct ElfImage {
  struct Segment {
    std::uint64_t paddr;
    std::uint64_t offset;      ///< in the file
    std::uint64_t file_bytes;  ///< from the file
    std::uint64_t size;        ///< in memory; what the file does not give is zero
  };
  std::uint64_t entry = 0;  ///< physical; as the file has it when it is in no segment
  bool has_entry = true;    ///< false: the file names none
  /// Position-independent and linked at 0, as OpenSBI's files are: it belongs where a flat image would go.
  bool is_movable = false;
  std::vector<Segment> segments;  ///< by address, and disjoint

  /// Moves what is movable to `base`; false when it does not fit below the end of the address space.
  bool move(std::uint64_t base);
};

/// Whether the file begins as ELF files do.
Result<bool> is_elf(ImageFile& file);
/// Reads the headers. An error for what is not a complete 64-bit little-endian RISC-V executable.
Result<ElfImage> parse_elf(ImageFile& file);

}  // namespace gstage::hw
