// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/trace/exit_totals.h"

namespace gstage::riscv {

namespace {

std::size_t hash_of(const ExitKey& key, std::uint64_t pc) {
  constexpr std::uint64_t kMix = 0x9e37'79b9'7f4a'7c15;
  std::uint64_t hash = (pc ^ key.extension << 20) * kMix;
  hash = (hash ^ hash >> 29 ^ key.cause ^ key.function << 8 ^ std::uint64_t{key.vmid} << 40) * kMix;
  return static_cast<std::size_t>(hash >> 32);
}

}  // namespace

ExitTotals::ExitTotals()
    : groups_(std::make_unique<ExitGroup[]>(kGroups)), sites_(std::make_unique<ExitSite[]>(kSites)) {
  groups_[0].key.cause = kOtherCause;
}

ExitTotals::Entry ExitTotals::find(const ExitKey& key, std::uint64_t pc) {
  const std::size_t first = hash_of(key, pc);
  for (unsigned probe = 0; probe < kProbes; ++probe) {
    ExitSite& site = sites_[(first + probe) % kSites];
    if (site.is_used.load(std::memory_order_relaxed)) {
      if (site.pc == pc && site.group->key == key) return {site.group, &site};
      continue;
    }
    ExitGroup& group = group_of(key);
    if (group.key != key) return {&group, nullptr};
    site.pc = pc;
    site.group = &group;
    site.is_used.store(true, std::memory_order_release);
    return {&group, &site};
  }
  return {&group_of(key), nullptr};
}

/// Seldom called: a site knows its group.
ExitGroup& ExitTotals::group_of(const ExitKey& key) {
  const std::size_t count = group_count_.load(std::memory_order_relaxed);
  for (std::size_t i = 1; i < count; ++i)
    if (groups_[i].key == key) return groups_[i];
  if (count == kGroups) return groups_[0];
  groups_[count].key = key;
  group_count_.store(count + 1, std::memory_order_release);
  return groups_[count];
}

void ExitTotals::for_each_group(const std::function<void(const ExitGroup&)>& look) const {
  const std::size_t count = group_count_.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < count; ++i)
    if (groups_[i].count.load(std::memory_order_relaxed) != 0) look(groups_[i]);
}

void ExitTotals::for_each_site(const std::function<void(const ExitSite&)>& look) const {
  for (std::size_t i = 0; i < kSites; ++i)
    if (sites_[i].is_used.load(std::memory_order_acquire)) look(sites_[i]);
}

}  // namespace gstage::riscv
