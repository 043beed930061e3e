// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "tcg/runtime/code_buffer.h"
#include "tcg/x86_64/compiler.h"
#include "tcg/x86_64/thunks.h"

#include "tests/unit/ir_machine.h"

namespace gstage::tcg::test {

/// The test machine with the x86-64 back end alone, without an engine: runs single units.
struct JitMachine : Machine {
  std::unique_ptr<CodeBuffer> buffer;
  x86_64::Thunks thunks;
  x86_64::Compiler compiler;

  bool is_alone = false;  ///< CompileRequest::is_alone
  std::unique_ptr<RegionReport> report;
  std::array<TlbEntry, kTlbSize> no_pages;  ///< the dispatcher leaves

  explicit JitMachine(x86_64::HostFeatures features)
      : buffer(std::move(*CodeBuffer::make(CodeBuffer::kMinimumBytes))),
        thunks(*buffer, guest, {leave, leave, leave_link}),
        compiler(*buffer, thunks, guest.layout(), features) {
    current() = this;
    no_pages.fill({kNoTag, 0});
  }
  ~JitMachine() { current() = nullptr; }

  /// False: the unit is too big.
  bool run(const Unit& unit) {
    current() = this;
    x86_64::CompiledBlock code{};
    if (!compiler.compile(unit,
                          {x86_64::Thunks::kBytes, x86_64::Thunks::kBytes + x86_64::Compiler::kMaxInlineBytes,
                           nullptr, nullptr, true, false, is_alone},
                          code))
      return false;
    hart->core.pc_page = kCodePage;
    RunContext context{&hart->core, nullptr, true};
    thunks.enter(context, buffer->executable_at(code.entry));
    return true;
  }

  /// The same for a region, entered at its first node. False: too big. Where its code cannot be entered the
  /// pc stays as it is.
  bool run_region(const Region& region) {
    current() = this;
    x86_64::CompiledBlock code{};
    constexpr std::size_t kFirst = x86_64::Thunks::kBytes;
    const std::size_t leave = buffer->offset_of(thunks.leave());
    x86_64::RegionEntry entry{0, leave};
    report = std::make_unique<RegionReport>();
    if (!compiler.compile_region(
            region, {kFirst, kFirst + x86_64::Compiler::kMaxInlineBytes, nullptr, nullptr, false, false},
            {&entry, 1}, *report, code))
      return false;
    hart->core.pc_page = kCodePage;
    if (hart->core.fetch == nullptr) hart->core.fetch = no_pages.data();
    RunContext context{&hart->core, nullptr, true};
    thunks.enter(context, buffer->executable_at(entry.entry));
    return true;
  }

 private:
  static JitMachine*& current() {
    static JitMachine* machine = nullptr;
    return machine;
  }
  static const void* leave(RunContext*) { return current()->thunks.leave(); }
  static const void* leave_link(RunContext*, const LinkSite*) { return current()->thunks.leave(); }
};

}  // namespace gstage::tcg::test
