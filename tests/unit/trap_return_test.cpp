// SPDX-License-Identifier: Apache-2.0
// The helpers of privileged instructions: mret, sret, wfi, ecall, fences, hlv and hsv, by mode and by the
// bits that trap them.
#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "target/riscv/ops/helpers.h"

#include "tests/unit/riscv_hart.h"

namespace gstage::riscv {
namespace {

class TrapReturnTest : public RiscvHart {
 protected:
  static constexpr std::uint64_t kTarget = kRam + 0x500;

  [[nodiscard]] std::string mode() {
    const Hart& h = hart();
    EXPECT_EQ(h.s, h.v != 0 ? &h.vs : &h.hs);
    for (const Mode& m : kModes)
      if (m.priv == h.priv && m.v == (h.v != 0)) return m.name;
    return "?";
  }
  std::uint64_t call(const tcg::Helper& helper, std::uint64_t a = 0, std::uint64_t b = 0, std::uint64_t c = 0,
                     std::uint64_t d = 0) {
    return helper.function(&hart().core, a, b, c, d);
  }
  /// 'A' or the exception, in M, HS, U, VS, VU. `call_it` executes the helper with kRaw.
  template <class Call>
  std::string in_all_modes(Call&& call_it) {
    std::string verdicts;
    const std::uint64_t mstatus = hart().mstatus;
    const std::uint64_t hstatus = hart().hstatus;
    for (const Mode& m : kModes) {
      enter(m);
      call_it();
      const char letter = raised();
      verdicts += letter == '-' ? 'A' : letter;
      hart().mstatus = mstatus;
      hart().hstatus = hstatus;
    }
    enter(kM);
    return verdicts;
  }
  std::string sret_in_all_modes() {
    return in_all_modes([this] { call(k_sret, kRaw); });
  }
  std::string wfi_in_all_modes() {
    return in_all_modes([this] { call(k_wfi, kRaw); });
  }
  std::string fence_in_all_modes(const tcg::Helper& helper) {
    return in_all_modes([this, &helper] { call(helper, 0, 0, 0, kRaw); });
  }
};

TEST_F(TrapReturnTest, MretGoesToMppAndMpv) {
  const struct {
    std::uint64_t mpp, mpv;
    const char* to;
  } cases[] = {{0, 0, "U"}, {1, 0, "HS"}, {3, 0, "M"}, {0, 1, "VU"}, {1, 1, "VS"}, {3, 1, "M"}};
  for (const auto& c : cases) {
    for (const std::uint64_t mpie : {0u, 1u}) {
      enter(kM);
      hart().mepc = kTarget | 1;
      hart().mstatus = status::Mpp::set(0, c.mpp) | status::Mpv::set(0, c.mpv) | status::Mpie::set(0, mpie) |
                       status::Mprv::kMask | status::Gva::kMask | status::Tw::kMask;
      call(k_mret, kRaw);
      EXPECT_EQ(mode(), c.to);
      EXPECT_EQ(hart().core.pc, kTarget);
      const std::uint64_t mprv = c.mpp == 3 ? status::Mprv::kMask : 0;
      EXPECT_EQ(hart().mstatus, mprv | status::Mie::set(0, mpie) | status::Mpie::kMask | status::Gva::kMask |
                                    status::Tw::kMask)
          << c.to;
    }
  }
}

TEST_F(TrapReturnTest, SretWithV0GoesToSppAndSpv) {
  const struct {
    std::uint64_t spp, spv;
    const char* to;
  } cases[] = {{0, 0, "U"}, {1, 0, "HS"}, {0, 1, "VU"}, {1, 1, "VS"}};
  for (const auto& c : cases) {
    for (const Mode& from : {kM, kHs}) {
      for (const std::uint64_t spie : {0u, 1u}) {
        enter(from);
        hart().hs.epc = kTarget | 1;
        hart().vs.epc = 0;
        hart().vs.status = status::Sie::kMask;
        hart().hs.status = status::Spp::set(0, c.spp) | status::Spie::set(0, spie) | status::Sum::kMask;
        hart().hstatus = hstatus::Spv::set(0, c.spv) | hstatus::Spvp::kMask | hstatus::Gva::kMask;
        hart().mstatus = status::Mprv::kMask | status::Mpp::kMask;
        call(k_sret, kRaw);
        EXPECT_EQ(mode(), c.to) << from.name;
        EXPECT_EQ(hart().core.pc, kTarget);
        EXPECT_EQ(hart().hs.status, status::Sie::set(0, spie) | status::Spie::kMask | status::Sum::kMask);
        EXPECT_EQ(hart().hstatus, hstatus::Spvp::kMask | hstatus::Gva::kMask);
        EXPECT_EQ(hart().mstatus, status::Mpp::kMask) << "MPRV";
        EXPECT_EQ(hart().vs.status, status::Sie::kMask);
      }
    }
  }
}

TEST_F(TrapReturnTest, SretWithV1UsesTheVsRegistersAlone) {
  for (const std::uint64_t spp : {0u, 1u}) {
    enter(kVs);
    hart().vs.epc = kTarget;
    hart().hs.epc = 0;
    hart().vs.status = status::Spp::set(0, spp) | status::Spie::kMask;
    hart().hs.status = 0;
    hart().hstatus = hstatus::Spvp::kMask;
    call(k_sret, kRaw);
    EXPECT_EQ(mode(), spp != 0 ? "VS" : "VU");
    EXPECT_EQ(hart().core.pc, kTarget);
    EXPECT_EQ(hart().vs.status, status::Sie::kMask | status::Spie::kMask);
    EXPECT_EQ(hart().hs.status, 0u);
    EXPECT_EQ(hart().hstatus, hstatus::Spvp::kMask);
  }
}

TEST_F(TrapReturnTest, WithoutHReturnsNeverEnterAGuest) {
  hart().misa &= ~misa_bit('H');
  hart().hstatus = hstatus::Spv::kMask;
  hart().hs.status = status::Spp::kMask;
  call(k_sret, kRaw);
  EXPECT_EQ(mode(), "HS");
}

TEST_F(TrapReturnTest, MretIsIllegalBelowM) {
  EXPECT_EQ(in_all_modes([this] { call(k_mret, kRaw); }), "AIIII");
}

TEST_F(TrapReturnTest, SretAndTheBitsThatTrapIt) {
  EXPECT_EQ(sret_in_all_modes(), "AAIAV");
  hart().mstatus = status::Tsr::kMask;
  EXPECT_EQ(sret_in_all_modes(), "AIIAV");
  hart().mstatus = 0;
  hart().hstatus = hstatus::Vtsr::kMask;
  EXPECT_EQ(sret_in_all_modes(), "AAIVV");
}

TEST_F(TrapReturnTest, ATrappedReturnChangesNothing) {
  hart().mstatus = status::Tsr::kMask | status::Mprv::kMask;
  enter(kHs);
  hart().hs.status = status::Spie::kMask;
  hart().core.pc = kTarget;
  call(k_sret, kRaw);
  EXPECT_EQ(mode(), "HS");
  EXPECT_EQ(hart().hs.status, status::Spie::kMask);
  EXPECT_EQ(hart().mstatus, status::Tsr::kMask | status::Mprv::kMask);
  EXPECT_EQ(hart().core.pc, kTarget);
}

TEST_F(TrapReturnTest, ReturnsAskForAttentionWhenTheyEnableAnInterrupt) {
  hart().mideleg = 0x2;
  hart().mip = hart().mie = 0x2;
  enter(kHs);
  hart().hs.status = status::Spp::kMask;
  call(k_sret, kRaw);
  EXPECT_EQ(hart().core.attention, 0u);
  hart().hs.status = status::Spp::kMask | status::Spie::kMask;
  call(k_sret, kRaw);
  EXPECT_EQ(hart().core.attention, kAttendInterrupt);
  hart().core.attention = 0;
  enter(kM);
  hart().mstatus = 0;  // to U
  call(k_mret, kRaw);
  EXPECT_EQ(hart().core.attention, kAttendInterrupt);
}

TEST_F(TrapReturnTest, WfiAndTheBitsThatTrapIt) {
  EXPECT_EQ(wfi_in_all_modes(), "AAIAV");
  hart().hstatus = hstatus::Vtw::kMask;
  EXPECT_EQ(wfi_in_all_modes(), "AAIVV");
  hart().mstatus = status::Tw::kMask;
  EXPECT_EQ(wfi_in_all_modes(), "AIIII");
  hart().hstatus = 0;
  EXPECT_EQ(wfi_in_all_modes(), "AIIII");
}

TEST_F(TrapReturnTest, WfiSleepsUnlessAnInterruptIsThere) {
  call(k_wfi, kRaw);
  EXPECT_EQ(hart().is_waiting, 1u);
  EXPECT_EQ(hart().core.attention, kAttendInterrupt);
  hart().is_waiting = 0;
  hart().core.attention = 0;
  hart().mie = hart().mip = 0x2;
  call(k_wfi, kRaw);
  EXPECT_EQ(hart().is_waiting, 0u);
  EXPECT_EQ(hart().core.attention, 0u);
  hart().mip = 0;
  enter(kU);
  call(k_wfi, kRaw);
  EXPECT_EQ(raised(), 'I');
  EXPECT_EQ(hart().is_waiting, 0u);
}

TEST_F(TrapReturnTest, WfiThatFindsTheSameInterruptAgainAndAgainNaps) {
  hart().mie = hart().mip = 0x2;
  const auto poll = [this] {
    for (unsigned i = 0; i < kWfiPatience; ++i) call(k_wfi, kRaw);
  };
  poll();
  EXPECT_EQ(hart().is_waiting, 0u);
  // A trap between them: this is no polling.
  hart().trap.cause = Cause::kEcallM;
  hart().core.trap_pending = 1;
  deliver_trap(hart());
  poll();
  EXPECT_EQ(hart().is_waiting, 0u);
  EXPECT_EQ(hart().is_napping, 0u);
  call(k_wfi, kRaw);
  EXPECT_EQ(hart().is_waiting, 1u);
  EXPECT_EQ(hart().is_napping, 1u);
  EXPECT_EQ(hart().core.attention, kAttendInterrupt);
}

TEST_F(TrapReturnTest, EcallCausesByMode) {
  const Cause causes[] = {Cause::kEcallM, Cause::kEcallHs, Cause::kEcallU, Cause::kEcallVs, Cause::kEcallU};
  for (unsigned i = 0; i < 5; ++i) {
    enter(kModes[i]);
    call(k_ecall);
    EXPECT_EQ(hart().core.trap_pending, 1u);
    EXPECT_EQ(hart().trap.cause, causes[i]) << kModes[i].name;
    EXPECT_EQ(hart().trap.tval, 0u);
    hart().core.trap_pending = 0;
  }
}

TEST_F(TrapReturnTest, FencesAndTheBitsThatTrapThem) {
  EXPECT_EQ(fence_in_all_modes(k_sfence_vma), "AAIAV");
  EXPECT_EQ(fence_in_all_modes(k_hfence_vvma), "AAIVV");
  EXPECT_EQ(fence_in_all_modes(k_hfence_gvma), "AAIVV");
  hart().mstatus = status::Tvm::kMask;
  EXPECT_EQ(fence_in_all_modes(k_sfence_vma), "AIIAV");
  EXPECT_EQ(fence_in_all_modes(k_hfence_vvma), "AAIVV");
  EXPECT_EQ(fence_in_all_modes(k_hfence_gvma), "AIIVV");
  hart().mstatus = 0;
  hart().hstatus = hstatus::Vtvm::kMask;
  EXPECT_EQ(fence_in_all_modes(k_sfence_vma), "AAIVV");
  EXPECT_EQ(fence_in_all_modes(k_hfence_vvma), "AAIVV");
  EXPECT_EQ(fence_in_all_modes(k_hfence_gvma), "AAIVV");
}

TEST_F(TrapReturnTest, FencesTakeTheOperandsThatAreGivenAndIgnoreHighBitsOfIds) {
  constexpr std::uint64_t kVaddr = 0x1000;
  constexpr std::uint64_t kHasAddress = 1;
  constexpr std::uint64_t kHasId = 2;
  const struct {
    const tcg::Helper& helper;
    Mode inside;  ///< where the translation was made
    std::uint64_t address, id, given;
    bool is_dropped;
  } cases[] = {
      {k_sfence_vma, kHs, 0, 0, 0, true},
      {k_sfence_vma, kHs, kVaddr, 0, kHasAddress, true},
      {k_sfence_vma, kHs, kVaddr + 0x1000, 0, kHasAddress, false},
      {k_sfence_vma, kHs, 0, 0x50005, kHasId, true},
      {k_sfence_vma, kHs, 0, 6, kHasId, false},
      {k_sfence_vma, kHs, kVaddr, 0x10005, kHasAddress | kHasId, true},
      {k_sfence_vma, kHs, kVaddr, 6, kHasAddress | kHasId, false},
      {k_sfence_vma, kVs, 0, 0, 0, false},
      {k_hfence_vvma, kHs, 0, 0, 0, false},
      {k_hfence_vvma, kVs, 0, 0, 0, true},
      {k_hfence_vvma, kVs, kVaddr, 0x10005, kHasAddress | kHasId, true},
      {k_hfence_vvma, kVs, kVaddr, 6, kHasAddress | kHasId, false},
      {k_hfence_gvma, kVs, 0, 0, 0, true},
      {k_hfence_gvma, kVs, 0x3000 >> 2, 0, kHasAddress, true},
      {k_hfence_gvma, kVs, 0x3000, 0, kHasAddress, false},
      {k_hfence_gvma, kVs, 0, 0x4007, kHasId, true},
      {k_hfence_gvma, kVs, 0, 8, kHasId, false},
      {k_hfence_gvma, kHs, 0, 0, 0, false},
  };
  for (const auto& c : cases) {
    restart();
    hart().hs.satp = hart().vs.satp = 8ull << 60 | 5ull << 44 | 0x80001;
    hart().hgatp = 8ull << 60 | 7ull << 44 | 0x80004;
    enter(c.inside);
    TlbOrigin origin;
    origin.gpa_page = 0x3000;
    origin.gpa_shift = kPageShift;
    hart().mmu->data_context->insert(TlbAccess::kRead, Vaddr{kVaddr}, memory.host(Paddr{kRam}), origin);
    const TlbEntry& entry = hart().core.read[tlb_index(kVaddr)];
    ASSERT_EQ(entry.tag, kVaddr);
    enter(kHs);
    call(c.helper, c.address, c.id, c.given, kRaw);
    ASSERT_EQ(raised(), '-');
    EXPECT_EQ(entry.tag != kVaddr, c.is_dropped)
        << c.helper.name << " of " << c.inside.name << std::hex << " " << c.address << " " << c.id;
  }
}

TEST_F(TrapReturnTest, HlvAndHsvByModeAndHu) {
  hart().vs.satp = hart().hgatp = 0;
  const auto hlv = [this] { call(k_hlv, kRam, static_cast<std::uint64_t>(tcg::MemKind::u64), kRaw); };
  const auto hsv = [this] { call(k_hsv, kRam, 7, static_cast<std::uint64_t>(tcg::MemKind::u64), kRaw); };
  EXPECT_EQ(in_all_modes(hlv), "AAIVV");
  EXPECT_EQ(in_all_modes(hsv), "AAIVV");
  hart().hstatus = hstatus::Hu::kMask;
  EXPECT_EQ(in_all_modes(hlv), "AAAVV");
  EXPECT_EQ(in_all_modes(hsv), "AAAVV");
  EXPECT_EQ(call(k_hlv, kRam, static_cast<std::uint64_t>(tcg::MemKind::u64), kRaw), 7u);
}

TEST_F(TrapReturnTest, HypervisorInstructionsDoNotExistWithoutMisaH) {
  hart().misa &= ~misa_bit('H');
  EXPECT_EQ(fence_in_all_modes(k_hfence_vvma).substr(0, 3), "III");
  EXPECT_EQ(fence_in_all_modes(k_hfence_gvma).substr(0, 3), "III");
  call(k_hlv, kRam, static_cast<std::uint64_t>(tcg::MemKind::u64), kRaw);
  EXPECT_EQ(raised(), 'I');
  call(k_hsv, kRam, 7, static_cast<std::uint64_t>(tcg::MemKind::u64), kRaw);
  EXPECT_EQ(raised(), 'I');
}

TEST_F(TrapReturnTest, TheCsrHelperReturnsTheOldValue) {
  hart().mscratch = 0xf0;
  EXPECT_EQ(call(k_csr, 0x340, static_cast<std::uint64_t>(CsrOp::kSet), 0x0f, kRaw), 0xf0u);
  EXPECT_EQ(call(k_csr, 0x340, static_cast<std::uint64_t>(CsrOp::kClear), 0x81, kRaw), 0xffu);
  EXPECT_EQ(call(k_csr, 0x340, static_cast<std::uint64_t>(CsrOp::kSwap), 5, kRaw), 0x7eu);
  EXPECT_EQ(call(k_csr, 0x340, static_cast<std::uint64_t>(CsrOp::kRead), 0, kRaw), 5u);
  EXPECT_EQ(call(k_csr, 0x340, static_cast<std::uint64_t>(CsrOp::kWriteOnly), 6, kRaw), 0u);
  EXPECT_EQ(hart().mscratch, 6u);
  call(k_csr, 0x7c0, static_cast<std::uint64_t>(CsrOp::kRead), 0, kRaw);
  EXPECT_EQ(raised(), 'I');
}

TEST_F(TrapReturnTest, MisalignedFetchReportsTheTarget) {
  enter(kVs);
  call(k_misaligned_fetch, kRam + 2);
  EXPECT_EQ(hart().trap.cause, Cause::kFetchMisaligned);
  EXPECT_EQ(hart().trap.tval, kRam + 2);
  EXPECT_TRUE(hart().trap.tval_is_guest_vaddr);
}

}  // namespace
}  // namespace gstage::riscv
