// SPDX-License-Identifier: Apache-2.0
// -vary: what the specification leaves open, chosen by a seed.
#include "target/riscv/vary/variation.h"

#include <cstring>
#include <set>

#include "target/riscv/mmu/access.h"
#include "target/riscv/ops/fence_operands.h"

#include "tests/unit/riscv_hart.h"

namespace gstage::riscv {
namespace {

Choices chosen(const VaryOptions& options, const CpuConfig& config = {}) {
  auto choices = choose(options, config);
  EXPECT_TRUE(choices.ok());
  return *choices;
}

TEST(VariationTest, SameSeedGivesTheSameChoices) {
  std::set<std::string> all;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    VaryOptions options;
    options.seed = seed;
    const std::string line = describe(chosen(options));
    EXPECT_EQ(line, describe(chosen(options)));
    all.insert(line.substr(line.find(',')));
  }
  EXPECT_GT(all.size(), 40u) << "seeds differ";
}

TEST(VariationTest, OnePropertyAloneChangesNothingElse) {
  VaryOptions options;
  options.vmidlen = 3;
  EXPECT_EQ(describe(chosen(options)),
            "-vary seed=0,htinst=transformed,htval=gpa,vmidlen=3,asidlen=16,spurious=0,tlb=0,sc-fails=0");
  options.seed = 7;
  const Choices with_seed = chosen(options);
  options.vmidlen.reset();
  Choices other = chosen(options);
  other.vmidlen = 3;
  EXPECT_EQ(describe(with_seed), describe(other));
}

TEST(VariationTest, HtvalStaysWhereTheHartPromisesIt) {
  CpuConfig config;
  config.shtvala = true;
  VaryOptions options;
  options.htval = Informs::kNever;
  EXPECT_FALSE(choose(options, config).ok());
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    VaryOptions by_seed;
    by_seed.seed = seed;
    EXPECT_EQ(chosen(by_seed, config).htval, Informs::kAlways);
  }
  config.shtvala = false;
  EXPECT_TRUE(choose(options, config).ok());
}

TEST(VariationTest, PseudoinstructionStaysWhereTheAddressIsWritten) {
  Choices choices;
  choices.htinst = Informs::kNever;
  Variation variation(choices, 0);
  EXPECT_EQ(variation.tinst(0x3000, true, true), 0x3000u);
  EXPECT_EQ(variation.tinst(0x3000, true, false), 0u);
  EXPECT_EQ(variation.tinst(0x503, false, true), 0u);
}

TEST(VariationTest, ReservationsAreNotLostForever) {
  Choices choices;
  choices.sc_fails = 90;
  Variation variation(choices, 0);
  unsigned longest = 0;
  unsigned run = 0;
  for (int i = 0; i < 10'000; ++i) {
    run = variation.loses_reservation() ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  EXPECT_EQ(longest, 4u);
}

TEST(VariationTest, SpuriousWakeupsComeAsOftenAsIsSaid) {
  Choices choices;
  choices.spurious = 20;
  Variation variation(choices, 0);
  int count = 0;
  for (int i = 0; i < 10'000; ++i) count += variation.ends_wait() ? 1 : 0;
  EXPECT_NEAR(count, 2000, 200);
}

class VariedHart : public RiscvHart {
 protected:
  void vary(const Choices& choices) {
    variation_ = std::make_unique<Variation>(choices, 0);
    hart().variation = variation_.get();
  }
  std::unique_ptr<Variation> variation_;
};

TEST_F(VariedHart, IdentifiersHaveAsManyBitsAsIsSaid) {
  Choices choices;
  choices.asidlen = 4;
  choices.vmidlen = 2;
  vary(choices);
  constexpr std::uint64_t kSv39 = std::uint64_t{8} << 60;
  constexpr std::uint64_t kAllIds = std::uint64_t{0xffff} << 44;
  for (const unsigned number : {0x180u, 0x280u}) {
    write(number, kSv39 | kAllIds);
    EXPECT_EQ(read(number), kSv39 | std::uint64_t{0xf} << 44) << csr_name(number);
  }
  write(0x680, kSv39 | kAllIds);
  EXPECT_EQ(read(0x680), kSv39 | std::uint64_t{3} << 44);
  EXPECT_EQ(asid_mask(hart()), 0xfu);
  EXPECT_EQ(vmid_mask(hart()), 3u);
}

TEST_F(VariedHart, GuestPageFaultMayLeaveOutWhatItKnows) {
  Choices choices;
  choices.htval = Informs::kNever;
  vary(choices);
  Trap trap{};
  trap.cause = Cause::kLoadGuestPageFault;
  trap.gpa = 0x1234'5678;
  trap.is_implicit = true;
  trap.tinst = 0x3000;
  raise(hart(), trap);
  enter(kVs);
  deliver_trap(hart());
  EXPECT_EQ(hart().mtval2, 0u);
  EXPECT_EQ(hart().mtinst, 0u) << "without the address no pseudoinstruction is required";
  choices.htval = Informs::kAlways;
  vary(choices);
  raise(hart(), trap);
  enter(kVs);
  deliver_trap(hart());
  EXPECT_EQ(hart().mtval2, 0x1234'5678u >> 2);
  EXPECT_EQ(hart().mtinst, 0x3000u);
}

TEST_F(VariedHart, CachedTranslationsGoAtRandom) {
  Choices choices;
  choices.tlb = 1;
  vary(choices);
  enter(kHs);
  update_regimes(hart());
  load_slow(hart(), active_data(hart()), Vaddr{kRam}, tcg::MemKind::u64);
  load_slow(hart(), active_data(hart()), Vaddr{kRam + kPageSize}, tcg::MemKind::u64);
  TlbContext& context = *hart().mmu->data_context;
  EXPECT_EQ(context.recall(TlbAccess::kRead, Vaddr{kRam}), nullptr);
  EXPECT_NE(context.recall(TlbAccess::kRead, Vaddr{kRam + kPageSize}), nullptr);
}

}  // namespace
}  // namespace gstage::riscv
