// SPDX-License-Identifier: Apache-2.0
#include "tests/diff/world.h"

#include <chrono>
#include <cstring>
#include <thread>

#include "softmmu/base/check.h"
#include "softmmu/base/format.h"
#include "target/riscv/csr/csr.h"
#include "target/riscv/guest.h"
#include "target/riscv/mmu/mmu.h"
#include "target/riscv/mmu/pte.h"
#include "target/riscv/trap/interrupts.h"
#include "target/riscv/trap/mode.h"

#include "tests/diff/random_code.h"
#include "tests/diff/tables.h"

namespace gstage::test {

namespace {

using riscv::Hart;

/// A program may have switched the register off through misa; then it stays as it is.
void write_csr(Hart& hart, unsigned number, std::uint64_t value) { riscv::csr_poke(hart, number, value); }

/// A table whose one branch maps the window 0x80000000 + 512 KiB with 4 KiB leaves; root, middle and leaves
/// follow each other (an x4 root has four pages).
void build_table(Rng& rng, std::byte* ram, std::uint64_t at, unsigned root_pages, bool wants_user) {
  namespace pte = riscv::pte;
  auto* const entries = reinterpret_cast<std::uint64_t*>(ram + (at - kRamBase));
  const std::uint64_t middle = at + root_pages * kPageSize;
  const std::uint64_t leaves = middle + kPageSize;
  entries[kRamBase >> 30] = middle >> 12 << 10 | 1;
  auto* const middle_entries = reinterpret_cast<std::uint64_t*>(ram + (middle - kRamBase));
  middle_entries[0] = leaves >> 12 << 10 | 1;
  auto* const leaf_entries = reinterpret_cast<std::uint64_t*>(ram + (leaves - kRamBase));
  for (std::uint64_t page = 0; page < kRamSize / kPageSize; ++page) {
    const bool is_code = page < kCodePages;
    std::uint64_t frame = (kRamBase >> 12) + page;
    if (!is_code && one_in(rng, 8)) frame = (kDataBase >> 12) + rng() % kDataPages;
    std::uint64_t e = frame << 10 | 0xcf;  // V R W X A D
    if (wants_user != one_in(rng, 10)) e |= pte::U::kMask;
    if (one_in(rng, 12)) e ^= std::uint64_t{1} << rng() % 8;
    if (one_in(rng, 100)) e |= std::uint64_t{1} << (61 + rng() % 3);
    leaf_entries[page] = e;
  }
}

void randomize_delegation(Rng& rng, Hart& hart) {
  write_csr(hart, 0x302, rng() & rng());                // medeleg
  write_csr(hart, 0x303, rng());                        // mideleg
  write_csr(hart, 0x602, rng() & rng());                // hedeleg
  write_csr(hart, 0x603, rng());                        // hideleg
  write_csr(hart, 0x304, rng());                        // mie
  for (const unsigned tvec : {0x305u, 0x105u, 0x205u})  // mtvec, stvec, vstvec
    write_csr(hart, tvec, kCodeBase + (rng() % (kCodePages * kPageSize) & ~std::uint64_t{3}));
  for (const unsigned epc : {0x341u, 0x141u, 0x241u})
    write_csr(hart, epc, kCodeBase + (rng() % (kCodePages * kPageSize) & ~std::uint64_t{1}));
  for (const unsigned enable : {0x306u, 0x106u, 0x606u}) write_csr(hart, enable, rng());  // counteren
}

void randomize_modes(Rng& rng, Hart& hart) {
  std::uint64_t mstatus = rng() & 0x7e19aa;                 // everything but MPP, FS, VS
  mstatus |= (rng() % 8 == 0 ? 0 : 3) << 13;                // FS
  if (!one_in(rng, 6)) mstatus &= ~std::uint64_t{1 << 17};  // MPRV seldom
  if (!one_in(rng, 3)) mstatus &= ~std::uint64_t{7 << 20};  // TVM TW TSR seldom
  write_csr(hart, 0x300, mstatus | (rng() % 2) << 39 | (rng() % 2) << 11);
  write_csr(hart, 0x600, rng() & 0x7003c0);  // hstatus: VTSR VTW VTVM HU SPVP SPV GVA
  write_csr(hart, 0x200, (rng() & 0xc0122) | (one_in(rng, 8) ? 0 : 3 << 13));  // vsstatus
  write_csr(hart, 0x30a, rng() & (std::uint64_t{7} << 61 | 0xf0));        // menvcfg: STCE, PBMTE, ADUE, CB…
  write_csr(hart, 0x60a, rng() & (std::uint64_t{7} << 61 | 0xf0));        // henvcfg
  write_csr(hart, 0x10a, rng() & 0xf0);                                   // senvcfg
  write_csr(hart, 0x003, rng() & 0xff & ~(one_in(rng, 4) ? 0u : 0x80u));  // fcsr
}

void randomize_translation(Rng& rng, Hart& hart, std::byte* ram, bool wants_user) {
  const std::uint64_t stage1 = kTableBase;
  const std::uint64_t vs_stage = kTableBase + 0x8000;
  const std::uint64_t g_stage = kTableBase + 0x10000;
  build_table(rng, ram, stage1, 1, wants_user);
  build_table(rng, ram, vs_stage, 1, wants_user);
  build_table(rng, ram, g_stage, 4, true);
  constexpr std::uint64_t kSv39 = std::uint64_t{8} << 60;
  const auto id = [&] { return (rng() % 4) << 44; };
  write_csr(hart, 0x180, one_in(rng, 5) ? 0 : kSv39 | id() | stage1 >> 12);
  write_csr(hart, 0x280, one_in(rng, 4) ? 0 : kSv39 | id() | vs_stage >> 12);
  write_csr(hart, 0x680, one_in(rng, 4) ? 0 : kSv39 | id() | g_stage >> 12);
  write_csr(hart, 0x3b0, ~std::uint64_t{0} >> 10);  // pmpaddr0: everything
  std::uint64_t cfg = 0x1f;
  if (one_in(rng, 6)) {  // a rule of its own for a piece of the data
    write_csr(hart, 0x3b1, ~std::uint64_t{0} >> 10);
    write_csr(hart, 0x3b0, (kDataBase + rng() % 0x8000) >> 2);
    cfg = 0x1f00 | (0x10 | rng() % 8 | (rng() % 2) << 3);
  }
  write_csr(hart, 0x3a0, cfg);
}

}  // namespace

std::uint64_t interesting_value(Rng& rng) {
  switch (rng() % 10) {
    case 0: return rng() % 64;
    case 1: return ~(rng() % 64);
    case 2: return static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::int32_t>(rng())));
    case 3: return std::uint64_t{1} << rng() % 64;
    case 4: return rng();
    case 5: return kDataBase + rng() % (kDataPages * kPageSize);
    case 6: return kCodeBase + (rng() % (kCodePages * kPageSize) & ~std::uint64_t{1});
    default: return kDataBase + (rng() % (kDataPages * kPageSize) & ~std::uint64_t{7});
  }
}

