// SPDX-License-Identifier: Apache-2.0
// "Why no interrupt?": each link of the chain, blocked, and the line that is told. Whether something is
// taken, take_interrupt itself says.
#include <functional>
#include <memory>

#include <gtest/gtest.h>

#include "target/riscv/aia/imsic.h"
#include "target/riscv/inspect/why_irq.h"
#include "hw/intc/aplic.h"
#include "hw/intc/plic.h"

#include "tests/unit/hw_fakes.h"
#include "tests/unit/msi_recorder.h"
#include "tests/unit/riscv_hart.h"

namespace gstage::riscv {
namespace {

struct Row;

class InspectWhyIrqTest : public RiscvHart {
 public:
  using RiscvHart::enter;

 protected:
  void SetUp() override {
    config.smaia = config.ssaia = true;
    restart();
  }
  void check(const Row& row);
  /// The lines, without the first one.
  std::string told(const std::vector<WiredSource>& wired = {}) {
    const std::string text = describe_why_irq(hart(), why_irq(hart(), wired));
    return text.substr(text.find('\n') + 1);
  }
};

struct Row {
  const char* name;
  std::function<void(InspectWhyIrqTest&, Hart&)> set;
  const char* line;
};

constexpr std::uint64_t bit(unsigned n) { return std::uint64_t{1} << n; }

/// A timer interrupt for M-mode, an external one for S-mode, one from hvip for the guest.
void machine_timer(Hart& hart) {
  hart.irq_lines = bit(kMti);
  hart.mie = bit(kMti);
}
void supervisor_external(Hart& hart) {
  hart.irq_lines = bit(kSei);
  hart.mideleg = bit(kSei);
  hart.mie = bit(kSei);
}
void guest_external(Hart& hart) {
  hart.hvip = bit(kVsei);
  hart.mideleg = 0x222;
  hart.hideleg = 0x444;
  hart.mie = bit(kVsei);
}

void InspectWhyIrqTest::check(const Row& row) {
  restart();
  row.set(*this, hart());
  update_regimes(hart());
  const std::string text = told();
  EXPECT_EQ(text, row.line) << row.name;
  EXPECT_EQ(take_interrupt(hart()), text.find("is taken next") != std::string::npos) << row.name;
}

TEST_F(InspectWhyIrqTest, EachLinkOfTheHartIsNamed) {
  const Row kRows[] = {
      {"nothing", [](auto&, Hart&) {}, "  nothing is pending or asserted\n"},
      {"mie", [](auto&, Hart& h) { machine_timer(h), h.mie = 0; },
       "  mip.MTIP (mtimer: mtime reached mtimecmp): BLOCKED: mie.MTIE is 0\n"},
      {"mstatus.MIE", [](auto&, Hart& h) { machine_timer(h); },
       "  mip.MTIP (mtimer: mtime reached mtimecmp): BLOCKED: mstatus.MIE is 0, and the hart is in M-mode\n"},
      {"taken", [](auto&, Hart& h) { machine_timer(h), h.mstatus |= status::Mie::kMask; },
       "  mip.MTIP (mtimer: mtime reached mtimecmp): is taken next, in M-mode\n"},
      {"not delegated", [](auto&, Hart& h) { supervisor_external(h), h.mideleg = 0; },
       "  mip.SEIP (a wire): BLOCKED: mstatus.MIE is 0, and the hart is in M-mode\n"},
      {"delegated, in M-mode", [](auto&, Hart& h) { supervisor_external(h); },
       "  mip.SEIP (a wire): BLOCKED: the hart is in M-mode, which interrupts for S-mode do not interrupt\n"},
      {"sie", [](auto& t, Hart& h) { t.enter(kHs), supervisor_external(h), h.mie = 0; },
       "  mip.SEIP (a wire): BLOCKED: sie.SEIE is 0\n"},
      {"sstatus.SIE", [](auto& t, Hart& h) { t.enter(kHs), supervisor_external(h); },
       "  mip.SEIP (a wire): BLOCKED: sstatus.SIE is 0, and the hart is in S-mode\n"},
      {"taken in S", [](auto& t, Hart& h) { t.enter(kU), supervisor_external(h); },
       "  mip.SEIP (a wire): is taken next, in HS-mode\n"},
      {"more urgent",
       [](auto& t, Hart& h) {
         t.enter(kU), supervisor_external(h);
         h.mip = bit(kSsi), h.mideleg = h.mie = bit(kSei) | bit(kSsi);
       },
       "  mip.SSIP (software in mip): waits: supervisor external interrupt is more urgent, in HS-mode\n"
       "  mip.SEIP (a wire): is taken next, in HS-mode\n"},
  };
  for (const Row& row : kRows) check(row);
}

TEST_F(InspectWhyIrqTest, EachLinkToAGuestIsNamed) {
  const Row kRows[] = {
      {"V=0", [](auto& t, Hart& h) { t.enter(kHs), guest_external(h); },
       "  mip.VSEIP (hvip): BLOCKED: the hart does not run the guest: V is 0\n"},
      {"vsie", [](auto& t, Hart& h) { t.enter(kVs), guest_external(h), h.mie = 0; },
       "  mip.VSEIP (hvip): BLOCKED: vsie.SEIE (hie.VSEIE) is 0\n"},
      {"hideleg", [](auto& t, Hart& h) { t.enter(kVs), guest_external(h), h.hideleg = 0, h.mie = 0; },
       "  mip.VSEIP (hvip): BLOCKED: hie.VSEIE is 0; as hideleg.VSEI is 0, it is HS-mode's and not in "
       "vsie\n"},
      {"vsstatus.SIE", [](auto& t, Hart& h) { t.enter(kVs), guest_external(h); },
       "  mip.VSEIP (hvip): BLOCKED: vsstatus.SIE is 0, and the hart is in VS-mode\n"},
      {"taken in VS", [](auto& t, Hart& h) { t.enter(kVu), guest_external(h); },
       "  mip.VSEIP (hvip): is taken next, in VS-mode\n"},
      {"level above",
       [](auto& t, Hart& h) { t.enter(kVu), guest_external(h), h.irq_lines = bit(kSei), h.mie |= bit(kSei); },
       "  mip.SEIP (a wire): is taken next, in HS-mode\n"
       "  mip.VSEIP (hvip): waits: an interrupt for a level above goes first\n"},
      {"VTI",
       [](auto& t, Hart& h) {
         t.enter(kVu), guest_external(h);
         h.hvip = h.mie = bit(kVssi), h.hvictl = hvictl::Vti::kMask | std::uint64_t{13} << 16;
       },
       "  mip.VSSIP (hvip): BLOCKED: hvictl.VTI is 1: vstopi has hvictl.IID (13) in the place of vsip\n"
       "  hvictl (injects interrupt 13): is taken next, in VS-mode\n"},
      {"mvien", [](auto& t, Hart& h) { t.enter(kU), h.mvien = h.mvip = bit(40); },
       "  mvip (unknown interrupt): BLOCKED: sie.bit 40 is 0 (mvien makes it sie's own)\n"},
      {"hvien", [](auto& t, Hart& h) { t.enter(kVu), h.hvien = h.hvip = bit(40); },
       "  hvip (unknown interrupt): BLOCKED: vsie.bit 40 is 0 (hvien makes it vsie's own)\n"},
      {"NMIE", [](auto&, Hart& h) { machine_timer(h), h.mnstatus = 0, h.mstatus |= status::Mie::kMask; },
       "  mip.MTIP (mtimer: mtime reached mtimecmp): BLOCKED: mnstatus.NMIE is 0\n"},
  };
  for (const Row& row : kRows) check(row);
}

constexpr unsigned kEidelivery = 0x70, kEithreshold = 0x72, kEip0 = 0x80, kEie0 = 0xc0;

TEST_F(InspectWhyIrqTest, EachLinkOfAnInterruptFileIsNamed) {
  Imsic imsic(ImsicSetup{255, 3}, hart(), cpu);
  hart().imsic = &imsic;
  hart().mideleg = 0x1444 | bit(kSei);
  enter(kHs);
  InterruptFile& file = imsic.supervisor();
  const auto set = [](InterruptFile& of, unsigned select, std::uint64_t value) {
    of.write(select, value, ~std::uint64_t{0});
  };
  set(file, kEip0, bit(20));
  EXPECT_EQ(told(), "  imsic supervisor file, identity 20: BLOCKED: bit 20 of eie0 is 0\n");
  set(file, kEie0, bit(20));
  EXPECT_EQ(told(), "  imsic supervisor file, identity 20: BLOCKED: eidelivery is 0\n");
  set(file, kEidelivery, 1);
  set(file, kEithreshold, 20);
  EXPECT_EQ(
      told(),
      "  imsic supervisor file, identity 20: BLOCKED: eithreshold is 20, and lets lower identities alone "
      "through\n");
  set(file, kEithreshold, 0);
  EXPECT_EQ(told(), "  imsic supervisor file, identity 20 -> mip.SEIP: BLOCKED: sie.SEIE is 0\n");
  set(file, kEip0, 0);
  InterruptFile& guest = *imsic.guest(2);
  set(guest, kEidelivery, 1);
  set(guest, kEie0, bit(5));
  set(guest, kEip0, bit(5));
  EXPECT_EQ(
      told(),
      "  imsic guest file 2, identity 5 -> hgeip bit 2: BLOCKED: bit 2 of hgeie is 0, and hstatus.VGEIN "
      "is 0: set one of them\n");
  hart().hgeie = bit(2);
  EXPECT_EQ(told(), "  imsic guest file 2, identity 5 -> mip.SGEIP: BLOCKED: hie.SGEIE is 0\n");
  hart().hgeie = 0;
  hart().hstatus = hstatus::Vgein::set(0, 2);
  hart().hideleg = 0x444;
  EXPECT_EQ(told(), "  imsic guest file 2, identity 5 -> mip.VSEIP: BLOCKED: vsie.SEIE (hie.VSEIE) is 0\n");
  hart().mie = bit(kVsei);
  EXPECT_EQ(
      told(),
      "  imsic guest file 2, identity 5 -> mip.VSEIP: BLOCKED: the hart does not run the guest: V is 0\n");
  hart().imsic = nullptr;
}

std::string obstacle(hw::InterruptExplainer& controller, unsigned hart = 0) {
  std::vector<WiredSource> sources;
  controller.explain(hart, sources);
  std::string text;
  for (const WiredSource& source : sources) text += source.source + ": " + source.blocked + "\n";
  return text;
}

TEST_F(InspectWhyIrqTest, EachLinkOfThePlicIsNamed) {
  hw::FakeLines lines[2];
  hw::Plic plic({&lines[0], &lines[1]});
  hw::NodePlace place;
  place.base = 0xc00'0000;
  plic.set_place(place);
  EXPECT_EQ(obstacle(plic), "");
  plic.set_level(10, true);
  EXPECT_EQ(obstacle(plic),
            "plic source 10 (wire high): bit 10 of enable word 0 is 0 in contexts 0 (0xc002000) and 1; no "
            "context has it\n");
  hw::set(plic, 0x2000 + 3 * 0x80, 1 << 10);
  EXPECT_EQ(
      obstacle(plic),
      "plic source 10 (wire high): bit 10 of enable word 0 is 0 in contexts 0 (0xc002000) and 1; context 3, "
      "S-mode of hart 1, has it\n");
  EXPECT_EQ(obstacle(plic, 1),
            "plic source 10 (wire high) -> context 3 (S): its priority (0xc000028) is 0, which is never "
            "served\n");
  hw::set(plic, 4 * 10, 2);
  hw::set(plic, 0x203000, 2);
  EXPECT_EQ(obstacle(plic, 1),
            "plic source 10 (wire high) -> context 3 (S): its priority 2 is not above the threshold 2 of "
            "context 3 (0xc203000)\n");
  hw::set(plic, 0x203000, 1);
  EXPECT_EQ(obstacle(plic, 1), "plic source 10 (wire high) -> context 3 (S): \n");
  EXPECT_TRUE(lines[1].is_high(kSei));
  EXPECT_EQ(hw::get(plic, 0x203004), 10u);
  EXPECT_EQ(obstacle(plic, 1),
            "plic source 10 (wire high) -> context 3 (S): it was claimed and not completed: write 10 to "
            "claim/complete of a context that enables it\n");
}

TEST_F(InspectWhyIrqTest, EachLinkOfTheAplicIsNamed) {
  constexpr std::uint64_t kDelegate = 0x400, kLevel1 = 6, kEdge1 = 4;
  hw::FakeLines lines[2];
  hw::Aplic s({"aplic-s", false, 2, {&lines[0], &lines[1]}, 0, nullptr}, nullptr, {});
  hw::Aplic m({"aplic-m", true, 2, {&lines[0], &lines[1]}, 0, nullptr}, &s.domain(), {});
  m.domain().set_level(3, true);
  EXPECT_EQ(obstacle(m), "aplic-m source 3 (wire high): sourcecfg[3].SM is 0: the source is inactive\n");
  EXPECT_EQ(obstacle(s), "");
  hw::set(m.domain(), 4 * 3, kDelegate);
  EXPECT_EQ(obstacle(m), "");
  EXPECT_EQ(obstacle(s), "aplic-s source 3 (wire high): sourcecfg[3].SM is 0: the source is inactive\n");
  hw::set(s.domain(), 4 * 3, kLevel1);
  EXPECT_EQ(obstacle(s), "aplic-s source 3 (wire high, pending): it is not enabled: write 3 to setienum\n");
  hw::set(s.domain(), 0x1edc, 3);
  EXPECT_EQ(obstacle(s), "aplic-s source 3 (wire high, pending): domaincfg.IE is 0\n");
  hw::set(s.domain(), 0, 0x100);
  hw::set(s.domain(), 0x3004 + 4 * 2, 1u << 18 | 5);
  EXPECT_EQ(obstacle(s, 0), "aplic-s source 3 (wire high, pending): target[3] names hart 1\n");
  EXPECT_EQ(obstacle(s, 1), "aplic-s source 3 (wire high, pending): idelivery of hart 1 is 0\n");
  hw::set(s.domain(), 0x4020, 1);
  hw::set(s.domain(), 0x4028, 5);
  EXPECT_EQ(
      obstacle(s, 1),
      "aplic-s source 3 (wire high, pending): its priority 5 is not below ithreshold of hart 1, which is "
      "5\n");
  hw::set(s.domain(), 0x4028, 6);
  EXPECT_EQ(obstacle(s, 1), "aplic-s source 3 (wire high, pending): \n");
  EXPECT_TRUE(lines[1].is_high(kSei));
  hw::set(s.domain(), 4 * 3, kEdge1);
  hw::get(s.domain(), 0x403c);  // claimi of hart 1
  EXPECT_EQ(obstacle(s, 1),
            "aplic-s source 3 (wire high): its edge was claimed already, and the wire has not changed since "
            "(sourcecfg[3].SM is 4)\n");
}

}  // namespace
}  // namespace gstage::riscv
