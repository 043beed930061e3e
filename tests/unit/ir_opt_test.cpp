// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tcg/ir/op_info.h"
#include "tcg/ir/parse.h"
#include "tcg/ir/print.h"
#include "tcg/ir/verify.h"
#include "tcg/opt/pipeline.h"

#include "tests/unit/ir_random.h"
#include "tests/unit/source_dir.h"

namespace gstage::tcg::test {
namespace {

// A file of tests/ir holds tests, separated by lines that begin with "; test:". A test says which passes run
// ("; pass: NAME …", or "all"), then comes the unit; lines "; check: TEXT" must be, in order and complete,
// the lines that print() makes of the result without the "unit" line.
struct TextTest {
  std::string name;
  std::vector<std::string> passes;
  std::string input;
  std::vector<std::string> expected;
};

std::vector<TextTest> read_tests(const std::filesystem::path& path) {
  std::vector<TextTest> tests;
  std::ifstream file(path);
  const auto rest_after = [](const std::string& line, const std::string& prefix) {
    return line.size() > prefix.size() ? line.substr(prefix.size() + 1) : std::string();
  };
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("; test:")) tests.emplace_back().name = rest_after(line, "; test:");
    if (tests.empty()) continue;
    TextTest& test = tests.back();
    if (line.starts_with("; check:")) {
      test.expected.push_back(rest_after(line, "; check:"));
    } else if (line.starts_with("; pass:")) {
      std::istringstream words(rest_after(line, "; pass:"));
      for (std::string word; words >> word;) test.passes.push_back(word);
    } else {
      test.input += line + '\n';
    }
  }
  return tests;
}

/// Runs the named pass; whether there is such a pass.
bool run_pass(const std::string& name, Unit& unit) {
  if (name == "all") {
    optimize(unit);
    return true;
  }
  for (const NamedPass& pass : passes()) {
    if (name != pass.name) continue;
    pass.run(unit);
    return true;
  }
  return false;
}

std::vector<std::string> lines_of(const Unit& unit) {
  std::vector<std::string> lines;
  for (unsigned i = 0; i < unit.insts.size(); ++i) lines.push_back(print_inst(unit.insts[i], i));
  return lines;
}

void run_test(const TextTest& test) {
  Result<Unit> unit = parse(test.input);
  ASSERT_TRUE(unit.ok()) << unit.error().message;
  const Status before = verify(*unit);
  ASSERT_TRUE(before.ok()) << before.error().message;
  ASSERT_FALSE(test.passes.empty()) << "no \"; pass:\"";
  for (const std::string& name : test.passes) ASSERT_TRUE(run_pass(name, *unit)) << name;
  const Status after = verify(*unit);
  EXPECT_TRUE(after.ok()) << after.error().message;
  EXPECT_EQ(lines_of(*unit), test.expected) << print(*unit);
}

TEST(IrPasses, TextFiles) {
  register_test_helpers();
  unsigned count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(GSTAGE_SOURCE_DIR "/tests/ir")) {
    if (entry.path().extension() != ".ir") continue;
    for (const TextTest& test : read_tests(entry.path())) {
      SCOPED_TRACE(entry.path().filename().string() + ": " + test.name);
      run_test(test);
      ++count;
    }
  }
  EXPECT_GT(count, 20u);
}

void prepare(Machine& machine, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (std::byte& byte : machine.guest.memory) byte = static_cast<std::byte>(random());
  TestHart& hart = *machine.hart;
  for (std::uint64_t& x : hart.x) x = random() >> (random() % 64);
  // Singles, boxed mostly, and doubles of middling size.
  for (std::uint64_t& f : hart.f)
    f = random() % 2 == 0 ? 0xffffffff3f000000 | (random() & 0x80ffffff) : random();
  for (std::uint64_t& word : hart.env) word = random();
  hart.x[0] = 0;
  hart.x[20] = kFastPage;
  hart.x[21] = kSlowPage;
  hart.x[22] = kTrapPage;
}

void expect_same(const Machine& a, const Machine& b) {
  EXPECT_EQ(a.hart->x, b.hart->x);
  EXPECT_EQ(a.hart->f, b.hart->f);
  EXPECT_EQ(a.hart->env, b.hart->env);
  EXPECT_EQ(a.hart->calls, b.hart->calls);
  EXPECT_EQ(a.hart->core.pc, b.hart->core.pc);
  EXPECT_EQ(a.hart->core.trap_pending, b.hart->core.trap_pending);
  EXPECT_EQ(a.hart->core.mxcsr & kStickyFlags, b.hart->core.mxcsr & kStickyFlags);
  EXPECT_TRUE(a.guest.memory == b.guest.memory);
}

// What a unit does is the same with and without the passes, in particular at each trap.
TEST(IrPasses, RandomUnitsDoTheSame) {
  constexpr unsigned kUnits = 5000;
  unsigned traps = 0;
  std::size_t ops_before = 0;
  std::size_t ops_after = 0;
  for (unsigned seed = 0; seed < kUnits && !testing::Test::HasFailure(); ++seed) {
    const Unit plain = RandomUnit(seed).make();
    Unit optimized = plain;
    for (const NamedPass& pass : passes()) {
      pass.run(optimized);
      const Status status = verify(optimized);
      ASSERT_TRUE(status.ok()) << seed << " " << pass.name << ": " << status.error().message << "\n"
                               << print(optimized);
    }
    Machine a;
    Machine b;
    prepare(a, seed);
    prepare(b, seed);
    a.run(plain);
    b.run(optimized);
    expect_same(a, b);
    if (testing::Test::HasFailure())
      std::printf("seed %u\n%s\n%s", seed, print(plain).c_str(), print(optimized).c_str());
    traps += a.hart->core.trap_pending;
    ops_before += plain.insts.size();
    ops_after += optimized.insts.size();
  }
  EXPECT_GT(traps, kUnits / 20) << "the units must reach traps";
  EXPECT_LT(traps, kUnits - kUnits / 4) << "and ends";
  EXPECT_LT(ops_after, ops_before);
}

// Nothing is left to do for a second run of the last pass.
TEST(IrPasses, DeadCodeIsGoneAtOnce) {
  for (unsigned seed = 0; seed < 1000; ++seed) {
    Unit unit = RandomUnit(seed).make();
    optimize(unit);
    const std::size_t size = unit.insts.size();
    passes().back().run(unit);
    ASSERT_EQ(unit.insts.size(), size);
  }
}

}  // namespace
}  // namespace gstage::tcg::test
