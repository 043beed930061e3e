// SPDX-License-Identifier: Apache-2.0
// Runs random programs through the JIT and the interpreter and compares the whole hart after every block.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "softmmu/base/log.h"

#include "tests/diff/loops.h"
#include "tests/diff/world.h"

namespace {

using gstage::test::World;

struct Plan {
  std::uint64_t first_seed = 1;
  std::uint64_t seeds = 500;
  unsigned blocks = 400;
  unsigned max_insns = 16;
};

/// What was compared, so that a generator that gets nowhere shows.
struct Tally {
  std::uint64_t blocks = 0;
  std::uint64_t traps = 0;
  std::uint64_t loops = 0;
};

bool report(World& jit, std::uint64_t seed, unsigned block, std::uint64_t pc, const std::string& difference) {
  std::fprintf(stderr, "seed %llu, block %u at pc %llx (priv %u, V %u): jit and interp differ in %s\n",
               static_cast<unsigned long long>(seed), block, static_cast<unsigned long long>(pc),
               jit.hart().priv, jit.hart().v, difference.c_str());
  return false;
}

/// A program of the kind that lives, in a machine that remembers and in one that forgets; false when they
/// part.
bool run_tame_seed(World& jit, World& interp, std::uint64_t seed, const Plan& plan, Tally& tally) {
  for (World* const world : {&jit, &interp}) world->settle(seed);
  for (unsigned block = 0; block < plan.blocks; ++block) {
    const std::uint64_t pc = jit.hart().core.pc;
    const bool is_trapped = jit.step(plan.max_insns);
    interp.forget();
    interp.step(plan.max_insns);
    std::string difference = World::compare(jit, interp);
    if (difference.empty() && (block % 32 == 31 || block + 1 == plan.blocks) &&
        !World::same_memory(jit, interp))
      difference = "memory differs";
    if (!difference.empty()) {
      if (!jit.has_tables_as_noted() && !interp.has_tables_as_noted()) return true;
      return report(jit, seed, block, pc, difference);
    }
    tally.blocks += 1;
    tally.traps += is_trapped;
    for (World* const world : {&jit, &interp}) world->disturb(seed * 1000003 + block, is_trapped);
  }
  return true;
}

/// One program in both; false when they part.
bool run_seed(World& jit, World& interp, std::uint64_t seed, const Plan& plan, Tally& tally) {
  jit.randomize(seed);
  interp.randomize(seed);
  for (unsigned block = 0; block < plan.blocks; ++block) {
    const std::uint64_t pc = jit.hart().core.pc;
    const bool is_trapped = jit.step(plan.max_insns);
    interp.step(plan.max_insns);
    std::string difference = World::compare(jit, interp);
    if (difference.empty() && (block % 32 == 31 || block + 1 == plan.blocks) &&
        !World::same_memory(jit, interp))
      difference = "memory differs";
    if (difference.empty()) {
      tally.blocks += 1;
      tally.traps += is_trapped;
      if (is_trapped || block % 16 == 15) {
        jit.nudge(seed * 1000003 + block);
        interp.nudge(seed * 1000003 + block);
      }
      continue;
    }
    return report(jit, seed, block, pc, difference);
  }
  return true;
}

bool read_number(int argc, char** argv, int i, std::uint64_t& value) {
  if (i + 1 >= argc) return false;
  value = std::strtoull(argv[i + 1], nullptr, 0);
  return true;
}

/// The machines of one run.
struct Worlds {
  World jit{gstage::Accel::kJit};
  World regions{gstage::Accel::kJit, gstage::Regions::kEager};
  World interp{gstage::Accel::kInterp};
};

/// A program of loops, run as a machine runs it, and block by block; false when they part.
bool run_loops_seed(World& jit, World& interp, std::uint64_t seed, Tally& tally) {
  for (World* const world : {&jit, &interp}) gstage::test::write_loops(*world, seed);
  const std::uint64_t begin = jit.hart().core.pc;
  std::string difference = interp.run_forgetting();
  if (difference.empty()) difference = jit.run();
  if (difference.empty()) difference = World::compare(jit, interp);
  if (difference.empty() && !World::same_memory(jit, interp)) difference = "memory differs";
  tally.loops += 1;
  return difference.empty() || report(jit, seed, 0, begin, difference);
}

/// By turns: code that traps a lot, code that lives, loops.
bool run_any(Worlds& worlds, std::uint64_t seed, const Plan& plan, Tally& tally) {
  if (seed % 8 == 0)
    return run_loops_seed(seed % 32 == 0 ? worlds.jit : worlds.regions, worlds.interp, seed, tally);
  return (seed % 2 == 0 ? run_seed : run_tame_seed)(worlds.jit, worlds.interp, seed, plan, tally);
}

}  // namespace

int main(int argc, char** argv) {
  Plan plan;
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    std::uint64_t value = 0;
    const bool has_value = read_number(argc, argv, i, value);
    if (has_value && name == "--seed") {
      plan.first_seed = value;
    } else if (has_value && name == "--count") {
      plan.seeds = value;
    } else if (has_value && name == "--blocks") {
      plan.blocks = static_cast<unsigned>(value);
    } else if (has_value && name == "--max-insns") {
      plan.max_insns = static_cast<unsigned>(value);
    } else if (has_value && name == "-d") {
      if (!gstage::log_set_categories(argv[i + 1]).ok()) return 1;
    } else {
      std::fprintf(stderr, "usage: %s [--seed N] [--count N] [--blocks N] [--max-insns N] [-d CATEGORIES]\n",
                   argv[0]);
      return 1;
    }
  }
  const auto worlds = std::make_unique<Worlds>();
  Tally tally;
  for (std::uint64_t seed = plan.first_seed; seed < plan.first_seed + plan.seeds; ++seed)
    if (!run_any(*worlds, seed, plan, tally)) return 1;
  std::printf(
      "%llu programs: jit and interp agree after each of %llu blocks, of which %llu trapped, and after "
      "%llu programs of loops\n",
      static_cast<unsigned long long>(plan.seeds), static_cast<unsigned long long>(tally.blocks),
      static_cast<unsigned long long>(tally.traps), static_cast<unsigned long long>(tally.loops));
  return 0;
}
