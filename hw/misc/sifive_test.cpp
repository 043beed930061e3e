// SPDX-License-Identifier: Apache-2.0
#include "hw/misc/sifive_test.h"

#include <cinttypes>
#include <utility>

#include "hw/core/output_queue.h"

namespace gstage::hw {
namespace {

enum Command : std::uint32_t { kFail = 0x3333, kPass = 0x5555, kReset = 0x7777 };

}  // namespace

std::span<const Register<SifiveTest>> SifiveTest::registers() {
  static constexpr Register<SifiveTest> kTable[] = {
      {0, 4, "finisher", &SifiveTest::read_finisher, &SifiveTest::write_finisher, 1, 0, 2 | 4, true},
  };
  static_assert(is_well_formed(kTable));
  return kTable;
}

std::uint64_t SifiveTest::read_finisher(Access) { return 0; }

void SifiveTest::write_finisher(Access, std::uint64_t value) {
  const auto code = static_cast<int>((value >> 16) & 0xffff);
  // What the guest printed before must be out before the program may end.
  OutputQueue::flush_all();
  switch (value & 0xffff) {
    case kPass: return control_.request(MachineRequest::kPoweroff, 0);
    case kFail: return control_.request(MachineRequest::kPoweroff, code);
    case kReset: return control_.request(MachineRequest::kReset, 0);
    default: log_line(Log::kGuestErrors, "test: no command 0x%" PRIx64, value);
  }
}

void SifiveTest::describe(FdtBuilder& fdt) const {
  const auto node = fdt.node("test", place().base);
  fdt.cell("phandle", place().phandle);
  fdt.wide_cells("reg", {place().base, place().size});
  const std::string compatible[] = {"sifive,test1", "sifive,test0", "syscon"};
  fdt.strings("compatible", compatible);
}

void SifiveTest::describe_syscon(FdtBuilder& fdt, std::uint32_t phandle) {
  struct Row {
    const char* node;
    const char* compatible;
    std::uint32_t value;
  };
  static constexpr Row kRows[] = {{"poweroff", "syscon-poweroff", kPass},
                                  {"reboot", "syscon-reboot", kReset}};
  for (const Row& row : kRows) {
    const auto node = fdt.node(row.node);
    fdt.cell("value", row.value);
    fdt.cell("offset", 0);
    fdt.cell("regmap", phandle);
    fdt.string("compatible", row.compatible);
  }
}

}  // namespace gstage::hw
