// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <xmmintrin.h>

#include "softmmu/mem/address_space.h"
#include "target/riscv/cpu.h"
#include "target/riscv/csr/csr.h"
#include "target/riscv/csr/fields.h"
#include "target/riscv/hart.h"
#include "target/riscv/mmu/mmu.h"
#include "target/riscv/mmu/translate.h"
#include "target/riscv/trap/interrupts.h"
#include "target/riscv/trap/mode.h"
#include "target/riscv/trap/trap.h"

namespace gstage::riscv {

/// A hart without threads, engine and clock: its time is a number.
class FakeCpu final : public RiscvCpu {
 public:
  explicit FakeCpu(Hart& hart) : hart_(hart) {}
  [[nodiscard]] unsigned index() const override { return 0; }
  CpuCore& core() override { return hart_.core; }
  Tlb& tlb() override { return hart_.mmu->tlb; }
  void run() override {}
  void reset() override {}
  void kick(std::uint32_t attention) override { hart_.core.attention |= attention; }
  void set_irq(unsigned mip_bit, bool is_high) override {
    const std::uint64_t bit = std::uint64_t{1} << mip_bit;
    if (is_high)
      hart_.irq_lines |= bit;
    else
      hart_.irq_lines &= ~bit;
  }
  Hart& hart() override { return hart_; }
  [[nodiscard]] std::uint64_t time() const override { return now; }
  [[nodiscard]] std::uint64_t uptime() const override { return now - set_by; }
  void update_timers() override {
    ++timer_updates;
    note_due_timers(hart_);
  }
  void report_critical_error() override { ++critical_errors; }

  std::uint64_t now = 1000;
  std::uint64_t set_by = 0;  ///< how far writes of mtime have moved the time
  unsigned timer_updates = 0;
  unsigned critical_errors = 0;

 private:
  Hart& hart_;
};

/// The modes, as their abbreviations in the hypervisor chapter.
struct Mode {
  const char* name;
  Privilege priv;
  bool v;
};
inline constexpr Mode kM{"M", kMachine, false};
inline constexpr Mode kHs{"HS", kSupervisor, false};
inline constexpr Mode kU{"U", kUser, false};
inline constexpr Mode kVs{"VS", kSupervisor, true};
inline constexpr Mode kVu{"VU", kUser, true};
inline constexpr Mode kModes[] = {kM, kHs, kU, kVs, kVu};

/// A hart on a bus with a little RAM, reset, in M-mode. No test leaves the host's MXCSR changed.
class RiscvHart : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kRam = 0x8000'0000;
  static constexpr std::uint64_t kHartid = 5;
  static constexpr std::uint64_t kRaw = 0x12345678;

  RiscvHart() : mmu_(std::make_unique<MmuState>()), hart_(std::make_unique<Hart>()), cpu(*hart_) {
    host_mxcsr_ = _mm_getcsr();
    config.smepmp = true;
    EXPECT_TRUE(memory.add_ram("ram", Paddr{kRam}, 16 * kPageSize).ok());
    memory.seal();
    Hart& hart = *hart_;
    hart.config = &config;
    hart.memory = &memory;
    hart.mmu = mmu_.get();
    hart.cpu = &cpu;
    hart.hartid = kHartid;
    restart();
  }
  ~RiscvHart() override { _mm_setcsr(host_mxcsr_); }

  /// Power-on state with the present `config`.
  void restart() {
    Hart& hart = *hart_;
    _mm_setcsr(host_mxcsr_);
    hart.irq_lines = 0;
    hart.hgeip = 0;
    hart.core.attention = 0;
    hart.core.trap_pending = 0;
    hart.core.pc = kRam;
    hart.is_waiting = 0;
    hart.is_nmi_pending = 0;
    hart.has_critical_error = 0;
    hart.s = &hart.hs;
    hart.priv = kMachine;
    hart.v = 0;
    reset_csrs(hart);
    reset_mmu(hart);
    // One rule for all memory, so that modes below M reach it.
    hart.pmpaddr[0] = ~std::uint64_t{0} >> 10;
    hart.pmpcfg[0] = 0x1f;
    pmp_changed(hart);
    update_regimes(hart);
  }

  void enter(const Mode& mode) { set_mode(hart(), mode.priv, mode.v); }

  /// Executes the access. Empty: it raised.
  std::optional<std::uint64_t> access(unsigned number, CsrOp op, std::uint64_t operand = 0) {
    return csr_access(hart(), number, op, operand, kRaw);
  }
  std::uint64_t read(unsigned number) {
    const std::optional<std::uint64_t> value = access(number, CsrOp::kRead);
    EXPECT_TRUE(value.has_value()) << csr_name(number);
    return value.value_or(0xdead);
  }
  void write(unsigned number, std::uint64_t value) {
    EXPECT_TRUE(access(number, CsrOp::kWriteOnly, value).has_value()) << csr_name(number);
  }
  /// 'A' allowed, 'I' illegal instruction, 'V' virtual instruction.
  char verdict(unsigned number, CsrOp op = CsrOp::kRead) {
    const bool is_done = access(number, op).has_value();
    return is_done ? 'A' : raised();
  }
  /// The pending trap as a letter, which it takes away: 'I', 'V', '?' another or a wrong tval, '-' none.
  char raised() {
    if (hart().core.trap_pending == 0) return '-';
    hart().core.trap_pending = 0;
    if (hart().trap.tval != kRaw) return '?';
    if (hart().trap.cause == Cause::kIllegalInstruction) return 'I';
    return hart().trap.cause == Cause::kVirtualInstruction ? 'V' : '?';
  }

  Hart& hart() { return *hart_; }

  CpuConfig config;
  AddressSpace memory;

 private:
  std::unique_ptr<MmuState> mmu_;
  std::unique_ptr<Hart> hart_;
  std::uint32_t host_mxcsr_;

 protected:
  FakeCpu cpu;
};

}  // namespace gstage::riscv
