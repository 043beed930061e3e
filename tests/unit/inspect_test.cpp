// SPDX-License-Identifier: Apache-2.0
// Registers and memory as debuggers see them.
#include <algorithm>
#include <set>
#include <vector>

#include "target/riscv/inspect/memory.h"
#include "target/riscv/inspect/registers.h"

#include "tests/unit/riscv_hart.h"

namespace gstage::riscv {
namespace {

class InspectTest : public RiscvHart {
 protected:
  InspectTest() : rows_(list_registers(hart())) {}

  const Register& row(const std::string& name) {
    const auto found =
        std::find_if(rows_.begin(), rows_.end(), [&](const Register& r) { return r.name == name; });
    EXPECT_TRUE(found != rows_.end()) << name;
    return *found;
  }
  std::uint64_t get(const std::string& name) { return read_register(hart(), row(name)).value_or(0xdead); }
  bool set(const std::string& name, std::uint64_t value) { return write_register(hart(), row(name), value); }
  unsigned names_of(RegisterGroup group) {
    return static_cast<unsigned>(
        std::count_if(rows_.begin(), rows_.end(), [&](const Register& r) { return r.group == group; }));
  }
  void store(std::uint64_t paddr, std::uint64_t value) {
    EXPECT_TRUE(memory.write(Paddr{paddr}, &value, sizeof value));
  }
  std::uint64_t load(const World& world, std::uint64_t address) {
    Hart* const harts[] = {&hart()};
    auto view = regime_of(hart(), world, harts);
    if (!view.ok()) return 0xdead;
    std::uint64_t value = 0;
    const auto bytes = std::as_writable_bytes(std::span(&value, 1));
    return read_memory({hart(), *view}, address, bytes) == sizeof value ? value : 0xdead;
  }

  std::vector<Register> rows_;
};

TEST_F(InspectTest, NamesAndNumbersAreTheirOwn) {
  std::set<std::string> names;
  unsigned last = 0;
  for (const Register& row : rows_) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_TRUE(names.size() == 1 || row.number > last) << row.name;
    last = row.number;
  }
}

TEST_F(InspectTest, NumbersAreGdbs) {
  EXPECT_EQ(row("a0").number, 10u);
  EXPECT_EQ(row("pc").number, 32u);
  EXPECT_EQ(row("ft0").number, 33u);
  EXPECT_EQ(row("mstatus").number, 65u + 0x300);
  EXPECT_EQ(row("priv").number, 65u + 4096);
  EXPECT_EQ(names_of(RegisterGroup::kFloat), 32u + 3);
}

TEST_F(InspectTest, GroupsAreByTopic) {
  EXPECT_EQ(row("mstatus").group, RegisterGroup::kCsr);
  EXPECT_EQ(row("hstatus").group, RegisterGroup::kHypervisor);
  EXPECT_EQ(row("vsatp").group, RegisterGroup::kVs);
  EXPECT_EQ(row("pmpaddr15").group, RegisterGroup::kPmp);
  EXPECT_EQ(row("mhpmcounter31").group, RegisterGroup::kCounters);
}

TEST_F(InspectTest, RegistersAreWrittenAsByMachineMode) {
  EXPECT_FALSE(set("zero", 1));
  EXPECT_TRUE(set("a0", 7));
  EXPECT_EQ(get("a0"), 7u);
  EXPECT_TRUE(set("mepc", 0x1003));
  EXPECT_EQ(get("mepc"), 0x1002u);
  EXPECT_FALSE(set("mhartid", 1));
  EXPECT_EQ(get("mhartid"), kHartid);
  EXPECT_TRUE(set("pc", kRam + 5));
  EXPECT_EQ(hart().core.pc, kRam + 4);
}

TEST_F(InspectTest, PrivHasVInBit2) {
  EXPECT_EQ(get("priv"), 3u);
  EXPECT_TRUE(set("priv", kSupervisor | 4));
  EXPECT_EQ(hart().priv, kSupervisor);
  EXPECT_EQ(hart().v, 1);
  EXPECT_EQ(hart().s, &hart().vs);
  EXPECT_EQ(get("priv"), 5u);
  for (const std::uint64_t wrong : {2u, 6u, 7u, 8u}) EXPECT_FALSE(set("priv", wrong)) << wrong;
  EXPECT_EQ(get("priv"), 5u);
}

/// Leaves of 1 GiB: VS 0 → guest physical 1 GiB (with U only), G-stage 1 GiB → RAM.
class WorldsTest : public InspectTest {
 protected:
  static constexpr std::uint64_t kSv39 = std::uint64_t{8} << 60;
  static constexpr std::uint64_t kVsRoot = kRam + 0x1000;
  static constexpr std::uint64_t kGRoot = kRam + 0x4000;
  static constexpr std::uint64_t kRoot = kRam + 0x2000;
  static constexpr std::uint64_t kGiB = 1 << 30;
  static constexpr std::uint64_t kVmid = 5;
  /// V and U alone would do for a debugger but for X, which makes it a leaf: nobody else may read it.
  static constexpr std::uint64_t kLeaf = 0x19;

