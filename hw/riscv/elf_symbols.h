// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "hw/riscv/image_file.h"

namespace gstage::hw {

using SymbolAddresses = std::map<std::string, std::uint64_t, std::less<>>;

/// The physical addresses of those of `names` that the symbol table of an ELF file has (System V ABI, "Symbol
/// Table"). A file that is stripped or damaged has none: it may run all the same.
SymbolAddresses find_symbols(ImageFile& file, std::span<const std::string_view> names);

}  // namespace gstage::hw
