// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "softmmu/mem/address_space.h"
#include "tcg/runtime/engine.h"
#include "target/riscv/cpu.h"
#include "target/riscv/hart.h"
#include "target/riscv/time_counter.h"

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
inline constexpr std::uint64_t kFencePage = kRamBase + 0x70000;  ///< an instruction of M-mode

/// A machine of one hart with RAM and nothing else, whose time stands still.
class World {
 public:
  explicit World(Accel accel, Regions regions = Regions::kOff);

  /// Where a store ends `run`.
  static constexpr std::uint64_t kStopDevice = 0x10000000;

  riscv::RiscvCpu& cpu() { return cluster_->cpu(0); }
  riscv::Hart& hart() { return cluster_->cpu(0).hart(); }
  AddressSpace& memory() { return memory_; }
  std::byte* ram() { return memory_.host(Paddr{kRamBase}); }

  /// Power-on state of the hart.
  void reset();
  /// Fills RAM, registers and CSRs from the seed: the same for every world.
  void randomize(std::uint64_t seed);
  /// Fills RAM with code of few traps, and sets the hart up with tables that tables.h describes.
  void settle(std::uint64_t seed);
  /// Runs one block and delivers its trap. Returns whether there was one.
  bool step(unsigned max_insns);
  /// Runs a program as a machine does, while another thread interrupts it at random. Returns why it did not
  /// end, or nothing.
  std::string run();
  /// The same block by block, with no other thread. Translations are forgotten all the time.
  std::string run_forgetting();
  /// Runs one instruction in M-mode with these values in x5 and x6; the rest is afterwards as it was.
  void execute_in_machine_mode(std::uint32_t raw, std::uint64_t x5, std::uint64_t x6);
  /// Drops all that is remembered of translations, of addresses and of code.
  void forget();
  /// Another place in the code, another mode, other values in some registers: a program that traps would
  /// otherwise soon go round in circles at its trap vectors.
  void nudge(std::uint64_t seed);
  /// The same after `settle`; what happens besides, now and then: see disturb.cpp.
  void disturb(std::uint64_t seed, bool is_stuck);

  /// The word at a physical address of RAM.
  std::uint64_t& word(std::uint64_t paddr) {
    return *reinterpret_cast<std::uint64_t*>(ram() + (paddr - kRamBase));
  }
  /// The page tables are as they should be now …
  void note_tables();
  /// … and whether they still are but for A and D: a program that stores to its tables and does without a
  /// fence gets what the standard says nothing of.
  [[nodiscard]] bool has_tables_as_noted();

  /// The first difference in architectural state, or nothing.
  static std::string compare(World& a, World& b);
  /// Whether RAM is the same.
  static bool same_memory(World& a, World& b);

 private:
  /// Stops the hart.
  class StopDevice final : public MmioHandler {
   public:
    explicit StopDevice(World& world) : world_(world) {}
    bool mmio_read(std::uint64_t, unsigned, std::uint64_t&) override { return false; }
    bool mmio_write(std::uint64_t, unsigned, std::uint64_t) override;

   private:
    World& world_;
  };

  AddressSpace memory_;
  StopDevice stop_device_{*this};
  std::atomic<bool> is_stopped_{false};
  Clock clock_;
  riscv::TimeCounter time_{clock_};
  std::unique_ptr<TimerThread> timers_;
  struct : MachineControl {
    void request(MachineRequest, int) override {}
  } control_;
  std::unique_ptr<riscv::CpuCluster> cluster_;
  std::vector<std::uint64_t> tables_;  ///< as they were noted
};

/// True one time in n.
inline bool one_in(Rng& rng, unsigned n) { return rng() % n == 0; }
/// Values with which instructions do more than with others.
std::uint64_t interesting_value(Rng& rng);
/// The same for floating point.
std::uint64_t interesting_float(Rng& rng);

}  // namespace gstage::test
