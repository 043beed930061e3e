// SPDX-License-Identifier: Apache-2.0
// Delivery of exceptions: where they go, and everything that entry writes.
#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/riscv_hart.h"

namespace gstage::riscv {
namespace {

constexpr std::uint64_t bit_of(Cause cause) { return std::uint64_t{1} << static_cast<unsigned>(cause); }

class TrapDeliverTest : public RiscvHart {
 protected:
  static constexpr std::uint64_t kPc = kRam + 0x100;
  static constexpr std::uint64_t kMvec = kRam + 0x1000;
  static constexpr std::uint64_t kSvec = kRam + 0x2000;
  static constexpr std::uint64_t kVsvec = kRam + 0x3000;

  void SetUp() override {
    hart().mtvec = kMvec;
    hart().hs.tvec = kSvec;
    hart().vs.tvec = kVsvec;
    hart().core.pc = kPc;
  }
  void delegate(std::uint64_t medeleg, std::uint64_t hedeleg) {
    hart().medeleg = medeleg;
    hart().hedeleg = hedeleg;
  }
  void put(std::uint64_t at, std::uint32_t raw) { memory.write(Paddr{at}, &raw, sizeof raw); }
  /// Raises in the mode and delivers at kPc.
  void take(const Mode& mode, const Trap& trap) {
    enter(mode);
    hart().core.pc = kPc;
    raise(hart(), trap);
    deliver_trap(hart());
  }
  void take(const Mode& mode, Cause cause) {
    Trap trap{};
    trap.cause = cause;
    take(mode, trap);
  }
  [[nodiscard]] std::string where() {
    const Hart& h = hart();
    if (h.priv == kMachine && h.v == 0 && h.core.pc == kMvec) return "M";
    if (h.priv == kSupervisor && h.v == 0 && h.core.pc == kSvec) return "HS";
    if (h.priv == kSupervisor && h.v == 1 && h.core.pc == kVsvec) return "VS";
    return "?";
  }
};

TEST_F(TrapDeliverTest, DelegationByCauseAndMode) {
  const std::uint64_t bit = bit_of(Cause::kIllegalInstruction);
  const struct {
    std::uint64_t medeleg, hedeleg;
    const char* in[5];  // M HS U VS VU
  } cases[] = {{0, 0, {"M", "M", "M", "M", "M"}},
               {bit, 0, {"M", "HS", "HS", "HS", "HS"}},
               {bit, bit, {"M", "HS", "HS", "VS", "VS"}},
               {0, bit, {"M", "M", "M", "M", "M"}},
               {~bit, ~bit, {"M", "M", "M", "M", "M"}}};
  for (const auto& c : cases) {
    for (unsigned i = 0; i < 5; ++i) {
      delegate(c.medeleg, c.hedeleg);
      take(kModes[i], Cause::kIllegalInstruction);
      EXPECT_EQ(where(), c.in[i]) << kModes[i].name << " medeleg=" << c.medeleg << " hedeleg=" << c.hedeleg;
      EXPECT_EQ(hart().core.trap_pending, 0u);
    }
  }
}

TEST_F(TrapDeliverTest, EveryCauseIsDelegatedByItsOwnBit) {
  const Cause causes[] = {Cause::kFetchMisaligned,
                          Cause::kFetchAccess,
                          Cause::kIllegalInstruction,
                          Cause::kBreakpoint,
                          Cause::kLoadMisaligned,
                          Cause::kLoadAccess,
                          Cause::kStoreMisaligned,
                          Cause::kStoreAccess,
                          Cause::kEcallU,
                          Cause::kEcallHs,
                          Cause::kEcallVs,
                          Cause::kFetchPageFault,
                          Cause::kLoadPageFault,
                          Cause::kStorePageFault,
                          Cause::kFetchGuestPageFault,
                          Cause::kLoadGuestPageFault,
                          Cause::kVirtualInstruction,
                          Cause::kStoreGuestPageFault};
  for (const Cause cause : causes) {
    delegate(bit_of(cause), 0);
    take(kVs, cause);
    EXPECT_EQ(where(), "HS") << cause_name(cause);
    EXPECT_EQ(hart().hs.cause, static_cast<std::uint64_t>(cause));
    delegate(~bit_of(cause), ~0ull);
    take(kVs, cause);
    EXPECT_EQ(where(), "M") << cause_name(cause);
    EXPECT_EQ(hart().mcause, static_cast<std::uint64_t>(cause));
  }
}

TEST_F(TrapDeliverTest, EntryIntoMSavesModeAndInterruptEnable) {
  const std::uint64_t mpp[] = {3, 1, 0, 1, 0};
  for (unsigned i = 0; i < 5; ++i) {
    for (const std::uint64_t mie : {0u, 1u}) {
      hart().mstatus = status::Mie::set(0, mie) | status::Mprv::kMask | status::Tw::kMask;
      hart().hstatus = hstatus::Spvp::kMask;
      hart().hs.status = status::Sie::kMask;
      take(kModes[i], Cause::kIllegalInstruction);
      EXPECT_EQ(hart().mstatus, status::Mpp::set(0, mpp[i]) | status::Mpv::set(0, kModes[i].v) |
                                    status::Mpie::set(0, mie) | status::Mprv::kMask | status::Tw::kMask);
      EXPECT_EQ(hart().mepc, kPc);
      // The supervisor's registers are none of its business.
      EXPECT_EQ(hart().hstatus, hstatus::Spvp::kMask);
      EXPECT_EQ(hart().hs.status & (status::Sie::kMask | status::Spie::kMask | status::Spp::kMask),
                status::Sie::kMask);
    }
  }
}

TEST_F(TrapDeliverTest, EntryIntoHsSavesModeInSppSpvAndSpvpOnlyFromV1) {
  delegate(~0ull, 0);
  const struct {
    Mode mode;
    std::uint64_t spp, spv;
  } cases[] = {{kHs, 1, 0}, {kU, 0, 0}, {kVs, 1, 1}, {kVu, 0, 1}};
  for (const auto& c : cases) {
    for (const std::uint64_t old_spvp : {0u, 1u}) {
      hart().hs.status = status::Sie::kMask;
      hart().vs.status = status::Sie::kMask;
      hart().hstatus = hstatus::Spvp::set(hstatus::Gva::kMask | hstatus::Hu::kMask, old_spvp);
      hart().mstatus = status::Mie::kMask;
      take(c.mode, Cause::kIllegalInstruction);
      EXPECT_EQ(status::Spp::get(hart().hs.status), c.spp) << c.mode.name;
      EXPECT_EQ(status::Spie::get(hart().hs.status), 1u);
      EXPECT_EQ(status::Sie::get(hart().hs.status), 0u);
      EXPECT_EQ(hstatus::Spv::get(hart().hstatus), c.spv) << c.mode.name;
      EXPECT_EQ(hstatus::Spvp::get(hart().hstatus), c.mode.v ? c.spp : old_spvp) << c.mode.name;
      EXPECT_EQ(hstatus::Gva::get(hart().hstatus), 0u);
      EXPECT_EQ(hstatus::Hu::get(hart().hstatus), 1u);
      EXPECT_EQ(hart().hs.epc, kPc);
      EXPECT_EQ(hart().vs.status, status::Sie::kMask);
      EXPECT_EQ(hart().mstatus, status::Mie::kMask);
      EXPECT_EQ(hart().s, &hart().hs);
    }
  }
}

TEST_F(TrapDeliverTest, EntryIntoVsTouchesVsRegistersAlone) {
  delegate(~0ull, ~0ull);
  for (const Mode& mode : {kVs, kVu}) {
    hart().vs.status = status::Sie::kMask;
    hart().hs.status = status::Sie::kMask;
    hart().hstatus = hstatus::Spv::kMask | hstatus::Gva::kMask;
    hart().htval = hart().htinst = 0x55;
    Trap trap{};
    trap.cause = Cause::kLoadPageFault;
    trap.tval = 0x1234;
    trap.tval_is_guest_vaddr = true;
    take(mode, trap);
    EXPECT_EQ(where(), "VS");
    EXPECT_EQ(hart().vs.status, status::Spp::set(status::Spie::kMask, mode.priv));
    EXPECT_EQ(hart().vs.epc, kPc);
    EXPECT_EQ(hart().vs.cause, 13u);
    EXPECT_EQ(hart().vs.tval, 0x1234u);
    EXPECT_EQ(hart().hs.status, status::Sie::kMask);
    EXPECT_EQ(hart().hstatus, hstatus::Spv::kMask | hstatus::Gva::kMask);
    EXPECT_EQ(hart().htval, 0x55u);
    EXPECT_EQ(hart().htinst, 0x55u);
    EXPECT_EQ(hart().s, &hart().vs);
  }
}

TEST_F(TrapDeliverTest, ExceptionsGoToTheBaseOfAVectoredTable) {
  hart().mtvec = kMvec | 1;
  take(kU, Cause::kIllegalInstruction);
  EXPECT_EQ(hart().core.pc, kMvec);
}

TEST_F(TrapDeliverTest, GuestPageFaultsWriteTheAddressShiftedByTwo) {
  for (const bool is_delegated : {false, true}) {
    delegate(is_delegated ? ~0ull : 0, ~bit_of(Cause::kLoadGuestPageFault));
    Trap trap{};
    trap.cause = Cause::kLoadGuestPageFault;
    trap.tval = 0x1003;
    trap.gpa = 0x8765'4321'0003;
    trap.tval_is_guest_vaddr = true;
    take(kVs, trap);
    EXPECT_EQ(is_delegated ? hart().htval : hart().mtval2, 0x8765'4321'0003u >> 2);
    EXPECT_EQ(is_delegated ? hart().hs.tval : hart().mtval, 0x1003u);
    EXPECT_EQ(is_delegated ? hstatus::Gva::get(hart().hstatus) : status::Gva::get(hart().mstatus), 1u);
  }
}

TEST_F(TrapDeliverTest, OtherTrapsZeroTval2AndTinst) {
  hart().mtval2 = hart().mtinst = hart().htval = hart().htinst = 0x99;
  Trap trap{};
  trap.cause = Cause::kFetchPageFault;
  trap.gpa = 0x5000;  // left over: not a guest-page fault
  take(kVs, trap);
  EXPECT_EQ(hart().mtval2, 0u);
  EXPECT_EQ(hart().mtinst, 0u);
  EXPECT_EQ(hart().htval, 0x99u);
  delegate(~0ull, 0);
  take(kVs, trap);
  EXPECT_EQ(hart().htval, 0u);
  EXPECT_EQ(hart().htinst, 0u);
}

TEST_F(TrapDeliverTest, GvaIsClearedByATrapWithoutAGuestAddress) {
  hart().mstatus = status::Gva::kMask;
  raise_illegal(hart(), 0x1234);
  deliver_trap(hart());
  EXPECT_EQ(status::Gva::get(hart().mstatus), 0u);
  EXPECT_EQ(hart().mtval, 0x1234u);
}

TEST_F(TrapDeliverTest, GvaIsSetWithV0ByAGuestAddressOfHlv) {
  delegate(~0ull, 0);
  Trap trap{};
  trap.cause = Cause::kLoadPageFault;
  trap.tval_is_guest_vaddr = true;
  take(kHs, trap);
  EXPECT_EQ(hstatus::Gva::get(hart().hstatus), 1u);
  EXPECT_EQ(hstatus::Spv::get(hart().hstatus), 0u);
}

TEST_F(TrapDeliverTest, BreakpointReportsItsAddressAndGvaUnderV1) {
  take(kVs, Cause::kBreakpoint);
  EXPECT_EQ(hart().mtval, kPc);
  EXPECT_EQ(status::Gva::get(hart().mstatus), 1u);
  take(kHs, Cause::kBreakpoint);
  EXPECT_EQ(hart().mtval, kPc);
  EXPECT_EQ(status::Gva::get(hart().mstatus), 0u);
}

TEST_F(TrapDeliverTest, ExplicitAccessesReportTheTransformedInstruction) {
  put(kPc, 0x0085'3583);  // ld a1, 8(a0)
  const Cause causes[] = {Cause::kLoadMisaligned,     Cause::kLoadAccess,         Cause::kStoreMisaligned,
                          Cause::kStoreAccess,        Cause::kLoadPageFault,      Cause::kStorePageFault,
                          Cause::kLoadGuestPageFault, Cause::kStoreGuestPageFault};
  for (const Cause cause : causes) {
    Trap trap{};
    trap.cause = cause;
    trap.vaddr_offset = 3;
    take(kU, trap);
    EXPECT_EQ(hart().mtinst, 0x0001'b583u) << cause_name(cause);  // ld a1, 0(x3): the offset in place of rs1
    delegate(~0ull, 0);
    take(kU, trap);
    EXPECT_EQ(hart().htinst, 0x0001'b583u) << cause_name(cause);
    delegate(0, 0);
  }
}

TEST_F(TrapDeliverTest, OtherExceptionsReportNoInstruction) {
  put(kPc, 0x0085'3583);
  for (const Cause cause :
       {Cause::kFetchAccess, Cause::kIllegalInstruction, Cause::kBreakpoint, Cause::kEcallU,
        Cause::kFetchPageFault, Cause::kFetchGuestPageFault, Cause::kVirtualInstruction}) {
    take(kU, cause);
    EXPECT_EQ(hart().mtinst, 0u) << cause_name(cause);
  }
}

TEST_F(TrapDeliverTest, ImplicitAccessesReportThePseudoinstruction) {
  put(kPc, 0x0085'3583);
  for (const Cause cause :
       {Cause::kFetchGuestPageFault, Cause::kLoadGuestPageFault, Cause::kStoreGuestPageFault}) {
    for (const std::uint64_t pseudo : {0x3000u, 0x3020u}) {
      Trap trap{};
      trap.cause = cause;
      trap.is_implicit = true;
      trap.tinst = pseudo;
      trap.gpa = 0x4000;
      take(kVs, trap);
      EXPECT_EQ(hart().mtinst, pseudo);
      EXPECT_EQ(hart().mtval2, 0x1000u);
    }
  }
}

TEST_F(TrapDeliverTest, AnInstructionThatIsGoneIsReportedAsZero) {
  enter(kU);
  hart().core.pc = 0x1000;  // nothing there
  Trap trap{};
  trap.cause = Cause::kLoadAccess;
  raise(hart(), trap);
  deliver_trap(hart());
  EXPECT_EQ(hart().mtinst, 0u);
  EXPECT_EQ(hart().mepc, 0x1000u);
}

TEST_F(TrapDeliverTest, TheFirstRaisedTrapWins) {
  raise_virtual(hart(), 1);
  raise_illegal(hart(), 2);
  EXPECT_EQ(hart().trap.cause, Cause::kVirtualInstruction);
  deliver_trap(hart());
  EXPECT_EQ(hart().mcause, 22u);
  EXPECT_EQ(hart().mtval, 1u);
}

TEST_F(TrapDeliverTest, FloatingPointDirtinessStaysWithTheWorldThatWasLeft) {
  constexpr std::uint64_t kClean = 2;
  delegate(~0ull, 0);
  hart().hs.status = hart().vs.status = status::Fs::set(0, kClean);
  enter(kVs);
  hart().fp_dirty = 1;
  take(kVs, Cause::kEcallVs);
  EXPECT_EQ(status::Fs::get(hart().vs.status), status::kFsDirty);
  EXPECT_EQ(status::Fs::get(hart().hs.status), status::kFsDirty);
  EXPECT_EQ(hart().fp_dirty, 0u);
}

}  // namespace
}  // namespace gstage::riscv
