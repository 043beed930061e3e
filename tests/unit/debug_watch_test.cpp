// SPDX-License-Identifier: Apache-2.0
// Watchpoints (target/riscv/debug/debugger.h), on each engine.
#include "target/riscv/mmu/translate.h"

#include "tests/unit/debug_machine.h"

namespace gstage::riscv {
namespace {

using namespace rv;  // NOLINT: instructions

/// The instruction under test is at kCode, x10 holds the address, x12 a value; the program ends at kEnd.
class WatchTest : public DebugTest {
 protected:
  static constexpr std::uint64_t kEnd = kCode + 4;
  static constexpr std::uint64_t kAt = kData + 0x100;

  /// Where the program stops, of a hart that may have the page in its TLB.
  std::string stop_of(std::uint32_t insn, std::uint64_t address) {
    // From before it: a hart that stopped at the instruction goes on with it.
    machine.write(kCode - 4, {kNop, insn, kSelf});
    pc() = kCode - 4;
    x(10) = address;
    x(12) = 0x1234;
    hart().core.reservation_vaddr = ~std::uint64_t{0};
    return go_on();
  }
  void only(WatchKind kind, std::uint64_t address, std::uint64_t size) {
    debugger().remove_all();
    break_at(kEnd);
    watch(address, size, kind);
  }
  const std::string end_ = at("breakpoint", kEnd);
};

TEST_P(WatchTest, EachInstructionDoesWhatItIsWatchedFor) {
  struct Row {
    const char* name;
    std::uint32_t insn;
    bool reads;
    bool writes;
  };
  constexpr Row kRows[] = {
      {"ld", ld(11, 10, 0), true, false},      {"lb", lb(11, 10, 0), true, false},
      {"fld", fld(1, 10, 0), true, false},     {"sd", sd(12, 10, 0), false, true},
      {"sb", sb(12, 10, 0), false, true},      {"fsd", fsd(1, 10, 0), false, true},
      {"lr", lr(11, 10), true, false},         {"amoadd", amoadd(11, 10, 12), true, true},
      {"cbo.zero", cbo_zero(10), false, true}, {"cbo.clean", cbo_clean(10), false, false},
      {"addi", addi(11, 10, 0), false, false}};
  const std::string hit = at("watchpoint", kAt);
  for (const Row& row : kRows) {
    for (int round = 0; round < 2; ++round) {
      only(WatchKind::kRead, kAt, 1);
      EXPECT_EQ(stop_of(row.insn, kAt), row.reads ? hit : end_) << row.name << " reads";
      only(WatchKind::kWrite, kAt, 1);
      EXPECT_EQ(stop_of(row.insn, kAt), row.writes ? hit : end_) << row.name << " writes";
      only(WatchKind::kAccess, kAt, 1);
      EXPECT_EQ(stop_of(row.insn, kAt), row.reads || row.writes ? hit : end_) << row.name << " accesses";
    }
  }
}

TEST_P(WatchTest, StopsBeforeTheAccessAndGoesOnWithIt) {
  machine.write64(kAt, 77);
  only(WatchKind::kWrite, kAt, 8);
  EXPECT_EQ(stop_of(amoadd(11, 10, 12), kAt), at("watchpoint", kAt));
  EXPECT_EQ(pc(), kCode);
  EXPECT_EQ(machine.read64(kAt), 77u);
  EXPECT_EQ(x(11), 0u);
  EXPECT_EQ(go_on(), end_);
  EXPECT_EQ(machine.read64(kAt), 77u + 0x1234);
  EXPECT_EQ(x(11), 77u);
}

TEST_P(WatchTest, AStoreConditionalIsWatched) {
  machine.write(kCode, {lr(11, 10), sc(13, 10, 12), kSelf});
  x(10) = kAt;
  x(12) = 5;
  watch(kAt, 8, WatchKind::kWrite);
  break_at(kCode + 8);
  EXPECT_EQ(go_on(), at("watchpoint", kAt));
  EXPECT_EQ(pc(), kCode + 4);
  EXPECT_EQ(go_on(), at("breakpoint", kCode + 8));
  EXPECT_EQ(x(13), 0u) << "the stop cost no reservation";
  EXPECT_EQ(machine.read64(kAt), 5u);
}

TEST_P(WatchTest, EachByteCountsAndTheFirstOneIsTold) {
  only(WatchKind::kAccess, kAt + 4, 2);
  EXPECT_EQ(stop_of(ld(11, 10, 0), kAt), at("watchpoint", kAt + 4));
  EXPECT_EQ(stop_of(ld(11, 10, 0), kAt + 5), at("watchpoint", kAt + 5));
  EXPECT_EQ(stop_of(ld(11, 10, 0), kAt + 6), end_);
  EXPECT_EQ(stop_of(ld(11, 10, 0), kAt - 4), end_);
  EXPECT_EQ(stop_of(ld(11, 10, 0), kAt - 3), at("watchpoint", kAt + 4));
  EXPECT_EQ(stop_of(sb(12, 10, 0), kAt + 6), end_);
}

TEST_P(WatchTest, AccessesThatStraddlePages) {
  const std::uint64_t page = kData + kPageSize;
  only(WatchKind::kWrite, page, 1);
  EXPECT_EQ(stop_of(sd(12, 10, 0), page - 4), at("watchpoint", page));
  EXPECT_EQ(machine.read64(page - 4), 0u);
  EXPECT_EQ(stop_of(sd(12, 10, 0), page - 8), end_);
  only(WatchKind::kRead, page - 1, 1);
  EXPECT_EQ(stop_of(ld(12, 10, 0), page - 4), at("watchpoint", page - 1));
  EXPECT_EQ(stop_of(ld(12, 10, 0), page), end_);
}

TEST_P(WatchTest, AWatchpointOverSeveralPages) {
  only(WatchKind::kWrite, kData + 0x10, 3 * kPageSize);
  EXPECT_EQ(stop_of(sd(12, 10, 0), kData), end_);
  EXPECT_EQ(stop_of(sd(12, 10, 0), kData + kPageSize + 8), at("watchpoint", kData + kPageSize + 8));
  EXPECT_EQ(stop_of(sd(12, 10, 0), kData + 3 * kPageSize + 8), at("watchpoint", kData + 3 * kPageSize + 8));
  EXPECT_EQ(stop_of(sd(12, 10, 0), kData + 3 * kPageSize + 0x10), end_);
}

TEST_P(WatchTest, ALoopOverAnArrayStopsAtItsElement) {
  // The loop has run before without watchpoints, so that it is as fast as can be.
  machine.write(kCode, {sd(12, 10, 0), addi(10, 10, 8), bne(10, 11, -8), kSelf});
  break_at(kCode + 12);
  const std::uint64_t end = kData + 3 * kPageSize;
  for (int round = 0; round < 3; ++round) {
    pc() = kCode;
    x(10) = kData;
    x(11) = end;
    EXPECT_EQ(go_on(), at("breakpoint", kCode + 12));
  }
  const std::uint64_t watched = kData + kPageSize + 0x800;
  watch(watched, 8, WatchKind::kWrite);
  pc() = kCode;
  x(10) = kData;
  x(12) = 99;
  EXPECT_EQ(go_on(), at("watchpoint", watched));
  EXPECT_EQ(x(10), watched);
  EXPECT_EQ(machine.read64(watched - 8), 99u);
  EXPECT_NE(machine.read64(watched), 99u);
  EXPECT_EQ(go_on(), at("breakpoint", kCode + 12));
  EXPECT_EQ(machine.read64(end - 8), 99u);
}

TEST_P(WatchTest, ReadsOfAPageThatIsWatchedForWritesAreInTheTlb) {
  only(WatchKind::kWrite, kAt, 8);
  EXPECT_EQ(stop_of(ld(11, 10, 0), kAt), end_);
  const auto is_in = [&](TlbAccess access, std::uint64_t page) {
    const TlbContext& context = *hart().mmu->data_context;
    return context.table(access)[tlb_index(page, context.mask())].tag == page;
  };
  EXPECT_TRUE(is_in(TlbAccess::kRead, kData));
  EXPECT_EQ(stop_of(sd(12, 10, 0), kAt + 64), end_);
  EXPECT_FALSE(is_in(TlbAccess::kWrite, kData));
  EXPECT_EQ(stop_of(sd(12, 10, 0), kAt + kPageSize), end_);
  EXPECT_TRUE(is_in(TlbAccess::kWrite, kData + kPageSize)) << "other pages keep their speed";
  debugger().remove_all();
  break_at(kEnd);
  EXPECT_EQ(stop_of(sd(12, 10, 0), kAt), end_);
  EXPECT_TRUE(is_in(TlbAccess::kWrite, kData)) << "and the page has its own back";
}

TEST_P(WatchTest, AnAccessThatFaultsIsNone) {
  only(WatchKind::kAccess, kAt + 1, 1);
  break_at(kHandler);
  EXPECT_EQ(stop_of(amoadd(11, 10, 12), kAt + 1), at("breakpoint", kHandler)) << "misaligned";
  EXPECT_EQ(hart().mcause, static_cast<std::uint64_t>(Cause::kStoreMisaligned));
  only(WatchKind::kAccess, 0x1000, 8);
  break_at(kHandler);
  EXPECT_EQ(stop_of(ld(11, 10, 0), 0x1000), at("breakpoint", kHandler)) << "nothing there";
  EXPECT_EQ(hart().mcause, static_cast<std::uint64_t>(Cause::kLoadAccess));
}

TEST_P(WatchTest, WhatCannotBeWatchedIsRefused) {
  EXPECT_FALSE(debugger().insert(Watchpoint{AddressKind::kVirtual, 8, 0, WatchKind::kRead, {}}).ok());
  EXPECT_FALSE(debugger().insert(Watchpoint{AddressKind::kVirtual, ~7ull, 9, WatchKind::kRead, {}}).ok());
  EXPECT_TRUE(debugger().insert(Watchpoint{AddressKind::kVirtual, ~7ull, 8, WatchKind::kRead, {}}).ok());
}

TEST_P(WatchTest, AStepStopsBeforeTheAccessOnce) {
  only(WatchKind::kWrite, kAt, 8);
  machine.write(kCode, {sd(12, 10, 0), kSelf});
  x(10) = kAt;
  x(12) = 8;
  EXPECT_EQ(step(), at("watchpoint", kAt));
  EXPECT_EQ(machine.read64(kAt), 0u);
  EXPECT_EQ(step(), at("step", kCode + 4));
  EXPECT_EQ(machine.read64(kAt), 8u);
}

/// Data at a virtual address, a guest physical one and a physical one that all differ.
class WatchStagesTest : public WatchTest {
 protected:
  static constexpr std::uint64_t kVirtual = 0x30'0000'0000;
  static constexpr std::uint64_t kGuestPhysical = 0x10'0000'0000;
  static constexpr std::uint64_t kIn = kAt - kRam;

