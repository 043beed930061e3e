// SPDX-License-Identifier: Apache-2.0
#include "tests/diff/loops.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <vector>

#include "softmmu/base/check.h"
#include "target/riscv/csr/csr.h"
#include "target/riscv/decode/decode.h"
#include "target/riscv/mmu/mmu.h"
#include "target/riscv/mmu/pte.h"
#include "target/riscv/trap/mode.h"

#include "tests/diff/tables.h"

namespace gstage::test {

namespace {

using namespace gstage::riscv;

// What lies behind the tables: M-mode's handler, and a page of constants, which x4 points to.
constexpr std::uint64_t kHandler = kRamBase + 0x71000;
constexpr std::uint64_t kConstants = kRamBase + 0x72000;
constexpr std::uint64_t kFirstData = (kDataBase - kRamBase) / kPageSize;
constexpr std::uint64_t kFlags = 0xcf;  // V R W X A D

using X = std::uint8_t;
constexpr X kZero = 0, kLink = 1, kOuterLink = 3, kTable = 4, kFirstCounter = 5, kTemp = 28, kAddress = 29;
/// M-mode's: x30 counts its traps.
constexpr X kTraps = 30, kMachineTemp = 31;

constexpr std::uint32_t addi(X rd, X rs, std::int32_t imm) { return encode(Insn::addi, ArgsI{rd, rs, imm}); }
constexpr std::uint32_t ld(X rd, X base, std::int32_t imm) { return encode(Insn::ld, ArgsI{rd, base, imm}); }
constexpr std::uint32_t csr(Insn insn, unsigned number, unsigned rs, X rd = 0) {
  return row_of(insn).pattern.match | number << 20 | rs << 15 | std::uint32_t{rd} << 7;
}

class Program {
 public:
  Program(World& world, std::uint64_t seed) : world_(world), rng_(seed) {}

  void write() {
    world_.reset();
    std::memset(world_.ram(), 0, kRamSize);
    const bool is_guest = one_in(rng_, 2);
    for (std::uint64_t at = kDataBase; at < kDataBase + kDataPages * kPageSize; at += 8)
      world_.word(at) = interesting_value(rng_);
    map_all();
    write_code();
    write_handler();
    world_.memory().dirty(Paddr{kRamBase}, kRamSize);
    set_up(is_guest);
  }

 private:
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(rng_() % n); }

  // Memory.

  void map(Stage stage, std::uint64_t page, std::uint64_t frame, std::uint64_t flags) {
    const std::uint64_t g_user = stage == kGStage ? pte::U::kMask : 0;
    world_.word(kTables[stage].leaves(0) + page * 8) = ((kRamBase >> 12) + frame) << 10 | flags | g_user;
  }

  void map_all() {
    std::iota(frames_.begin(), frames_.end(), std::uint64_t{0});
    std::shuffle(frames_.begin(), frames_.begin() + kCodePages, rng_);
    std::shuffle(frames_.begin() + kFirstData, frames_.begin() + kFirstData + kDataPages, rng_);
    for (const Stage stage : {kHsStage, kVsStage, kGStage}) {
      const Tables& tables = kTables[stage];
      world_.word(tables.at + (kRamBase >> 30) * 8) = tables.middle() >> 12 << 10 | 1;
      world_.word(tables.middle()) = tables.leaves(0) >> 12 << 10 | 1;
      for (std::uint64_t page = 0; page < frames_.size(); ++page)
        map(stage, page, stage == kGStage ? page : frames_[page], kFlags);
      // Some of the data is the user's, or only to be executed: SUM and MXR decide.
      if (stage == kGStage) continue;
      map(stage, kFirstData + 2, frames_[kFirstData + 2], kFlags | pte::U::kMask);
      map(stage, kFirstData + 13, frames_[kFirstData + 13], pte::V::kMask | pte::X::kMask | pte::A::kMask);
    }
  }

  /// The physical address of a virtual one of the code.
  [[nodiscard]] std::uint64_t physical(std::uint64_t vaddr) const {
    return kRamBase + frames_[(vaddr - kRamBase) / kPageSize] * kPageSize + vaddr % kPageSize;
  }

  /// A constant; its displacement from x4.
  std::int32_t constant(std::uint64_t value) {
    CHECK(constants_ < 256);
    world_.word(kConstants + 8 * constants_) = value;
    return static_cast<std::int32_t>(8 * constants_++);
  }

  // Code.

  void put(std::uint64_t at, std::uint32_t raw) {
    CHECK(at >= kCodeBase && at < kCodeBase + kCodePages * kPageSize);
    std::memcpy(world_.ram() + (physical(at) - kRamBase), &raw, sizeof raw);
  }
  void emit(std::uint32_t raw) {
    put(at_, raw);
    at_ += 4;
  }
  void load_constant(X rd, std::uint64_t value) { emit(ld(rd, kTable, constant(value))); }

