// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>

#include "softmmu/base/check.h"
#include "target/riscv/cpu.h"
#include "target/riscv/csr/csr.h"
#include "target/riscv/guest.h"
#include "target/riscv/hart.h"
#include "target/riscv/trap/mode.h"

#include "tests/fuzz/input.h"
#include "tests/fuzz/no_control.h"

namespace gstage::fuzz {

/// A hart with all extensions and a little RAM, which stands still: targets do to it what instructions would.
struct HartMachine {
  static constexpr std::uint64_t kRam = 0x8000'0000;
  static constexpr std::uint64_t kRamSize = 64 << 10;

  AddressSpace memory;
  Clock clock;
  riscv::TimeCounter time{clock};
  TimerThread timers{clock};
  NoControl control;
  riscv::RiscvGuest guest{config()};
  std::unique_ptr<riscv::CpuCluster> harts;

  HartMachine() {
    CHECK(memory.add_ram("ram", Paddr{kRam}, kRamSize).ok());
    memory.seal();
    riscv::CpuSetup setup{&memory, &clock, &time, &timers, &control, config(), kRam, {63, 3}};
    setup.engine.accel = Accel::kInterp;
    auto made = riscv::make_cpus(setup);
    CHECK(made.ok());
    harts = std::move(*made);
  }
  static riscv::CpuConfig config() {
    riscv::CpuConfig all = riscv::max_config();
    all.smaia = all.ssaia = all.smrnmi = true;  // without double traps, which would end the machine
    return all;
  }
  /// Makes it what it was in the beginning: in M-mode, RAM empty, everything open to the modes below.
  void restart() {
    for (const unsigned wire : {riscv::kSsi, riscv::kMsi, riscv::kMti, riscv::kSei, riscv::kMei})
      cpu().set_irq(wire, false);
    cpu().reset();
    std::memset(ram(), 0, kRamSize);
    riscv::csr_poke(hart(), 0x3b0, ~std::uint64_t{0} >> 10);  // pmpaddr0: everything
    riscv::csr_poke(hart(), 0x3a0, 0x1f);
  }
  std::byte* ram() const { return memory.host(Paddr{kRam}); }
  riscv::RiscvCpu& cpu() { return harts->cpu(0); }
  riscv::Hart& hart() { return cpu().hart(); }
};

inline void enter_mode(Input& input, riscv::Hart& hart) {
  static constexpr riscv::Privilege kModes[] = {riscv::kUser, riscv::kSupervisor, riscv::kMachine};
  const riscv::Privilege mode = kModes[input.below(3)];
  riscv::set_mode(hart, mode, mode != riscv::kMachine && input.flag());
}

}  // namespace gstage::fuzz
