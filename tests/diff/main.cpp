// SPDX-License-Identifier: Apache-2.0
// Runs random programs through the JIT and the interpreter and compares the whole hart after every block.
#include <cstdio>
#include <cstdlib>

#include "softmmu/base/log.h"

#include "tests/diff/world.h"

namespace {

using gstage::test::World;

struct Plan {
  std::uint64_t first_seed = 1;
  std::uint64_t seeds = 3000;
  unsigned blocks = 400;
  unsigned max_insns = 16;
};

/// What was compared, so that a generator that gets nowhere shows.
struct Tally {
  std::uint64_t blocks = 0;
  std::uint64_t traps = 0;
};

/// One program in both; false when they part.
bool run_seed(World& jit, World& interp, std::uint64_t seed, const Plan& plan, Tally& tally) {
  jit.randomize(seed);
  interp.randomize(seed);
  for (unsigned block = 0; block < plan.blocks; ++block) {
    const std::uint64_t pc = jit.hart().core.pc;
    const std::uint8_t priv = jit.hart().priv;
    const std::uint8_t v = jit.hart().v;
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
    std::fprintf(stderr, "seed %llu, block %u at pc %llx (priv %u, V %u): jit and interp differ in %s\n",
                 static_cast<unsigned long long>(seed), block, static_cast<unsigned long long>(pc), priv, v,
                 difference.c_str());
    return false;
  }
  return true;
}

bool read_number(int argc, char** argv, int i, std::uint64_t& value) {
  if (i + 1 >= argc) return false;
  value = std::strtoull(argv[i + 1], nullptr, 0);
  return true;
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
  World jit(gstage::Accel::kJit);
  World interp(gstage::Accel::kInterp);
  Tally tally;
  for (std::uint64_t seed = plan.first_seed; seed < plan.first_seed + plan.seeds; ++seed)
    if (!run_seed(jit, interp, seed, plan, tally)) return 1;
  std::printf("%llu programs: jit and interp agree after each of %llu blocks, of which %llu trapped\n",
              static_cast<unsigned long long>(plan.seeds), static_cast<unsigned long long>(tally.blocks),
              static_cast<unsigned long long>(tally.traps));
  return 0;
}
