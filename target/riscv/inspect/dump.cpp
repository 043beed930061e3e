// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/inspect/dump.h"

#include <algorithm>
#include <cctype>
#include <cstdio>

#include "softmmu/base/bits.h"
#include "softmmu/base/format.h"
#include "target/riscv/csr/csr.h"
#include "target/riscv/csr/row.h"
#include "target/riscv/decode/disas.h"
#include "target/riscv/inspect/fields.h"

namespace gstage::riscv {

namespace {

constexpr unsigned kMostItems = 1u << 20;
unsigned long long wide(std::uint64_t value) { return value; }

std::string item_text(const DumpFormat& how, std::uint64_t value) {
  const auto digits = static_cast<int>(2 * how.size);
  switch (how.form) {
    case 'd': return format("%lld", static_cast<long long>(sign_extend(value, 8 * how.size)));
    case 'u': return format("%llu", wide(value));
    case 'o': return format("0%llo", wide(value));
    case 'c':
      return std::isprint(static_cast<int>(value & 0xff)) != 0 ? format("'%c'", static_cast<char>(value))
                                                               : format("'\\x%02llx'", wide(value & 0xff));
    default: return format("0x%0*llx", digits, wide(value));
  }
}

std::string no_memory(std::uint64_t address) {
  return format("cannot access memory at 0x%llx\n", wide(address));
}

std::string dump_instructions(const DumpFormat& how, std::uint64_t address, const ReadBytes& read) {
  std::string text;
  for (unsigned i = 0; i < how.count; ++i) {
    std::uint16_t halves[2] = {};
    if (!read(address, &halves[0], 2)) return text + no_memory(address);
    const unsigned size = (halves[0] & 3) == 3 ? 4 : 2;
    if (size == 4 && !read(address + 2, &halves[1], 2)) return text + no_memory(address + 2);
    const std::uint32_t raw = halves[0] | static_cast<std::uint32_t>(halves[1]) << 16;
    text += format("0x%016llx:  %0*x%*s %s\n", wide(address), static_cast<int>(2 * size), raw,
                   static_cast<int>(8 - 2 * size), "", disassemble_insn(address, raw).c_str());
    address += size;
  }
  return text;
}

std::string dump_strings(const DumpFormat& how, std::uint64_t address, const ReadBytes& read) {
  constexpr unsigned kLongest = 1024;
  std::string text;
  for (unsigned i = 0; i < how.count; ++i) {
    std::string line = format("0x%016llx: \"", wide(address));
    char c = 0;
    for (unsigned n = 0; n < kLongest; ++n) {
      if (!read(address++, &c, 1)) return text + no_memory(address - 1);
      if (c == 0) break;
      line += std::isprint(static_cast<unsigned char>(c)) != 0
                  ? std::string(1, c)
                  : format("\\x%02x", static_cast<unsigned char>(c));
    }
    text += line + "\"\n";
  }
  return text;
}

}  // namespace

Status parse_dump_format(const std::string& text, DumpFormat& how) {
  std::uint64_t count = 0;
  std::size_t at = 0;
  for (; at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0; ++at)
    count = std::min<std::uint64_t>(count * 10 + static_cast<unsigned>(text[at] - '0'), kMostItems + 1);
  if (at != 0) how.count = static_cast<unsigned>(count);
  if (how.count > kMostItems) return error("/%s: at most %u items", text.c_str(), kMostItems);
  for (; at < text.size(); ++at) {
    constexpr char kSizes[] = "bhwg";
    const char c = text[at];
    const std::string sizes = kSizes;
    if (const std::size_t size = sizes.find(c); size != std::string::npos)
      how.size = 1u << size;
    else if (std::string("xduocis").find(c) != std::string::npos)
      how.form = c;
    else
      return error("/%s: '%c' is no format (x d u o c i s) and no size (b h w g)", text.c_str(), c);
  }
  if (how.form == 'c') how.size = 1;
  return Ok{};
}

std::string dump_memory(const DumpFormat& how, std::uint64_t address, const ReadBytes& read) {
  if (how.form == 'i') return dump_instructions(how, address, read);
  if (how.form == 's') return dump_strings(how, address, read);
  constexpr unsigned kLineBytes = 16;
  const unsigned in_line = std::max(1u, (how.form == 'c' ? 8 : kLineBytes) / how.size);
  std::string text;
  for (unsigned i = 0; i < how.count; ++i) {
    std::uint64_t value = 0;
    if (!read(address, &value, how.size)) return text + (i % in_line != 0 ? "\n" : "") + no_memory(address);
    if (i % in_line == 0) text += format("%016llx:", wide(address));
    text += " " + item_text(how, value);
    if (i % in_line == in_line - 1 || i + 1 == how.count) text += '\n';
    address += how.size;
  }
  return text;
}

std::string describe_csrs(Hart& hart, bool has_all) {
  const CsrTable table = csr_table();
  std::string text;
  for (unsigned row = 0; row < table.count; ++row) {
    for (unsigned i = 0; i < table.rows[row].count; ++i) {
      const unsigned number = table.rows[row].number + i;
      const std::optional<std::uint64_t> value = csr_peek(hart, number);
      if (!value) continue;
      const std::string fields = spell_csr(number, *value);
      if (!has_all && *value == 0) continue;
      text += format("%-14s 0x%016llx%s%s\n", csr_name(number).c_str(), wide(*value),
                     fields.empty() ? "" : "  ", fields.c_str());
    }
  }
  return text;
}

std::string describe_interrupts(Hart& hart) {
  static constexpr unsigned kNumbers[] = {0x344, 0x304, 0x303, 0x309, 0x308, 0x144, 0x104, 0x644,
                                          0x604, 0x645, 0x603, 0x244, 0x204, 0xe12, 0x607, 0x600,
                                          0x608, 0x609, 0xfb0, 0xdb0, 0xeb0, 0x300, 0x100, 0x200};
  std::string text;
  for (const unsigned number : kNumbers) {
    const std::optional<std::uint64_t> value = csr_peek(hart, number);
    if (value)
      text += format("  %-9s 0x%016llx  %s\n", csr_name(number).c_str(), wide(*value),
                     spell_csr(number, *value).c_str());
  }
  return text;
}

}  // namespace gstage::riscv
