// SPDX-License-Identifier: Apache-2.0
// Capstone is opened by hand, when a log first shows host code: linked, its 77 000 relocations are a third of
// what the program does between exec and a guest's first instruction, and 2 MiB of its memory.
#include "tcg/runtime/host_disas.h"

#include <capstone/capstone.h>

#include "softmmu/base/format.h"
#include "softmmu/base/shared_library.h"

namespace gstage::tcg {

namespace {

/// What is used of the library.
struct Capstone {
  decltype(&cs_open) open = nullptr;
  decltype(&cs_option) option = nullptr;
  decltype(&cs_disasm) disasm = nullptr;
  decltype(&cs_free) free = nullptr;
  csh handle = 0;
  bool is_there = false;

  Capstone() {
    const std::string name = format("libcapstone.so.%d", CS_API_MAJOR);
    const SharedLibrary library(name.c_str());
    is_there = library.find(open, "cs_open") && library.find(option, "cs_option") &&
               library.find(disasm, "cs_disasm") && library.find(free, "cs_free") &&
               open(CS_ARCH_X86, CS_MODE_64, &handle) == CS_ERR_OK;
    if (is_there) option(handle, CS_OPT_SKIPDATA, CS_OPT_ON);
  }
};

const Capstone& the_capstone() {
  static const Capstone instance;
  return instance;
}

}  // namespace

void load_host_disassembler() { the_capstone(); }

std::string disassemble_host(const std::uint8_t* code, std::size_t size, std::uint64_t shown_at) {
  const Capstone& capstone = the_capstone();
  if (!capstone.is_there) return format("  (libcapstone.so.%d is not installed)\n", CS_API_MAJOR);
  cs_insn* insns = nullptr;
  const std::size_t count = capstone.disasm(capstone.handle, code, size, shown_at, 0, &insns);
  std::string text;
  for (std::size_t i = 0; i < count; ++i)
    text += format("  %016llx  %s %s\n", static_cast<unsigned long long>(insns[i].address), insns[i].mnemonic,
                   insns[i].op_str);
  if (count != 0) capstone.free(insns, count);
  return text;
}

}  // namespace gstage::tcg
