// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include "softmmu/mem/address_space.h"
#include "tcg/runtime/engine.h"
#include "target/riscv/cpu.h"
#include "target/riscv/hart.h"

namespace gstage::test {

using Rng = std::mt19937_64;

/// Where things lie in the memory of the random programs. Page tables map the same window at all stages.
inline constexpr std::uint64_t kRamBase = 0x80000000;
inline constexpr std::uint64_t kRamSize = 0x80000;
inline constexpr std::uint64_t kCodeBase = kRamBase;  ///< 8 pages
inline constexpr std::uint64_t kCodePages = 8;
inline constexpr std::uint64_t kDataBase = kRamBase + 0x10000;  ///< 16 pages
inline constexpr std::uint64_t kDataPages = 16;
inline constexpr std::uint64_t kTableBase = kRamBase + 0x40000;  ///< page tables

/// A machine of one hart with RAM and nothing else, whose time stands still.
class World {
 public:
  explicit World(Accel accel);

  riscv::Hart& hart() { return cluster_->cpu(0).hart(); }
  AddressSpace& memory() { return memory_; }
  std::byte* ram() { return memory_.host(Paddr{kRamBase}); }

  /// Fills RAM, registers and CSRs from the seed: the same for every world.
  void randomize(std::uint64_t seed);
  /// Runs one block and delivers its trap. Returns whether there was one.
  bool step(unsigned max_insns);
  /// Another place in the code, another mode, other values in some registers: a program that traps would
  /// otherwise soon go round in circles at its trap vectors.
  void nudge(std::uint64_t seed);
  /// The first difference in architectural state, or nothing.
  static std::string compare(World& a, World& b);
  /// Whether RAM is the same.
  static bool same_memory(World& a, World& b);

 private:
  AddressSpace memory_;
  Clock clock_;
  std::unique_ptr<TimerThread> timers_;
  std::unique_ptr<riscv::CpuCluster> cluster_;
};

}  // namespace gstage::test
