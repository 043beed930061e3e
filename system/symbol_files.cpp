// SPDX-License-Identifier: Apache-2.0
#include "system/symbol_files.h"

#include <utility>
#include <vector>

#include "target/riscv/inspect/symbols.h"
#include "hw/riscv/elf_symbols.h"

namespace gstage {

namespace {

/// The largest file that packed symbols may become.
constexpr std::uint64_t kMostBytes = std::uint64_t{4} << 30;

Status load(const SymbolsOptions& options) {
  auto file = hw::ImageFile::open("-symbols", options.file, hw::ImageFile::Packed::kUnpack, kMostBytes);
  if (!file) return file.error();
  const std::uint64_t moved_by = options.base ? *options.base - hw::lowest_address(**file) : 0;
  std::vector<riscv::Symbol> symbols;
  for (hw::ElfSymbol& symbol : hw::read_symbols(**file))
    symbols.push_back({symbol.address + moved_by, symbol.size, symbol.is_function, std::move(symbol.name)});
  if (symbols.empty())
    return error("-symbols %s: the file has no symbol table: name an ELF file that is not stripped",
                 options.file.c_str());
  riscv::program_symbols().add(options.vmid, std::move(symbols));
  return Ok{};
}

}  // namespace

Status load_symbols(const Options& options) {
  for (const SymbolsOptions& symbols : options.symbols)
    if (const Status status = load(symbols); !status.ok()) return status;
  return Ok{};
}

}  // namespace gstage