  X free() { return static_cast<X>(16 + below(12)); }
  X pointer() { return static_cast<X>(depth_ == 0 ? 15 : 8 + 2 * (depth_ - 1) + below(2)); }

  void compute() {
    static constexpr Insn kRows[] = {Insn::add,  Insn::sub, Insn::xor_, Insn::and_,  Insn::sll,
                                     Insn::srl,  Insn::sra, Insn::mul,  Insn::addw,  Insn::subw,
                                     Insn::sltu, Insn::div, Insn::remu, Insn::mulhu, Insn::sh2add};
    const Insn insn = kRows[below(std::size(kRows))];
    emit(encode(insn, ArgsR{free(), free(), free()}));
    if (below(2) == 0) emit(addi(free(), free(), static_cast<std::int32_t>(below(4096)) - 2048));
  }

  void compute_float() {
    static constexpr Insn kRows[] = {Insn::fadd_s, Insn::fmul_s, Insn::fadd_d, Insn::fsub_d, Insn::fmul_d};
    const Insn insn = kRows[below(std::size(kRows))];
    const auto f = [&] { return static_cast<X>(below(16)); };
    emit(encode(insn, ArgsFRm{f(), f(), f(), 7}));
    if (below(4) == 0) emit(encode(Insn::fcvt_d_s, ArgsFUnary{f(), f(), 0}));
  }

  /// One access near a pointer.
  void access(X base) {
    static constexpr Insn kLoads[] = {Insn::lb, Insn::lhu, Insn::lw, Insn::ld, Insn::lwu, Insn::lbu};
    static constexpr Insn kStores[] = {Insn::sb, Insn::sh, Insn::sw, Insn::sd};
    const std::int32_t imm = static_cast<std::int32_t>(below(64)) - 32;
    switch (below(6)) {
      case 0:
        return emit(
            encode(below(2) == 0 ? Insn::flw : Insn::fld, ArgsI{static_cast<X>(below(16)), base, imm}));
      case 1:
        return emit(
            encode(below(2) == 0 ? Insn::fsw : Insn::fsd, ArgsS{base, static_cast<X>(below(16)), imm}));
      case 2:
      case 3: return emit(encode(kStores[below(4)], ArgsS{base, free(), imm}));
      default: return emit(encode(kLoads[below(6)], ArgsI{free(), base, imm}));
    }
  }

  void access_and_move() {
    const X base = pointer();
    access(base);
    if (below(2) == 0) access(base);
    if (depth_ == 0) return;
    static constexpr std::int32_t kSteps[] = {1, 2, 4, 8, 16, 64, 3, 6, 10, 12, 20, 24, 36, 40, 56};
    const std::int32_t step = kSteps[below(std::size(kSteps))];
    emit(addi(base, base, below(3) == 0 ? -step : step));
  }

  void conditional() {
    static constexpr Insn kBranches[] = {Insn::beq, Insn::bne, Insn::blt, Insn::bgeu};
    const std::uint64_t at = at_;
    emit(0);
    simple();
    const Insn insn = kBranches[below(4)];
    put(at, encode(insn, ArgsB{free(), free(), static_cast<std::int32_t>(at_ - at)}));
  }

  void simple() {
    switch (below(4)) {
      case 0: return compute();
      case 1: return compute_float();
      default: return access_and_move();
    }
  }

  void call() {
    const std::uint64_t target = functions_[below(static_cast<std::uint32_t>(functions_.size()))];
    emit(encode(Insn::jal, ArgsJ{kLink, static_cast<std::int32_t>(target - at_)}));
  }

  /// Four cases, chosen by a register.
  void choose() {
    const std::int32_t first = constant(0);
    for (unsigned i = 1; i < 4; ++i) constant(0);
    emit(encode(Insn::andi, ArgsI{kTemp, free(), 24}));
    emit(encode(Insn::add, ArgsR{kTemp, kTemp, kTable}));
    emit(ld(kTemp, kTemp, first));
    emit(encode(Insn::jalr, ArgsI{kZero, kTemp, 0}));
    std::array<std::uint64_t, 4> ends{};
    for (unsigned i = 0; i < 4; ++i) {
      world_.word(kConstants + static_cast<std::uint64_t>(first) + 8 * i) = at_;
      simple();
      ends[i] = at_;
      emit(0);
    }
    for (const std::uint64_t end : ends)
      put(end, encode(Insn::jal, ArgsJ{kZero, static_cast<std::int32_t>(at_ - end)}));
  }

