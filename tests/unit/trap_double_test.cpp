// SPDX-License-Identifier: Apache-2.0
// Double traps (Smdbltrp, Ssdbltrp), the critical-error state, and resumable non-maskable interrupts
// (Smrnmi).
#include <cstdint>

#include <gtest/gtest.h>

#include "target/riscv/ops/helpers.h"
#include "target/riscv/trap/rnmi.h"

#include "tests/unit/riscv_hart.h"

namespace gstage::riscv {
namespace {

class TrapDoubleTest : public RiscvHart {
 protected:
  static constexpr std::uint64_t kPc = kRam + 0x100;
  static constexpr std::uint64_t kMvec = kRam + 0x1000;
  static constexpr std::uint64_t kSvec = kRam + 0x2000;
  static constexpr std::uint64_t kNmiVec = kRam + 0x3000;
  static constexpr std::uint64_t kNmiExceptionVec = kRam + 0x4000;
  static constexpr std::uint64_t kMdt = status::Mdt::kMask;
  static constexpr std::uint64_t kSdt = status::Sdt::kMask;

  /// Power-on with both extensions of M-mode, past the point where firmware is ready for traps.
  void start(bool has_rnmi) {
    config.smdbltrp = config.ssdbltrp = true;
    config.smrnmi = has_rnmi;
    config.rnmi_vector = kNmiVec;
    config.rnmi_exception_vector = kNmiExceptionVec;
    restart();
    hart().mtvec = kMvec;
    hart().hs.tvec = kSvec;
  }
  void ready() {
    hart().mstatus = 0;
    hart().mnstatus = mnstatus::Nmie::kMask;
    update_regimes(hart());
  }
  void take(const Mode& mode, Cause cause) {
    enter(mode);
    hart().core.pc = kPc;
    Trap trap{};
    trap.cause = cause;
    trap.tval = 0x77;
    raise(hart(), trap);
    deliver_trap(hart());
  }
};

TEST_F(TrapDoubleTest, ResetSetsMdtWithTheExtensionAlone) {
  EXPECT_EQ(hart().mstatus & kMdt, 0u);
  EXPECT_TRUE(is_nmi_enabled(hart()));
  start(true);
  EXPECT_EQ(hart().mstatus & kMdt, kMdt);
  EXPECT_FALSE(is_nmi_enabled(hart()));
}

TEST_F(TrapDoubleTest, SdtKeepsSieClearInEitherBank) {
  constexpr unsigned kSstatus = 0x100;
  constexpr std::uint64_t kBits = status::Sie::kMask | kSdt;
  start(false);
  ready();
  hart().menvcfg = hart().henvcfg = envcfg::Dte::kMask;
  for (const Mode& mode : {kHs, kVs}) {
    enter(mode);
    write(kSstatus, kBits);
    EXPECT_EQ(read(kSstatus) & kBits, kSdt) << mode.name;
  }
}

TEST_F(TrapDoubleTest, WithoutTheExtensionTrapsNest) {
  hart().mtvec = kMvec;
  take(kM, Cause::kIllegalInstruction);
  take(kM, Cause::kIllegalInstruction);
  EXPECT_EQ(hart().core.pc, kMvec);
  EXPECT_EQ(hart().mstatus & kMdt, 0u);
  EXPECT_EQ(cpu.critical_errors, 0u);
}

TEST_F(TrapDoubleTest, TheSecondTrapInMStopsTheHartAndChangesNothing) {
  start(false);
  hart().mstatus = 0;
  take(kM, Cause::kIllegalInstruction);
  EXPECT_EQ(hart().core.pc, kMvec);
  EXPECT_EQ(hart().mstatus & kMdt, kMdt);
  EXPECT_EQ(cpu.critical_errors, 0u);
  const std::uint64_t mstatus = hart().mstatus;
  take(kM, Cause::kLoadAccess);
  EXPECT_EQ(cpu.critical_errors, 1u);
  EXPECT_EQ(hart().core.pc, kPc);
  EXPECT_EQ(hart().mstatus, mstatus);
  EXPECT_EQ(hart().mcause, static_cast<std::uint64_t>(Cause::kIllegalInstruction));
  // It sleeps, and nothing wakes it.
  EXPECT_EQ(hart().is_waiting, 1u);
  EXPECT_NE(hart().core.attention, 0u);
  hart().mie = hart().mip = 2;
  hart().is_nmi_pending = 1;
  EXPECT_FALSE(has_wakeup(hart()));
}

TEST_F(TrapDoubleTest, TheSecondTrapInMEntersTheRnmiHandler) {
  start(true);
  ready();
  take(kM, Cause::kIllegalInstruction);
  const std::uint64_t mepc = hart().mepc;
  take(kM, Cause::kStoreAccess);
  EXPECT_EQ(hart().core.pc, kNmiVec);
  EXPECT_EQ(hart().mnepc, kPc);
  EXPECT_EQ(hart().mncause, static_cast<std::uint64_t>(Cause::kStoreAccess));
  EXPECT_EQ(hart().mnstatus, mnstatus::Mnpp::kMask);
  EXPECT_EQ(hart().mepc, mepc);
  EXPECT_EQ(hart().mcause, static_cast<std::uint64_t>(Cause::kIllegalInstruction));
  // While NMIE is clear there is nobody left, whatever MDT says.
  hart().mstatus &= ~kMdt;
  take(kM, Cause::kIllegalInstruction);
  EXPECT_EQ(cpu.critical_errors, 1u);
}

TEST_F(TrapDoubleTest, WithoutMdtExceptionsInTheRnmiHandlerHaveTheirOwnVector) {
  start(true);
  config.smdbltrp = false;
  ready();
  hart().mnstatus = 0;
  take(kM, Cause::kIllegalInstruction);
  EXPECT_EQ(hart().core.pc, kNmiExceptionVec);
  EXPECT_EQ(hart().mepc, kPc);
  take(kU, Cause::kIllegalInstruction);
  EXPECT_EQ(hart().core.pc, kMvec);
}

TEST_F(TrapDoubleTest, ADoubleTrapOfSmodeIsCause16OfMmode) {
  start(false);
  hart().mstatus = 0;
  hart().menvcfg = envcfg::Dte::kMask;
  hart().medeleg = 0xffff;
  take(kU, Cause::kStorePageFault);
  EXPECT_EQ(hart().core.pc, kSvec);
  EXPECT_EQ(hart().hs.status & kSdt, kSdt);
  take(kHs, Cause::kLoadPageFault);
  EXPECT_EQ(hart().core.pc, kMvec);
  EXPECT_EQ(hart().mcause, 16u);
  EXPECT_EQ(hart().mtval2, static_cast<std::uint64_t>(Cause::kLoadPageFault));
  EXPECT_EQ(hart().mtval, 0x77u);
  EXPECT_EQ(hart().mepc, kPc);
  EXPECT_EQ(hart().hs.cause, static_cast<std::uint64_t>(Cause::kStorePageFault));
  EXPECT_EQ(hart().mstatus & kMdt, kMdt);
}

TEST_F(TrapDoubleTest, InterruptsAreDoubleTrapsToo) {
  start(false);
  hart().mstatus = 0;
  hart().menvcfg = envcfg::Dte::kMask;
  hart().mideleg = hart().mie = hart().mip = 2;
  // VS-mode is interrupted whatever sstatus.SIE says.
  enter(kVs);
  hart().hs.status |= kSdt;
  hart().core.pc = kPc;
  EXPECT_TRUE(take_interrupt(hart()));
  EXPECT_EQ(hart().mcause, 16u);
  EXPECT_EQ(hart().mtval2, kCauseInterrupt | 1);
}

TEST_F(TrapDoubleTest, AnNmiIsTakenOverAllElseAndResumes) {
  start(true);
  ready();
  hart().mie = hart().mip = 2;
  hart().mstatus = kMdt;
  hart().is_nmi_pending = 1;
  enter(kVu);
  hart().core.pc = kPc;
  EXPECT_TRUE(take_interrupt(hart()));
  EXPECT_EQ(hart().core.pc, kNmiVec);
  EXPECT_EQ(hart().priv, kMachine);
  EXPECT_EQ(hart().mncause, kCauseInterrupt);
  EXPECT_EQ(hart().mnstatus, mnstatus::Mnpv::kMask);
  EXPECT_EQ(hart().is_nmi_pending, 0u);
  EXPECT_EQ(hart().mstatus, kMdt) << "an NMI is no trap as far as MDT is concerned";
  // All interrupts are off, the next NMI waits.
  hart().is_nmi_pending = 1;
  hart().mstatus |= status::Mie::kMask | status::Mprv::kMask;
  EXPECT_FALSE(take_interrupt(hart()));
  EXPECT_TRUE(has_wakeup(hart()));
  hart().hs.status |= kSdt;
  hart().vs.status |= kSdt;
  k_mnret.function(&hart().core, kRaw, 0, 0, 0);
  EXPECT_EQ(hart().priv, kUser);
  EXPECT_EQ(hart().v, 1u);
  EXPECT_EQ(hart().core.pc, kPc);
  EXPECT_TRUE(is_nmi_enabled(hart()));
  EXPECT_EQ(hart().mstatus & (kMdt | status::Mprv::kMask), 0u);
  EXPECT_EQ((hart().hs.status | hart().vs.status) & kSdt, 0u);
  EXPECT_NE(hart().core.attention & kAttendInterrupt, 0u);
}

TEST_F(TrapDoubleTest, MnretToMKeepsMdtAndMprv) {
  start(true);
  hart().mstatus = kMdt | status::Mprv::kMask;
  hart().mnstatus = mnstatus::Mnpp::kMask | mnstatus::Mnpv::kMask;
  hart().mnepc = kPc;
  k_mnret.function(&hart().core, kRaw, 0, 0, 0);
  EXPECT_EQ(hart().priv, kMachine);
  EXPECT_EQ(hart().v, 0u);
  EXPECT_EQ(hart().mstatus, kMdt | status::Mprv::kMask);
}

TEST_F(TrapDoubleTest, WithoutHMnretNeverEntersAGuest) {
  start(true);
  hart().mnstatus = mnstatus::Mnpp::set(mnstatus::Mnpv::kMask, kSupervisor);
  hart().misa &= ~misa_bit('H');
  k_mnret.function(&hart().core, kRaw, 0, 0, 0);
  EXPECT_EQ(hart().priv, kSupervisor);
  EXPECT_EQ(hart().v, 0u);
}

TEST_F(TrapDoubleTest, MnretIsIllegalBelowM) {
  start(true);
  for (const Mode& mode : {kHs, kU, kVs, kVu}) {
    enter(mode);
    k_mnret.function(&hart().core, kRaw, 0, 0, 0);
    EXPECT_EQ(raised(), 'I') << mode.name;
  }
}

TEST_F(TrapDoubleTest, MprvCountsAsClearWhileNmieIs) {
  start(true);
  hart().mstatus = status::Mprv::kMask;
  update_regimes(hart());
  EXPECT_EQ(hart().mmu->data.priv(), kMachine);
  EXPECT_TRUE(csr_poke(hart(), 0x744, mnstatus::Nmie::kMask));
  EXPECT_EQ(hart().mmu->data.priv(), kUser);
}

}  // namespace
}  // namespace gstage::riscv
