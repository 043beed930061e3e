// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <iterator>
#include <memory>
#include <string>

#include "tests/unit/ir_machine.h"
#include "tests/unit/ir_random.h"

namespace gstage::tcg::test {

/// A word that floating point or integer ops treat in a special way, or any.
inline std::uint64_t interesting_bits(RandomUnit& random, std::uint64_t seed) {
  static constexpr std::uint64_t kBits[] = {0,
                                            1,
                                            ~0ull,
                                            0x8000000000000000,
                                            0x7fffffffffffffff,
                                            0xffffffff80000000,
                                            0x7fffffff,
                                            0x7ff8000000000000,
                                            0x7ff0000000000001,
                                            0xfff0000000000000,
                                            0x3ff0000000000000,
                                            0xbff8000000000000,
                                            0x41dfffffffc00000,
                                            0x43e0000000000000,
                                            0x0000000000000001,
                                            0xffffffff3f800000,
                                            0xffffffff7fc00000,
                                            0xffffffff7f800001,
                                            0xffffffff4f000000,
                                            0xffffffff5f000000,
                                            0xffffffff00000001,
                                            0xffffffffff800000};
  if (random.below(3) == 0) return seed * 0x9e3779b97f4a7c15u ^ (seed << 31);
  return kBits[random.below(std::size(kBits))];
}

/// The same start for both machines.
inline void set_up(Machine& machine, std::uint64_t seed) {
  RandomUnit random(seed);
  machine.hart = std::make_unique<TestHart>();
  TestHart& hart = *machine.hart;
  hart.core.read = machine.read.data();
  hart.core.write = machine.write.data();
  for (unsigned i = 1; i < 32; ++i) hart.x[i] = interesting_bits(random, seed + i);
  for (unsigned i = 0; i < 32; ++i) hart.f[i] = interesting_bits(random, seed + 100 + i);
  // Bases of addresses: page by page, near their ends, seldom misaligned.
  for (unsigned i = 20; i < 24; ++i) {
    const std::uint64_t page = random.below(8) == 0   ? kTrapPage
                               : random.below(3) == 0 ? kSlowPage
                                                      : kFastPage;
    hart.x[i] = page + (random.below(4) == 0 ? kPageSize - 40 : 0) + 8ull * random.below(4) +
                (random.below(6) == 0 ? random.below(8) : 0);
  }
  for (auto& word : hart.env) word = interesting_bits(random, seed + 200);
  hart.core.mxcsr = kDefaultMxcsr | random.below(4) << kMxcsrRoundingShift;
  for (unsigned i = 0; i < machine.guest.memory.size(); ++i)
    machine.guest.memory[i] = static_cast<std::byte>(i * 37 + (i >> 5) + seed);
}

inline std::string differences(Machine& a, Machine& b) {
  const auto hex = [](std::uint64_t v) {
    char text[24];
    std::snprintf(text, sizeof text, "%llx", static_cast<unsigned long long>(v));
    return std::string(text);
  };
  std::string text;
  const auto compare = [&](const std::string& name, std::uint64_t x, std::uint64_t y) {
    if (x != y) text += name + ": " + hex(x) + " != " + hex(y) + "\n";
  };
  TestHart& p = *a.hart;
  TestHart& q = *b.hart;
  for (unsigned i = 0; i < 32; ++i) compare("x" + std::to_string(i), p.x[i], q.x[i]);
  for (unsigned i = 0; i < 32; ++i) compare("f" + std::to_string(i), p.f[i], q.f[i]);
  for (unsigned i = 0; i < p.env.size(); ++i) compare("env" + std::to_string(i), p.env[i], q.env[i]);
  compare("pc", p.core.pc, q.core.pc);
  compare("trap", p.core.trap_pending, q.core.trap_pending);
  compare("mxcsr", p.core.mxcsr & ~2u, q.core.mxcsr & ~2u);
  compare("calls", p.calls, q.calls);
  compare("reservation", p.core.reservation_vaddr, q.core.reservation_vaddr);
  if (a.guest.memory == b.guest.memory) return text;
  for (unsigned i = 0; i < a.guest.memory.size(); ++i)
    compare("memory " + hex(i), static_cast<std::uint64_t>(a.guest.memory[i]),
            static_cast<std::uint64_t>(b.guest.memory[i]));
  return text;
}

}  // namespace gstage::tcg::test
