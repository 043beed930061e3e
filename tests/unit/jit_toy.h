// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstring>
#include <initializer_list>
#include <map>
#include <memory>
#include <vector>

#include "softmmu/base/check.h"
#include "softmmu/exclusive.h"
#include "softmmu/mem/address_space.h"
#include "softmmu/mem/tlb.h"
#include "tcg/ir/builder.h"
#include "tcg/runtime/engine.h"

namespace gstage::tcg::test {

/// An instruction set of halfwords for tests of the engine: bits 1–0 are 3 in a long instruction (its second
/// halfword is an immediate), bits 5–2 the operation, 8–6 a register (x10–x17), 15–9 a signed immediate.
namespace toy {
enum Operation : unsigned { kHalt, kAddi, kJump, kBnez, kJumpReg, kStore, kLoad, kExit, kAuipc };
constexpr std::uint16_t make(Operation op, unsigned reg = 0, int imm = 0) {
  return static_cast<std::uint16_t>(op << 2 | reg << 6 | (static_cast<unsigned>(imm) & 0x7f) << 9);
}
constexpr std::uint16_t halt() { return make(kHalt); }
constexpr std::uint16_t addi(unsigned reg, int imm) { return make(kAddi, reg, imm); }
/// Offsets in halfwords, from the instruction.
constexpr std::uint16_t jump(int offset) { return make(kJump, 0, offset); }
constexpr std::uint16_t bnez(unsigned reg, int offset) { return make(kBnez, reg, offset); }
constexpr std::uint16_t jump_reg(unsigned reg) { return make(kJumpReg, reg); }
/// The low halfword of x10 to the address in the register; and back.
constexpr std::uint16_t store(unsigned reg) { return make(kStore, reg); }
constexpr std::uint16_t load(unsigned reg) { return make(kLoad, reg); }
/// Like fence.i: through the dispatcher.
constexpr std::uint16_t exit() { return make(kExit); }
/// The instruction's address to the register.
constexpr std::uint16_t auipc(unsigned reg) { return make(kAuipc, reg); }
/// A long one: the register becomes what the second halfword says.
constexpr std::uint16_t li(unsigned reg) { return static_cast<std::uint16_t>(reg << 6 | 3); }
}  // namespace toy

struct ToyHart {
  CpuCore core;
  std::array<std::uint64_t, 32> x{};
  std::array<std::uint64_t, 32> f{};
  TlbContext* context = nullptr;
};

inline ToyHart& toy_of(CpuCore& core) { return reinterpret_cast<ToyHart&>(core); }

class ToyCpu final : public Cpu {
 public:
  ToyCpu() {
    TlbContext& context = tlb_.context({});
    hart.core.read = context.table(TlbAccess::kRead);
    hart.core.write = context.table(TlbAccess::kWrite);
    hart.core.fetch = context.table(TlbAccess::kFetch);
    hart.core.straddlers = context.straddlers();
    hart.context = &context;
  }
  [[nodiscard]] unsigned index() const override { return 0; }
  CpuCore& core() override { return hart.core; }
  Tlb& tlb() override { return tlb_; }
  void run() override {}
  void reset() override {}
  void kick(std::uint32_t attention) override { hart.core.attention.fetch_or(attention); }
  TlbContext& context() { return tlb_.context({}); }

  ToyHart hart;

 private:
  Tlb tlb_;
};

inline std::uint64_t toy_halt(CpuCore* core, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  core->attention.fetch_or(kAttendStop);
  return 0;
}
inline constexpr Helper kToyHalt{"toy_halt", toy_halt, 0, false, false, false};

inline constexpr std::uint64_t kToyRam = 0x10000;
inline constexpr unsigned kToyPages = 64;
inline constexpr std::uint64_t kToyVector = kToyRam + 0x3000;  ///< where traps go

/// Virtual pages are RAM's unless remapped; what lies outside traps.
class ToyGuest final : public Guest {
 public:
  explicit ToyGuest(AddressSpace& memory) : memory_(memory) {}

  std::map<std::uint64_t, std::uint64_t> remapped;  ///< virtual page → physical page
  std::atomic<unsigned> translations{0};
  std::vector<std::uint64_t> trapped_at;

