// SPDX-License-Identifier: Apache-2.0
// mstatus, sstatus, vsstatus, misa, fcsr: views, WARL fields, dirtiness of the floating-point state.
#include <array>
#include <random>

#include <gtest/gtest.h>

#include "tests/unit/riscv_hart.h"

namespace gstage::riscv {
namespace {

constexpr unsigned kFflags = 0x001;
constexpr unsigned kFrm = 0x002;
constexpr unsigned kFcsr = 0x003;
constexpr unsigned kSstatus = 0x100;
constexpr unsigned kVsstatus = 0x200;
constexpr unsigned kMstatus = 0x300;
constexpr unsigned kMisa = 0x301;
constexpr std::uint64_t kClean = 2;

class CsrStatusTest : public RiscvHart {
 protected:
  void set_fs(std::uint64_t hs, std::uint64_t vs) {
    hart().hs.status = status::Fs::set(hart().hs.status, hs);
    hart().vs.status = status::Fs::set(hart().vs.status, vs);
    update_regimes(hart());
  }
};

TEST_F(CsrStatusTest, SstatusIsAViewOfMstatusAndVsstatusIsNot) {
  write(kVsstatus, 0);
  write(kMstatus, ~0ull);
  EXPECT_EQ(read(kSstatus), 0x8000'0002'000c'6122u);
  EXPECT_EQ(read(kVsstatus), 0x2'0000'0000u);
  write(kSstatus, 0);
  EXPECT_EQ(read(kMstatus), 0xca'0072'1888u | status::Mprv::kMask);
  write(kVsstatus, ~0ull);
  EXPECT_EQ(read(kSstatus), 0x2'0000'0000u);
}

TEST_F(CsrStatusTest, SstatusAccessedInVsModeIsVsstatus) {
  write(kSstatus, status::Sum::kMask);
  enter(kVs);
  write(kSstatus, status::Mxr::kMask);
  EXPECT_EQ(read(kSstatus), status::Mxr::kMask | 0x2'0000'0000u);
  enter(kM);
  EXPECT_EQ(read(kSstatus), status::Sum::kMask | 0x2'0000'0000u);
  EXPECT_EQ(read(kVsstatus), status::Mxr::kMask | 0x2'0000'0000u);
}

/// The way that kernels take often does what the table's handlers do, and shows in everything that depends on
/// it.
TEST_F(CsrStatusTest, AccessBySstatusHelperIsThatOfTheTable) {
  std::mt19937_64 random(3);
  const auto some = [&] { return random() & random(); };
  for (unsigned round = 0; round < 20'000; ++round) {
    const Mode mode = std::array{kHs, kVs, kM}[random() % 3];
    enter(kM);
    hart().hs.satp = hart().vs.satp = random() % 2 == 0 ? 0 : 8ull << 60 | 0x80001;
    hart().mideleg = hart().hideleg = 0xfff;
    hart().mie = some();
    hart().mip = some() & (interrupt_bit(kSsi) | interrupt_bit(kSti) | interrupt_bit(kSei));
    hart().hvip = some() & kVsInterrupts;
    write(kMstatus, status::Mpp::set(some(), kSupervisor));
    write(kVsstatus, some());
    enter(mode);
    hart().fp_dirty = hart().fp_enabled & random();  // who writes a register finds FS on
    const auto op = static_cast<CsrOp>(1 + random() % 4);
    const std::uint64_t operand = some();
    const Hart& state = hart();
    const auto result_of = [&](auto&& access) {
      hart().core.attention = 0;
      update_regimes(hart());
      update_interrupts(hart());
      const std::uint64_t old = access();
      return std::array{op == CsrOp::kWriteOnly ? 0 : old,
                        state.hs.status,
                        state.vs.status,
                        state.fp_dirty,
                        state.fp_enabled,
                        state.mmu->data.flags,
                        reinterpret_cast<std::uint64_t>(state.mmu->data_context),
                        reinterpret_cast<std::uint64_t>(state.core.write),
                        std::uint64_t{state.core.attention}};
    };
    const std::uint64_t hs = state.hs.status, vs = state.vs.status, dirty = state.fp_dirty;
    const auto table = result_of([&] { return *csr_access(hart(), kSstatus, op, operand, 0); });
    hart().hs.status = hs;
    hart().vs.status = vs;
    hart().fp_dirty = dirty;
    const auto helper = result_of([&] { return access_sstatus(hart(), op, operand); });
    ASSERT_EQ(table, helper) << mode.name << " op " << static_cast<int>(op) << std::hex << " " << operand;
  }
}

TEST_F(CsrStatusTest, MppIsWarlTheReservedPrivilegeLeavesIt) {
  for (const std::uint64_t mpp : {0u, 1u, 3u}) {
    write(kMstatus, status::Mpp::set(0, mpp));
    EXPECT_EQ(status::Mpp::get(read(kMstatus)), mpp);
    write(kMstatus, status::Mpp::set(0, 2) | status::Tw::kMask);
    EXPECT_EQ(status::Mpp::get(read(kMstatus)), mpp);
    EXPECT_EQ(status::Tw::get(read(kMstatus)), 1u);
  }
}

TEST_F(CsrStatusTest, WithoutAddressTranslationSumMxrAndTvmAreZero) {
  config.mmu = config.sv39 = config.sv48 = config.sv57 = config.h = false;
  restart();
  write(kMstatus, ~0ull);
  EXPECT_EQ(read(kMstatus) & (status::Sum::kMask | status::Mxr::kMask | status::Tvm::kMask), 0u);
  EXPECT_EQ(read(kMstatus) & (status::Mpv::kMask | status::Gva::kMask), 0u);
}

TEST_F(CsrStatusTest, SdSumsUpTheFsOfItsOwnView) {
  set_fs(kClean, status::kFsDirty);
  EXPECT_EQ(read(kSstatus) >> 63, 0u);
  EXPECT_EQ(read(kMstatus) >> 63, 0u);
  EXPECT_EQ(read(kVsstatus) >> 63, 1u);
  set_fs(status::kFsDirty, kClean);
  EXPECT_EQ(read(kMstatus) >> 63, 1u);
  EXPECT_EQ(read(kVsstatus) >> 63, 0u);
}

TEST_F(CsrStatusTest, AFloatingPointWriteWithV0MakesTheHsStatusDirtyAlone) {
  set_fs(kClean, kClean);
  hart().fp_dirty = 1;
  EXPECT_EQ(status::Fs::get(read(kMstatus)), status::kFsDirty);
  EXPECT_EQ(status::Fs::get(read(kVsstatus)), kClean);
}

TEST_F(CsrStatusTest, AFloatingPointWriteWithV1MakesBothStatusesDirty) {
  set_fs(kClean, kClean);
  enter(kVu);
  hart().fp_dirty = 1;
  // Read in M-mode: the change of V has folded it.
  enter(kM);
  EXPECT_EQ(status::Fs::get(read(kSstatus)), status::kFsDirty);
  EXPECT_EQ(status::Fs::get(read(kVsstatus)), status::kFsDirty);
}

TEST_F(CsrStatusTest, DirtinessFromBeforeAWriteOfFsDoesNotComeBack) {
  set_fs(kClean, kClean);
  hart().fp_dirty = 1;
  write(kSstatus, status::Fs::set(0, kClean));
  EXPECT_EQ(status::Fs::get(read(kSstatus)), kClean);
}

TEST_F(CsrStatusTest, WritesOfFcsrMakeTheStateDirtyReadsDoNot) {
  for (const unsigned number : {kFflags, kFrm, kFcsr}) {
    set_fs(kClean, kClean);
    enter(kVs);
    read(number);
    EXPECT_EQ(status::Fs::get(read(kSstatus)), kClean);
    write(number, 1);
    EXPECT_EQ(status::Fs::get(read(kSstatus)), status::kFsDirty);
    enter(kM);
    EXPECT_EQ(status::Fs::get(read(kSstatus)), status::kFsDirty);
  }
}

TEST_F(CsrStatusTest, FloatingPointIsEnabledByBothStatuses) {
  set_fs(0, 0);
  EXPECT_EQ(hart().fp_enabled, 0u);
  write(kSstatus, status::Fs::set(0, 1));
  EXPECT_EQ(hart().fp_enabled, 1u);
  enter(kVs);
  EXPECT_EQ(hart().fp_enabled, 0u);
  write(kSstatus, status::Fs::set(0, 1));
  EXPECT_EQ(hart().fp_enabled, 1u);
}

TEST_F(CsrStatusTest, EachFlagIsTheHostsStickyBit) {
  const struct {
    std::uint64_t fflag;
    std::uint32_t mxcsr;
  } pairs[] = {{1, _MM_EXCEPT_INEXACT},
               {2, _MM_EXCEPT_UNDERFLOW},
               {4, _MM_EXCEPT_OVERFLOW},
               {8, _MM_EXCEPT_DIV_ZERO},
               {16, _MM_EXCEPT_INVALID}};
  set_fs(1, 1);
  for (const auto& pair : pairs) {
    _MM_SET_EXCEPTION_STATE(pair.mxcsr);
    EXPECT_EQ(read(kFflags), pair.fflag);
    _MM_SET_EXCEPTION_STATE(0);
    write(kFflags, pair.fflag);
    EXPECT_EQ(_MM_GET_EXCEPTION_STATE(), pair.mxcsr);
  }
  // The denormal flag is the host's affair.
  _MM_SET_EXCEPTION_STATE(_MM_EXCEPT_DENORM);
  EXPECT_EQ(read(kFflags), 0u);
}

TEST_F(CsrStatusTest, FrmIsMirroredInTheHostsRounding) {
  const std::uint32_t rounding[] = {_MM_ROUND_NEAREST, _MM_ROUND_TOWARD_ZERO, _MM_ROUND_DOWN,
                                    _MM_ROUND_UP,      _MM_ROUND_NEAREST,     _MM_ROUND_NEAREST,
                                    _MM_ROUND_NEAREST, _MM_ROUND_NEAREST};
  set_fs(1, 1);
  for (unsigned frm = 0; frm < 8; ++frm) {
    write(kFflags, 0);
    write(kFrm, frm);
    EXPECT_EQ(_MM_GET_ROUNDING_MODE(), rounding[frm]) << frm;
    EXPECT_EQ(read(kFrm), frm);
    EXPECT_EQ(read(kFcsr), frm << 5);
    EXPECT_EQ(hart().frm, frm);
    write(kFcsr, 0);
    EXPECT_EQ(_MM_GET_ROUNDING_MODE(), static_cast<unsigned>(_MM_ROUND_NEAREST));
    write(kFcsr, frm << 5 | 0x11);
    EXPECT_EQ(_MM_GET_ROUNDING_MODE(), rounding[frm]) << frm;
    EXPECT_EQ(read(kFcsr), frm << 5 | 0x11);
  }
}

TEST_F(CsrStatusTest, RoundingThatTheHostLacksHasBlocksOfItsOwn) {
  set_fs(1, 1);
  const std::uint64_t usual = hart().core.jump_kind;
  for (const unsigned number : {kFrm, kFcsr}) {
    const unsigned shift = number == kFcsr ? 5 : 0;
    for (std::uint64_t frm = 0; frm < 8; ++frm) {
      write(number, frm << shift);
      EXPECT_EQ(hart().core.jump_kind == usual, frm < 4) << frm;
    }
  }
}

TEST_F(CsrStatusTest, FcsrPartsLeaveEachOther) {
  set_fs(1, 1);
  write(kFcsr, 0x5f);
  write(kFflags, 0);
  EXPECT_EQ(read(kFcsr), 0x40u);
  write(kFflags, 9);
  write(kFrm, 7);
  EXPECT_EQ(read(kFcsr), 0xe9u);
  EXPECT_EQ(access(kFcsr, CsrOp::kSet, 0x6), 0xe9u);
  EXPECT_EQ(access(kFcsr, CsrOp::kClear, 0x81), 0xefu);
  EXPECT_EQ(read(kFcsr), 0x6eu);
}

TEST_F(CsrStatusTest, TheDebuggerSeesTheFlagsOfTheStoppedHart) {
  set_fs(1, 1);
  _MM_SET_EXCEPTION_STATE(_MM_EXCEPT_OVERFLOW);
  hart().core.mxcsr = 0x1f80 | 1;
  EXPECT_EQ(csr_peek(hart(), kFflags), 0x10u);
  EXPECT_TRUE(csr_poke(hart(), kFcsr, 0x21));
  EXPECT_EQ(hart().core.mxcsr, 0x7fa0u);
  EXPECT_EQ(_MM_GET_EXCEPTION_STATE(), static_cast<unsigned>(_MM_EXCEPT_OVERFLOW));
}

TEST_F(CsrStatusTest, MisaTellsTheConfiguration) {
  config.d = config.h = false;
  restart();
  EXPECT_EQ(read(kMisa), 0x8000'0000'0014'1125u);
  write(kMisa, ~0ull);
  EXPECT_EQ(read(kMisa), 0x8000'0000'0014'1125u);
  config.b = true;
  restart();
  EXPECT_EQ(read(kMisa), 0x8000'0000'0014'1127u);
}

TEST_F(CsrStatusTest, PcRegistersHaveNoBit1WithoutC) {
  config.zca = false;
  restart();
  for (const unsigned number : {0x141u, 0x241u, 0x341u}) {
    write(number, ~0ull);
    EXPECT_EQ(read(number), ~3ull) << csr_name(number);
  }
}

}  // namespace
}  // namespace gstage::riscv