  static std::uint64_t leaf(std::uint64_t to) { return to >> 12 << 10 | kLeaf; }

  WorldsTest() {
    Hart& h = hart();
    h.vs.satp = kSv39 | (kGiB + kVsRoot - kRam) >> 12;
    h.hgatp = kSv39 | kVmid << 44 | kGRoot >> 12;
    h.hs.satp = kSv39 | kRoot >> 12;
    store(kVsRoot, leaf(kGiB));
    store(kGRoot + 8, leaf(kRam));
    store(kRoot + 3 * 8, leaf(kRam));
    store(kRam + 0x8000, 0x1234);
  }
};

TEST_F(WorldsTest, EachWorldHasItsAddresses) {
  EXPECT_EQ(load({WorldKind::kPhysical}, kRam + 0x8000), 0x1234u);
  EXPECT_EQ(load({WorldKind::kHost}, 3 * kGiB + 0x8000), 0x1234u);
  EXPECT_EQ(load({WorldKind::kGuestVirtual}, 0x8000), 0x1234u);
  EXPECT_EQ(load({WorldKind::kGuestPhysical}, kGiB + 0x8000), 0x1234u);
  EXPECT_EQ(load({WorldKind::kVmid, kVmid}, 0x8000), 0x1234u);
  EXPECT_EQ(load({WorldKind::kVmid, kVmid + 1}, 0x8000), 0xdeadu);
  EXPECT_EQ(load({WorldKind::kHost}, 0x8000), 0xdeadu);
  EXPECT_EQ(load({WorldKind::kGuestPhysical}, 0x8000), 0xdeadu);
}

/// Another hart whose hgatp names the same guest and whose vsatp does not: it is about to enter it.
class TwoHartsTest : public WorldsTest {
 protected:
  TwoHartsTest() : other_(std::make_unique<Hart>()), harts_{other_.get(), &hart()} {
    other_->misa = hart().misa;
    other_->hgatp = hart().hgatp;
  }
  /// As with a debugger that has chosen `selected`.
  Result<Regime> guest(Hart& selected) { return regime_of(selected, {WorldKind::kVmid, kVmid}, harts_); }

  std::unique_ptr<Hart> other_;
  Hart* harts_[2];
};

TEST_F(TwoHartsTest, TheChosenHartsGuestComesFirst) {
  EXPECT_EQ(guest(hart())->satp, hart().vs.satp);
  EXPECT_EQ(guest(*other_)->satp, 0u);
}

TEST_F(TwoHartsTest, AHartInTheGuestComesBeforeOneThatHandlesIt) {
  Hart chosen;
  enter(kVs);
  EXPECT_EQ(guest(chosen)->satp, hart().vs.satp);
  enter(kHs);
  EXPECT_EQ(guest(chosen)->satp, 0u);
}

TEST_F(WorldsTest, TheCurrentWorldIsThatOfTheMode) {
  EXPECT_EQ(load({WorldKind::kCurrent}, kRam + 0x8000), 0x1234u);
  enter(kHs);
  EXPECT_EQ(load({WorldKind::kCurrent}, 3 * kGiB + 0x8000), 0x1234u);
  enter(kVu);
  EXPECT_EQ(load({WorldKind::kCurrent}, 0x8000), 0x1234u);
}

TEST_F(WorldsTest, ALookChangesNoEntry) {
  load({WorldKind::kGuestVirtual}, 0x8000);
  EXPECT_EQ(load({WorldKind::kPhysical}, kVsRoot), leaf(kGiB));
  EXPECT_EQ(load({WorldKind::kPhysical}, kGRoot + 8), leaf(kRam));
}

TEST_F(WorldsTest, WritesGoThroughBothStages) {
  auto view = regime_of(hart(), {WorldKind::kGuestVirtual}, {});
  ASSERT_TRUE(view.ok());
  const std::uint64_t value = 0x5678;
  EXPECT_EQ(write_memory({hart(), *view}, 0x8ffc, std::as_bytes(std::span(&value, 1))), sizeof value);
  EXPECT_EQ(load({WorldKind::kPhysical}, kRam + 0x8ffc), 0x5678u);
}

TEST_F(WorldsTest, AReadEndsWhereMemoryDoes) {
  std::vector<std::byte> bytes(64);
  EXPECT_EQ(read_memory({hart(), Regime{}}, kRam + 16 * kPageSize - 8, bytes), 8u);
  EXPECT_EQ(read_memory({hart(), Regime{}}, 0x1000, bytes), 0u);
  EXPECT_EQ(read_memory({hart(), Regime{}}, ~std::uint64_t{0} - 7, bytes), 0u);
}

TEST(WorldNames, AreReadAndShown) {
  for (const char* const name : {"current", "host", "gva", "gpa", "phys"}) {
    auto world = parse_world(name);
    ASSERT_TRUE(world.ok());
    EXPECT_EQ(world_text(*world), name);
  }
  EXPECT_EQ(world_text(*parse_world("7")), "vmid 7");
  EXPECT_FALSE(parse_world("16384").ok());
  EXPECT_FALSE(parse_world("").ok());
}

}  // namespace
}  // namespace gstage::riscv
