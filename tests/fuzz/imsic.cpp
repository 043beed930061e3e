// SPDX-License-Identifier: Apache-2.0
// Interrupt files: stores to their pages, the hart's side of them, and the hart's interrupts.
#include "softmmu/base/check.h"
#include "target/riscv/cpu.h"
#include "target/riscv/hart.h"
#include "hw/intc/imsic_pages.h"

#include "tests/fuzz/accesses.h"
#include "tests/fuzz/no_control.h"
#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

constexpr unsigned kGuestFiles = 3;

struct Machine {
  AddressSpace memory;
  Clock clock;
  riscv::TimeCounter time{clock};
  TimerThread timers{clock};
  NoControl control;
  std::unique_ptr<riscv::CpuCluster> harts;
  std::unique_ptr<hw::ImsicPages> pages;

  Machine() {
    CHECK(memory.add_ram("ram", Paddr{0x8000'0000}, 64 << 10).ok());
    memory.seal();
    riscv::CpuConfig config = riscv::max_config();
    config.smaia = config.ssaia = true;
    auto made =
        riscv::make_cpus({&memory, &clock, &time, &timers, &control, config, 0x8000'0000, {63, kGuestFiles}});
    CHECK(made.ok());
    harts = std::move(*made);
    riscv::Imsic& all = imsic();
    pages = std::make_unique<hw::ImsicPages>(std::vector<riscv::InterruptFile*>{
        &all.machine(), &all.supervisor(), all.guest(1), all.guest(2), all.guest(3), nullptr});
  }
  riscv::Imsic& imsic() { return *harts->cpu(0).hart().imsic; }
};

/// What the hart does by its indirect registers and by stopei.
void access_file(Input& input, riscv::InterruptFile& file) {
  const unsigned select = 0x70 + static_cast<unsigned>(input.below(0x90));
  switch (input.below(3)) {
    case 0:
      if (riscv::InterruptFile::has_register(select)) static_cast<void>(file.read(select));
      return;
    case 1:
      if (riscv::InterruptFile::has_register(select))
        file.write(select, input.take<std::uint64_t>(), input.take<std::uint64_t>());
      return;
    default: file.claim(file.top());
  }
}

void run(Input& input) {
  static Machine machine;
  riscv::Imsic& imsic = machine.imsic();
  imsic.reset();
  riscv::InterruptFile* const files[] = {&imsic.machine(), &imsic.supervisor(), imsic.guest(1),
                                         imsic.guest(3)};
  while (!input.empty()) {
    if (input.flag())
      access_device(input, *machine.pages, 0x7000);
    else
      access_file(input, *files[input.below(4)]);
    for (const auto* file : files) CHECK(file->top() <= 63);
  }
  CHECK((riscv::signalling_guest_files(machine.harts->cpu(0).hart(), ~std::uint64_t{0}) &
         ~riscv::guest_file_mask(machine.harts->cpu(0).hart())) == 0);
}

const Registration registration("imsic", run);

}  // namespace
}  // namespace gstage::fuzz
