// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/vary/variation.h"

#include <iterator>

#include "softmmu/base/format.h"

namespace gstage::riscv {

namespace {

/// SplitMix64.
std::uint64_t next_random(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15;
  std::uint64_t z = state;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

const char* name_of(Informs informs, const char* always) {
  switch (informs) {
    case Informs::kAlways: return always;
    case Informs::kNever: return "zero";
    case Informs::kSometimes: return "mixed";
  }
  return always;
}

}  // namespace

Result<Choices> choose(const VaryOptions& options, const CpuConfig& config) {
  if (options.htval.value_or(Informs::kAlways) != Informs::kAlways && config.shtvala)
    return error("-vary: htval=: the hart promises it by shtvala: add shtvala=off to -cpu");
  Choices choices;
  std::uint64_t state = choices.seed = options.seed.value_or(0);
  // Each draws whether it is used or not: what one property says does not change the others.
  const auto draw = [&](const auto& values) { return values[next_random(state) % std::size(values)]; };
  constexpr Informs kInforms[] = {Informs::kAlways, Informs::kNever, Informs::kSometimes};
  constexpr unsigned kVmidlens[] = {0, 1, 2, 4, 7, Choices::kVmidBits};
  constexpr unsigned kAsidlens[] = {0, 1, 4, 8, 9, Choices::kAsidBits};
  constexpr unsigned kPercents[] = {0, 5, 20, 50};
  constexpr unsigned kTlbs[] = {0, 16, 64, 512};
  Choices drawn;
  drawn.htinst = draw(kInforms);
  drawn.htval = draw(kInforms);
  drawn.vmidlen = draw(kVmidlens);
  drawn.asidlen = draw(kAsidlens);
  drawn.spurious = draw(kPercents);
  drawn.tlb = draw(kTlbs);
  drawn.sc_fails = draw(kPercents);
  if (config.shtvala) drawn.htval = Informs::kAlways;
  const Choices& rest = options.seed ? drawn : choices;
  choices.htinst = options.htinst.value_or(rest.htinst);
  choices.htval = options.htval.value_or(rest.htval);
  choices.vmidlen = options.vmidlen.value_or(rest.vmidlen);
  choices.asidlen = options.asidlen.value_or(rest.asidlen);
  choices.spurious = options.spurious.value_or(rest.spurious);
  choices.tlb = options.tlb.value_or(rest.tlb);
  choices.sc_fails = options.sc_fails.value_or(rest.sc_fails);
  return choices;
}

std::string describe(const Choices& c) {
  return format("-vary seed=%llu,htinst=%s,htval=%s,vmidlen=%u,asidlen=%u,spurious=%u,tlb=%u,sc-fails=%u",
                static_cast<unsigned long long>(c.seed), name_of(c.htinst, "transformed"),
                name_of(c.htval, "gpa"), c.vmidlen, c.asidlen, c.spurious, c.tlb, c.sc_fails);
}

Variation::Variation(const Choices& choices, std::uint64_t hartid)
    : choices_(choices), state_(choices.seed ^ (hartid + 1) << 32) {}

std::uint64_t Variation::next() { return next_random(state_); }

bool Variation::informs(Informs informs) {
  return informs == Informs::kAlways || (informs == Informs::kSometimes && (next() & 1) != 0);
}

std::uint64_t Variation::tinst(std::uint64_t value, bool is_implicit, bool has_address) {
  if (is_implicit) return has_address ? value : 0;
  return informs(choices_.htinst) ? value : 0;
}

std::uint64_t Variation::tval2(std::uint64_t value) { return informs(choices_.htval) ? value : 0; }

bool Variation::loses_reservation() {
  if (losses_ < kMostLosses && happens(choices_.sc_fails)) {
    ++losses_;
    return true;
  }
  losses_ = 0;
  return false;
}

}  // namespace gstage::riscv
