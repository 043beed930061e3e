// SPDX-License-Identifier: Apache-2.0
#include "tests/diff/tables.h"

#include <cstring>

#include "target/riscv/csr/csr.h"
#include "target/riscv/decode/decode.h"
#include "target/riscv/mmu/pte.h"

namespace gstage::test {

namespace {

using namespace gstage::riscv;

constexpr unsigned kPages = kRamSize / kPageSize;
constexpr unsigned kFirstDataPage = (kDataBase - kRamBase) / kPageSize;

bool is_data_page(std::uint64_t page) { return page >= kFirstDataPage && page < kFirstDataPage + kDataPages; }

/// Mostly useful. Pages by turns are the user's, so that SUM matters.
std::uint64_t random_flags(Rng& rng, Stage stage, std::uint64_t page) {
  constexpr std::uint64_t kReadWrite = pte::R::kMask | pte::W::kMask;
  std::uint64_t flags = 0xcf;  // V R W X A D
  const bool is_user = page < kCodePages ? page >= kCodePages / 2 : page % 2 != 0;
  if (stage == kGStage || is_user) flags |= pte::U::kMask;
  switch (rng() % (page < kCodePages ? 128 : 40)) {
    case 0: flags &= ~pte::W::kMask; break;
    case 1: flags &= ~kReadWrite; break;
    case 2: flags &= ~pte::D::kMask; break;
    case 3: flags &= ~(pte::A::kMask | pte::D::kMask); break;
    case 4: flags &= ~pte::X::kMask; break;
    case 5: flags ^= pte::U::kMask; break;
    case 6: flags = 0; break;
    case 7: flags ^= std::uint64_t{1} << rng() % 8; break;
    default: break;
  }
  if (stage != kGStage && one_in(rng, 3)) flags |= pte::G::kMask;
  return flags;
}

std::uint64_t random_leaf(Rng& rng, Stage stage, std::uint64_t page) {
  std::uint64_t frame = page;
  if (page < kCodePages && one_in(rng, 3)) frame = rng() % kCodePages;
  if (is_data_page(page) && one_in(rng, 2)) frame = kFirstDataPage + rng() % kDataPages;
  // What a guest's tables say is an address of the G-stage, which has the memory twice.
  if (stage == kVsStage && one_in(rng, 4)) frame += kSuperpage / kPageSize;
  return ((kRamBase >> kPageShift) + frame) << 10 | random_flags(rng, stage, page);
}

std::uint64_t pointer_to(std::uint64_t table) { return table >> kPageShift << 10 | 1; }

std::uint64_t superpage(Rng& rng, Stage stage) {
  return (kRamBase >> kPageShift) << 10 | random_flags(rng, stage, kFirstDataPage);
}

void write_entry(World& world, std::uint64_t at, std::uint64_t entry) {
  world.memory().write(Paddr{at}, &entry, sizeof entry);
}

/// What was changed, as fences name it.
struct Change {
  Stage stage;
  bool is_leaf;           ///< else the fence must not name an address
  bool is_global;         ///< before or after: the fence must not name an ASID
  std::uint64_t address;  ///< virtual or guest physical, that the entry translates
};

/// One fence, in M-mode: x5 is the address, x6 the identifier.
void fence(World& world, Insn insn, bool has_address, bool has_id, std::uint64_t address, std::uint64_t id) {
  const ArgsVma args{static_cast<std::uint8_t>(has_address ? 5 : 0),
                     static_cast<std::uint8_t>(has_id ? 6 : 0)};
  world.execute_in_machine_mode(encode(insn, args), address, id);
}

/// For each identifier that is in use, or for all at once.
void fence_ids(World& world, Insn insn, const Change& change, bool has_address, bool has_id) {
  // hfence.gvma has the address shifted right by 2.
  const std::uint64_t address = change.stage == kGStage ? change.address >> 2 : change.address;
  if (!has_id) return fence(world, insn, has_address, false, address, 0);
  for (const std::uint64_t id : change.stage == kGStage ? kVmids : kAsids)
    fence(world, insn, has_address, true, address, id);
}

void fence_for(Rng& rng, World& world, const Change& change) {
  const bool has_address = change.is_leaf && one_in(rng, 2);
  const bool has_id = !change.is_global && one_in(rng, 2);
  if (change.stage == kHsStage) return fence_ids(world, Insn::sfence_vma, change, has_address, has_id);
  if (change.stage == kGStage) return fence_ids(world, Insn::hfence_gvma, change, has_address, has_id);
  // hfence.vvma is of the VMID in hgatp alone.
  Hart& hart = world.hart();
  const std::uint64_t hgatp = hart.hgatp;
  constexpr std::uint64_t kVmidMask = std::uint64_t{0x3fff} << 44;
  for (const std::uint64_t vmid : kVmids) {
    csr_poke(hart, 0x680, (hgatp & ~kVmidMask) | vmid << 44);
    fence_ids(world, Insn::hfence_vvma, change, has_address, has_id);
  }
  csr_poke(hart, 0x680, hgatp);
}

}  // namespace

std::uint64_t root_register(Stage stage, std::uint64_t id) {
  constexpr std::uint64_t kSv39 = std::uint64_t{8} << 60;
  return kSv39 | id << 44 | kTables[stage].at >> kPageShift;
}

void build_tables(Rng& rng, World& world) {
  for (unsigned i = 0; i < kStages; ++i) {
    const auto stage = static_cast<Stage>(i);
    const Tables& tables = kTables[stage];
    write_entry(world, tables.at + (kRamBase >> 30) * pte::kBytes, pointer_to(tables.middle()));
    write_entry(world, tables.middle(), pointer_to(tables.leaves(0)));
    write_entry(world, tables.middle() + pte::kBytes, superpage(rng, stage));
    for (unsigned which = 0; which < 2; ++which)
      for (std::uint64_t page = 0; page < kPages; ++page)
        write_entry(world, tables.leaves(which) + page * pte::kBytes, random_leaf(rng, stage, page));
    // The G-stage's own reads of the guest's tables must get somewhere, mostly.
    if (stage == kGStage)
      for (std::uint64_t page = (kTableBase - kRamBase) / kPageSize; page < kPages; ++page)
        write_entry(world, tables.leaves(0) + page * pte::kBytes,
                    ((kRamBase >> kPageShift) + page) << 10 | 0xdf);
  }
  world.note_tables();
}

void edit_tables(Rng& rng, World& world) {
  const auto stage = static_cast<Stage>(rng() % kStages);
  const Tables& tables = kTables[stage];
  Change change{stage, true, true, 0};
  std::uint64_t at = 0;
  std::uint64_t entry = 0;
  const unsigned kind = rng() % 12;
  if (kind == 0) {
    change.is_leaf = false;
    at = tables.middle();
    entry = pointer_to(tables.leaves(rng() % 2));
  } else if (kind <= 2) {
    at = tables.middle() + pte::kBytes;
    entry = superpage(rng, stage);
    change.address = kRamBase + kSuperpage + rng() % kRamSize;
  } else {
    const std::uint64_t page = one_in(rng, 4)   ? rng() % kPages
                               : one_in(rng, 3) ? rng() % kCodePages
                                                : kFirstDataPage + rng() % kDataPages;
    const std::uint64_t table = pte::Ppn::get(world.word(tables.middle())) << kPageShift;
    at = table + page * pte::kBytes;
    entry = random_leaf(rng, stage, page);
    change.address = kRamBase + page * kPageSize + rng() % kPageSize;
  }
  const std::uint64_t old = world.word(at);
  // Of a table all that it leads to counts.
  change.is_global = stage != kGStage && (!change.is_leaf || pte::G::get(old | entry) != 0);
  write_entry(world, at, entry);
  world.note_tables();
  fence_for(rng, world, change);
}

}  // namespace gstage::test
