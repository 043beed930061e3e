// SPDX-License-Identifier: Apache-2.0
// The targets without libFuzzer: each file, and each file of each folder, is one input; then come inputs made
// of them. usage: fuzz_targets TARGET [--mutants N] [--seed N] FILE|FOLDER...
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/mutator.h"
#include "tests/fuzz/target.h"

namespace {

namespace fs = std::filesystem;
using gstage::fuzz::Bytes;
using gstage::fuzz::Mutator;
using gstage::fuzz::Target;

struct Plan {
  const Target* target = nullptr;
  std::uint64_t mutants = 0;
  std::uint64_t seed = 1;
  std::vector<fs::path> files;
};

void collect(const fs::path& path, std::vector<fs::path>& files) {
  std::error_code failure;
  if (!fs::is_directory(path, failure)) return files.push_back(path);
  for (const auto& entry : fs::directory_iterator(path, failure)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
}

bool parse(int argc, char** argv, Plan& plan) {
  if (argc > 1) plan.target = gstage::fuzz::find_target(argv[1]);
  for (int i = 2; i < argc; ++i) {
    const std::string_view word = argv[i];
    if ((word == "--mutants" || word == "--seed") && i + 1 < argc)
      (word == "--seed" ? plan.seed : plan.mutants) = std::strtoull(argv[++i], nullptr, 0);
    else
      collect(argv[i], plan.files);
  }
  return plan.target != nullptr && !plan.files.empty();
}

void run(const Target& target, const Bytes& bytes) {
  gstage::fuzz::Input input(bytes);
  target.run(input);
}

/// Runs the mutants. The one under way is kept in a file, which is there when one of them ends the program.
bool run_mutants(const Plan& plan, const std::vector<Bytes>& seeds) {
  const std::string path = std::string("mutant-") + plan.target->name + "-" + std::to_string(getpid());
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0 || ftruncate(fd, Mutator::kMaxBytes) != 0) return false;
  void* const kept = mmap(nullptr, Mutator::kMaxBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (kept == MAP_FAILED) return false;
  std::printf("%llu mutants of seed %llu; the one under way is in %s, and zeroes behind it\n",
              static_cast<unsigned long long>(plan.mutants), static_cast<unsigned long long>(plan.seed),
              path.c_str());
  std::fflush(stdout);
  Mutator mutator(seeds, plan.seed);
  for (std::uint64_t i = 0; i < plan.mutants; ++i) {
    const Bytes bytes = mutator.next();
    std::memset(kept, 0, Mutator::kMaxBytes);
    if (!bytes.empty()) std::memcpy(kept, bytes.data(), bytes.size());
    run(*plan.target, bytes);
  }
  munmap(kept, Mutator::kMaxBytes);
  close(fd);
  unlink(path.c_str());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Plan plan;
  if (!parse(argc, argv, plan)) {
    std::fprintf(stderr, "usage: %s TARGET [--mutants N] [--seed N] FILE|FOLDER...\ntargets:\n%s", argv[0],
                 gstage::fuzz::target_names().c_str());
    return 1;
  }
  std::vector<Bytes> seeds;
  for (const fs::path& file : plan.files) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return std::fprintf(stderr, "%s cannot be read\n", file.c_str()), 1;
    seeds.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
    // Of what does not return the last line says which input it was.
    std::printf("%s %s\n", plan.target->name, file.c_str());
    std::fflush(stdout);
    run(*plan.target, seeds.back());
  }
  if (plan.mutants != 0 && !run_mutants(plan, seeds)) return 1;
  std::printf("%zu inputs, %llu mutants\n", seeds.size(), static_cast<unsigned long long>(plan.mutants));
  return 0;
}
