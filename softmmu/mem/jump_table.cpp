// SPDX-License-Identifier: Apache-2.0
#include "softmmu/mem/jump_table.h"

#include <sys/mman.h>

#include "softmmu/base/check.h"

namespace gstage {

namespace {

/// One block for so many slots is driven out before there are twice as many slots.
constexpr std::uint32_t kSlotsPerConflict = 8;

JumpSlot* map_zeros(std::size_t bytes) {
  void* const memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(memory != MAP_FAILED);
  // A huge page would be taken for the smallest table.
  madvise(memory, bytes, MADV_NOHUGEPAGE);
  return static_cast<JumpSlot*>(memory);
}

}  // namespace

JumpTable::JumpTable() : slots_(map_zeros(kBytes)) {}

JumpTable::~JumpTable() { munmap(slots_, kBytes); }

/// False: both slots are others'.
bool JumpTable::put(std::uint64_t key, const void* code) {
  JumpSlot* const slot = slot_of(key);
  for (const std::uint64_t replaced : {key, std::uint64_t{0}})
    for (JumpSlot* const to : {slot, slot + 1}) {
      if (to->key != replaced) continue;
      *to = {key, code};
      return true;
    }
  return false;
}

void JumpTable::enter(std::uint64_t key, const void* code) {
  counts_.add(TlbEvent::kJumpAsked);
  if (put(key, code)) return;
  if (++conflicts_ >= size() / kSlotsPerConflict && mask_ < kLastMask) {
    grow();
    if (put(key, code)) return;
  }
  counts_.add(TlbEvent::kJumpDrivenOut);
  // One of the others with the same slot stays, too.
  JumpSlot* const slot = slot_of(key);
  if (slot_of(slot->key) == slot) slot[1] = slot[0];
  slot[0] = {key, code};
}

/// Half of the keys go to the new half.
void JumpTable::grow() {
  const JumpSlot* const end = slots_ + size() + 1;
  mask_ = 2 * mask_ + (1u << kSlotShift);
  counts_.add(TlbEvent::kJumpsGrown);
  conflicts_ = 0;
  for (JumpSlot* slot = slots_; slot != end; ++slot) {
    const JumpSlot here = *slot;
    const JumpSlot* const own = slot_of(here.key);
    if (here.key == 0 || own == slot || own == slot - 1) continue;
    *slot = {};
    put(here.key, here.code);
  }
}

void JumpTable::clear() {
  madvise(slots_, kBytes, MADV_DONTNEED);
  mask_ = kFirstMask;
  conflicts_ = 0;
}

}  // namespace gstage