  /// An instruction of a function becomes one of two, by a bit of the innermost loop's counter.
  void change_code() {
    const std::uint64_t target = patched_[below(static_cast<std::uint32_t>(patched_.size()))];
    const std::int32_t first = constant(addi(20, 20, static_cast<std::int32_t>(below(2000))));
    constant(encode(Insn::xori, ArgsI{21, 20, static_cast<std::int32_t>(below(2000))}));
    emit(encode(Insn::andi, ArgsI{kTemp, counter(), 8}));
    emit(encode(Insn::add, ArgsR{kTemp, kTemp, kTable}));
    emit(ld(kTemp, kTemp, first));
    load_constant(kAddress, target);
    emit(encode(Insn::sw, ArgsS{kAddress, kTemp, 0}));
    emit(row_of(Insn::fence_i).pattern.match);
  }

  /// A page of the data or of the functions, which lie alike in all their pages, leads elsewhere and back;
  /// then a fence.
  void change_table() {
    const bool is_code = below(3) == 0;
    const std::uint64_t page = is_code ? 2 + below(kCodePages - 2) : kFirstData + below(kDataPages);
    const std::uint64_t frame = is_code ? frames_[1 + below(kCodePages - 1)] : kFirstData + below(kDataPages);
    const std::int32_t first = constant(((kRamBase >> 12) + frame) << 10 | kFlags);
    constant(((kRamBase >> 12) + frames_[page]) << 10 | kFlags);
    emit(encode(Insn::andi, ArgsI{kTemp, counter(), 8}));
    emit(encode(Insn::add, ArgsR{kTemp, kTemp, kTable}));
    emit(ld(kTemp, kTemp, first));
    leaf_constants_.push_back(constants_);
    load_constant(kAddress, page * 8);
    emit(encode(Insn::sd, ArgsS{kAddress, kTemp, 0}));
    load_constant(kAddress, kRamBase + page * kPageSize + below(kPageSize));
    emit(encode(Insn::sfence_vma, ArgsVma{below(3) == 0 ? kZero : kAddress, kZero}));
  }

  /// SUM or MXR to and fro.
  void change_status() {
    constexpr unsigned kSstatus = 0x100;
    load_constant(kTemp, std::uint64_t{1} << (18 + below(2)));
    emit(csr(below(2) == 0 ? Insn::csrrs : Insn::csrrc, kSstatus, kTemp));
  }

  void interrupt_oneself() {
    constexpr unsigned kSip = 0x144;
    constexpr unsigned kSsip = 2;
    emit(csr(Insn::csrrsi, kSip, kSsip));
  }

  [[nodiscard]] X counter() const { return static_cast<X>(kFirstCounter + (depth_ == 0 ? 0 : depth_ - 1)); }

  void loop() {
    constexpr unsigned kMostRounds = 6000;
    const std::uint32_t rounds = std::min(3 + below(depth_ == 0 ? 60 : 120), kMostRounds / rounds_);
    if (rounds < 3) return simple();
    const unsigned outer = rounds_;
    rounds_ *= rounds;
    ++depth_;
    emit(addi(counter(), kZero, static_cast<std::int32_t>(rounds)));
    // Somewhere in the middle of the data.
    for (const unsigned i : {0u, 1u})
      load_constant(static_cast<X>(8 + 2 * (depth_ - 1) + i),
                    kDataBase + 5 * kPageSize + below(5 * kPageSize));
    const std::uint64_t head = at_;
    // Innermost loops that go by their pointers alone, and others.
    const bool is_plain = below(2) == 0;
    const unsigned parts = 2 + below(4);
    for (unsigned i = 0; i < parts; ++i) is_plain ? simple() : element();
    emit(addi(counter(), counter(), -1));
    emit(encode(Insn::bne, ArgsB{counter(), kZero, static_cast<std::int32_t>(head - at_)}));
    --depth_;
    rounds_ = outer;
  }

  void element() {
    const bool has_room = constants_ < 180 && at_ % kPageSize < 0xc00;
    if (!has_room) return simple();
    switch (below(16)) {
      case 0:
      case 1:
      case 2: return depth_ < 3 ? loop() : simple();
      case 3:
      case 4: return call();
      case 5: return choose();
      case 6: return depth_ == 0 ? simple() : change_code();
      case 7: return depth_ == 0 ? simple() : change_table();
      case 8: return change_status();
      case 9: return interrupt_oneself();
      case 10:
      case 11: return conditional();
      default: return simple();
    }
  }

  /// A leaf function that has a place to be changed.
  void function(std::uint64_t at) {
    at_ = at;
    load_constant(15, kDataBase + 5 * kPageSize + below(5 * kPageSize));
    for (unsigned i = below(3); i > 0; --i) simple();
    patched_.push_back(at_);
    emit(addi(20, 20, 1));
    for (unsigned i = below(3); i > 0; --i) simple();
    emit(encode(Insn::jalr, ArgsI{kZero, kLink, 0}));
    functions_.push_back(at);
  }