  [[nodiscard]] GuestLayout layout() const override {
    return {offsetof(ToyHart, x), offsetof(ToyHart, f), {1, 2, 3, 4, 10, 11, 12, 13, 14, 5}};
  }
  [[nodiscard]] std::uint32_t block_flags(const CpuCore&) const override { return 0; }
  [[nodiscard]] bool is_long(std::uint16_t halfword) const override { return (halfword & 3) == 3; }
  std::optional<FetchPage> fetch(CpuCore& core, Vaddr pc) override;
  void translate(const BlockSource& source, Unit& unit) override;
  void deliver_trap(CpuCore& core) override {
    trapped_at.push_back(core.pc);
    core.pc = kToyVector;
    core.trap_pending = 0;
  }
  std::uint64_t load(CpuCore& core, Vaddr vaddr, MemKind kind) override;
  void store(CpuCore& core, Vaddr vaddr, MemKind kind, std::uint64_t value) override;
  void* atomic_host(CpuCore&, Vaddr, MemKind) override { return nullptr; }
  std::uint64_t load_reserved(CpuCore&, Vaddr, MemKind) override { return 0; }
  [[nodiscard]] std::string disassemble(std::uint64_t, std::span<const std::byte>) const override {
    return {};
  }
  [[nodiscard]] std::string describe_mode(const CpuCore&) const override { return "T"; }

 private:
  [[nodiscard]] Paddr translate_address(Vaddr vaddr) const {
    const auto found = remapped.find(vaddr.page().value);
    return found == remapped.end() ? Paddr{vaddr.value} : Paddr{found->second + vaddr.page_offset()};
  }
  void insert(CpuCore& core, TlbAccess access, Vaddr vaddr, const void* host);