  WatchStagesTest() {
    const std::uint64_t vs_root = kTables;
    const std::uint64_t g_root = kTables + 0x10000;
    machine.write64(vs_root + 8 * (kVirtual >> 30 & 511), kGuestPhysical >> 12 << 10 | 0xcf);
    machine.write64(vs_root + 8 * (kRam >> 30), kRam >> 12 << 10 | 0xcf);
    machine.write64(g_root + 8 * (kGuestPhysical >> 30), kRam >> 12 << 10 | 0xdf);
    machine.write64(g_root + 8 * (kRam >> 30), kRam >> 12 << 10 | 0xdf);
    csr_poke(hart(), 0x280, kSv39 | std::uint64_t{7} << 44 | vs_root >> 12);
    csr_poke(hart(), 0x680, kSv39 | std::uint64_t{9} << 44 | g_root >> 12);
    csr_poke(hart(), 0x600, 1 << 8);  // hstatus.SPVP
  }
  /// Whether a store through the guest's address stops.
  bool stops(std::uint32_t insn) {
    const std::string stop = stop_of(insn, kVirtual + kIn);
    EXPECT_TRUE(stop == end_ || stop.starts_with("watchpoint")) << stop;
    return stop != end_;
  }
  void only_at(AddressKind kind, std::uint64_t address, const WorldFilter& filter = {}) {
    debugger().remove_all();
    break_at(kEnd);
    watch(address, 8, WatchKind::kWrite, filter, kind);
  }
};

TEST_P(WatchStagesTest, EachKindOfAddressInAGuestAndByTheHypervisor) {
  for (const bool is_guest : {true, false}) {
    set_mode(hart(), is_guest ? kSupervisor : kMachine, is_guest);
    const std::uint32_t store = is_guest ? sd(12, 10, 0) : hsv(12, 10);
    only_at(AddressKind::kVirtual, kVirtual + kIn);
    EXPECT_TRUE(stops(store)) << is_guest;
    EXPECT_TRUE(stops(store)) << is_guest;
    only_at(AddressKind::kGuestPhysical, kGuestPhysical + kIn);
    EXPECT_TRUE(stops(store)) << is_guest;
    only_at(AddressKind::kPhysical, kAt);
    EXPECT_TRUE(stops(store)) << is_guest;
    only_at(AddressKind::kVirtual, kAt);
    EXPECT_FALSE(stops(store)) << is_guest;
    only_at(AddressKind::kGuestPhysical, kAt);
    EXPECT_FALSE(stops(store)) << is_guest;
    only_at(AddressKind::kPhysical, kGuestPhysical + kIn);
    EXPECT_FALSE(stops(store)) << is_guest;
  }
}

TEST_P(WatchStagesTest, FiltersMeanTheWorldThatIsReachedInto) {
  for (const bool is_guest : {true, false}) {
    set_mode(hart(), is_guest ? kSupervisor : kMachine, is_guest);
    const std::uint32_t store = is_guest ? sd(12, 10, 0) : hsv(12, 10);
    const auto stops_with = [&](const WorldFilter& filter) {
      only_at(AddressKind::kVirtual, kVirtual + kIn, filter);
      return stops(store);
    };
    EXPECT_TRUE(stops_with({true, 9, 7, kSupervisor})) << is_guest;
    EXPECT_FALSE(stops_with({.v = false})) << is_guest;
    EXPECT_FALSE(stops_with({.vmid = 8})) << is_guest;
    EXPECT_FALSE(stops_with({.asid = 9})) << is_guest;
    EXPECT_FALSE(stops_with({.privilege = kUser})) << is_guest;
  }
}

TEST_P(WatchStagesTest, HypervisorLoadsAreWatched) {
  debugger().remove_all();
  break_at(kEnd);
  watch(kGuestPhysical + kIn, 1, WatchKind::kRead, {}, AddressKind::kGuestPhysical);
  EXPECT_TRUE(stops(hlv(11, 10)));
  EXPECT_FALSE(stops(hsv(12, 10)));
}

INSTANTIATE_TEST_SUITE_P(Engines, WatchTest, testing::ValuesIn(kDebugEngines), name_of_engine);
INSTANTIATE_TEST_SUITE_P(Engines, WatchStagesTest, testing::ValuesIn(kDebugEngines), name_of_engine);

}  // namespace
}  // namespace gstage::riscv