/// Values that floating point treats in special ways, boxed singles among them.
std::uint64_t interesting_float(Rng& rng) {
  static constexpr std::uint64_t kSpecial[] = {0,
                                               0x8000000000000000,
                                               0x7ff0000000000000,
                                               0xfff0000000000000,
                                               0x7ff8000000000000,
                                               0x7ff0000000000001,
                                               0x3ff0000000000000,
                                               0x0000000000000001,
                                               0xffffffff7f800000,
                                               0xffffffff7fc00000,
                                               0xffffffff7f800001,
                                               0xffffffff00000001,
                                               0xffffffff80000000,
                                               0xffffffff3f800000,
                                               0x7fefffffffffffff,
                                               0x41e0000000000000,
                                               0xffffffffffff7e00,
                                               0xffffffffffff7c01,
                                               0xffffffffffff8000,
                                               0xffffffffffff3c00};
  switch (rng() % 5) {
    case 4: return 0xffffffffffff0000 | (rng() & 0xffff);
    case 0: return kSpecial[rng() % std::size(kSpecial)];
    case 1: return 0xffffffff00000000 | (rng() & 0xffffffff);
    case 2: return 0x3fe0000000000000 + (rng() & 0x803fffffffffffff);
    default: return rng();
  }
}

World::World(Accel accel, Regions regions) {
  CHECK(memory_.add_ram("ram", Paddr{kRamBase}, kRamSize).ok());
  CHECK(memory_.add_mmio("stop", Paddr{kStopDevice}, kPageSize, stop_device_).ok());
  memory_.seal();
  timers_ = std::make_unique<TimerThread>(clock_);
  riscv::CpuConfig config = riscv::max_config();
  config.zkr = false;  // answers the two machines differently
  riscv::CpuSetup setup{&memory_, &clock_, &time_, timers_.get(), &control_, config, kCodeBase};
  setup.engine = {accel, 0, regions};
  auto cluster = riscv::make_cpus(setup);
  CHECK(cluster.ok());
  cluster_ = std::move(*cluster);
}

