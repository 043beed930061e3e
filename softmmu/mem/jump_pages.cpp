// SPDX-License-Identifier: Apache-2.0
#include "softmmu/mem/jump_pages.h"

#include <algorithm>

namespace gstage {

JumpPage* JumpPages::make(std::size_t slots) {
  const std::size_t bytes = sizeof(JumpPage) + (slots + 1) * sizeof(JumpSlot);
  if (left_ < bytes) {
    if (chunks_.size() == kMostChunks) return nullptr;
    chunks_.push_back(std::make_unique_for_overwrite<std::byte[]>(kChunkBytes));
    left_ = kChunkBytes;
  }
  auto* const page = reinterpret_cast<JumpPage*>(chunks_.back().get() + (kChunkBytes - left_));
  left_ -= bytes;
  page->mask = 2 * (slots - 1);
  std::fill_n(page->slots(), page->size(), JumpSlot{JumpPage::kNoOffset, nullptr});
  return page;
}

JumpPage** JumpPages::find(const std::byte* host_page, std::uint32_t flags) {
  const Key key{host_page, flags};
  const auto known = pages_.find(key);
  if (known != pages_.end()) return &known->second;
  JumpPage* const page = make(kFirstSlots);
  return page == nullptr ? nullptr : &pages_.emplace(key, page).first->second;
}

const JumpPage* JumpPages::page(const std::byte* host_page, std::uint32_t flags) {
  JumpPage** const page = find(host_page, flags);
  return page == nullptr ? nullptr : *page;
}

/// False: both slots are others'.
bool JumpPages::put(JumpPage& page, std::uint64_t offset, const void* code, bool replaces) {
  JumpSlot* const slot = page.slots() + (JumpPage::hash(offset) & page.mask) / 2;
  for (JumpSlot* const to : {slot, slot + 1}) {
    if (to->offset != offset && to->offset != JumpPage::kNoOffset) continue;
    *to = {offset, code};
    return true;
  }
  if (replaces) *slot = {offset, code};
  return replaces;
}

/// A page of more slots with the same jumps, or null. The old one stays where it is: tables lead to it until
/// they are looked up the next time in vain.
JumpPage* JumpPages::grow(const JumpPage& page) {
  JumpPage* const larger = make(page.mask + 2);
  if (larger == nullptr) return nullptr;
  for (const JumpSlot* slot = page.slots(); slot != page.slots() + page.size(); ++slot)
    if (slot->offset != JumpPage::kNoOffset) put(*larger, slot->offset, slot->code, true);
  return larger;
}

const JumpPage* JumpPages::enter(const std::byte* host_page, std::uint32_t flags, std::uint64_t offset,
                                 const void* code) {
  JumpPage** const page = find(host_page, flags);
  if (page == nullptr) return nullptr;
  while (!put(**page, offset, code, (*page)->mask == 2 * (kMostSlots - 1))) {
    JumpPage* const larger = grow(**page);
    if (larger == nullptr) return nullptr;
    *page = larger;
  }
  return *page;
}

void JumpPages::clear() {
  pages_.clear();
  chunks_.clear();
  left_ = 0;
}

}  // namespace gstage
