// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>

#include <immintrin.h>

#include "softmmu/base/check.h"
#include "tcg/interp/interp.h"
#include "tcg/ir/helpers.h"
#include "tcg/runtime/guest.h"

namespace gstage::tcg::test {

/// A hart with just what the IR reaches.
struct TestHart {
  CpuCore core;
  std::array<std::uint64_t, 32> x{};
  std::array<std::uint64_t, 32> f{};
  alignas(1024) std::array<std::uint64_t, 4> env{};  ///< for env_load and env_store
  std::uint64_t calls = 0;                           ///< of helpers, each multiplied in
};
inline constexpr unsigned kEnvOffset = 1024;
static_assert(offsetof(TestHart, env) == kEnvOffset);

inline TestHart& hart_of(CpuCore* core) { return *reinterpret_cast<TestHart*>(core); }

// Virtual pages of the test machine.
inline constexpr std::uint64_t kCodePage = 0x4000;
inline constexpr std::uint64_t kFastPage = 0x5000;  ///< in the TLB's read and write tables
inline constexpr std::uint64_t kSlowPage = 0x6000;  ///< only Guest::load and the like reach it
inline constexpr std::uint64_t kTrapPage = 0x7000;  ///< traps
inline constexpr unsigned kFastAndSlowBytes = 2 * kPageSize;

/// Two pages of memory, the second behind the slow path, and a third that traps.
class TestGuest : public Guest {
 public:
  std::array<std::byte, kFastAndSlowBytes> memory{};
  unsigned slow_accesses = 0;

  [[nodiscard]] GuestLayout layout() const override {
    return {offsetof(TestHart, x), offsetof(TestHart, f), {1, 2, 8, 9, 10, 11, 12, 13, 14, 15}};
  }
  [[nodiscard]] std::uint32_t block_flags(const CpuCore&) const override { return 0; }
  std::optional<FetchPage> fetch(CpuCore&, Vaddr) override { return std::nullopt; }
  [[nodiscard]] bool is_long(std::uint16_t) const override { return true; }
  void translate(const BlockSource&, Unit&) override {}
  void deliver_trap(CpuCore& core) override { core.trap_pending = 0; }

  std::uint64_t load(CpuCore& core, Vaddr vaddr, MemKind kind) override {
    std::uint64_t value = 0;
    if (void* host = reach(core, vaddr, kind)) std::memcpy(&value, host, mem_size(kind));
    const unsigned shift = 64 - 8 * mem_size(kind);
    if (!mem_is_signed(kind)) return value;
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(value << shift) >> shift);
  }
  void store(CpuCore& core, Vaddr vaddr, MemKind kind, std::uint64_t value) override {
    if (void* host = reach(core, vaddr, kind)) std::memcpy(host, &value, mem_size(kind));
  }
  void* atomic_host(CpuCore& core, Vaddr vaddr, MemKind kind) override {
    if (vaddr.value % mem_size(kind) == 0) return reach(core, vaddr, kind);
    core.trap_pending = 1;
    return nullptr;
  }
  std::uint64_t load_reserved(CpuCore& core, Vaddr vaddr, MemKind kind) override {
    const std::uint64_t value = load(core, vaddr, kind);
    core.reservation_vaddr = vaddr.value;
    core.reservation_value = value;
    return value;
  }
  [[nodiscard]] std::string disassemble(std::uint64_t, std::span<const std::byte>) const override {
    return {};
  }
  [[nodiscard]] std::string describe_mode(const CpuCore&) const override { return {}; }

 private:
  void* reach(CpuCore& core, Vaddr vaddr, MemKind kind) {
    ++slow_accesses;
    if (vaddr.value >= kFastPage && vaddr.value <= kTrapPage - mem_size(kind))
      return &memory[vaddr.value - kFastPage];
    core.trap_pending = 1;
    return nullptr;
  }
};

/// Counts its call and mixes its arguments, so that order, number and values of calls show in the hart.
inline std::uint64_t helper_mix(CpuCore* core, std::uint64_t a, std::uint64_t b, std::uint64_t,
                                std::uint64_t) {
  TestHart& hart = hart_of(core);
  hart.calls = hart.calls * 31 + a + 7 * b + 1;
  return hart.calls;
}
/// Adds to x10 and to f10 in memory.
inline std::uint64_t helper_bump(CpuCore* core, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  hart_of(core).x[10] += 1;
  hart_of(core).f[10] += 1;
  return 0;
}
/// Traps when its argument is odd.
inline std::uint64_t helper_trap_if_odd(CpuCore* core, std::uint64_t a, std::uint64_t, std::uint64_t,
                                        std::uint64_t) {
  if (a % 2 != 0) core->trap_pending = 1;
  return a;
}
/// Traps and keeps its argument.
inline std::uint64_t helper_trap(CpuCore* core, std::uint64_t a, std::uint64_t, std::uint64_t,
                                 std::uint64_t) {
  core->trap_pending = 1;
  hart_of(core).calls = a;
  return 0;
}
/// Sets fcsr as a CSR instruction does.
inline std::uint64_t helper_set_mxcsr(CpuCore*, std::uint64_t a, std::uint64_t, std::uint64_t,
                                      std::uint64_t) {
  const std::uint64_t old = _mm_getcsr();
  _mm_setcsr(static_cast<std::uint32_t>(a));
  return old;
}
inline constexpr Helper kMix{"test_mix", helper_mix, 2, true, false, false};
inline constexpr Helper kBump{"test_bump", helper_bump, 0, false, false, true};
inline constexpr Helper kTrapIfOdd{"test_trap_if_odd", helper_trap_if_odd, 1, true, true, false};
inline constexpr Helper kTrap{"test_trap", helper_trap, 1, false, true, false};
inline constexpr Helper kSetMxcsr{"test_set_mxcsr", helper_set_mxcsr, 1, true, false, true};

inline void register_test_helpers() {
  for (const Helper* helper : {&kMix, &kBump, &kTrapIfOdd, &kTrap, &kSetMxcsr}) register_helper(*helper);
}

inline constexpr std::uint32_t kDefaultMxcsr = 0x1f80;
inline constexpr unsigned kMxcsrRoundingShift = 13;
inline constexpr std::uint32_t kStickyFlags = 0x3d;  ///< without the one of denormal operands

/// A machine that runs single units in the interpreter.
struct Machine {
  TestGuest guest;
  std::unique_ptr<TestHart> hart = std::make_unique<TestHart>();
  std::array<TlbEntry, kTlbSize> read;
  std::array<TlbEntry, kTlbSize> write;

  Machine() {
    read.fill({kNoTag, 0});
    const std::uint64_t addend = reinterpret_cast<std::uint64_t>(guest.memory.data()) - kFastPage;
    read[tlb_index(kFastPage)] = {kFastPage, addend};
    write = read;
    hart->core.read = read.data();
    hart->core.write = write.data();
  }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  /// Runs the unit as if its first instruction stood at `first_offset` of kCodePage.
  void run(const Unit& unit) {
    hart->core.pc_page = kCodePage;
    hart->core.pc = kCodePage + unit.first_offset;
    _mm_setcsr(hart->core.mxcsr);
    interp::run(unit, hart->core, guest, guest.layout());
    hart->core.mxcsr = _mm_getcsr();
    _mm_setcsr(kDefaultMxcsr);
  }
};

}  // namespace gstage::tcg::test
