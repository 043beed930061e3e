// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "softmmu/base/format.h"
#include "target/riscv/inspect/dump.h"
#include "target/riscv/inspect/walk.h"

namespace gstage::riscv {

namespace {

unsigned long long wide(std::uint64_t value) { return value; }

/// What a fence and an access find of a page, and of those behind it that go on where it ends.
struct Run {
  std::uint64_t page;
  std::uint64_t size;
  TlbOrigin origin;
  bool is_readable;
  bool is_writable;
  bool is_executable;

  [[nodiscard]] bool goes_on_with(const Run& next) const {
    TlbOrigin there = origin;
    there.paddr_page += size;
    there.gpa_page += size;
    return next.page == page + size && next.origin == there && next.is_readable == is_readable &&
           next.is_writable == is_writable && next.is_executable == is_executable;
  }
};

Run run_of(const TlbPage& page) {
  return {page.page,
          kPageSize,
          page.origin,
          page.is_readable,
          std::atomic_ref(page.write_host).load() != 0,
          page.is_executable};
}

std::vector<Run> runs_of(TlbContext& context) {
  std::vector<Run> pages;
  context.for_each_page([&](const TlbPage& page) { pages.push_back(run_of(page)); });
  std::sort(pages.begin(), pages.end(), [](const Run& a, const Run& b) { return a.page < b.page; });
  std::vector<Run> runs;
  for (const Run& page : pages) {
    if (!runs.empty() && runs.back().goes_on_with(page))
      runs.back().size += kPageSize;
    else
      runs.push_back(page);
  }
  return runs;
}

std::string size_text(unsigned shift) {
  constexpr char kUnits[] = "KMGTPE";
  const unsigned unit = shift / 10 - 1;
  return format("%llu%c", 1ull << (shift - 10 * (unit + 1)), kUnits[unit]);
}

std::string run_text(const Run& run) {
  const bool has_g_stage = run.origin.gpa_shift != kNoGStage;
  std::string text = format("    0x%016llx-0x%016llx ", wide(run.page), wide(run.page + run.size - 1));
  if (has_g_stage) text += format("gpa 0x%llx ", wide(run.origin.gpa_page));
  text += format("at 0x%llx %c%c%c, leaf of %s", wide(run.origin.paddr_page), run.is_readable ? 'r' : '-',
                 run.is_writable ? 'w' : '-', run.is_executable ? 'x' : '-',
                 size_text(run.origin.page_shift).c_str());
  if (has_g_stage) text += " over one of " + size_text(run.origin.gpa_shift);
  return text + (run.origin.is_global ? ", global\n" : "\n");
}

}  // namespace

std::string describe_tlb(Hart& hart, bool has_pages) {
  std::string text;
  hart.mmu->tlb.for_each([&](TlbContext& context) {
    const Regime regime = regime_of_key(context.key);
    const bool is_data = &context == hart.mmu->data_context;
    const bool is_fetch = &context == hart.mmu->fetch_context;
    text += format("  %s: %s%s, pages: %u%s\n", regime_text(regime).c_str(),
                   mode_text(regime.satp, false).c_str(),
                   regime.v() ? (" over " + mode_text(regime.hgatp, true)).c_str() : "", context.page_count(),
                   is_data && is_fetch ? ", in use for data and fetches"
                   : is_data           ? ", in use for data"
                   : is_fetch          ? ", in use for fetches"
                                       : "");
    if (!has_pages) return;
    for (const Run& run : runs_of(context)) text += run_text(run);
  });
  return text;
}

}  // namespace gstage::riscv
