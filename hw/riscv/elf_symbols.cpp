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

}  // namespace

SymbolAddresses find_symbols(ImageFile& file, std::span<const std::string_view> names) {
  SymbolAddresses found;
  auto header = file.head<Elf64_Ehdr>();
  if (!header.ok() || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
      header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_shentsize != sizeof(Elf64_Shdr))
    return found;
  const auto sections = read_table<Elf64_Shdr>(file, header->e_shoff, header->e_shnum);
  const auto segments = read_table<Elf64_Phdr>(file, header->e_phoff, header->e_phnum);
  const auto table = std::find_if(sections.begin(), sections.end(),
                                  [](const Elf64_Shdr& section) { return section.sh_type == SHT_SYMTAB; });
  if (table == sections.end() || table->sh_link >= sections.size()) return found;
  const Elf64_Shdr& names_section = sections[table->sh_link];
  const auto strings = read_table<char>(file, names_section.sh_offset, names_section.sh_size);
  for (const Elf64_Sym& symbol :
       read_table<Elf64_Sym>(file, table->sh_offset, table->sh_size / sizeof(Elf64_Sym))) {
    if (symbol.st_shndx == SHN_UNDEF) continue;
    const std::string_view name = name_at(strings, symbol.st_name);
    if (std::find(names.begin(), names.end(), name) != names.end())
      found.emplace(name, to_physical(segments, symbol.st_value));
  }
  return found;
}

}  // namespace gstage::hw
