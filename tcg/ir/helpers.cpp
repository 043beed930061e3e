// SPDX-License-Identifier: Apache-2.0
#include "tcg/ir/helpers.h"

#include <mutex>
#include <vector>

namespace gstage::tcg {
namespace {

struct Registry {
  std::mutex mutex;
  std::vector<const Helper*> helpers;
};

Registry& registry() {
  static Registry the_registry;
  return the_registry;
}

const Helper* find_in(const Registry& in, std::string_view name) {
  for (const Helper* helper : in.helpers)
    if (helper->name == name) return helper;
  return nullptr;
}

}  // namespace

void register_helper(const Helper& helper) {
  Registry& all = registry();
  const std::scoped_lock lock(all.mutex);
  if (find_in(all, helper.name) == nullptr) all.helpers.push_back(&helper);
}

const Helper* find_helper(std::string_view name) {
  Registry& all = registry();
  const std::scoped_lock lock(all.mutex);
  return find_in(all, name);
}

}  // namespace gstage::tcg
