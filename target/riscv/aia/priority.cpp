// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/aia/priority.h"

#include <array>
#include <bit>
#include <cstddef>

namespace gstage::riscv {

namespace {

constexpr std::uint8_t kDefaultOrder[] = {
    47, 23, 46, 45, 22, 44, 43, 21, 42, 41, 20, 40,      // local, high
    11, 3,  7,                                           // machine: external, software, timer
    9,  1,  5,                                           // supervisor
    12, 10, 2,  6,                                       // guest external, VS
    13, 39, 19, 38, 37, 18, 36, 35, 17, 34, 33, 16, 32,  // counter overflow; local, low
};
constexpr unsigned kInterrupts = 64;
constexpr unsigned kNoNumber = kInterrupts;

constexpr std::array<std::uint8_t, kInterrupts> make_ranks() {
  std::array<std::uint8_t, kInterrupts> ranks{};
  std::array<bool, kInterrupts> is_listed{};
  std::uint8_t next = 0;
  for (const std::uint8_t number : kDefaultOrder) {
    ranks[number] = next++;
    is_listed[number] = true;
  }
  for (unsigned number = 0; number < kInterrupts; ++number)
    if (!is_listed[number]) ranks[number] = next++;
  return ranks;
}
constexpr std::array<std::uint8_t, kInterrupts> kRanks = make_ranks();
static_assert(kRanks[43] < kRanks[11] && kRanks[13] < kRanks[35] && kRanks[35] < kRanks[0]);

/// Below all priority numbers, those of an IMSIC included.
constexpr unsigned kLowest = 0xffff;

}  // namespace

unsigned default_rank(unsigned number) { return number < kNoNumber ? kRanks[number] : kNoNumber; }

std::uint32_t urgency(const Candidate& candidate, unsigned external) {
  unsigned nominal = candidate.priority;
  if (nominal == 0 && candidate.number != external) nominal = candidate.is_above ? 0 : kLowest;
  return nominal << 8 | default_rank(candidate.number);
}

unsigned reported_priority(const Candidate& candidate) {
  constexpr unsigned kMost = 255;
  if (candidate.priority == 0) return candidate.is_above ? 0 : kMost;
  return candidate.priority > kMost ? kMost : candidate.priority;
}

Candidate most_urgent(std::uint64_t set, const std::uint8_t* priorities, unsigned external,
                      unsigned external_priority) {
  Candidate best;
  std::uint32_t best_urgency = ~std::uint32_t{0};
  for (; set != 0; set &= set - 1) {
    Candidate candidate;
    candidate.number = static_cast<unsigned>(std::countr_zero(set));
    const bool is_external = candidate.number == external;
    candidate.priority = is_external ? external_priority : priorities[candidate.number];
    candidate.is_above = default_rank(candidate.number) < default_rank(external);
    const std::uint32_t of_candidate = urgency(candidate, external);
    if (of_candidate >= best_urgency) continue;
    best_urgency = of_candidate;
    best = candidate;
  }
  return best;
}

}  // namespace gstage::riscv
