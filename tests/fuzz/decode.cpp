// SPDX-License-Identifier: Apache-2.0
// Guest code on its way from bytes to host code: decoded, disassembled, translated, improved and compiled.
// Nothing is executed.
#include <array>
#include <cstring>

#include "softmmu/base/check.h"
#include "tcg/ir/parse.h"
#include "tcg/ir/print.h"
#include "tcg/ir/verify.h"
#include "tcg/opt/pipeline.h"
#include "tcg/x86_64/compiler.h"
#include "target/riscv/guest.h"
#include "target/riscv/hart.h"
#include "target/riscv/trans/translate.h"

#include "tests/fuzz/helpers.h"
#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

/// The back end alone, for code that nobody runs.
struct BackEnd {
  riscv::RiscvGuest guest{riscv::max_config()};
  std::unique_ptr<tcg::CodeBuffer> buffer = std::move(*tcg::CodeBuffer::make(tcg::CodeBuffer::kMinimumBytes));
  tcg::x86_64::Thunks thunks{*buffer, guest, {nullptr, nullptr, nullptr}};
  tcg::x86_64::Compiler compiler{*buffer, thunks, guest.layout(), tcg::x86_64::detect_host()};

  BackEnd() { register_helpers(); }
  void compile(const tcg::Unit& unit) {
    using tcg::x86_64::Compiler;
    using tcg::x86_64::Thunks;
    tcg::x86_64::CompiledBlock code{};
    static_cast<void>(compiler.compile(
        unit, {Thunks::kBytes, Thunks::kBytes + Compiler::kMaxInlineBytes, nullptr, nullptr, true, false},
        code));
  }
};

/// The mode of a hart, as far as blocks depend on it. There is no M-mode with V=1, and no mode 2.
std::uint32_t draw_flags(Input& input) {
  std::uint32_t flags = input.take<std::uint8_t>() & 0x1f;
  if ((flags & riscv::block_flags::kPrivMask) >= 2)
    flags = (flags | riscv::kMachine) & ~std::uint32_t{riscv::block_flags::kVirtual};
  return flags;
}

void run(Input& input) {
  static BackEnd back_end;
  static const riscv::CpuConfig configs[] = {riscv::max_config(), riscv::CpuConfig{}};
  const auto how = input.take<std::uint8_t>();
  const std::uint32_t flags = draw_flags(input);
  alignas(8) std::array<std::byte, 2 * kPageSize> pages{};
  const auto code = input.take_bytes(512);
  // At the page's end a last instruction may go on in the next page.
  const std::uint32_t first = (how & 1) != 0 ? kPageSize - 2 : 0x100;
  std::memcpy(&pages[first], code.data(), code.size());
  const auto halfword = static_cast<std::uint16_t>(static_cast<unsigned>(pages[first]));
  const bool straddles = (how & 1) != 0 && back_end.guest.is_long(halfword);
  const tcg::BlockSource source{first, flags, pages.data(), straddles ? &pages[kPageSize] : nullptr,
                                (how & 2) != 0 ? 1u : 64u};
  static_cast<void>(back_end.guest.disassemble(0x8000'0000, {pages.data() + first, code.size()}));
  tcg::Unit unit;
  riscv::translate_block(source, configs[how / 4 % 2], unit);
  CHECK(tcg::verify(unit).ok());
  for (const auto& pass : tcg::passes()) {
    pass.run(unit);
    CHECK(tcg::verify(unit).ok());
  }
  back_end.compile(unit);
  if ((how & 0xf0) != 0) return;  // text takes longer than all the rest
  const std::string text = tcg::print(unit);
  auto back = tcg::parse(text);
  CHECK(back.ok() && tcg::print(*back) == text);
}

const Registration registration("decode", run);

}  // namespace
}  // namespace gstage::fuzz