  void write_code() {
    for (unsigned page = 1; page < kCodePages; ++page)
      for (const std::uint64_t offset : {0x100, 0xf80}) function(kCodeBase + page * kPageSize + offset);
    write_interrupt_handler();
    at_ = kCodeBase;
    for (unsigned i = 0; i < 6; ++i) {
      loop();
      if (at_ % kPageSize > 0xa00) break;
    }
    // What an interrupt leaves behind.
    constexpr unsigned kSepc = 0x141, kScause = 0x142, kSip = 0x144;
    emit(csr(Insn::csrrci, 0x100, 2));
    emit(csr(Insn::csrrci, kSip, 2));
    emit(csr(Insn::csrrw, kSepc, kZero));
    emit(csr(Insn::csrrw, kScause, kZero));
    emit(row_of(Insn::ecall).pattern.match);
  }

  void write_interrupt_handler() {
    at_ = kInterruptHandler;
    emit(csr(Insn::csrrci, 0x144, 2));
    emit(row_of(Insn::sret).pattern.match);
  }

  /// M-mode: the end for an ecall; another exception's instruction is passed over.
  void write_handler() {
    constexpr unsigned kMepc = 0x341, kMcause = 0x342, kMtval = 0x343;
    const std::uint32_t code[] = {
        csr(Insn::csrrs, kMcause, 0, kMachineTemp),
        addi(kMachineTemp, kMachineTemp, -8),
        encode(Insn::sltiu, ArgsI{kMachineTemp, kMachineTemp, 3}),
        encode(Insn::bne, ArgsB{kMachineTemp, kZero, 6 * 4}),
        csr(Insn::csrrs, kMepc, 0, kMachineTemp),
        addi(kMachineTemp, kMachineTemp, 4),
        csr(Insn::csrrw, kMepc, kMachineTemp),
        addi(kTraps, kTraps, 1),
        row_of(Insn::mret).pattern.match,
        csr(Insn::csrrw, kMtval, kZero),
        encode(Insn::lui, ArgsU{kMachineTemp, static_cast<std::int32_t>(World::kStopDevice)}),
        encode(Insn::sw, ArgsS{kMachineTemp, kZero, 0}),
        encode(Insn::jal, ArgsJ{kZero, 0}),
    };
    std::memcpy(&world_.word(kHandler), code, sizeof code);
  }

  void set_up(bool is_guest) {
    Hart& h = world_.hart();
    const auto stage = is_guest ? kVsStage : kHsStage;
    for (const unsigned i : leaf_constants_) world_.word(kConstants + 8 * i) += kTables[stage].leaves(0);
    csr_poke(h, 0x3b0, ~std::uint64_t{0} >> 10);
    csr_poke(h, 0x3a0, 0x1f);
    csr_poke(h, 0x305, kHandler);
    csr_poke(h, 0x300, 3 << 13);  // FS
    csr_poke(h, 0x303, ~std::uint64_t{0});
    csr_poke(h, 0x603, ~std::uint64_t{0});
    csr_poke(h, 0x180, root_register(kHsStage, kAsids[below(4)]));
    csr_poke(h, 0x280, root_register(kVsStage, kAsids[below(4)]));
    csr_poke(h, 0x680, one_in(rng_, 4) ? 0 : root_register(kGStage, kVmids[below(4)]));
    const unsigned bank = is_guest ? 0x100 : 0;
    csr_poke(h, 0x100 + bank, 3 << 13 | 1 << 5 | 2);  // FS, SPIE, SIE
    csr_poke(h, 0x104 + bank, 2);                     // SSIE
    csr_poke(h, 0x105 + bank, kInterruptHandler);
    for (unsigned i = 1; i < 32; ++i) h.x[i] = interesting_value(rng_);
    for (std::uint64_t& f : h.f) f = interesting_float(rng_);
    h.x[kTable] = kConstants;
    h.x[15] = kDataBase + 6 * kPageSize;
    h.core.pc = kCodeBase;
    set_mode(h, kSupervisor, is_guest);
    reset_mmu(h);
    world_.note_tables();
  }

  static constexpr std::uint64_t kInterruptHandler = kCodeBase + kPageSize + 0x800;

  World& world_;
  Rng rng_;
  std::array<std::uint64_t, kRamSize / kPageSize> frames_{};  ///< by virtual page
  std::vector<std::uint64_t> functions_;
  std::vector<std::uint64_t> patched_;    ///< instructions of functions that may be changed
  std::vector<unsigned> leaf_constants_;  ///< constants that lie in the table of leaves
  std::uint64_t at_ = 0;
  unsigned constants_ = 0;
  unsigned depth_ = 0;
  unsigned rounds_ = 1;  ///< of all loops around
};

}  // namespace

void write_loops(World& world, std::uint64_t seed) { Program(world, seed).write(); }

}  // namespace gstage::test
