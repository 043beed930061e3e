// SPDX-License-Identifier: Apache-2.0
#include "hw/riscv/elf.h"

#include <algorithm>
#include <cinttypes>
#include <cstring>

#include <elf.h>

namespace gstage::hw {
namespace {

#ifndef EM_RISCV
constexpr unsigned EM_RISCV = 243;
#endif

/// Null, or what is wrong with the file's header.
const char* check_header(const Elf64_Ehdr& header) {
  if (header.e_ident[EI_CLASS] == ELFCLASS32)
    return "is a 32-bit ELF file, and the machine has 64-bit harts; build it for riscv64";
  if (header.e_ident[EI_CLASS] != ELFCLASS64) return "is not a 64-bit ELF file; build it for riscv64";
  if (header.e_ident[EI_DATA] == ELFDATA2MSB) return "is a big-endian ELF file; build it for riscv64";
  if (header.e_ident[EI_DATA] != ELFDATA2LSB) return "is a damaged ELF file (byte order); link it again";
  if (header.e_machine != EM_RISCV) return "is not an ELF file for RISC-V; build it for riscv64";
  if (header.e_type != ET_EXEC && header.e_type != ET_DYN)
    return "is an ELF file that is not an executable; link it";
  if (header.e_phnum == 0) return "is an ELF file without segments; link it";
  if (header.e_phentsize != sizeof(Elf64_Phdr)) return "is a damaged ELF file (size of program headers)";
  return nullptr;
}

/// Null, or what is wrong with the segment.
const char* check_segment(const Elf64_Phdr& segment, std::uint64_t file_size) {
  if (segment.p_offset > file_size || segment.p_filesz > file_size - segment.p_offset)
    return "is a truncated ELF file: a segment lies beyond its end; copy it again";
  if (segment.p_filesz > segment.p_memsz) return "is a damaged ELF file: a segment is larger than its memory";
  if (segment.p_paddr + segment.p_memsz < segment.p_paddr)
    return "is a damaged ELF file: a segment ends beyond the address space";
  return nullptr;
}

/// The entry point is a virtual address; segments say where that lies. Some files have the physical one.
void find_entry(ElfImage& image, const std::vector<Elf64_Phdr>& headers, std::uint64_t entry) {
  image.entry = entry;
  for (const Elf64_Phdr& segment : headers) {
    if (segment.p_type != PT_LOAD || entry - segment.p_vaddr >= segment.p_memsz) continue;
    image.entry = entry - segment.p_vaddr + segment.p_paddr;
    return;
  }
  const auto holds_entry = [entry](const auto& segment) { return entry - segment.paddr < segment.size; };
  // "If the file has no associated entry point, this member holds zero."
  image.has_entry = entry != 0 || std::any_of(image.segments.begin(), image.segments.end(), holds_entry);
}

/// Sorts the segments; an error when two of them overlap.
Status sort_segments(const char* name, std::vector<ElfImage::Segment>& segments) {
  std::sort(segments.begin(), segments.end(), [](const auto& a, const auto& b) { return a.paddr < b.paddr; });
  for (std::size_t i = 1; i < segments.size(); ++i)
    if (segments[i].paddr - segments[i - 1].paddr < segments[i - 1].size)
      return error("%s is a damaged ELF file: two segments overlap at 0x%" PRIx64 "; link it again", name,
                   segments[i].paddr);
  return Ok{};
}

}  // namespace

Result<bool> is_elf(ImageFile& file) {
  auto magic = file.head<std::uint32_t>();
  if (!magic.ok()) return magic.error();
  return std::memcmp(&*magic, ELFMAG, SELFMAG) == 0;
}

Result<ElfImage> parse_elf(ImageFile& file) {
  const char* const name = file.name().c_str();
  auto header = file.head<Elf64_Ehdr>();
  if (!header.ok()) return header.error();
  // The class first: a whole 32-bit header is shorter than what is read here.
  if (file.size() > EI_CLASS && header->e_ident[EI_CLASS] != ELFCLASS64)
    return error("%s %s", name, check_header(*header));
  if (file.size() < sizeof(Elf64_Ehdr))
    return error("%s is a truncated ELF file: its header is cut off; copy it again", name);
  if (const char* wrong = check_header(*header)) return error("%s %s", name, wrong);
  std::vector<Elf64_Phdr> headers(header->e_phnum);
  const std::uint64_t bytes = headers.size() * sizeof(Elf64_Phdr);
  if (header->e_phoff > file.size() || bytes > file.size() - header->e_phoff)
    return error("%s is a truncated ELF file: its program headers are cut off; copy it again", name);
  const Status status = file.read(header->e_phoff, {reinterpret_cast<std::byte*>(headers.data()), bytes});
  if (!status.ok()) return status.error();

  ElfImage image;
  bool has_interpreter = false;
  for (const Elf64_Phdr& segment : headers) {
    has_interpreter |= segment.p_type == PT_INTERP;
    if (segment.p_type != PT_LOAD || segment.p_memsz == 0) continue;
    if (const char* wrong = check_segment(segment, file.size())) return error("%s %s", name, wrong);
    image.segments.push_back({segment.p_paddr, segment.p_offset, segment.p_filesz, segment.p_memsz});
  }
  if (image.segments.empty()) return error("%s is an ELF file with nothing to load; link it", name);
  if (Status sorted = sort_segments(name, image.segments); !sorted.ok()) return sorted.error();
  find_entry(image, headers, header->e_entry);
  image.is_movable = header->e_type == ET_DYN && image.segments.front().paddr == 0;
  if (image.is_movable && has_interpreter)
    return error("%s is a program that an operating system runs; name firmware or a kernel", name);
  return image;
}

bool ElfImage::move(std::uint64_t base) {
  CHECK(is_movable);
  if (segments.back().paddr + (segments.back().size - 1) > UINT64_MAX - base) return false;
  for (Segment& segment : segments) segment.paddr += base;
  entry += base;
  is_movable = false;
  return true;
}

}  // namespace gstage::hw
