// SPDX-License-Identifier: Apache-2.0
#include "hw/riscv/elf_symbols.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include <elf.h>

namespace gstage::hw {
namespace {

/// `count` entries of a table in the file; none where it is not all there.
template <class T>
std::vector<T> read_table(ImageFile& file, std::uint64_t offset, std::uint64_t count) {
  if (offset > file.size() || count > (file.size() - offset) / sizeof(T)) return {};
  std::vector<T> table(count);
  const Status status = file.read(offset, std::as_writable_bytes(std::span(table)));
  return status.ok() ? std::move(table) : std::vector<T>{};
}

std::uint64_t to_physical(const std::vector<Elf64_Phdr>& segments, std::uint64_t vaddr) {
  for (const Elf64_Phdr& segment : segments)
    if (segment.p_type == PT_LOAD && vaddr - segment.p_vaddr < segment.p_memsz)
      return vaddr - segment.p_vaddr + segment.p_paddr;
  return vaddr;
}

/// The name at `offset` of a string table; empty where it does not end within the table.
std::string_view name_at(const std::vector<char>& strings, std::uint64_t offset) {
  if (offset >= strings.size()) return {};
  const char* const begin = strings.data() + offset;
  const void* const end = std::memchr(begin, 0, strings.size() - offset);
  return end == nullptr ? std::string_view{} : std::string_view(begin);
}

/// What of a file it takes to find its symbols.
struct Tables {
  std::vector<Elf64_Phdr> segments;
  std::vector<Elf64_Sym> symbols;
  std::vector<char> strings;
};

Tables read_tables(ImageFile& file) {
  Tables tables;
  auto header = file.head<Elf64_Ehdr>();
  if (!header.ok() || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
      header->e_ident[EI_CLASS] != ELFCLASS64)
    return tables;
  tables.segments = read_table<Elf64_Phdr>(file, header->e_phoff, header->e_phnum);
  if (header->e_shentsize != sizeof(Elf64_Shdr)) return tables;
  const auto sections = read_table<Elf64_Shdr>(file, header->e_shoff, header->e_shnum);
  const auto table = std::find_if(sections.begin(), sections.end(),
                                  [](const Elf64_Shdr& section) { return section.sh_type == SHT_SYMTAB; });
  if (table == sections.end() || table->sh_link >= sections.size()) return tables;
  const Elf64_Shdr& names = sections[table->sh_link];
  tables.strings = read_table<char>(file, names.sh_offset, names.sh_size);
  tables.symbols = read_table<Elf64_Sym>(file, table->sh_offset, table->sh_size / sizeof(Elf64_Sym));
  return tables;
}

}  // namespace

SymbolAddresses find_symbols(ImageFile& file, std::span<const std::string_view> names) {
  SymbolAddresses found;
  const Tables tables = read_tables(file);
  for (const Elf64_Sym& symbol : tables.symbols) {
    if (symbol.st_shndx == SHN_UNDEF) continue;
    const std::string_view name = name_at(tables.strings, symbol.st_name);
    if (std::find(names.begin(), names.end(), name) != names.end())
      found.emplace(name, to_physical(tables.segments, symbol.st_value));
  }
  return found;
}

std::vector<ElfSymbol> read_symbols(ImageFile& file) {
  const Tables tables = read_tables(file);
  std::vector<ElfSymbol> found;
  for (const Elf64_Sym& symbol : tables.symbols) {
    const unsigned type = ELF64_ST_TYPE(symbol.st_info);
    if (symbol.st_shndx == SHN_UNDEF || type == STT_SECTION || type == STT_FILE || type == STT_TLS) continue;
    const std::string_view name = name_at(tables.strings, symbol.st_name);
    if (name.empty() || name.starts_with('$') || name.starts_with(".L")) continue;
    found.push_back({symbol.st_value, symbol.st_size, type == STT_FUNC, std::string(name)});
  }
  return found;
}

std::uint64_t lowest_address(ImageFile& file) {
  std::uint64_t lowest = ~std::uint64_t{0};
  for (const Elf64_Phdr& segment : read_tables(file).segments)
    if (segment.p_type == PT_LOAD && segment.p_memsz != 0)
      lowest = std::min<std::uint64_t>(lowest, segment.p_vaddr);
  return lowest == ~std::uint64_t{0} ? 0 : lowest;
}

}  // namespace gstage::hw