void World::reset() {
  cpu().reset();
  hart().core.reservation_value = 0;  // of an earlier program, where there is no reservation
}

void World::randomize(std::uint64_t seed) {
  Rng rng(seed);
  reset();
  Hart& h = hart();
  std::memset(ram(), 0, kRamSize);
  fill_random_code(rng, ram(), kCodePages * kPageSize);
  for (std::uint64_t at = kDataBase - kRamBase; at < kDataBase - kRamBase + kDataPages * kPageSize; at += 8) {
    const std::uint64_t value = interesting_value(rng);
    std::memcpy(ram() + at, &value, 8);
  }
  const std::uint8_t priv = one_in(rng, 4) ? riscv::kMachine : rng() % 2 ? riscv::kSupervisor : riscv::kUser;
  randomize_delegation(rng, h);
  randomize_modes(rng, h);
  randomize_translation(rng, h, ram(), priv == riscv::kUser);
  for (unsigned i = 1; i < 32; ++i) h.x[i] = interesting_value(rng);
  for (std::uint64_t& f : h.f) f = interesting_float(rng);
  h.core.pc = kCodeBase + (rng() % (kCodePages * kPageSize - 64) & ~std::uint64_t{1});
  memory_.dirty(Paddr{kRamBase}, kRamSize);
  riscv::set_mode(h, static_cast<riscv::Privilege>(priv), priv != riscv::kMachine && rng() % 2);
}

bool World::step(unsigned max_insns) {
  Hart& h = hart();
  h.core.attention.store(0);
  h.is_waiting = 0;
  cluster_->engine().run_block(h.core, cluster_->cpu(0).tlb(), max_insns);
  if (h.core.trap_pending == 0) return false;
  riscv::deliver_trap(h);
  return true;
}

bool World::StopDevice::mmio_write(std::uint64_t, unsigned, std::uint64_t) {
  world_.is_stopped_ = true;
  world_.cpu().kick(kAttendStop);
  return true;
}

std::string World::run() {
  constexpr std::chrono::seconds kPatience{60};
  is_stopped_ = false;
  std::atomic<bool> is_over{false};
  std::atomic<bool> is_late{false};
  std::thread interrupting([&] {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    for (unsigned i = 0; !is_over; ++i) {
      cpu().set_irq(riscv::kSsi, true);
      if (i % 4 == 0) cpu().kick(kAttendInterrupt);
      std::this_thread::sleep_for(std::chrono::microseconds(20 + i % 7 * 30));
      if (std::chrono::steady_clock::now() < end) continue;
      is_late = true;
      cpu().kick(kAttendStop);
    }
  });
  cpu().run();
  is_over = true;
  interrupting.join();
  hart().irq_lines = 0;
  hart().core.attention = 0;
  return is_late ? "the program does not end" : "";
}

std::string World::run_forgetting() {
  constexpr unsigned kMostBlocks = 3'000'000;
  constexpr unsigned kForgetEvery = 16;
  constexpr unsigned kMaxInsns = 64;
  Hart& h = hart();
  is_stopped_ = false;
  for (unsigned i = 0; i < kMostBlocks && !is_stopped_; ++i) {
    if (i % kForgetEvery == 0) forget();
    riscv::take_interrupt(h);
    cluster_->engine().run_block(h.core, cpu().tlb(), kMaxInsns);
    if (h.core.trap_pending != 0) riscv::deliver_trap(h);
  }
  h.core.attention = 0;
  return is_stopped_ ? "" : "the program does not end block by block";
}