  AddressSpace& memory_;
};

inline TlbContext& context_of(CpuCore& core) { return *toy_of(core).context; }

inline void ToyGuest::insert(CpuCore& core, TlbAccess access, Vaddr vaddr, const void* host) {
  context_of(core).insert(access, vaddr, host, TlbOrigin{});
  core.data_mask = core.fetch_mask = context_of(core).mask();
}

inline std::optional<FetchPage> ToyGuest::fetch(CpuCore& core, Vaddr pc) {
  const Paddr page = translate_address(pc).page();
  const std::byte* const host = memory_.host(page);
  if (host == nullptr) {
    core.trap_pending = 1;
    return std::nullopt;
  }
  insert(core, TlbAccess::kFetch, pc, host);
  return FetchPage{page, host};
}

inline std::uint64_t ToyGuest::load(CpuCore& core, Vaddr vaddr, MemKind kind) {
  std::uint64_t value = 0;
  if (!memory_.load(translate_address(vaddr), mem_size(kind), value)) core.trap_pending = 1;
  return value;
}

inline void ToyGuest::store(CpuCore& core, Vaddr vaddr, MemKind kind, std::uint64_t value) {
  const Paddr paddr = translate_address(vaddr);
  const std::byte* const host = memory_.host(paddr.page());
  if (host == nullptr) {
    core.trap_pending = 1;
    return;
  }
  CodePages& pages = memory_.code_pages();
  if (!pages.has_code(paddr)) {
    pages.note_writable(paddr.page());
    insert(core, TlbAccess::kWrite, vaddr, host);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (!pages.may_write(paddr)) context_of(core).drop_write(vaddr);
  }
  memory_.store(paddr, mem_size(kind), value);
}

inline void ToyGuest::translate(const BlockSource& source, Unit& unit) {
  ++translations;
  Builder ir(unit);
  unit.flags = source.flags;
  unit.first_offset = source.first_offset;
  std::uint32_t at = source.first_offset;
  const auto halfword = [&](std::uint32_t offset) {
    std::uint16_t value = 0;
    const bool is_here = offset < kPageSize;
    std::memcpy(&value, (is_here ? source.page + offset : source.second_page + offset - kPageSize), 2);
    return value;
  };
  const auto finish = [&](std::uint32_t end) {
    unit.guest_bytes = end - source.first_offset;
    ++unit.guest_insns;
  };
  for (;; ++unit.guest_insns) {
    // At the page's end a block ends, before an instruction that straddles unless it is the first.
    if (unit.guest_insns == source.max_insns || at >= kPageSize ||
        (at == kPageSize - 2 && is_long(halfword(at)) && at != source.first_offset)) {
      ir.jump(at);
      unit.guest_bytes = at - source.first_offset;
      return;
    }
    const std::uint16_t raw = halfword(at);
    const bool is_long_insn = is_long(raw);
    const std::uint32_t next = at + (is_long_insn ? 4 : 2);
    const unsigned reg = 10 + (raw >> 6 & 7);
    const int imm = static_cast<std::int16_t>(raw) >> 9;
    ir.begin_insn(at, next - at, raw);
    if (is_long_insn) {
      ir.set_x(ir.const_(halfword(at + 2)), reg);
    } else {
      switch (raw >> 2 & 15) {
        case toy::kAddi: ir.set_x(ir.add(ir.get_x(reg), ir.const_(imm)), reg); break;
        case toy::kJump: ir.jump(at + 2 * imm); return finish(next);
        case toy::kBnez:
          ir.branch_to(Cond::ne, ir.get_x(reg), ir.const_(0), static_cast<std::int32_t>(at) + 2 * imm,
                       static_cast<std::int32_t>(next));
          return finish(next);
        case toy::kJumpReg: ir.jump_reg(ir.get_x(reg), JumpHint::none); return finish(next);
        case toy::kStore: ir.store(ir.get_x(reg), ir.get_x(10), 0, MemKind::u16); break;
        case toy::kLoad: ir.set_x(ir.load(ir.get_x(reg), 0, MemKind::u16), 10); break;
        case toy::kExit: ir.exit_at(next); return finish(next);
        case toy::kAuipc: ir.set_x(ir.pc(at), reg); break;
        default:
          ir.call(kToyHalt);
          ir.exit_at(next);
          return finish(next);
      }
    }
    at = next;
  }
}

/// A way to run guest code.
struct EngineKind {
  const char* name;
  Accel accel;
  Regions regions = Regions::kOff;
  /// Whether each block is translated once: regions translate theirs again.
  [[nodiscard]] bool translates_once() const { return regions == Regions::kOff; }
};

/// A machine of toy harts.
struct ToyMachine {
  AddressSpace memory;
  std::unique_ptr<ToyGuest> guest;
  Exclusive exclusive;
  std::vector<std::unique_ptr<ToyCpu>> cpus;
  std::unique_ptr<Engine> engine;

  explicit ToyMachine(const EngineKind& kind, std::size_t buffer_bytes = 0, unsigned harts = 1) {
    CHECK(memory.add_ram("ram", Paddr{kToyRam}, kToyPages * kPageSize).ok());
    memory.seal();
    guest = std::make_unique<ToyGuest>(memory);
    for (unsigned i = 0; i < harts; ++i) {
      cpus.push_back(std::make_unique<ToyCpu>());
      exclusive.add_hart(*cpus.back());
      memory.code_pages().add_tlb(cpus.back()->tlb());
    }
    engine = std::move(*Engine::make(*guest, memory, exclusive, {kind.accel, buffer_bytes, kind.regions}));
    write(kToyVector, {toy::halt()});
  }

  ToyHart& hart(unsigned i = 0) { return cpus[i]->hart; }
  void write(std::uint64_t paddr, std::initializer_list<std::uint16_t> code) {
    for (const std::uint16_t halfword : code) {
      CHECK(memory.write(Paddr{paddr}, &halfword, 2));
      paddr += 2;
    }
  }
  /// Until halt.
  void run(std::uint64_t pc, unsigned i = 0) {
    hart(i).core.pc = pc;
    while ((hart(i).core.attention.load() & kAttendStop) == 0) engine->run(hart(i).core, cpus[i]->tlb());
    hart(i).core.attention.fetch_and(~std::uint32_t{kAttendStop});
  }
};

}  // namespace gstage::tcg::test
