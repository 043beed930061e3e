// SPDX-License-Identifier: Apache-2.0
// The targets without libFuzzer: each file, and each file of each folder, is one input.
// usage: fuzz_targets TARGET FILE|FOLDER...
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

#include "tests/fuzz/target.h"

namespace {

namespace fs = std::filesystem;

void collect(const fs::path& path, std::vector<fs::path>& files) {
  std::error_code failure;
  if (!fs::is_directory(path, failure)) return files.push_back(path);
  for (const auto& entry : fs::directory_iterator(path, failure)) files.push_back(entry.path());
}

bool run_file(const gstage::fuzz::Target& target, const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    std::fprintf(stderr, "%s cannot be read\n", path.c_str());
    return false;
  }
  const std::vector<char> bytes{std::istreambuf_iterator<char>(stream), {}};
  // Of what does not return the last line says which input it was.
  std::printf("%s %s\n", target.name, path.c_str());
  std::fflush(stdout);
  gstage::fuzz::Input input({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  target.run(input);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const gstage::fuzz::Target* const target = argc > 1 ? gstage::fuzz::find_target(argv[1]) : nullptr;
  if (target == nullptr || argc < 3) {
    std::fprintf(stderr, "usage: %s TARGET FILE|FOLDER...\ntargets:\n%s", argv[0],
                 gstage::fuzz::target_names().c_str());
    return 1;
  }
  std::vector<fs::path> files;
  for (int i = 2; i < argc; ++i) collect(argv[i], files);
  for (const fs::path& file : files)
    if (!run_file(*target, file)) return 1;
  std::printf("%zu inputs\n", files.size());
  return files.empty() ? 1 : 0;
}