void World::execute_in_machine_mode(std::uint32_t raw, std::uint64_t x5, std::uint64_t x6) {
  Hart& h = hart();
  const std::uint64_t saved[] = {h.x[5], h.x[6], h.core.pc};
  const auto priv = static_cast<riscv::Privilege>(h.priv);
  const bool v = h.v != 0;
  memory_.write(Paddr{kFencePage}, &raw, sizeof raw);
  riscv::set_mode(h, riscv::kMachine, false);
  h.x[5] = x5;
  h.x[6] = x6;
  h.core.pc = kFencePage;
  // A trigger that the program has armed may have kept it from being executed.
  if (step(1)) riscv::reset_mmu(h);
  h.x[5] = saved[0];
  h.x[6] = saved[1];
  h.core.pc = saved[2];
  riscv::set_mode(h, priv, v);
}

void World::forget() {
  riscv::reset_mmu(hart());
  memory_.dirty(Paddr{kRamBase}, kRamSize);
}

void World::note_tables() {
  tables_.resize(kTablesSize / 8);
  std::memcpy(tables_.data(), &word(kTableBase), kTablesSize);
}

bool World::has_tables_as_noted() {
  constexpr std::uint64_t kAccessedDirty = riscv::pte::A::kMask | riscv::pte::D::kMask;
  for (std::size_t i = 0; i < tables_.size(); ++i)
    if (((tables_[i] ^ word(kTableBase + 8 * i)) & ~kAccessedDirty) != 0) return false;
  return true;
}

void World::nudge(std::uint64_t seed) {
  Rng rng(seed);
  Hart& h = hart();
  const std::uint64_t priv = rng() % 4;
  const bool is_machine = priv >= 2;  // M-mode does not fault for want of a mapping: more of it gets further
  for (unsigned i = 0; i < 12; ++i) h.x[1 + rng() % 31] = interesting_value(rng);
  for (unsigned i = 0; i < 4; ++i) h.f[rng() % 32] = interesting_float(rng);
  if (one_in(rng, 4)) randomize_modes(rng, h);
  h.core.pc = kCodeBase + (rng() % (kCodePages * kPageSize - 64) & ~std::uint64_t{1});
  riscv::set_mode(h, is_machine ? riscv::kMachine : static_cast<riscv::Privilege>(priv),
                  !is_machine && rng() % 2);
}

std::string World::compare(World& a, World& b) {
  const Hart& x = a.hart();
  const Hart& y = b.hart();
  const auto differ = [](const std::string& what, std::uint64_t left, std::uint64_t right) {
    return format("%s: %016llx and %016llx", what.c_str(), static_cast<unsigned long long>(left),
                  static_cast<unsigned long long>(right));
  };
#define SAME(field) \
  if (x.field != y.field) return differ(#field, x.field, y.field)
  SAME(core.pc);
  for (unsigned i = 0; i < 32; ++i)
    if (x.x[i] != y.x[i]) return differ("x" + std::to_string(i), x.x[i], y.x[i]);
  for (unsigned i = 0; i < 32; ++i)
    if (x.f[i] != y.f[i]) return differ("f" + std::to_string(i), x.f[i], y.f[i]);
  SAME(priv);
  SAME(v);
  SAME(frm);
  SAME(fp_dirty);
  SAME(fp_enabled);
  SAME(core.reservation_vaddr);
  SAME(core.reservation_value);
#undef SAME
  constexpr std::uint32_t kFlagsAndRounding = 0x603d;  // not DE, which RISC-V has no word for
  if (((x.core.mxcsr ^ y.core.mxcsr) & kFlagsAndRounding) != 0)
    return differ("mxcsr", x.core.mxcsr, y.core.mxcsr);
  // All CSRs lie between the banks and the surroundings; the pointer `s` before them was compared as v.
  const auto* const left = reinterpret_cast<const std::uint64_t*>(&x.hs);
  const auto* const right = reinterpret_cast<const std::uint64_t*>(&y.hs);
  constexpr std::size_t kWords = (offsetof(Hart, trap) - offsetof(Hart, hs)) / 8;
  for (std::size_t i = 0; i < kWords; ++i)
    if (left[i] != right[i])
      return differ(format("word %zu of the CSRs (offset %zu of the hart)", i, offsetof(Hart, hs) + 8 * i),
                    left[i], right[i]);
  return {};
}

bool World::same_memory(World& a, World& b) { return std::memcmp(a.ram(), b.ram(), kRamSize) == 0; }

}  // namespace gstage::test
