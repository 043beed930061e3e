// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/target.h"

#include <vector>

namespace gstage::fuzz {
namespace {

std::vector<Target>& targets() {
  static std::vector<Target> all;
  return all;
}

}  // namespace

Registration::Registration(const char* name, void (*run)(Input& input)) { targets().push_back({name, run}); }

const Target* find_target(std::string_view name) {
  for (const Target& target : targets())
    if (name == target.name) return &target;
  return nullptr;
}

std::string target_names() {
  std::string text;
  for (const Target& target : targets()) text += std::string(target.name) + "\n";
  return text;
}

}  // namespace gstage::fuzz
