// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "softmmu/base/result.h"
#include "target/riscv/hart.h"

namespace gstage::riscv {

/// How `x` and `xp` show memory: "/20i", "/8xg".
struct DumpFormat {
  unsigned count = 1;
  char form = 'x';    ///< x d u o c i s
  unsigned size = 4;  ///< bytes: 1 b, 2 h, 4 w, 8 g
};
/// "8xg"; what is not said stays as it is in `format`. An Error says what there is.
Status parse_dump_format(const std::string& text, DumpFormat& format);

/// Reads bytes at an address; false: there is nothing.
using ReadBytes = std::function<bool(std::uint64_t address, void* to, unsigned size)>;
/// Lines of memory from the address on. What cannot be read ends it with a line that says so.
std::string dump_memory(const DumpFormat& how, std::uint64_t address, const ReadBytes& read);

/// All CSRs of the hart that have fields, or all, a line each: name, value, fields.
std::string describe_csrs(Hart& hart, bool has_all);
/// Registers that have to do with interrupts, spelt out.
std::string describe_interrupts(Hart& hart);
/// The contexts of the software TLB: whose translations they hold, and of how many pages. With `has_pages`
/// also the translations, those side by side joined: r, w and x are what was asked for already and may be
/// done without a walk, leaves are what a fence that names an address drops.
std::string describe_tlb(Hart& hart, bool has_pages);

}  // namespace gstage::riscv
