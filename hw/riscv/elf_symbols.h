// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hw/riscv/image_file.h"

namespace gstage::hw {

using SymbolAddresses = std::map<std::string, std::uint64_t, std::less<>>;

/// The physical addresses of those of `names` that the symbol table of an ELF file has (System V ABI, "Symbol
/// Table"). A file that is stripped or damaged has none: it may run all the same.
SymbolAddresses find_symbols(ImageFile& file, std::span<const std::string_view> names);

/// A symbol as the file has it.
struct ElfSymbol {
  std::uint64_t address = 0;  ///< virtual
  std::uint64_t size = 0;     ///< bytes, 0: not known
  bool is_function = false;
  std::string name;
};
/// All that the symbol table of an ELF file names and places, in its order, but for sections, files and the
/// mapping symbols of the psABI ("$x"). Empty where there is none.
std::vector<ElfSymbol> read_symbols(ImageFile& file);
/// The lowest virtual address of what the file loads; 0 where it loads nothing.
std::uint64_t lowest_address(ImageFile& file);

}  // namespace gstage::hw
