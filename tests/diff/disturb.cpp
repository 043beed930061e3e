// SPDX-License-Identifier: Apache-2.0
// Programs that live: their pages are mapped, their pointers point to data, and what supervisors and
// hypervisors do happens around them. One machine remembers translations as long as it may; the other forgets
// everything before each block. A difference is something that should have been forgotten.
#include <cstring>

#include "target/riscv/csr/csr.h"
#include "target/riscv/mmu/mmu.h"
#include "target/riscv/trap/interrupts.h"
#include "target/riscv/trap/mode.h"

#include "tests/diff/random_code.h"
#include "tests/diff/tables.h"

namespace gstage::test {

namespace {

using namespace gstage::riscv;

constexpr std::uint64_t kSum = 1 << 18;
constexpr std::uint64_t kMxr = 1 << 19;

enum Csr : unsigned {
  kSstatus = 0x100,
  kSatp = 0x180,
  kVsstatus = 0x200,
  kVsatp = 0x280,
  kMstatus = 0x300,
  kMie = 0x304,
  kMenvcfg = 0x30a,
  kMip = 0x344,
  kPmpcfg0 = 0x3a0,
  kPmpaddr0 = 0x3b0,
  kHstatus = 0x600,
  kHideleg = 0x603,
  kHenvcfg = 0x60a,
  kHvip = 0x645,
  kHgatp = 0x680,
};

void toggle(Hart& hart, unsigned number, std::uint64_t bits) {
  csr_poke(hart, number, csr_peek(hart, number).value_or(0) ^ bits);
}

/// Roots of this program's tables, or none.
void choose_roots(Rng& rng, Hart& hart) {
  const auto root = [&](Stage stage, const std::uint64_t* ids) {
    return one_in(rng, 6) ? 0 : root_register(stage, ids[rng() % 4]);
  };
  csr_poke(hart, kSatp, root(kHsStage, kAsids));
  csr_poke(hart, kVsatp, root(kVsStage, kAsids));
  csr_poke(hart, kHgatp, root(kGStage, kVmids));
}

bool is_root(Stage stage, std::uint64_t value) {
  constexpr std::uint64_t kIds = std::uint64_t{0xffff} << 44;
  return value >> 60 == 0 || ((value ^ root_register(stage, 0)) & ~kIds) == 0;
}

/// What the program itself made the root of a table is none: whatever was read through it is not fenced.
void keep_to_roots(World& world) {
  Hart& hart = world.hart();
  if (is_root(kHsStage, hart.hs.satp) && is_root(kVsStage, hart.vs.satp) && is_root(kGStage, hart.hgatp))
    return;
  for (const unsigned root : {kSatp, kVsatp, kHgatp}) csr_poke(hart, root, 0);
  reset_mmu(hart);
}

/// Everything, and before it, now and then, a piece of the data or the code by a rule of its own.
void choose_pmp(Rng& rng, Hart& hart) {
  std::uint64_t cfg = 0x1f;
  std::uint64_t address = ~std::uint64_t{0} >> 10;
  if (one_in(rng, 2)) {
    csr_poke(hart, kPmpaddr0 + 1, address);
    const std::uint64_t base = one_in(rng, 4) ? kCodeBase : kDataBase;
    // NA4, or NAPOT of 8 bytes to 4 KiB.
    const bool is_word = one_in(rng, 4);
    const std::uint64_t bytes = std::uint64_t{8} << rng() % 10;
    address = (base + rng() % 0x8000) >> 2;
    if (!is_word) address = (address & ~(bytes / 4 - 1)) | (bytes / 8 - 1);
    cfg = 0x1f00 | (is_word ? 0x10 : 0x18) | rng() % 8;
  }
  csr_poke(hart, kPmpaddr0, address);
  csr_poke(hart, kPmpcfg0, cfg);
}

/// Pages by turns are the user's.
std::uint64_t data_pointer(Rng& rng, const Hart& hart) {
  std::uint64_t page = rng() % kDataPages;
  if (!one_in(rng, 4)) page = (page & ~std::uint64_t{1}) | (hart.priv == kUser ? 1 : 0);
  std::uint64_t at = kDataBase + page * kPageSize;
  if (one_in(rng, 16)) at = kCodeBase + rng() % kCodePages * kPageSize;
  at += one_in(rng, 6) ? kPageSize - rng() % 16 : rng() % (kPageSize - 64);  // near a page's end, or within
  const bool is_physical = hart.priv == kMachine;
  return !is_physical && one_in(rng, 4) ? at + kSuperpage : at;
}

std::uint64_t code_pointer(Rng& rng, bool is_user) {
  constexpr std::uint64_t kHalf = kCodePages / 2 * kPageSize;
  const std::uint64_t at = kCodeBase + (is_user != one_in(rng, 20) ? kHalf : 0);
  const std::uint64_t offset = one_in(rng, 16)
                                   ? rng() % (kHalf / kPageSize) * kPageSize + kPageSize - 2 * (rng() % 4)
                                   : rng() % (kHalf - 64);
  return (at + offset) & ~std::uint64_t{1};
}

void choose_registers(Rng& rng, Hart& hart) {
  for (unsigned i = 8; i < 16; ++i) hart.x[i] = data_pointer(rng, hart);
  for (unsigned i = 10; i < 16; ++i) hart.x[i] &= ~std::uint64_t{i < 12 ? 7u : 63u};
  hart.x[6] = one_in(rng, 2) ? kSum : kMxr;
  hart.x[7] = one_in(rng, 2) ? kSum | kMxr : std::uint64_t{0};
  for (unsigned i = 28; i < 32; ++i) hart.x[i] = code_pointer(rng, hart.priv == kUser);
  for (unsigned i = 0; i < 6; ++i) hart.x[16 + rng() % 12] = interesting_value(rng);
  for (unsigned i = 0; i < 4; ++i) hart.f[rng() % 32] = interesting_float(rng);
}

void choose_mode(Rng& rng, Hart& hart) {
  const bool is_machine = one_in(rng, 8);
  const auto priv = is_machine ? kMachine : one_in(rng, 3) ? kUser : kSupervisor;
  set_mode(hart, priv, !is_machine && !one_in(rng, 3));
}

/// Instructions are changed under the program's feet, by another agent than the hart.
void change_code(Rng& rng, World& world) {
  std::byte code[64];
  const std::size_t bytes = 4 * (1 + rng() % 16);
  fill_tame_code(rng, code, bytes);
  const std::uint64_t at = (world.hart().core.pc & ~kPageMask) % (kCodePages * kPageSize);
  const std::uint64_t offset = (at + rng() % (kPageSize - bytes)) & ~std::uint64_t{1};
  world.memory().write(Paddr{kCodeBase + offset}, code, bytes);
}

void interrupt(Rng& rng, Hart& hart) {
  csr_poke(hart, kMie, rng());
  csr_poke(hart, kMip, one_in(rng, 2) ? rng() & 0x222 : 0);
  csr_poke(hart, kHvip, one_in(rng, 2) ? rng() & 0x444 : 0);
  take_interrupt(hart);
}

/// Fields that change what is allowed, for which no fence is needed.
void change_rules(Rng& rng, Hart& hart) {
  constexpr std::uint64_t kMprv = 1 << 17;
  constexpr std::uint64_t kAdue = std::uint64_t{1} << 61;
  switch (rng() % 10) {
    case 0:
    case 1: return toggle(hart, kSstatus, one_in(rng, 2) ? kSum : kMxr);
    case 2:
    case 3: return toggle(hart, kVsstatus, one_in(rng, 2) ? kSum : kMxr);
    case 4: return toggle(hart, kMstatus, kMprv);
    case 5: return toggle(hart, kMstatus, std::uint64_t{1} << 39 | std::uint64_t{1} << 11);  // MPV, MPP
    case 6: return toggle(hart, kHstatus, one_in(rng, 2) ? 1 << 8 : 1 << 9);                 // SPVP, HU
    case 7: return toggle(hart, kMenvcfg, kAdue);
    case 8: return toggle(hart, kHenvcfg, kAdue);
    default: return choose_roots(rng, hart);
  }
}

}  // namespace

void World::settle(std::uint64_t seed) {
  Rng rng(seed);
  randomize(seed);
  std::memset(ram(), 0, kRamSize);
  fill_tame_code(rng, ram(), kCodePages * kPageSize);
  for (std::uint64_t at = kDataBase; at < kDataBase + kDataPages * kPageSize; at += 8)
    word(at) = interesting_value(rng);
  build_tables(rng, *this);
  memory_.dirty(Paddr{kRamBase}, kRamSize);
  Hart& h = hart();
  csr_poke(h, kMenvcfg, rng() & (std::uint64_t{1} << 61 | 0xf0));
  csr_poke(h, kHenvcfg, rng() & (std::uint64_t{1} << 61 | 0xf0));
  choose_pmp(rng, h);
  choose_roots(rng, h);
  reset_mmu(h);
  disturb(seed, true);
}

void World::disturb(std::uint64_t seed, bool is_stuck) {
  Rng rng(seed);
  Hart& h = hart();
  keep_to_roots(*this);
  switch (rng() % 16) {
    case 0:
    case 1:
    case 2: edit_tables(rng, *this); break;
    case 3:
    case 4:
    case 5: change_rules(rng, h); break;
    case 6: change_code(rng, *this); break;
    case 7: choose_mode(rng, h); break;
    case 8:
      if (one_in(rng, 4)) choose_pmp(rng, h);
      break;
    case 9: interrupt(rng, h); break;
    default: break;
  }
  if (!is_stuck && !one_in(rng, 16)) return;
  if (h.priv == kMachine || one_in(rng, 4)) choose_mode(rng, h);
  choose_registers(rng, h);
  h.core.pc = code_pointer(rng, h.priv == kUser);
}

}  // namespace gstage::test
